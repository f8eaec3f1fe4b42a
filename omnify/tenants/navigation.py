"""The sections at the left of every page: which exist here, which this member may open, which one is open."""

from dataclasses import dataclass, replace
from typing import Any

from django.urls import NoReverseMatch, reverse

from omnify.tenants.models import Membership
from omnify.tenants.models.people import Role


@dataclass(frozen=True)
class Section:
    label: str
    icon: str
    url_name: str
    jump: str = ""  # the key after "g"
    role: str = Role.VIEWER
    staff: bool = False
    also_staff: bool = False  # whatever their role in the workspace is, and without one


SECTIONS = (
    Section("Home", "home", "home", jump="h"),
    Section("Contacts", "people", "contacts:list", jump="c"),
    Section("Sequences", "sequence", "sequences:list", jump="s"),
    Section("Tasks", "task", "sequences:tasks", jump="t"),
    Section("Held", "wait", "sequences:held", jump="e"),
    Section("Approvals", "edit", "tenants:approvals", jump="a"),
    Section("Import", "import", "contacts:imports", jump="i", role=Role.AGENT),
    Section("Phone", "phone", "phone:list", jump="p", role=Role.AGENT),
    Section("Operations", "shield", "operations:page", jump="o", role=Role.MANAGER, also_staff=True),
    Section("Settings", "settings", "tenants:settings", jump=","),
    Section("Admin", "admin", "admin:index", staff=True),
)


@dataclass(frozen=True)
class Entry:
    section: Section
    url: str
    current: bool = False


def sections(path: str, member: Membership | None, user: Any) -> list[Entry]:
    """The sections this person may open; at most one is current: the one with the longest address that `path` is under."""
    shown = []
    for section in SECTIONS:
        if section.staff and not user.is_staff:
            continue
        welcome = section.also_staff and user.is_staff
        if not section.staff and not welcome and (member is None or not member.may(section.role)):
            continue
        try:
            shown.append(Entry(section, reverse(section.url_name)))
        except NoReverseMatch:
            continue  # not part of this installation: without a simulator there is no Phone
    under = [each for each in shown if path == each.url or (each.url != "/" and path.startswith(each.url))]
    best = max(under, key=lambda each: len(each.url), default=None)
    return [replace(each, current=each is best) for each in shown]
