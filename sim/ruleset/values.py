"""Values for a person to read: what a packet has, what a rule wants. Not the text of either language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sim.packet import Flag, protocol_name
from sim.ruleset.datatypes import BITMASKS, NAMES, name_of, names_of
from sim.ruleset.model import Item, Prefix, Range, Wildcard
from sim.ruleset.selectors import parts_of
from sim.units import show_address

_XT_STATE = {"INVALID": 1, "ESTABLISHED": 2, "RELATED": 4, "NEW": 8, "SNAT": 64, "DNAT": 128, "UNTRACKED": 256}


def show_value(selector: str, value: Any) -> str:
    """A packet's value: "NEW", "TCP", "192.168.1.10", "SYN ACK"."""
    rows = parts_of(selector)
    if len(rows) > 1:
        return " . ".join(_scalar(row.type, each) for row, each in zip(rows, value, strict=True))
    return _scalar(rows[0].type, value)


def show_item(selector: str, item: Item) -> str:
    """One thing a rule compares with: a scalar as `show_value`, a range, a prefix, a wildcard."""
    if isinstance(item, Wildcard):
        return f"{item.start}…"
    if isinstance(item, Prefix):
        return f"{show_address(item.address)}/{item.length}"
    if isinstance(item, Range):
        return f"{show_value(selector, item.low)}–{show_value(selector, item.high)}"
    if isinstance(item, tuple):
        return " . ".join(show_item(row.name, each) for row, each in zip(parts_of(selector), item, strict=True))
    return show_value(selector, item)


def show_items(selector: str, items: Sequence[Item], mask: int | bytes | None = None) -> str:
    """All that a rule compares with: "NEW or RELATED", "22 or 80"."""
    if isinstance(mask, bytes) and isinstance(items[0], bytes):
        return f"{show_address(items[0])}/{show_address(mask)}"
    if isinstance(mask, int) and selector == "tcp flags":
        return f"{_flags(int(str(items[0])))} out of {_flags(mask)}"
    words = [show_item(selector, item) for item in items]
    return " or ".join(words) if len(words) < 3 else ", ".join(words[:-1]) + " or " + words[-1]


def _flags(bits: int) -> str:
    return " ".join(flag.name for flag in Flag if bits & flag and flag.name) or "none"


def _scalar(datatype: str, value: Any) -> str:
    if isinstance(value, bytes):
        return show_address(value)
    if datatype == "inet_proto":
        return protocol_name(value).upper().replace("ICMPV6", "ICMPv6")
    if datatype == "tcp_flag":
        return _flags(value)
    if datatype == "xt_ctstate":
        return " or ".join(name for name, bit in _XT_STATE.items() if value & bit)
    if datatype in BITMASKS:
        names = names_of(datatype, value)
        return " or ".join(name.upper() for name in names) if names else "none"
    if datatype == "mark":
        return f"{value:#x}"
    if datatype == "ether_addr":
        return str(value.to_bytes(6).hex(":"))
    if datatype == "ct_dir":
        return "reply" if value else "original"
    if datatype in NAMES:
        return name_of(datatype, value) or str(value)
    return str(value)
