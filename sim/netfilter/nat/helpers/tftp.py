"""NAT for the TFTP helper: nothing is written; the server's answer is sent to the client's own port. nf_nat_tftp.c, Linux 6.18."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.conntrack.words import ACCEPT
from sim.netfilter.nat.helpers.expected import following

if TYPE_CHECKING:
    from sim.conntrack.expect import Expectation
    from sim.conntrack.helpers import Help
    from sim.netfilter.nat.engine import Nat


def nat_tftp(nat: Nat, help: Help, at: int, length: int, new: Expectation, why: str, form: str) -> int:
    """Expect it, bound for the port that the client asked from."""
    new.saved_port, new.dir = help.conn.original.sport, 1
    new.expectfn = following(nat)
    if help.related(new, why):
        return help.drop("cannot add expectation", f"{why} But it cannot be expected now, so the helper drops the packet.")
    return ACCEPT
