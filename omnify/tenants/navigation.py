"""The sections at the left of every page: which exist here, which this member may open, which one is open."""

from dataclasses import dataclass
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


SECTIONS = (
    Section("Home", "home", "home", jump="h"),
    Section("Contacts", "people", "contacts:list", jump="c"),
    Section("Sequences", "sequence", "sequences:list", jump="s"),
    Section("Tasks", "task", "sequences:tasks", jump="t"),
    Section("Import", "import", "contacts:imports", jump="i", role=Role.AGENT),
    Section("Phone", "phone", "phone:list", jump="p", role=Role.AGENT),
    Section("Settings", "settings", "tenants:settings", jump=","),
    Section("Admin", "admin", "admin:index", staff=True),
)


def sections(path: str, member: Membership | None, user: Any) -> list[dict[str, Any]]:
    """The sections this person may open, as {section, url, current}; at most one is current: the longest address that `path` is under."""
    shown = []
    for section in SECTIONS:
        if section.staff and not user.is_staff:
            continue
        if not section.staff and (member is None or not member.may(section.role)):
            continue
        try:
            url = reverse(section.url_name)
        except NoReverseMatch:
            continue  # not part of this installation: without a simulator there is no Phone
        shown.append({"section": section, "url": url, "current": False})
    under = [each for each in shown if path == each["url"] or (each["url"] != "/" and path.startswith(each["url"]))]
    if under:
        max(under, key=lambda each: len(each["url"]))["current"] = True
    return shown
