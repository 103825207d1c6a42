"""How nft 1.0.6 prints values: numbers, names, addresses, times, flags, ranges; one function for each shape of a comparison.

`Style` holds the options of `nft list`: -n -y -p -T -S -s -a -t.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.ruleset.datatypes import BITMASKS, NAMES, name_of
from sim.ruleset.iptables.names import PROTOCOL_NAMES, service_name
from sim.ruleset.model import Compare, Item, Prefix, Range, Wildcard
from sim.ruleset.selectors import Selector, parts_of
from sim.units import show_address

_HEX_WIDTH = {"ct_state": 0, "ct_status": 0, "tcp_flag": 0, "dscp": 2, "ecn": 0, "ether_type": 4}


@dataclass(frozen=True, slots=True)
class Style:
    """How to list. `numeric`: symbols as numbers; `priority`, `protocol`, `time`: those alone; `service`: ports by name."""

    numeric: bool = False
    priority: bool = False
    protocol: bool = False
    time: bool = False
    service: bool = False
    stateless: bool = False
    handles: bool = False
    terse: bool = False


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
        return value if datatype == "iface_index" and value.isdigit() else f'"{value.replace("*", chr(92) + "*")}"'
    if not isinstance(value, int):
        return str(value)
    if datatype in BITMASKS:
        return " | ".join(flags(datatype, value, style))
    return _integer(row, value, style)


def _integer(row: Selector, value: int, style: Style) -> str:
    datatype = row.type
    if datatype == "mark":
        return f"0x{value:08x}"
    if datatype in ("there", "fib_there") and not style.numeric:
        return "exists" if value else "missing"
    if datatype == "time":
        return time(value, style)
    if datatype == "inet_proto":
        return str(value) if style.numeric or style.protocol else PROTOCOL_NAMES.get(value, str(value))
    if datatype == "inet_service":
        name = service_name(value, "tcp") if style.service else str(value)
        return name if name.isdigit() else f'"{name}"'
    name_there = None if style.numeric else name_of(datatype, value)
    if name_there is not None:
        return name_there
    if datatype in _HEX_WIDTH:
        return f"0x{value:0{_HEX_WIDTH[datatype]}x}"
    return str(value)


def flags(datatype: str, value: int, style: Style = PLAIN) -> list[str]:
    """The names of the bits set, then what has no name; 0x0 for none."""
    names: list[str] = []
    rest = value
    for name, bit in NAMES[datatype].items():
        if bit & rest:
            names.append(f"0x{bit:x}" if style.numeric else name)
            rest &= ~bit
    return [*names, f"0x{rest:x}"] if rest or not names else names


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


NUMERIC = Style(numeric=True)


def item(row: Selector, value: Item, style: Style = PLAIN) -> str:
    """A value, range, prefix or wildcard. The ends of a range are always numbers."""
    if isinstance(value, Wildcard):
        return f'"{value.start}*"'
    if isinstance(value, Prefix):
        return f"{address(value.address)}/{value.length}"
    if isinstance(value, Range):
        return f"{scalar(row, value.low, NUMERIC)}-{scalar(row, value.high, NUMERIC)}"
    return scalar(row, value, style)


def element(rows: tuple[Selector, ...], value: Item, style: Style = PLAIN) -> str:
    """An element of a set: of a concatenation, its parts."""
    if len(rows) > 1 and isinstance(value, tuple):
        return " . ".join(item(row, each, style) for row, each in zip(rows, value, strict=True))
    return item(rows[0], value, style)


_UNQUALIFIED = frozenset("iif iifname oif oifname".split())


def left(selector: str) -> str:
    """A selector as nft prints it: some meta keys stand alone."""
    return " . ".join(
        row.name.removeprefix("meta ") if row.name.removeprefix("meta ") in _UNQUALIFIED else row.name for row in parts_of(selector)
    )


def compare(part: Compare, style: Style = PLAIN) -> str:
    """A comparison."""
    rows = parts_of(part.selector)
    name = left(part.selector)
    op = "" if part.op in ("==", "&") else f"{part.op} "
    if not isinstance(part.values, tuple):
        return f"{_with_mask(name, part.mask, rows[0])} {op}@{part.values.name}"
    if part.braces:
        inner = ", ".join(element(rows, value, style) for value in part.values)
        masked = _with_mask(name, part.mask, rows[0])
        return f"{masked} {part.op + ' ' if part.mask is not None else op}{{ {inner} }}"
    value = part.values[0]
    if rows[0].type in BITMASKS and isinstance(value, int) and not isinstance(part.mask, bytes):
        return f"{name} {_flag_test(part, value, rows[0].type, style)}"
    if part.mask is not None:
        return _masked(part, value, rows[0], name, style)
    return f"{name} {op}{item(rows[0], value, style)}"


def _with_mask(name: str, mask: int | bytes | None, row: Selector) -> str:
    return name if mask is None else f"{name} & {_constant(row, mask)}"


def _constant(row: Selector, value: object) -> str:
    """A mask or what is compared with it: by number, addresses as addresses."""
    return scalar(row, value) if row.type == "mark" or isinstance(value, bytes) else str(value)


def _masked(part: Compare, value: Item, row: Selector, name: str, style: Style) -> str:
    if isinstance(part.mask, bytes) and isinstance(value, bytes) and part.op in ("==", "!="):
        length = _prefix_length(part.mask)
        if length is not None:
            return f"{name} {'!= ' if part.op == '!=' else ''}{address(value)}/{length}"
    if isinstance(value, Range):
        return f"{_with_mask(name, part.mask, row)} {'!= ' if part.op == '!=' else ''}{item(row, value, style)}"
    return f"{_with_mask(name, part.mask, row)} {part.op} {_constant(row, value)}"


def _prefix_length(mask: bytes) -> int | None:
    size, number = len(mask) * 8, int.from_bytes(mask)
    length = number.bit_count()
    return length if number == (1 << size) - (1 << size - length) else None


def _flag_test(part: Compare, value: int, datatype: str, style: Style) -> str:
    names = flags(datatype, value, style)
    if isinstance(part.mask, int):
        return _flag_mask(part, names, flags(datatype, part.mask, style))
    if part.op in ("&", "!&"):
        return f"{'! ' if part.op == '!&' else ''}{','.join(names)}"
    if datatype == "tcp_flag":
        text = names[0] if value.bit_count() == 1 and part.op in ("==", "!=") else f"0x{value:x}"
        return f"{part.op} {text}"
    text = " | ".join(names)
    return text if part.op == "==" and len(names) > 1 else f"{part.op} {text}"


def _flag_mask(part: Compare, names: list[str], mask: list[str]) -> str:
    if len(mask) == 1:
        return f"& {mask[0]} {part.op} {' | '.join(names)}"
    return f"{'!= ' if part.op == '!=' else ''}{','.join(names)} / {','.join(mask)}"
