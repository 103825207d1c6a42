"""iptables' module time. Times of day and dates are UTC, as on a machine whose kernel has that time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sim.ruleset.circumstances import ALL_MONTHDAYS, ALL_WEEKDAYS
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Context, Given, Module, Opt, by_name
from sim.ruleset.model import Extension, Option
from sim.ruleset.parts import Judge

_LAST_SECOND, _LAST_DATE = 86399, 0x7FFFFFFF
_LOCAL = (
    'WARNING: --localtz is being replaced by --kerneltz, since "local" is ambiguous. Note the kernel timezone has caveats - see manpage'
    " for details.\n"
)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DATE = re.compile(r"(\d+)(?:-(\d*)(?:-(\d*)(?:T(\d*)(?::(\d*)(?::(\d*))?)?)?)?)?$")


def _read(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    start = _daytime(names["timestart"]) if "timestart" in names else 0
    stop = _daytime(names["timestop"]) if "timestop" in names else _LAST_SECOND
    first = _date(names["datestart"]) if "datestart" in names else 0
    last = _date(names["datestop"]) if "datestop" in names else _LAST_DATE
    months = _bits(names["monthdays"], _monthday, ALL_MONTHDAYS) if "monthdays" in names else ALL_MONTHDAYS
    weeks = _bits(names["weekdays"], _weekday, ALL_WEEKDAYS) if "weekdays" in names else ALL_WEEKDAYS
    if "contiguous" in names and start < stop:
        raise Mistake("time: --contiguous only makes sense when stoptime is smaller than starttime")
    options = [] if (start, stop) == (0, _LAST_SECOND) else [Option("timestart", _clock(start)), Option("timestop", _clock(stop))]
    options += _lists(months, weeks)
    options += [Option("datestart", _stamp(first))] if first else []
    options += [Option("datestop", _stamp(last))] if last else []
    options += [Option(name) for name in ("kerneltz", "contiguous") if name in names or (name == "kerneltz" and "localtz" in names)]
    settings = (
        ("daytime", (start, stop)), ("dates", (first, last)), ("monthdays", months), ("weekdays", weeks),
        ("contiguous", "contiguous" in names),
    )  # fmt: skip
    return module.extension(options, (Judge("time", settings),))


def _lists(months: int, weeks: int) -> list[Option]:
    options = []
    if months != ALL_MONTHDAYS:
        options.append(_list("monthdays", ",".join(str(day) for day in range(1, 32) if months >> day & 1)))
    if weeks != ALL_WEEKDAYS:
        options.append(_list("weekdays", _names(weeks)))
    return options


def _list(name: str, value: str) -> Option:
    """A list that is empty leaves its blank behind."""
    return Option(name if value else f"{name} ", value)


def _names(weeks: int) -> str:
    return ",".join(name for number, name in enumerate(_DAYS, 1) if weeks >> number & 1)


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def _stamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _daytime(given: Given) -> int:
    """hh:mm[:ss]; a part that is out of bounds is named from there on, one that is left out is 0."""
    parts = given.value.split(":")
    limits = (23, 59, 59)
    for place, part in enumerate(parts[:3]):
        if (part and not part.isdecimal()) or int(part or 0) > limits[place] or (place == 2 and len(parts) > 3):
            raise _bad_time(given, ":".join(parts[place:]))
    if len(parts) < 2:
        raise _bad_time(given, given.value)
    hour, minute, second = (int(part or 0) for part in (*parts, "0")[:3])
    return hour * 3600 + minute * 60 + second


def _bad_time(given: Given, text: str) -> Mistake:
    return Mistake(f'invalid time "{text}" specified, should be hh:mm[:ss] format and within the boundaries', given.span)


def _date(given: Given) -> int:
    """What is left out at the end is the earliest; months and days from 0, and what is too late goes on, as mktime has it."""
    found = _DATE.match(given.value)
    year, month, day, hour, minute, second = (
        (int(each or 0) if each is not None else default for each, default in zip(found.groups(), (0, 1, 1, 0, 0, 0), strict=True))
        if found else (0,) * 6
    )  # fmt: skip
    if not 1970 <= year <= 2038 or month > 12 or day > 31 or hour > 23 or minute > 59 or second > 59:
        raise Mistake(f'Invalid date "{given.value}" specified. Should be YYYY[-MM[-DD[Thh[:mm[:ss]]]]]', given.span)
    first = datetime(year, month, 1, tzinfo=UTC) if month else datetime(year - 1, 12, 1, tzinfo=UTC)
    return int(first.timestamp()) + (day - 1) * 86400 + hour * 3600 + minute * 60 + second


def _bits(given: Given, read: object, every: int) -> int:
    assert callable(read)
    bits = 0
    for word in given.value.split(","):
        bits |= 1 << read(word, given) if word else 0
    bits &= every
    return bits ^ every if given.negated else bits


def _monthday(word: str, given: Given) -> int:
    if not word.isdecimal() or int(word) > 31:
        raise Mistake(f"{word[:2]} is not a valid day for --monthdays", given.span)
    return int(word)


def _weekday(word: str, given: Given) -> int:
    if word.isdecimal():
        if int(word) == 0:
            raise Mistake("No, the week does NOT begin with Sunday.", given.span)
        return int(word) if int(word) < 32 else 0
    for number, name in enumerate(_DAYS, 1):
        if name[:2] == word[:2]:
            return number
    raise Mistake(f"{word} is not a valid day specifier", given.span)


_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def _show(extension: Extension, numeric: bool, family: str) -> str:
    judge = extension.parts[0]
    assert isinstance(judge, Judge)
    text, (start, stop), (first, last) = " TIME", judge["daytime"], judge["dates"]
    if (start, stop) != (0, _LAST_SECOND):
        text += f" from {_clock(start)} to {_clock(stop)}"
    if judge["weekdays"] != ALL_WEEKDAYS:
        text += f" on {_names(judge['weekdays'])}"
    if judge["monthdays"] != ALL_MONTHDAYS:
        text += " on " + ",".join(f"{day}{_ENDINGS.get(day % 10, 'th')}" for day in range(1, 32) if judge["monthdays"] >> day & 1)
    if first:
        text += f" starting from {_stamp(first).replace('T', ' ')}"
    if last != _LAST_DATE:
        text += f" until date {_stamp(last).replace('T', ' ')}"
    named = {option.name for option in extension.options}
    return text + ("" if "kerneltz" in named else " UTC") + (" contiguous" if "contiguous" in named else "")


TIME = Module(
    "time",
    (
        Opt("contiguous", args=0), Opt("datestart"), Opt("datestop"), Opt("kerneltz", args=0),
        Opt("localtz", args=0, excludes=("utc",), says=lambda given: _LOCAL), Opt("monthdays", invert=True),
        Opt("timestart"), Opt("timestop"),
        Opt("utc", args=0, excludes=("kerneltz", "localtz")), Opt("weekdays", invert=True),
    ),
    _read, _show,
)  # fmt: skip
