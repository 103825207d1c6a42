"""How nft prints what counts: counters, limits, quotas, `ct count`; and the statements on sets, maps and objects."""

from __future__ import annotations

from sim.ruleset.model import Counter, Item, Limit, Part, SetReference
from sim.ruleset.nft.printing import PLAIN, Style, element, left, time
from sim.ruleset.objects import LimitObject
from sim.ruleset.parts import AssignMap, Judge, MapOf, Quota, SetStatement, UseObject
from sim.ruleset.selectors import parts_of

_DEFAULT_BURST = {"packets": 5, "bytes": 0}
OBJECT_KINDS = ("counter", "quota", "limit")


def size_words(size: int) -> str:
    """Bytes in the largest unit that divides them: 25 mbytes."""
    for unit, factor in (("mbytes", 1 << 20), ("kbytes", 1 << 10)):
        if size and size % factor == 0:
            return f"{size // factor} {unit}"
    return f"{size} bytes"


def rate_words(part: Limit | LimitObject) -> str:
    """rate over 10/second burst 7 packets"""
    rate = f"{part.rate}/{part.unit}" if part.per == "packets" else f"{size_words(part.rate)}/{part.unit}"
    burst = ""
    if part.burst != _DEFAULT_BURST[part.per]:
        burst = f" burst {part.burst} packets" if part.per == "packets" else f" burst {size_words(part.burst)}"
    return f"rate {'over ' if part.over else ''}{rate}{burst}"


def quota_words(size: int, over: bool, used: int, style: Style = PLAIN) -> str:
    """over 25 mbytes used 3 bytes"""
    words = f"{'over ' if over else ''}{size_words(size)}"
    return words if not used or style.stateless else f"{words} used {size_words(used)}"


def kept_words(part: Part, style: Style = PLAIN, numbers: bool = True) -> str:
    """What an element keeps; `numbers`: with what a counter has counted."""
    match part:
        case Counter() if numbers and not style.stateless:
            return f"counter packets {part.packets} bytes {part.bytes}"
        case Counter():
            return "counter"
        case Limit():
            return f"limit {rate_words(part)}"
        case Quota():
            return f"quota {quota_words(part.bytes, part.over, part.used, style)}"
        case Judge(kind="ct count"):
            return f"ct count {'' if part['negated'] else 'over '}{part['above']}"
    return ""


def map_words(part: MapOf, style: Style = PLAIN) -> str:
    """ip saddr map { 10.0.0.1 : 0x00000001 }"""
    if isinstance(part.entries, SetReference):
        return f"{left(part.selector)} map @{part.entries.name}"
    rows, data = parts_of(part.selector), _data_rows(part)
    inner = ", ".join(f"{element(rows, key, style)} : {data_words(part.data, data, value, style)}" for key, value in part.entries)
    return f"{left(part.selector)} map {{ {inner} }}"


def data_words(kind: str, rows: tuple[object, ...], value: Item | None, style: Style) -> str:
    """What a map maps to."""
    if kind in OBJECT_KINDS or kind.startswith("ct "):
        return f'"{value!s}"'
    return element(rows, value, style)  # type: ignore[arg-type]


def _data_rows(part: MapOf) -> tuple[object, ...]:
    from sim.ruleset.nft.settypes import rows_of  # stands above: it knows how selectors are written

    return () if part.data in OBJECT_KINDS or part.data.startswith("ct ") else rows_of(tuple(part.data.split(" . ")))


def statement_words(part: SetStatement | UseObject | AssignMap, style: Style = PLAIN) -> str:
    """A statement on a set, a map or an object."""
    match part:
        case SetStatement():
            return _set_statement(part, style)
        case AssignMap():
            return f"{left(part.selector)} set {map_words(part.map, style)}"
    which = map_words(part.which, style) if isinstance(part.which, MapOf) else f'"{part.which}"'
    return f"{part.object} {'name' if part.object in OBJECT_KINDS else 'set'} {which}"


def _set_statement(part: SetStatement, style: Style) -> str:
    words = [left(part.key)]
    words += [f"timeout {time(part.timeout // 1000, style)}"] if part.timeout else []
    words += [f'comment "{part.comment}"'] if part.comment else []
    words += [] if part.quiet else [kept_words(each, style, False) for each in part.parts]
    words += [f": {left(part.data)}"] if part.data else []
    head = f"meter {part.set} size {part.size}" if part.meter else f"{part.op} @{part.set}"
    return f"{head} {{ {' '.join(words)} }}"

