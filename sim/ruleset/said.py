"""In plain words: what the judges of payload.py, headers6.py, circumstances.py and the sets ask for, and what those of deeds.py do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sim.ruleset.circumstances import ALL_MONTHDAYS, ALL_WEEKDAYS
from sim.ruleset.headers6 import DEST, MASKS
from sim.ruleset.parts import Judge

_LAST_DATE = 0x7FFFFFFF
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _u32(part: Judge) -> str:
    from sim.ruleset.iptables.u32 import show  # the languages stand above the words, but know how they are written

    return f"whose bytes {'do not fit' if part['negated'] else 'fit'} {show(part['tests'])}"


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _time(part: Judge) -> str:
    words = []
    (start, stop), (first, last) = part["daytime"], part["dates"]
    if (start, stop) != (0, 86399):
        night = ", the night counted to the day before" if part["contiguous"] else ""
        words.append(f"from {_clock(start)} to {_clock(stop)} UTC{night}")
    if part["weekdays"] != ALL_WEEKDAYS:
        words.append("on " + (", ".join(name for day, name in enumerate(_DAYS, 1) if part["weekdays"] >> day & 1) or "no day of the week"))
    if part["monthdays"] != ALL_MONTHDAYS:
        days = ", ".join(str(day) for day in range(1, 32) if part["monthdays"] >> day & 1)
        words.append(f"on days {days} of the month" if days else "on no day of the month")
    words += [f"from {datetime.fromtimestamp(first, UTC):%Y-%m-%d %H:%M:%S} on"] if first else []
    words += [f"until {datetime.fromtimestamp(last, UTC):%Y-%m-%d %H:%M:%S}"] if last != _LAST_DATE else []
    return ", ".join(words) or "at any time"


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def _owner(part: Judge) -> str:
    words = []
    if part["socket"] is not None:
        words.append("that a socket of this machine sends" if part["socket"] else "that no socket of this machine sends")
    for name, label in (("uid", "user"), ("gid", "group")):
        if part[name] is not None:
            low, high, negated = part[name]
            words.append(f"sent by {'anyone but ' if negated else ''}{label} {_range(low, high)}")
    return ", ".join(words)


def _chunks(part: Judge) -> str:
    kinds = sorted(part["wanted"])
    named = "any type" if len(kinds) == 256 else f"types {', '.join(map(str, kinds))}" if kinds else "no type"
    how = {"all": "all of", "any": "any of", "only": "only chunks of"}[part["how"]]
    return f"that {'do not hold' if part['negated'] else 'hold'} {how} {named}"


def _bounded(label: str, bounds: tuple[int, int, bool]) -> list[str]:
    low, high, negated = bounds
    return [] if (low, high) == (0, 0xFFFFFFFF) else [f"{label} {'not ' if negated else ''}{_range(low, high)}"]


def _header(name: str, *words: list[str]) -> str:
    more = [word for each in words for word in each]
    return f"with {name}" + (f" ({', '.join(more)})" if more else "")


def _options(part: Judge) -> str:
    name = "a destination options header" if part["kind"] == DEST else "a hop-by-hop header"
    wanted = ", ".join(str(kind) for kind, _ in part["options"])
    return _header(name, _bounded("length", part["length"]), [f"options {wanted}"] if wanted else [])


def _routing(part: Judge) -> str:
    return _header(
        "a routing header", _bounded("type", part["type"]), _bounded("segments left", part["segsleft"]), _bounded("length", part["length"])
    )


def _socket(part: Judge) -> str:
    return "for which a transparent socket is here" if part["transparent"] else "for which a socket is here"


def _queues(part: Judge) -> str:
    return f"queue {part['first']}" if part["first"] == part["last"] else f"queues {part['first']} to {part['last']}"


_COMPARED = {"eq": "exactly", "lt": "fewer than", "gt": "more than"}


def _set(part: Judge) -> str:
    name = part["set"]
    text = f"that are {'not ' if part['negated'] else ''}in the set {name} (by {' and '.join(part['dims'])})"
    for what in ("packets", "bytes"):
        if part[what] is not None:
            op, value, negated = part[what]
            text += f" with {'not ' if negated else ''}{_COMPARED[op]} {value} {what}"
    return text


CLAUSES: dict[str, Callable[[Judge], str]] = {
    "u32": _u32, "time": _time, "owner": _owner, "chunks": _chunks, "ip6 options": _options, "ip6 rt": _routing, "set": _set,
    "spi": lambda part: f"with an SPI {'other than' if part['negated'] else 'of'} {_range(part['low'], part['high'])}",
    "dccp type": lambda part: f"{'not ' if part['negated'] else ''}of DCCP types {', '.join(map(str, sorted(part['types'])))}",
    "dccp option": lambda part: f"{'without' if part['negated'] else 'with'} DCCP option {part['option']}",
    "ip6 frag": lambda part: _header("a fragment header", _bounded("id", part["id"]), sorted(part["flags"])),
    "ip6 ah": lambda part: _header("an authentication header", _bounded("SPI", part["spi"])),
    "ip6 headers": lambda part: f"{'without' if part['negated'] else 'with'} the headers "
    + ", ".join(name for name, bit in MASKS.items() if part["headers"] & bit),
    "mh": lambda part: f"{'not ' if part['negated'] else ''}of mobility type {_range(part['low'], part['high'])}",
    "cluster": lambda part: f"whose source falls to nodes {'other than ' if part['negated'] else ''}{part['mask']:#x} of {part['nodes']}",
    "fixed": lambda part: str(part["said"]), "cgroup": lambda part: f"of a socket {part['said']}", "socket": _socket,
    "bpf": lambda part: f"that a program of {len(part['program'])} instructions picks out",
    "ip6 srh": lambda part: "with a segment routing header",
}  # fmt: skip


def _change(part: Judge) -> str:
    words = {"add": "put {} into the set", "del": "take {} out of the set", "map": "give {} what stands with them in the set"}
    return ", and ".join(words[verb] + f" {name}" for verb, name, *_ in part["changes"])


DEEDS: dict[str, Callable[[Judge], str]] = {
    "trace": lambda part: "trace {} through all rules",
    "tee": lambda part: "send a copy of {} to another machine",
    "strip options": lambda part: f"blank the TCP options {', '.join(map(str, sorted(part['kinds']))) or 'none'} of {{}}",
    "set change": _change,
    "queue": lambda part: f"hand {{}} to {_queues(part)}, where no program listens",
    "tproxy": lambda part: f"look for a transparent socket at {part['to']} for {{}}, find none",
}
"""Kinds of judges that act: what each does to packets, which stand for {}."""
