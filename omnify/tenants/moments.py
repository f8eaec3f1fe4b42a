"""Moments in words: how long ago or how soon, and when exactly. Pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = 60, 3600, 86400


def absolute(value: datetime, zone: ZoneInfo) -> str:
    """The full moment in a zone, with the zone's name: "Wed 18 Nov 2026, 11:00 EST (America/New_York)"."""
    local = value.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M %Z} ({zone.key})"


def relative(value: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Short and rounded down: "just now", "4 min ago", "in 3 h", "2 days ago"; beyond a week the day itself in the zone."""
    seconds = (value - now).total_seconds()
    size = abs(seconds)
    if size < MINUTE:
        return "just now" if seconds <= 0 else "in a moment"
    if size >= 7 * DAY:
        local = value.astimezone(zone)
        year = "" if local.year == now.astimezone(zone).year else f" {local.year}"
        return f"{local.day} {local:%b}{year}"
    if size < HOUR:
        words = f"{int(size // MINUTE)} min"
    elif size < DAY:
        words = f"{int(size // HOUR)} h"
    else:
        days = int(size // DAY)
        words = f"{days} day{'s' if days > 1 else ''}"
    return f"in {words}" if seconds > 0 else f"{words} ago"
