"""Tracker: one machine's connection tracking. Bytes in, label and entry out. As nf_conntrack_core.c, Linux 6.18.

`track` is what conntrack does at PREROUTING and OUTPUT (nf_conntrack_in), `confirm` at the end of INPUT and POSTROUTING
(nf_confirm). Time is told, never asked. Entries expire at their very instant: `expire(now)`, `next_expiry()`.

Not here: hooks and priorities (netfilter/tracking.py), the protocols' own rules (tcp.py, udp.py ...), NAT.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, cast

from sim.conntrack import generic, helpers, icmp, sctp, tcp, udp, why
from sim.conntrack.conn import Conn, GreConn, SctpConn, TcpConn
from sim.conntrack.entries import Entries, snapshot
from sim.conntrack.tuples import GRE, ICMP, ICMPS, ICMPV6, SCTP, TCP, UDP, UDPLITE, Key, invert, key_of
from sim.conntrack.words import (
    ACCEPT,
    CONFIRMED,
    DROP,
    DYING,
    EXPECTED,
    REPEAT,
    SEEN_REPLY,
    TOLD_REPLY,
    Ctinfo,
)
from sim.packet import Packet, Tuple
from sim.trace import Reason

Handler = Callable[["Tracker", Conn, Packet, int, bool, int], int]
HANDLERS: Final[dict[int, Handler]] = {
    TCP: cast(Handler, tcp.handle), UDP: udp.handle, ICMP: icmp.handle, ICMPV6: icmp.handle_v6, UDPLITE: udp.handle_lite,
    GRE: generic.handle_gre, SCTP: sctp.handle,
}  # fmt: skip
KINDS: Final[dict[int, type[Conn]]] = {TCP: TcpConn, SCTP: SctpConn, GRE: GreConn}
PREROUTING: Final = 0
_INVALID: Final = int(Ctinfo.INVALID)
_ESTABLISHED: Final = int(Ctinfo.ESTABLISHED)
_ESTABLISHED_REPLY: Final = int(Ctinfo.ESTABLISHED_REPLY)
_RELATED: Final = int(Ctinfo.RELATED)
_RELATED_REPLY: Final = int(Ctinfo.RELATED_REPLY)
_NEW: Final = int(Ctinfo.NEW)


class Tracked(NamedTuple):
    """What conntrack said of a packet. `verdict` is DROP only when the table is full: then there is no label either.

    `kernel_log`: what the kernel would log with nf_conntrack_log_invalid=255, in its own words.
    """

    verdict: int
    conn: Conn | None
    ctinfo: int
    reason: Reason
    kernel_log: tuple[str, ...]


class Tracker(Entries):
    """Connection tracking of one machine. See `Entries` for what happens to entries, listeners and statistics."""

    # -- packets

    def track(self, packet: Packet, hook: int, now: int, zone: int = 0, helper: str | None = None) -> Tracked:
        """Label a packet that enters by PREROUTING or OUTPUT (`hook`): see Tracked. `helper`: what a new entry will get."""
        ctinfo = self.enter(packet, hook, now, zone, helper)
        return Tracked(self.verdict, self.conn, ctinfo, self.reason, self.kernel_log)

    def enter(self, packet: Packet, hook: int, now: int, zone: int = 0, helper: str | None = None) -> int:
        """As `track`, for the fast path: returns the Ctinfo; verdict, conn, reason and kernel_log are fields until the next packet."""
        self.now = now
        if now >= self.timers.due:
            self.expire(now)
        self.packet_id = packet.id
        self._template = helper
        self.conn = None
        self.verdict = ACCEPT
        self.why: Reason | None = None
        self.kernel_log = ()
        protonum = packet.protonum
        if protonum in ICMPS:
            ctinfo = icmp.judge(self, packet, hook == PREROUTING, zone)
            if ctinfo != icmp.GO_ON:
                if ctinfo == _INVALID:
                    self.reason = self.refused()
                return ctinfo
        key: Key | None
        if (protonum == TCP or protonum == UDP) and packet.complete:  # noqa: SIM109  (the quick way)
            key = (packet.src, packet.dst, packet.sport, packet.dport, protonum)
        else:
            key = key_of(packet)
        if key is None:
            return self._invalid(why.NO_TUPLE)
        return self._resolve(packet, key, hook == PREROUTING, now, zone)

    def _resolve(self, packet: Packet, key: Key, prerouting: bool, now: int, zone: int) -> int:
        """Find or make the entry, and let its protocol judge."""
        while True:
            conn = self.table.default.get(key) if zone == 0 else self.table.find(key, zone)
            direction = 0
            if conn is None:
                conn = self._make(key, zone)
                if conn is None:
                    return _INVALID
            elif key == conn.reply:
                direction = 1
            handler = HANDLERS.get(packet.protonum, generic.handle)
            if self.emit is None:
                answer = handler(self, conn, packet, direction, prerouting, now)
            else:
                answer = self._watched(handler, conn, packet, direction, prerouting, now)
            if answer == ACCEPT:
                break
            if answer != REPEAT:
                return self._invalid(self.refused())
        if self.why is not None:
            self.reason = self.why
        self.conn = conn
        if direction:
            if not conn.status & SEEN_REPLY:
                conn.status |= SEEN_REPLY
                conn.cache |= TOLD_REPLY
            return _ESTABLISHED_REPLY
        status = conn.status
        if status & SEEN_REPLY:
            return _ESTABLISHED
        return _RELATED if status & EXPECTED else _NEW

    def _invalid(self, reason: Reason) -> int:
        self.reason = reason
        self.conn = None
        self.stats["invalid"] += 1
        return _INVALID

    def _make(self, key: Key, zone: int) -> Conn | None:
        """A new entry, not yet in the table (init_conntrack); None when its tuple has no answer or the table is full."""
        reply = invert(key)
        if reply is None:
            self._invalid(why.NO_INVERSE)
            return None
        settings = self.settings
        if settings.max and len(self.table) >= settings.max and not self._early_drop(key):
            self.warn("nf_conntrack: table full, dropping packet")
            self.stats["drop"] += 1
            self.verdict, self.reason = DROP, why.TABLE_FULL
            return None
        self._serial += 1
        conn = KINDS.get(key[4], Conn)(self._serial, Tuple(*key), reply, zone)
        if settings.acct:
            conn.acct = [0, 0, 0, 0]
        conn.heard = settings.events == 1 or (settings.events == 2 and bool(self.listeners))
        expected = self.expectations.count and self._meet_expectation(conn)
        if not expected and self._template is not None:
            helpers.assign(conn, self._template)
        return conn

    def _meet_expectation(self, conn: Conn) -> bool:
        expected = self.expectations.find(conn.original, conn.zone)
        if expected is None:
            return False
        conn.status |= EXPECTED
        conn.master = expected.master
        conn.mark = expected.master.mark
        conn.helper = expected.helper
        self.expectations.use(expected, self.packet_id)
        return True

    # -- helpers

    def help(self, conn: Conn, packet: Packet, ctinfo: int, now: int) -> int:
        """Let the entry's helper read the packet, just before it is confirmed: ACCEPT or DROP; then `reason` and `kernel_log` say why."""
        helper = helpers.HELPERS.get((conn.helper or "", conn.original.protonum))
        self.kernel_log = ()
        if helper is None or ctinfo == _RELATED_REPLY or packet.fragment:
            return ACCEPT
        self.now, self.packet_id = now, packet.id
        if conn.help is None and helper.memory is not None:
            conn.help = helper.memory()
        before = snapshot(conn)
        helping = helpers.Help(self, helper, conn, packet, ctinfo, now)
        verdict = helper.help(helping)
        if conn.status & CONFIRMED and not conn.status & DYING:
            self.updated(conn, before)
        if helping.reason is not None:
            self.reason = helping.reason
            self.kernel_log = (helping.log,)
        return verdict

    def _early_drop(self, key: Key) -> bool:
        victims = self.table.evictable(key, self.settings.buckets)
        for victim in victims:
            self.destroy(victim, self.now, why.EARLY_DROP)
        self.stats["early_drop"] += len(victims)
        return bool(victims)

    def _watched(self, handler: Handler, conn: Conn, packet: Packet, direction: int, prerouting: bool, now: int) -> int:
        """Let the protocol judge, and emit what changed in the entry."""
        before = snapshot(conn)
        answer = handler(self, conn, packet, direction, prerouting, now)
        if conn.status & CONFIRMED and not conn.status & DYING:
            if answer == ACCEPT and direction and not conn.status & SEEN_REPLY:
                conn.status |= SEEN_REPLY
                conn.cache |= TOLD_REPLY
            self.updated(conn, before)
        return answer
