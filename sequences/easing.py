"""How a backlog is let go beside everyday work: a tenth of a normal hour each hour of the first day, two tenths the second, and
so on. Pure.

Normal is what the same hour of the day brings on other days; so nothing gathers in the hours in which nothing is sent anyway.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

SHARE = 0.1
HOUR = timedelta(hours=1)
DAYS = 14


def released(normal: Sequence[float], backlog: int, now: datetime) -> list[float]:
    """How many of a backlog are let go by the end of each hour after `now` (UTC), until all are.

    `normal`: 24 numbers, a normal hour's work by the hour of the day in UTC; not all of them zero. The first day never brings
    more than a tenth beside them, however large the backlog is; what two weeks of growing tenths do not hold is shared out over
    all days after the first.
    """
    if len(normal) != 24 or min(normal) < 0 or not any(normal):
        raise ValueError("A normal day has 24 hours, and something in one of them.")
    part = (now.minute * 60 + now.second) / 3600
    hours = [
        (normal[(now.hour + n) % 24] * (1 - part) + normal[(now.hour + n + 1) % 24] * part) * SHARE * (n // 24 + 1)
        for n in range(DAYS * 24)
    ]
    first, later = sum(hours[:24]), sum(hours[24:])
    faster = max(1.0, (backlog - first) / later)
    total, by_hour = 0.0, []
    for n, share in enumerate(hours):
        total += share if n < 24 else share * faster
        by_hour.append(total)
        if total >= backlog:
            break
    by_hour[-1] = max(by_hour[-1], float(backlog))  # what rounding lost
    return by_hour


def moment(by_hour: Sequence[float], place: int, now: datetime) -> datetime:
    """When the person at this place of the backlog (1, 2 …) is let go. The statements in catchup say the same in SQL."""
    before = 0.0
    for n, total in enumerate(by_hour):
        if total >= place:
            return now + HOUR * (n + (place - before) / (total - before))
        before = total
    return now + HOUR * len(by_hour)


def normal_day(seen: Sequence[int], covered: timedelta, backlog: int, stood: timedelta) -> list[float]:
    """A normal day's 24 hours: from what the ledger saw by hour of the day (`seen`) in the time it covers; where that is less
    than a day, or nothing, from what was planned: the backlog itself over the standstill it comes from."""
    if covered >= 24 * HOUR and any(seen):
        return [count / (covered / (24 * HOUR)) for count in seen]
    return [backlog / (stood / HOUR)] * 24
