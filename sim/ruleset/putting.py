"""Where nft's `set` statements put a number: a packet's mark and traffic class, its connection's mark, the zone it will be tracked in.

A number that is put where nothing is (a connection's mark, without a connection) goes nowhere, as in the kernel.
Sources: net/netfilter/nft_meta.c, nft_ct.c, Linux 6.18.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sim.conntrack.zones import ORIGINAL_ONLY, REPLY_ONLY
from sim.netfilter.skb import Skb, Template


def _mark(skb: Skb, value: int) -> None:
    skb.mark = value


def _connection_mark(skb: Skb, value: int) -> None:
    if skb.conn is not None:
        skb.conn.set_mark(value)


def _priority(skb: Skb, value: int) -> None:
    skb.priority = value


def _zone(skb: Skb, value: int, only: int = 0) -> None:
    if skb.ctinfo is None and skb.template is None:
        skb.template = Template(None, value and value | only)


PUT: dict[str, Callable[[Skb, int], None]] = {
    "meta mark": _mark, "ct mark": _connection_mark, "meta priority": _priority, "xt priority": _priority, "ct zone": _zone,
    "ct original zone": partial(_zone, only=ORIGINAL_ONLY), "ct reply zone": partial(_zone, only=REPLY_ONLY),
}  # fmt: skip
"""How, by the selector that is set."""
