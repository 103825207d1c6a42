"""The life of entries: into the table, out of it, what is told about them, and what the protocols' trackers ask for.

As the second half of nf_conntrack_core.c (__nf_conntrack_confirm, nf_ct_delete, __nf_ct_refresh_acct) and
nf_conntrack_ecache.c, Linux 6.18. Judging packets is tracker.py's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from sim.conntrack import helpers, why
from sim.conntrack.collector import Collector
from sim.conntrack.conn import Conn, TcpConn
from sim.conntrack.expect import EXPIRED as EXPECTATION_EXPIRED
from sim.conntrack.expect import Expectation, Expectations
from sim.conntrack.gre import Keymaps
from sim.conntrack.settings import Settings
from sim.conntrack.show import event_line, traced
from sim.conntrack.table import Table
from sim.conntrack.timers import Timers
from sim.conntrack.tuples import GRE, UDP, UDPLITE, Key, pack
from sim.conntrack.words import (
    ACCEPT,
    ASSURED,
    CONFIRMED,
    DROP,
    DYING,
    FIXED_TIMEOUT,
    NAT_CLASH,
    SEEN_REPLY,
    TOLD_DESTROY,
    TOLD_MARK,
    TOLD_NEW,
    TOLD_RELATED,
    Ctinfo,
    TcpState,
    Told,
)
from sim.conntrack.zones import in_original, in_reply
from sim.packet import Packet, Tuple
from sim.trace import Emit, EntryCreated, EntryDestroyed, EntryExpired, EntryTold, EntryUpdated, KernelLogged, Reason
from sim.units import SECOND, Address

ALLOW_CLASH: Final = frozenset((UDP, UDPLITE, GRE))
"""Protocols whose packets may lose the race for an entry without being dropped (allow_clash)."""
Listener = Callable[[str, Conn, int], None]
STATS: Final = "found invalid insert insert_failed drop early_drop error search_restart clash_resolve chaintoolong".split()
LOG_LENGTH: Final = 127
"""What the kernel has room for in a log prefix (NF_LOG_PREFIXLEN), less its end."""
WARNINGS: Final = 10
WARNING_INTERVAL: Final = 5 * SECOND
"""net_warn_ratelimited: ten lines in five seconds."""


class Entries:
    """The entries of one machine's connection tracking.

    `listeners` hear (event, conn, now) as `conntrack -E` does, event NEW, UPDATE or DESTROY; what it tells stands in
    `conn.telling` (bits of `words.Told`), and `portid` is not 0 when a program caused it. Entries made while nobody listens
    are never told of (nf_conntrack_events=2). `stats` are the counters of `conntrack -S`. `on_warning` gets the kernel's own
    warnings ("table full"); without it they are emitted. `unbound` hears of entries with a source mapping (`conn.nat`) that end,
    `on_delete` of those that a program is about to delete.
    `netmask` tells of the network on a device whose broadcast address is given; `keymaps` what GRE tunnels are called.
    `nat_helpers`: what NAT does in helpers' payloads, by name (netfilter/nat/helpers); empty without NAT.
    """

    def __init__(self, settings: Settings | None = None, emit: Emit | None = None) -> None:
        self.settings = settings or Settings()
        self.settings.count = self._count
        self.emit = emit
        self.table = Table()
        self.timers = Timers()
        self.collector = Collector(0)
        self.expectations = Expectations(self)
        self.listeners: list[Listener] = []
        self.stats: dict[str, int] = dict.fromkeys(STATS, 0)
        self.keymaps = Keymaps()
        self.netmask: Callable[[str, Address], Address | None] | None = None
        self.portid = 0
        self.labelled = False  # whether a rule asks for labels: then new entries have room for them
        self.on_warning: Callable[[str], None] | None = None
        self.unbound: Callable[[Conn], None] | None = None
        self.on_delete: Callable[[Conn], None] | None = None
        self._serial = 0
        self._warnings = 0
        self._warnings_since = -WARNING_INTERVAL
        # about the packet at hand
        self.now = 0
        self.packet_id: int | None = None
        self.conn: Conn | None = None
        self.verdict = ACCEPT
        self.reason = why.NEW
        self.why: Reason | None = None
        self.kernel_log: tuple[str, ...] = ()
        self.numbers: dict[str, Any] = {}
        self.leaving: Packet | None = None
        self.written: list[tuple[bytes, bytes]] = []
        self.device = ""
        self._template: str | None = None
        self.nat_helpers: dict[str, Callable[..., Any]] = {}

    def number_after(self, before: Entries) -> None:
        """New entries are numbered on from those of another: a machine's table before it was booted."""
        self._serial = before._serial

    def _count(self) -> int:
        return len(self.table)

    # -- what the protocols call

    def refused(self, otherwise: Reason = why.NO_TUPLE) -> Reason:
        """What a protocol found wrong with the packet at hand, if anything."""
        return otherwise if self.why is None else self.why

    def refresh(self, conn: Conn, timeout: int, now: int) -> None:
        """The entry may stay for `timeout` µs more (nf_ct_refresh_acct)."""
        status = conn.status
        if status & FIXED_TIMEOUT:
            return
        if not status & CONFIRMED:
            conn.expires = timeout
            return
        expires = now + timeout
        conn.expires = expires
        if expires < conn.scheduled:
            self.timers.set(conn)

    def count(self, conn: Conn, packet: Packet, direction: int) -> None:
        """Accounting, where nf_conntrack_acct was on when the entry was made."""
        acct = conn.acct
        if acct is not None:
            acct[2 * direction] += 1
            acct[2 * direction + 1] += len(packet.data)

    def log(self, protonum: int, text: str) -> None:
        """A line of nf_conntrack_log_invalid (nf_l4proto_log_invalid)."""
        self.kernel_log = (*self.kernel_log, f"nf_ct_proto_{protonum}: {text} "[:LOG_LENGTH])

    def malformed(self, protonum: int, text: str, reason: Reason) -> bool:
        """Log and remember why the packet is INVALID; always True."""
        self.log(protonum, text)
        self.why = reason
        return True

    def warn(self, text: str) -> None:
        """A line in the kernel log, ten in five seconds at most."""
        if self.now - self._warnings_since >= WARNING_INTERVAL:
            suppressed = self._warnings - WARNINGS
            self._warnings, self._warnings_since = 0, self.now
            if suppressed > 0:
                self._say(f"net_ratelimit: {suppressed} callbacks suppressed")
        self._warnings += 1
        if self._warnings <= WARNINGS:
            self._say(text)

    def _say(self, text: str) -> None:
        if self.on_warning is not None:
            self.on_warning(text)
        elif self.emit is not None:
            self.emit(KernelLogged(self.packet_id, text))

    # -- into the table

    def confirm(self, conn: Conn, packet: Packet, now: int, ctinfo: int = 2, reason: Reason | None = None) -> int:
        """The packet leaves: a new entry goes into the table, events are told. ACCEPT, or DROP when the place is taken.

        After a clash that was resolved `self.conn` is the entry the packet belongs to now (__nf_conntrack_confirm).
        """
        self.conn = conn
        status = conn.status
        if not status & CONFIRMED:
            if ctinfo in (Ctinfo.ESTABLISHED_REPLY, Ctinfo.RELATED_REPLY):
                return ACCEPT
            self.now, self.packet_id = now, packet.id
            if now >= self.timers.due:
                self.expire(now)
            if self._insert(conn, packet, now, reason or why.CONFIRMED) == DROP:
                return DROP
            conn = self.conn
        if conn.cache and not conn.status & DYING:
            self._deliver(conn, now)
        return ACCEPT

    def _insert(self, conn: Conn, packet: Packet, now: int, reason: Reason) -> int:
        if conn.status & DYING:
            self.stats["insert_failed"] += 1
            return DROP
        taken = self._in_the_way(conn)
        if taken is not None:
            return self._resolve_clash(conn, taken, now)
        conn.expires += now
        self._enter_table(conn, now, hidden=False)
        conn.cache |= TOLD_RELATED if conn.master is not None else TOLD_NEW
        if conn.helper is not None:
            conn.cache |= Told.HELPER
        if self.emit is not None:
            self.emit(EntryCreated(conn.id, packet.id, traced(conn, now), reason))
        return ACCEPT

    def _in_the_way(self, conn: Conn) -> Conn | None:
        """The entry that stands where a new one is to."""
        table, zone = self.table, conn.zone
        if zone == 0:
            return table.default.get(conn.there) or table.default.get(conn.back)
        return table.standing(conn.there, zone, in_original(zone)) or table.standing(conn.back, zone, in_reply(zone))

    def _enter_table(self, conn: Conn, now: int, hidden: bool) -> None:
        conn.status |= CONFIRMED
        if self.settings.timestamp:
            conn.started = now
        if conn.master is not None:
            conn.master.children += 1
        self.table.add(conn, hidden)
        self.timers.set(conn)

    def _resolve_clash(self, conn: Conn, winner: Conn, now: int) -> int:
        """Two packets opened the same connection before either was confirmed (nf_ct_resolve_clash)."""
        if winner.protonum in ALLOW_CLASH:
            other = self.table.standing(conn.back, conn.zone, in_reply(conn.zone))
            for held in (winner, other):
                if held is not None and _same(held, conn):
                    self.conn = held
                    self.stats["clash_resolve"] += 1
                    return ACCEPT
            if other is None:
                conn.expires = now + SECOND
                conn.status |= FIXED_TIMEOUT | NAT_CLASH
                self._enter_table(conn, now, hidden=True)
                self.stats["clash_resolve"] += 1
                return ACCEPT
        self.stats["drop"] += 1
        self.stats["insert_failed"] += 1
        self.reason = why.CLASH
        return DROP

    # -- out of the table

    def destroy(self, conn: Conn, now: int, reason: Reason) -> None:
        """Take an entry out of the table and tell it (nf_ct_delete). Twice is as good as once."""
        if conn.status & DYING:
            return
        conn.status |= DYING
        if conn.expecting:
            self.now = now
            self.expectations.forget(conn)
        if conn.nat is not None and self.unbound is not None:
            self.unbound(conn)
        if conn.status & CONFIRMED:
            if self.emit is not None:
                self.emit(EntryDestroyed(conn.id, self.packet_id, traced(conn, now), reason))
            self._tell("DESTROY", conn, now, TOLD_DESTROY)
            self._helper_ends(conn, now)
            self.table.remove(conn)
            self.timers.cancel(conn)
            if conn.master is not None:
                conn.master.children -= 1

    def _helper_ends(self, conn: Conn, now: int) -> None:
        """What its helper does for it last, and whose call ids a tunnel leaves behind (nf_ct_helper_destroy, destroy_gre_conntrack)."""
        if conn.help is not None and conn.helper is not None:
            helper = helpers.HELPERS.get((conn.helper, conn.protonum))
            if helper is not None and helper.destroy is not None:
                helper.destroy(self, conn, now)
        if conn.master is not None and conn.protonum == GRE:
            self.keymaps.forget(conn.master)

    def delete(self, conn: Conn, now: int, reason: Reason | str = why.DELETED, portid: int = 0) -> None:
        """A program deletes an entry (`conntrack -D`); `portid` is its netlink port, for listeners."""
        if self.on_delete is not None:
            self.on_delete(conn)
        because = why.FLUSHED if reason == "flushed" else why.DELETED if isinstance(reason, str) else reason
        self._by_program(portid, lambda: self.destroy(conn, now, because))

    def flush(self, now: int, portid: int = 0) -> None:
        """A program empties the table (`conntrack -F`)."""
        for conn in self.table:
            self.delete(conn, now, why.FLUSHED, portid)

    def change(
        self, conn: Conn, now: int, *, mark: int | None = None, timeout: int | None = None, status: int = 0, portid: int = 0
    ) -> None:
        """A program changes an entry (`conntrack -U`): mark, time-out in µs, status bits to add. Always told as UPDATE."""
        self.now, before = now, snapshot(conn)
        if mark is not None:
            conn.mark = mark
        conn.status |= status
        if timeout is not None:
            self.refresh(conn, timeout, now)
        told = Told.REPLY | Told.ASSURED | Told.HELPER | Told.LABEL | Told.PROTOINFO | Told.SEQADJ | Told.MARK
        self._by_program(portid, lambda: self._tell("UPDATE", conn, now, told))
        self.packet_id = None
        self.updated(conn, before, told=True)

    def made(self, conn: Conn, now: int, reason: Reason, told: int, portid: int) -> None:
        """A program has made a whole entry (`conntrack -I`): into the table, told as NEW."""
        self.now, self.packet_id = now, None
        self._enter_table(conn, now, hidden=False)
        self.stats["insert"] += 1
        if self.emit is not None:
            self.emit(EntryCreated(conn.id, None, traced(conn, now), reason))
        self._by_program(portid, lambda: self._tell("NEW", conn, now, told))

    def changed_by(self, conn: Conn, now: int, act: Callable[[], None], told: int, portid: int) -> None:
        """A program changes an entry by `act` (`conntrack -U`): told as UPDATE. Where `act` raises nothing is told."""
        self.now, self.packet_id, before = now, None, snapshot(conn)
        act()
        self._by_program(portid, lambda: self._tell("UPDATE", conn, now, told))
        self.updated(conn, before, told=True)

    def set_closing(self, conn: Conn, now: int) -> None:
        """A rule has answered with a reset: the connection is over (nf_conntrack_tcp_set_closing)."""
        if not isinstance(conn, TcpConn) or not conn.status & CONFIRMED or conn.status & DYING or conn.state == TcpState.CLOSE:
            return
        before = snapshot(conn)
        self.refresh(conn, self.settings.tcp[TcpState.CLOSE], now)
        conn.state = TcpState.CLOSE
        conn.cache |= Told.PROTOINFO
        self.reason = why.TCP_REFUSED_BY_RULE
        self.updated(conn, before)

    def _by_program(self, portid: int, act: Callable[[], None]) -> None:
        self.portid, self.packet_id = portid, None
        try:
            act()
        finally:
            self.portid = 0

    def expire(self, now: int) -> None:
        """Remove what has ended by `now`, in order of time, each at its own instant."""
        while (ended := self.timers.pop(now)) is not None:
            self.packet_id = None
            if isinstance(ended, Conn):
                if self.emit is not None:
                    self.emit(EntryExpired(ended.id))
                self.destroy(ended, ended.expires, why.EXPIRED)
            elif isinstance(ended, Collector):
                self.collector.turn(self, ended.expires)
            elif isinstance(ended, Expectation):
                self.expectations.remove(ended, "expired", EXPECTATION_EXPIRED)

    def next_expiry(self) -> int | None:
        """The exact time at which an entry or expectation ends next, or None."""
        return self.timers.next()

    # -- questions

    def find(self, key: Tuple | Key, zone: int = 0) -> tuple[Conn, int] | None:
        """(entry, direction 0 or 1) under a tuple, or None."""
        packed = pack(key)
        conn = self.table.held(packed, zone)
        return None if conn is None else (conn, int(packed == conn.back))

    def entries(self) -> Iterable[Conn]:
        """All entries, oldest first."""
        return list(self.table)

    def start(self, family: str) -> None:
        """Tracking of ipv4 or ipv6 begins (again): what was seen of windows is out of date (nf_ct_tcp_fixup)."""
        for conn in self.table:
            if isinstance(conn, TcpConn) and conn.state == TcpState.ESTABLISHED and conn.family == family:
                conn.sides[0].maxwin = conn.sides[1].maxwin = 0

    # -- telling

    def updated(self, conn: Conn, before: tuple[object, ...], told: bool | None = None) -> None:
        after = snapshot(conn)
        if self.emit is None or after == before:
            return
        changed = tuple(name for name, old, new in zip(_FIELDS, before, after, strict=True) if old != new)
        reason = self.refused(self.reason)
        told = bool(conn.cache & conn.events) if told is None else told
        self.emit(EntryUpdated(conn.id, self.packet_id, traced(conn, self.now), changed, told, reason))

    def _deliver(self, conn: Conn, now: int) -> None:
        """Tell what was kept until the packet got through (nf_ct_deliver_cached_events)."""
        told, conn.cache = conn.cache, 0
        if told & TOLD_MARK and self.emit is not None and not told & (TOLD_NEW | TOLD_RELATED):
            self.emit(EntryUpdated(conn.id, self.packet_id, traced(conn, now), ("mark",), True, why.MARKED))
        self._tell("NEW" if told & (TOLD_NEW | TOLD_RELATED) else "UPDATE", conn, now, told)

    def _tell(self, event: str, conn: Conn, now: int, told: int) -> None:
        if not told & conn.events:
            return
        if self.emit is not None:
            conn.telling = told
            self.emit(EntryTold(conn.id, self.packet_id, event, event_line(event, conn, now)))
        if conn.heard and self.listeners:
            conn.telling = told
            for listener in list(self.listeners):
                listener(event, conn, now)


_FIELDS: Final = ("state", "unreplied", "assured", "status", "mark", "expires")


def snapshot(conn: Conn) -> tuple[object, ...]:
    status = conn.status
    return conn.state_name(), status & SEEN_REPLY == 0, status & ASSURED != 0, status, conn.mark, conn.expires


def _same(one: Conn, other: Conn) -> bool:
    """Whether two entries are of one connection, however it began (nf_ct_match, nf_ct_match_reverse)."""
    ends = (other.there, in_original(other.zone)), (other.back, in_reply(other.zone))
    mine = (one.there, in_original(one.zone)), (one.back, in_reply(one.zone))
    return mine == ends or mine == ends[::-1]
