"""What a helper works with: its own description, and the packet at hand with its connection.

As struct nf_conntrack_helper, nf_ct_expect_init and nf_ct_helper_log (net/netfilter/nf_conntrack_helper.c,
nf_conntrack_expect.c, Linux 6.18). Which helpers there are: the package's own file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from sim.conntrack.expect import CREATED, Expectation
from sim.conntrack.words import ACCEPT, DROP, Ctinfo
from sim.packet import Packet, Tuple
from sim.trace import Reason
from sim.units import SECOND, Address

if TYPE_CHECKING:
    from sim.conntrack.conn import Conn
    from sim.conntrack.entries import Entries

ESTABLISHED: Final = frozenset((int(Ctinfo.ESTABLISHED), int(Ctinfo.ESTABLISHED_REPLY)))
REPLIES: Final = frozenset((int(Ctinfo.ESTABLISHED_REPLY), int(Ctinfo.RELATED_REPLY)))
NAT_DONE: Final = 16 | 32
"""IPS_NAT_MASK: SRC_NAT and DST_NAT."""


class Policy(NamedTuple):
    """How many expectations of a class one connection may have at once, and how long each waits, µs (nf_conntrack_expect_policy)."""

    most: int
    timeout: int = 300 * SECOND


class Helper(NamedTuple):
    """A helper for one protocol. `families` are "ip", "ip6"; `policies` by class; `memory` makes what it remembers of a connection."""

    name: str
    protonum: int
    families: tuple[str, ...]
    policies: tuple[Policy, ...]
    help: Callable[[Help], int]
    memory: Callable[[], object] | None = None


class Help:
    """One packet of a helped connection. `direction` 0 original, 1 reply; `log`: the kernel's words when it dropped the packet."""

    __slots__ = ("conn", "ctinfo", "direction", "helper", "log", "now", "packet", "reason", "tracker")

    def __init__(self, tracker: Entries, helper: Helper, conn: Conn, packet: Packet, ctinfo: int, now: int) -> None:
        self.tracker, self.helper, self.conn = tracker, helper, conn
        self.packet, self.ctinfo, self.now = packet, ctinfo, now
        self.direction = int(ctinfo in REPLIES)
        self.log = ""
        self.reason: Reason | None = None

    @property
    def mine(self) -> Tuple:
        """The tuple of the packet's own direction."""
        return self.conn.reply if self.direction else self.conn.original

    @property
    def other(self) -> Tuple:
        """The tuple of the other direction."""
        return self.conn.original if self.direction else self.conn.reply

    def segment(self) -> bytes:
        """What a whole TCP segment carries; nothing where there is no whole header."""
        packet = self.packet
        return packet.data[packet.payload :] if packet.complete and packet.protonum == 6 else b""

    def datagram(self) -> bytes:
        """What stands 8 bytes behind the transport header's start: a datagram's data."""
        return self.packet.data[self.packet.l4 + 8 :]

    def drop(self, text: str, why: str) -> int:
        """Drop the packet: `text` goes to the kernel's log in its own frame, `why` is the sentence for a person."""
        self.log = f"nf_ct_{self.helper.name}: dropping packet: {text} "[:127]
        self.reason = Reason("helper-drop", why, {"helper": self.helper.name})
        return DROP

    def expectation(
        self, src: Address | None, dst: Address, dport: int, protonum: int, *, kind: int = 0, helper: str | None = None, flags: int = 0
    ) -> Expectation:
        """An expectation of class `kind` from `src` (None: anybody), any port, to `dst` `dport` (nf_ct_expect_init)."""
        policy = self.helper.policies[kind]
        wanted = Tuple(bytes(len(dst)) if src is None else src, dst, 0, dport, protonum)
        return Expectation(
            self.conn, wanted, any_src=src is None, helper=helper, timeout=policy.timeout, kind=kind, limit=policy.most, flags=flags
        )

    def related(self, new: Expectation, why: str, any_master: bool = False) -> str:
        """Put it into the table: "" or the errno's name (nf_ct_expect_related). `why` says what the helper has read."""
        reason = Reason(CREATED.code, why, {"helper": self.helper.name})
        return self.tracker.expectations.related(new, self.now, self.packet.id, reason, any_master)

    def expect(self, new: Expectation, why: str, at: int, length: int) -> int:
        """Expect it, or drop the packet where that cannot be. `at`, `length`: where in the payload the address stands.

        Where the connection is under NAT, the tracker's `nat_helpers` may have a function of this helper's name that writes
        the other address into the payload and expects by itself: (help, at, length, expectation) -> verdict.
        """
        mangle = self.tracker.nat_helpers.get(self.helper.name) if self.conn.status & NAT_DONE else None
        if mangle is not None:
            return mangle(self, at, length, new)
        if self.related(new, why):
            return self.drop("cannot add expectation", f"{why} But it cannot be expected now, so the helper drops the packet.")
        return ACCEPT
