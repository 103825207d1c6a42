"""What a helper of a translated connection expects: a port for it that is free, and its own translation when it comes.

nf_nat_exp_find_port and nf_nat_follow_master (net/netfilter/nf_nat_helper.c, Linux 6.18).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from sim.netfilter.nat.choice import DST, SRC
from sim.netfilter.nat.ranges import NatRange, single
from sim.packet import Tuple
from sim.trace import Reason

if TYPE_CHECKING:
    from sim.conntrack.conn import Conn
    from sim.conntrack.expect import Expectation
    from sim.conntrack.helpers import Help
    from sim.netfilter.nat.engine import Nat

MOST_ATTEMPTS: Final = 128
ALL_PORTS: Final = "all ports in use"
WHY_ALL_PORTS: Final = "No port is left on which the announced connection could be expected, so the helper drops the packet."
MANGLED: Final = "cannot mangle packet"
WHY_MANGLED: Final = "With the other address in it the packet would be larger than IP allows, so the helper drops it."
WHY_NOT_WRITTEN: Final = Reason("not-written", "What announced it could not be translated: it is no longer expected.")


def at_address(one: Expectation, dst: bytes) -> None:
    """Expect it to that address."""
    one.tuple = one.tuple._replace(dst=dst)


def at_port(one: Expectation, port: int) -> None:
    """Expect it to that port."""
    one.tuple = one.tuple._replace(dport=port)


def find_port(nat: Nat, help: Help, one: Expectation, port: int, why: str) -> int:
    """Expect it on `port`, or on another above where that is taken, by chance: the port, 0 if none will do (nf_nat_exp_find_port)."""
    size = 65535 - port
    attempts, lowest = min(size, MOST_ATTEMPTS), port
    while True:
        at_port(one, port)
        error = help.related(one, why)
        if not error:
            return port
        attempts -= 1
        if error != "EBUSY" or attempts < 0:
            return 0
        port = lowest + nat.chooser.expected(lowest, size)


def follow_master(nat: Nat, conn: Conn, expected: Expectation) -> None:
    """The connection that has come goes where its master's packets go: from the master's far end, to the saved port (nf_nat_follow_master).
    """
    towards: Tuple = expected.master.original if expected.dir else expected.master.reply
    nat.bind(conn, single(towards.dst), SRC)
    nat.bind(conn, NatRange(towards.src, towards.src, (expected.saved_port, expected.saved_port)), DST)


def following(nat: Nat) -> Callable[[Conn, Expectation], None]:
    """follow_master for an expectation's `expectfn`."""
    return partial(follow_master, nat)
