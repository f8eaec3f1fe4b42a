"""Tags every page uses: icons, times, channels, states, the navigation."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from omnify.lib.clock import now
from omnify.lib.opaque import OpaqueNumber
from omnify.tenants.icons import ICONS
from omnify.tenants.moments import absolute, relative
from omnify.tenants.navigation import sections

register = template.Library()

CHANNELS = {"sms": "SMS", "email": "Email", "voice": "AI call"}

# Which colour a state's chip has. The word is always there too; a state not named here stays grey.
TONES = {
    "good": "active delivered done completed booked answered replied valid live sent accepted owner given reviewed warming hot signed",
    "warn": "paused draft unknown held waiting deferred parked unmatched simulated cooling suppressed expired changed withdrawn high",
    "bad": "failed undelivered rejected bounced urgent revoked opted_out cancelled invalid cold complained refused",
    "info": "ready claimed sending importing reviewing uploaded new inbound normal manager",
}
TONE_OF = {word: tone for tone, words in TONES.items() for word in words.split()}


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An inline SVG of 16 px. Without a label it is decoration; with one it is an image of that name. Unknown names raise KeyError."""
    naming = (
        format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')  # noqa: S308
    )
    return format_html(
        '<svg class="icon icon-{}" viewBox="0 0 24 24" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" {}>{}</svg>',
        name,
        naming,
        mark_safe(ICONS[name]),  # noqa: S308 - our own constants
    )


@register.simple_tag(takes_context=True)
def time(context: Context, value: datetime | None, empty: str = "–") -> SafeString | str:
    """`<time>`: relative in the text, absolute in the tenant's zone in the title. None gives `empty`."""
    if value is None:
        return empty
    member = context.get("member")
    zone = ZoneInfo(member.tenant.timezone if member else "UTC")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        absolute(value, zone),
        relative(value, now(), zone),
    )


@register.filter
def channel_name(channel: str) -> str:
    """The word for a channel: SMS, Email, AI call."""
    return CHANNELS.get(channel, channel.capitalize())


@register.filter
def opaque(number: int) -> str:
    """A row's number as people may see it: nobody can guess a neighbour's."""
    return OpaqueNumber().to_url(number)


@register.filter
def words(name: str) -> str:
    """A machine's name as words: "no_address" becomes "no address"."""
    return str(name).replace("_", " ")


@register.simple_tag
def channel(name: str) -> SafeString:
    """A channel as icon and word."""
    return format_html(
        '<span class="nowrap">{} {}</span>', icon(name if name in CHANNELS else "send"), channel_name(name)
    )


@register.simple_tag
def status(state: str, label: str = "") -> SafeString:
    """A chip for a state; its colour follows from the state's name, its word is `label` or the state itself."""
    return format_html(
        '<span class="chip {}">{}</span>',
        TONE_OF.get(str(state), ""),
        label or str(state).replace("_", " ").capitalize(),
    )


@register.inclusion_tag("frame/navigation.html", takes_context=True)
def navigation(context: Context) -> dict[str, Any]:
    """The list of sections this member may open, the current one marked."""
    request = context["request"]
    return {"sections": sections(request.path, context.get("member"), request.user)}
