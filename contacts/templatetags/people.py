"""Tags for pages about a person: their own time, what a channel's state looks like."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from contacts.models import Consent

register = template.Library()
TONES = {
    "open": "good",
    "not_declined": "info",
    "no_consent": "warn",
    "suppressed": "bad",
    "invalid": "warn",
    "no_address": "",
}


@register.simple_tag
def local_time(value: datetime | None, zone: str, style: str = "time") -> SafeString | str:
    """`<time>` in this zone, which its title names: "14:05" (style time) or "Wed 18 Nov, 14:05" (style moment)."""
    if value is None:
        return "–"
    local = value.astimezone(ZoneInfo(zone))
    text = f"{local:%H:%M}" if style == "time" else f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"
    return format_html(
        '<time datetime="{}" title="{} {}">{}</time>', value.isoformat(), f"{local:%Y-%m-%d %H:%M:%S %Z}", zone, text
    )


@register.simple_tag
def agreed_on(consent: Consent, zone: str, style: str = "moment") -> SafeString | str:
    """When somebody agreed, as local_time. Where only the day is known: "Tue 1 Sep" (style moment) or nothing (style time)."""
    day = consent.given_on
    if day is None:
        return local_time(consent.given_at, zone, style)
    if style == "time":
        return ""
    return format_html('<time datetime="{0}" title="{0}">{1}</time>', day, f"{day:%a} {day.day} {day:%b}")


@register.filter
def tone(state: str) -> str:
    """The colour class of a channel's state; its word stands beside it."""
    return TONES.get(state, "")


@register.filter
def city_of(zone: str) -> str:
    """ "America/New_York" as "New York"."""
    return zone.rsplit("/", 1)[-1].replace("_", " ")


@register.simple_tag
def plus(filters: object, **changes: str) -> str:
    """The list's query with some filters changed, with a leading question mark."""
    return f"?{filters.query(**changes)}"  # type: ignore[attr-defined]
