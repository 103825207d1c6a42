"""NAT for the Amanda helper: the ports named are expected on free ones, and written where those differ. nf_nat_amanda.c, Linux 6.18."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.conntrack.words import ACCEPT
from sim.netfilter.nat.helpers.expected import (
    ALL_PORTS,
    MANGLED,
    WHY_ALL_PORTS,
    WHY_MANGLED,
    WHY_NOT_WRITTEN,
    find_port,
    following,
)
from sim.netfilter.nat.helpers.mangle import mangle

if TYPE_CHECKING:
    from sim.conntrack.expect import Expectation
    from sim.conntrack.helpers import Help
    from sim.netfilter.nat.engine import Nat


def nat_amanda(nat: Nat, help: Help, at: int, length: int, new: Expectation, why: str, form: str) -> int:
    """Expect it on a free port, and write that port into the line."""
    new.saved_port, new.dir = new.tuple.dport, 0
    new.expectfn = following(nat)
    port = find_port(nat, help, new, new.saved_port, why)
    if not port:
        return help.drop(ALL_PORTS, WHY_ALL_PORTS)
    if not mangle(help, at, length, str(port).encode()):
        help.unexpect(new, WHY_NOT_WRITTEN)
        return help.drop(MANGLED, WHY_MANGLED)
    return ACCEPT
