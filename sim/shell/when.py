"""The times that at(1) takes: "now + 5 minutes", "10:30", "noon tomorrow", "4pm + 3 days". Not here: dates by month and day."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_UNITS = {
    "min": timedelta(minutes=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}  # fmt: skip
_NAMED = {"midnight": (0, 0), "noon": (12, 0), "teatime": (16, 0)}
_CLOCK = re.compile(r"(\d{1,2}):?(\d{2})?\s*(am|pm)?$")


class Garbled(ValueError):
    """No time; the text says what at(1) says."""


def moment(text: str, now: datetime) -> datetime:
    """The moment that `text` means when it is `now`; whole minutes. A time of day that is over means tomorrow. Raises Garbled."""
    words = re.findall(r"\d+:\d+\w*|\d+(?:am|pm)|\d+|[a-z]+|\S", text.lower())
    if not words:
        raise Garbled("Garbled time" if text else "syntax error. Last token seen: ")
    base = now.replace(second=0, microsecond=0)
    found, rest = (base, words[1:]) if words[0] == "now" else _day_time(words, base)
    if rest[:1] in (["tomorrow"], ["today"]):
        tomorrow = rest[0] == "tomorrow"
        found = found.replace(year=base.year, month=base.month, day=base.day) + timedelta(days=tomorrow)
        rest = rest[1:]
    found += _added(rest)
    if found < base:
        raise Garbled("at: refusing to create job destined in the past")
    return found


def _day_time(words: list[str], base: datetime) -> tuple[datetime, list[str]]:
    if words[0] in _NAMED:
        hour, minute, rest = *_NAMED[words[0]], words[1:]
    else:
        word, rest = (words[0] + words[1], words[2:]) if words[1:2] in (["am"], ["pm"]) else (words[0], words[1:])
        match = _CLOCK.match(word if ":" in word or len(word) < 3 or not word.isdecimal() else f"{word[:-2]}:{word[-2:]}")
        if match is None:
            raise Garbled(f"syntax error. Last token seen: {words[0][:1]}")
        hour, minute = int(match[1]), int(match[2] or 0)
        if match[3]:
            hour = hour % 12 + 12 * (match[3] == "pm")
        if hour > 23 or minute > 59:
            raise Garbled(f"Problem in {'hours' if hour > 23 else 'minutes'} specification. Last token seen: {words[0]}")
    found = base.replace(hour=hour, minute=minute)
    return (found if found > base or rest[:1] == ["today"] else found + timedelta(days=1)), rest


def _added(words: list[str]) -> timedelta:
    if not words:
        return timedelta(0)
    unit = _UNITS.get(words[2].removesuffix("s") if words[2] != "s" else "") if len(words) == 3 else None
    if words[0] != "+" or unit is None or not words[1].isdecimal():
        raise Garbled(f"syntax error. Last token seen: {words[-1][:1] if not words[-1].isdecimal() else words[-1]}")
    return int(words[1]) * unit
