"""Expectations of ours beside those that the kernel lists."""

from __future__ import annotations

from typing import Any

from sim.conntrack import show
from sim.conntrack.expect import Expectation
from sim.packet import Tuple, protocol_name
from sim.units import SECOND, show_address


def shown(one: Expectation, now: int) -> dict[str, Any]:
    """An expectation as the kernel's side of the comparison has it."""
    mine, master = one.tuple, one.master.original
    return {
        "family": "ipv4" if len(mine.dst) == 4 else "ipv6", "protocol": protocol_name(mine.protonum), "protonum": mine.protonum,
        "timeout": max(0, one.expires - now) // SECOND,
        "tuple": show.tuple_view(mine),
        "mask": show.tuple_view(Tuple(one.mask, b"\xff" * len(mine.dst), one.mask_port, 65535, mine.protonum)),
        "master": {"src": show_address(master.src), "dst": show_address(master.dst), "sport": master.sport, "dport": master.dport},
        "helper": one.master.helper,
    }  # fmt: skip


def same(theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> bool:
    """Equal but for the order, and for a second that the time of asking may take off."""
    pairs = zip(*(sorted(each, key=lambda one: str(one["tuple"])) for each in (theirs, ours)), strict=False)
    near = all(a | {"timeout": 0} == b | {"timeout": 0} and abs(a["timeout"] - b["timeout"]) <= 1 for a, b in pairs)
    return near and len(theirs) == len(ours)
