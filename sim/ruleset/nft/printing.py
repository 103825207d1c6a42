"""How nft 1.0.6 prints values: numbers, names, addresses, times, flags, ranges; one function for each shape of a comparison.

`Style` holds the options of `nft list`: -n -y -p -T -S -s -a -t.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sim.ruleset.datatypes import BITMASKS, NAMES, name_of
from sim.ruleset.headers import OPTIONAL, field_of
from sim.ruleset.iptables.names import PROTOCOL_NAMES, service_name
from sim.ruleset.model import CatchAll, Compare, Item, Prefix, Range, Wildcard
from sim.ruleset.selectors import Selector, parts_of
from sim.units import show_address

_HEX_WIDTH = {"ct_event": 0, "ct_state": 0, "ct_status": 0, "tcp_flag": 0, "dscp": 2, "ecn": 0, "ether_type": 4}


@dataclass(frozen=True, slots=True)
class Style:
    """How to list. `numeric`: symbols as numbers; `priority`, `protocol`, `time`: those alone; `service`: ports by name; `json`."""

    numeric: bool = False
    priority: bool = False
    protocol: bool = False
    time: bool = False
    service: bool = False
    stateless: bool = False
    handles: bool = False
    terse: bool = False
    json: bool = False


PLAIN = Style()


def address(value: bytes) -> str:
    """As inet_ntop writes it: an IPv4-mapped address ends in dotted form."""
    if len(value) == 16 and value.startswith(b"\0" * 10 + b"\xff\xff"):
        return f"::ffff:{show_address(value[12:])}"
    return show_address(value)


def scalar(row: Selector, value: object, style: Style = PLAIN) -> str:
    """One value of a selector's data type."""
    datatype = row.type
    if isinstance(value, bytes):
        return address(value)
    if isinstance(value, str):
        if datatype == "string":
            return f'"{value}"'
        return value if datatype == "iface_index" and value.isdecimal() else f'"{value.replace("*", chr(92) + "*")}"'
    if not isinstance(value, int):
        return str(value)
    if datatype in BITMASKS:
        return " | ".join(flags(datatype, value, style))
    return _integer(row, value, style)


def _integer(row: Selector, value: int, style: Style) -> str:
    datatype = row.type
    if datatype == "mark":
        return f"0x{value:08x}"
    if datatype in ("there", "fib_there") and not style.numeric and value < 2:
        return "exists" if value else "missing"
    if datatype == "time":
        return time(value, style)
    if datatype in _CLOCK:
        return _CLOCK[datatype](value, style)
    if datatype == "ether_addr":
        return value.to_bytes(6).hex(":")
    if datatype == "classid":
        return name_of(datatype, value) or f"{value >> 16:x}:{value & 0xFFFF:x}"
    if datatype == "bitmask" or row.name.startswith("@"):
        return f"0x{value:x}"
    if datatype == "inet_proto":
        return str(value) if style.numeric or style.protocol else PROTOCOL_NAMES.get(value, str(value))
    if datatype == "inet_service":
        name = service_name(value, "tcp") if style.service else str(value)
        return name if name.isdecimal() else f'"{name}"'
    name_there = None if style.numeric else name_of(datatype, value)
    if name_there is not None:
        return name_there
    if datatype in _HEX_WIDTH:
        return f"0x{value:0{_HEX_WIDTH[datatype]}x}"
    return str(value)


def flags(datatype: str, value: int, style: Style = PLAIN) -> list[str]:
    """The names of the bits set, from the lowest; what has no name by number, 0x0 for none."""
    known = {bit: name for name, bit in NAMES[datatype].items()} if not style.numeric or datatype == "ct_label" else {}
    bits = [1 << place for place in range(value.bit_length()) if value >> place & 1]
    return [known.get(bit) or f"0x{bit:x}" for bit in bits] or ["0x0"]


def time(milliseconds: int, style: Style = PLAIN) -> str:
    """1d2h3m4s; seconds alone with -n or -T. Zero prints as nothing, as nft does."""
    seconds, rest = divmod(milliseconds, 1000)
    if style.numeric or style.time:
        return f"{seconds}s"
    days, seconds = divmod(seconds, 86400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"), (rest, "ms"))
    return "".join(f"{count}{unit}" for count, unit in parts if count)


def _moment(value: int, style: Style) -> str:
    seconds = value // 1_000_000_000
    return str(seconds) if style.time else f'"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"'


def _hour(value: int, style: Style) -> str:
    if style.time:
        return str(value)
    seconds = f":{value % 60:02}" if value % 60 else ""
    return f'"{value // 3600:02}:{value // 60 % 60:02}{seconds}"'


def _quoted(datatype: str) -> Callable[[int, Style], str]:
    def text(value: int, style: Style) -> str:
        name = None if style.numeric else name_of(datatype, value)
        return f'"{name}"' if name else str(value)

    return text


_CLOCK = {"moment": _moment, "hour": _hour, "day": _quoted("day"), "devgroup": _quoted("devgroup"),
    "realm": _quoted("realm")}
NUMERIC = Style(numeric=True)
_NAMED_ENDS = frozenset(("hour", "moment", "day"))  # whose ranges have the ends as they are printed alone


def item(row: Selector, value: Item, style: Style = PLAIN) -> str:
    """A value, range, prefix or wildcard. The ends of a range are always numbers."""
    if isinstance(value, CatchAll):
        return "*"
    if isinstance(value, Wildcard):
        return f'"{value.start}*"'
    if isinstance(value, Prefix):
        return f"{address(value.address)}/{value.length}"
    if isinstance(value, Range):
        ends = style if row.type in _NAMED_ENDS else NUMERIC
        return f"{scalar(row, value.low, ends)}-{scalar(row, value.high, ends)}"
    return scalar(row, value, style)


def element(rows: tuple[Selector, ...], value: Item, style: Style = PLAIN) -> str:
    """An element of a set: of a concatenation, its parts."""
    if len(rows) > 1 and isinstance(value, tuple):
        return " . ".join(_held(row, each, style) for row, each in zip(rows, value, strict=True))
    return _held(rows[0], value, style)


def _held(row: Selector, value: Item, style: Style) -> str:
    """A set's element, or a part of one: there a range of marks that is a prefix is listed as such."""
    if row.type == "mark" and isinstance(value, Range) and isinstance(value.low, int) and isinstance(value.high, int):
        free = value.low ^ value.high
        if not free & free + 1 and not value.low & free:
            return f"{scalar(row, value.low, style)}/{row.bits - free.bit_length()}"
    return item(row, value, style)


def _typeless(rows: tuple[Selector, ...], value: Item, style: Style = PLAIN) -> str:
    """An element of a set of a connection's ports, as nft 1.0.6 lists it."""
    if isinstance(value, Range):
        return f"{_typeless(rows, value.low)}-{_typeless(rows, value.high)}"
    return f"0x{value:x} [invalid type]" if isinstance(value, int) else element(rows, value, style)


_UNQUALIFIED = frozenset("iif iifname oif oifname iifgroup oifgroup".split())


def left(selector: str) -> str:
    """A selector as nft prints it: some meta keys stand alone."""
    return " . ".join(_name(row) for row in parts_of(selector))


def _name(row: Selector) -> str:
    bare = row.name.removeprefix("meta ")
    if row.name.startswith("jhash "):
        fields, mod, rest = row.name.removeprefix("jhash ").partition(" mod ")
        return f"jhash {' . '.join(map(left, fields.split('+')))}{mod}{rest}"
    masked = _MASKED.fullmatch(row.name)
    if masked is not None:
        return f"{left(masked[1])} & {_bits(row, int(masked[2], 16))}"
    return bare if bare in _UNQUALIFIED else row.name


_MASKED = re.compile(r"(.+) & (0x[0-9a-f]+)")


def _bits(row: Selector, mask: int) -> str:
    """A mask by names where the type has some."""
    if row.type not in BITMASKS:
        return _constant(row, mask.to_bytes(row.bits // 8) if row.type in ("ipv4_addr", "ipv6_addr") else mask)
    names = flags(row.type, mask)
    return names[0] if len(names) == 1 else f"({' | '.join(names)})"


def compare(part: Compare, style: Style = PLAIN) -> str:
    """A comparison."""
    rows = parts_of(part.selector)
    name = left(part.selector)
    op = "" if part.op in ("==", "&") else f"{part.op} "
    if not isinstance(part.values, tuple):
        return f"{_with_mask(name, part.mask, rows[0])} {part.op + ' ' if part.mask is not None else op}@{part.values.name}"
    if part.braces:
        word = _typeless if name.startswith("ct ") and name.endswith((" proto-src", " proto-dst")) else element
        inner = ", ".join(word(rows, value, style) for value in part.values)
        masked = _with_mask(name, part.mask, rows[0])
        return f"{masked} {part.op + ' ' if part.mask is not None else op}{{ {inner} }}"
    value = part.values[0]
    if rows[0].type in BITMASKS and isinstance(value, int) and not isinstance(part.mask, bytes):
        return f"{name} {_flag_test(part, value, rows[0].type, style)}"
    if part.mask is not None:
        return _masked(part, value, rows[0], name, style)
    return f"{name} {op}{item(rows[0], value, style)}"


def _with_mask(name: str, mask: int | bytes | None, row: Selector, flip: int = 0) -> str:
    if isinstance(mask, bytes) and flip:
        return f"{name} | {_constant(row, flip.to_bytes(len(mask)))}"
    if isinstance(mask, int) and flip:
        every = (1 << row.bits) - 1
        ended = "" if mask | flip == every else f" & {_constant(row, mask | flip)}"
        return f"{name}{ended} | {_constant(row, flip)}"
    if mask is None:
        return name
    if ("ip6", row.name.split()[0]) in OPTIONAL:
        return f"{row.name.split()[0]} unknown & {_constant(row, mask)}"
    raw = raw_place(row)
    if raw and isinstance(mask, int):
        return f"{raw} & 0x{mask:x}"
    return f"{name} & {_bits(row, mask) if isinstance(mask, int) else _constant(row, mask)}"


def raw_place(row: Selector) -> str:
    """A field that is no whole bytes, as nft lists it under a mask: "(@nh,0,8 & 0xf0) >> 4"; "" for any other."""
    field = field_of(row.name)
    if field is None or not (field.at % 8 or field.bits % 8):
        return ""
    first, end = field.bytes
    shift = end * 8 - field.at - field.bits
    base = "nh" if field.header in ("ip", "ip6") else "th"
    place = f"@{base},{first * 8},{(end - first) * 8}"
    return f"({place} & 0x{(1 << field.bits) - 1 << shift:x}) >> {shift}" if shift else place


def _constant(row: Selector, value: object) -> str:
    """A mask or what is compared with it: by number, addresses as addresses."""
    if row.type == "bitmask" or row.name.startswith("@") or raw_place(row):
        return f"0x{value:x}"
    return scalar(row, value) if row.type in _SPELLED or isinstance(value, bytes) else str(value)


_SPELLED = ("mark", "ether_addr", "classid")


def _masked(part: Compare, value: Item, row: Selector, name: str, style: Style) -> str:
    length = _prefix_length(part, row) if part.op in ("==", "!=") and not part.flip else None
    if length is not None and isinstance(value, int | bytes):
        ended = "" if length == row.bits else f"/{length}"
        return f"{name} {'!= ' if part.op == '!=' else ''}{scalar(row, value, style)}{ended}"
    if isinstance(value, Range):
        return f"{_with_mask(name, part.mask, row)} {'!= ' if part.op == '!=' else ''}{item(row, value, style)}"
    return f"{_with_mask(name, part.mask, row, part.flip)} {part.op} {_constant(row, value)}"


def _prefix_length(part: Compare, row: Selector) -> int | None:
    """Of a mask on an address or a mark, as which nft lists it: how many bits stand first in it, where these are all."""
    if not isinstance(part.mask, bytes) and row.type != "mark":
        return None
    number = int.from_bytes(part.mask) if isinstance(part.mask, bytes) else part.mask or 0
    length = number.bit_count()
    return length if number == (1 << row.bits) - (1 << row.bits - length) else None


def _flag_test(part: Compare, value: int, datatype: str, style: Style) -> str:
    names = flags(datatype, value, style)
    if isinstance(part.mask, int):
        return _flag_mask(part, names, flags(datatype, part.mask, style))
    if part.op in ("&", "!&"):
        return f"{'! ' if part.op == '!&' else ''}{','.join(names)}"
    if datatype == "tcp_flag":
        return f"{part.op} {names[0] if value.bit_count() == 1 else f'0x{value:x}'}"
    if part.op not in ("==", "!="):
        names = [f"0x{1 << bit:x}" for bit in range(value.bit_length()) if value >> bit & 1] or ["0x0"]
    text = " | ".join(names)
    return text if part.op == "==" and len(names) > 1 else f"{part.op} {text}"


def _flag_mask(part: Compare, names: list[str], mask: list[str]) -> str:
    if len(mask) == 1 and (part.op not in ("==", "!=") or set(names) <= set(mask)):
        return f"& {mask[0]} {part.op} {' | '.join(names)}"
    return f"{'!= ' if part.op == '!=' else ''}{','.join(names)} / {','.join(mask)}"
