"""Conn: one entry of the connection table, and what a protocol remembers in it. Changed only inside sim/conntrack and by NAT.

An entry is made by the first packet, lives on that packet alone until it is confirmed, and then in the table until it
expires or is destroyed (struct nf_conn, include/net/netfilter/nf_conntrack.h, Linux 6.18). Its reply tuple may be changed
by NAT until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import mypyc_attr

from sim.conntrack.tuples import Packed, pack, unpack
from sim.conntrack.words import SCTP_STATE_NAMES, TCP_STATE_NAMES, TOLD_LABEL, TOLD_MARK
from sim.packet import Tuple

if TYPE_CHECKING:
    from mypy_extensions import i16, i64

    from sim.conntrack.seqadj import Shifts


UNSCHEDULED: Final = -1 << 62


@mypyc_attr(acyclic=True)
class Timed:
    """Something that ends at an instant: `expires` (µs). `scheduled` is when the timers look at it next (µs), or UNSCHEDULED."""

    __slots__ = ("expires", "id", "scheduled")
    expires: i64
    id: int
    scheduled: i64

    def __init__(self, id: int) -> None:
        self.id = id
        self.expires = 0
        self.scheduled = UNSCHEDULED


@mypyc_attr(acyclic=True)
class Conn(Timed):
    """One entry. `expires` is a duration until the entry is confirmed, and an absolute time after.

    `original`, `reply`: the tuples of packets in each direction (`there`, `back`: the same, packed as the table has them);
    `status`: bits of `words.Status`; `cache`: bits of `words.Told` not yet told; `telling`: those that a listener is being told
    right now; `events`, `expected_events`: which of its events (`words.Told`) and of its expectations' (1 NEW, 2 DESTROY) are told;
    `timeouts`: by a rule's policy, instead of the settings': TCP's by state, or UDP's two;
    `heard`: whether anybody listened when the entry was made (without, no event is ever told of it); `acct`: [packets,
    bytes, packets, bytes] or None;
    `started`: when confirmed, with nf_conntrack_timestamp, else -1; `master`: the entry whose expectation made this one;
    `children`: how many entries have this one for master; `helper`: the helper's name or None, `help`: what that remembers of
    this connection; `labels`: 128 bits, None where no rule asked for labels when it was made; `expecting`: how many expectations of
    its are pending; `nat`: None until NAT has settled its source, then the device that it is masqueraded on, or ""; `seqadj`: by how
    much its sequence numbers are shifted, None where NAT does not change it or it had no helper then; `stamp`: for UDP, when two
    seconds are over; `turn`: in the table, a byte by which a packet of the reply's direction is told (tuples.mark_of_second).

    An entry refers to nothing that refers to it, so the garbage collector need not know of it (mypyc's `acyclic`).
    """

    __slots__ = (
        "acct", "back", "cache", "children", "events", "expected_events", "expecting", "heard", "help", "helper", "labels", "mark",
        "master", "nat", "seqadj", "stamp", "started", "status", "telling", "there", "timeouts", "turn", "zone",
    )  # fmt: skip
    cache: i64
    events: i64
    expected_events: i64
    expecting: i64
    mark: i64
    stamp: i64
    started: int
    status: i64
    turn: i64
    zone: i64

    def __init__(self, id: int, there: Packed, back: Packed, zone: int) -> None:
        self.id = id
        self.expires = 0
        self.scheduled = UNSCHEDULED
        self.there = there
        self.back = back
        self.zone = zone
        self.turn = 0
        self.status = 0
        self.cache = 0
        self.events = -1
        self.expected_events = -1
        self.timeouts: list[int] | None = None
        self.telling = 0
        self.heard = False
        self.labels: int | None = None
        self.mark = 0
        self.stamp = 0
        self.children = 0
        self.started = -1
        self.acct: list[int] | None = None
        self.master: Conn | None = None
        self.helper: str | None = None
        self.help: object | None = None
        self.expecting = 0
        self.nat: str | None = None
        self.seqadj: Shifts | None = None

    @property
    def original(self) -> Tuple:
        """The tuple of packets in the direction that began the connection."""
        return unpack(self.there)

    @property
    def reply(self) -> Tuple:
        """The tuple of packets in the other direction. NAT changes it before the entry is confirmed."""
        return unpack(self.back)

    @reply.setter
    def reply(self, reply: Tuple) -> None:
        self.back = pack(reply)

    @property
    def protonum(self) -> int:
        """The IP protocol."""
        return self.there[-1]

    @property
    def family(self) -> str:
        """ipv4 or ipv6."""
        return "ipv4" if len(self.there) == 13 else "ipv6"

    def state_name(self) -> str | None:
        """The protocol's state as `conntrack -L` prints it, or None."""
        return None

    def set_mark(self, mark: int) -> None:
        """A rule sets the mark (CONNMARK, ct mark set): told with the next packet that gets through."""
        if self.mark != mark:
            self.mark = mark
            self.cache |= TOLD_MARK

    def set_labels(self, labels: int) -> None:
        """A rule or a program sets labels (nf_connlabels_replace): told like a mark. The entry must have room for them."""
        if self.labels != labels:
            self.labels = labels
            self.cache |= TOLD_LABEL

    def __repr__(self) -> str:
        return f"<Conn {self.id} {self.original} {self.state_name() or ''}>"


@mypyc_attr(acyclic=True)
class Side:
    """What window tracking knows of one end of a TCP connection (struct ip_ct_tcp_state). Sequence numbers are modulo 2**32.

    `end`: the highest sequence number it sent, plus one; `maxend`: the highest it may send; `maxwin`: the largest window
    it offered (already scaled); `maxack`: the highest it acknowledged; `scale`: its window scale; `flags`: of tcp_window.
    """

    __slots__ = ("end", "flags", "maxack", "maxend", "maxwin", "scale")
    end: i64
    maxack: i64
    maxend: i64
    maxwin: i64
    flags: i16  # the small ones together: they share a word
    scale: i16

    def __init__(self) -> None:
        self.end = 0
        self.maxend = 0
        self.maxwin = 0
        self.maxack = 0
        self.scale = 0
        self.flags = 0


@mypyc_attr(acyclic=True)
class TcpConn(Conn):
    """A TCP entry (struct ip_ct_tcp): its state, both sides (who began it first), and what the last segments were."""

    __slots__ = (
        "first", "last_ack", "last_direction", "last_end", "last_flags", "last_index", "last_scale", "last_seq", "last_win",
        "retrans", "second", "state",
    )  # fmt: skip
    last_ack: i64
    last_direction: i64
    last_end: i64
    last_index: i64
    last_seq: i64
    last_win: i64
    state: i64
    last_flags: i16
    last_scale: i16
    retrans: i16

    def __init__(self, id: int, there: Packed, back: Packed, zone: int) -> None:
        super().__init__(id, there, back, zone)
        self.state = 0
        self.first = Side()
        self.second = Side()
        self.retrans = 0
        self.last_direction = 0
        self.last_index = 0
        self.last_seq = 0
        self.last_ack = 0
        self.last_end = 0
        self.last_win = 0
        self.last_scale = 0
        self.last_flags = 0

    @property
    def sides(self) -> tuple[Side, Side]:
        """By direction."""
        return self.first, self.second

    def side(self, direction: i64) -> Side:
        """The end that sends in a direction."""
        return self.second if direction else self.first

    def state_name(self) -> str | None:
        return TCP_STATE_NAMES[self.state]


@mypyc_attr(acyclic=True)
class SctpConn(Conn):
    """An SCTP entry (struct ip_ct_sctp): state, verification tag of each direction, and the handshake's memory."""

    __slots__ = ("flags", "init", "last_direction", "state", "vtag")

    def __init__(self, id: int, there: Packed, back: Packed, zone: int) -> None:
        super().__init__(id, there, back, zone)
        self.state = 0
        self.vtag = [0, 0]
        self.init = [False, False]
        self.flags = 0
        self.last_direction = 0

    def state_name(self) -> str | None:
        return SCTP_STATE_NAMES[self.state]


@mypyc_attr(acyclic=True)
class GreConn(Conn):
    """A GRE entry (struct nf_ct_gre): the time-outs it started with, µs."""

    __slots__ = ("stream", "timeout")

    def __init__(self, id: int, there: Packed, back: Packed, zone: int) -> None:
        super().__init__(id, there, back, zone)
        self.timeout = 0
        self.stream = 0
