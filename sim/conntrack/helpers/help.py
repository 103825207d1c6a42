"""What a helper works with: its own description, and the packet at hand with its connection.

As struct nf_conntrack_helper, nf_ct_expect_init and nf_ct_helper_log (net/netfilter/nf_conntrack_helper.c,
nf_conntrack_expect.c, Linux 6.18). Which helpers there are: the package's own file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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
    """A helper for one protocol. `families` are "ip", "ip6"; `policies` by class; `memory` makes what it remembers of a connection.

    `destroy` is called when a confirmed connection of its own ends.
    """

    name: str
    protonum: int
    families: tuple[str, ...]
    policies: tuple[Policy, ...]
    help: Callable[[Help], int]
    memory: Callable[[], object] | None = None
    destroy: Callable[[Entries, Conn, int], None] | None = None


class Help:
    """One packet of a helped connection. `direction` 0 original, 1 reply; `log`: the kernel's words when it dropped the packet.

    NAT puts another `packet` in its place when it writes into it; the checksum of that is made right when all is written,
    where `summed` does not say that this is done.
    `written`: what stood there and what stands there now. `place`: where in the payload the helper has read, (at, length).
    """

    __slots__ = ("conn", "ctinfo", "direction", "helper", "log", "now", "packet", "place", "reason", "summed", "tracker", "written")

    def __init__(self, tracker: Entries, helper: Helper, conn: Conn, packet: Packet, ctinfo: int, now: int) -> None:
        self.tracker, self.helper, self.conn = tracker, helper, conn
        self.packet, self.ctinfo, self.now = packet, ctinfo, now
        self.direction = int(ctinfo in REPLIES)
        self.log: tuple[str, ...] = ()
        self.summed = False
        self.written: list[tuple[bytes, bytes]] = []
        self.reason: Reason | None = None
        self.place: tuple[int, int] | None = None

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

    def broadcast_mask(self) -> Address | None:
        """Of a packet that the machine itself sends to the broadcast address of a network of the device by which it leaves: the netmask."""
        tracker = self.tracker
        return tracker.netmask(tracker.device, self.packet.dst) if tracker.device and tracker.netmask is not None else None

    def drop(self, text: str, why: str) -> int:
        """Drop the packet: `text`, if any, goes to the kernel's log in its own frame, `why` is the sentence for a person."""
        if text:
            self.log = (*self.log, f"nf_ct_{self.helper.name}: dropping packet: {text} "[:127])
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
        place = {} if self.place is None else {"at": self.place[0], "length": self.place[1]}
        reason = Reason(CREATED.code, why, {"helper": self.helper.name, **place})
        return self.tracker.expectations.related(new, self.now, self.packet.id, reason, any_master)

    def unexpect(self, one: Expectation, why: Reason) -> None:
        """Take it out again (nf_ct_unexpect_related)."""
        self.tracker.expectations.remove(one, "removed", why, self.packet.id)

    def nat(self, name: str) -> Callable[..., Any] | None:
        """What NAT does here for helpers under that name (Tracker.nat_helpers), where the connection is under NAT; else None."""
        return self.tracker.nat_helpers.get(name) if self.conn.status & NAT_DONE else None

    def expect(self, new: Expectation, why: str, at: int, length: int, form: str = "") -> int:
        """Expect it, or drop the packet where that cannot be. `at`, `length`: where in the payload the address stands, `form`: how.

        Where the connection is under NAT, its `nat` of this helper's name writes the other address into the payload and expects by
        itself: (help, at, length, expectation, why, form) -> verdict.
        """
        self.place = (at, length)
        mangle = self.nat(self.helper.name)
        if mangle is not None:
            verdict: int = mangle(self, at, length, new, why, form)
            return verdict
        if self.related(new, why):
            return self.drop("cannot add expectation", f"{why} But it cannot be expected now, so the helper drops the packet.")
        return ACCEPT
