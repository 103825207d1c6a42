"""Which tuple a new connection gets: one that nobody has yet, as near to the old one as the rule allows.

get_unique_tuple and what it calls (net/netfilter/nf_nat_core.c, Linux 6.18). Where the kernel draws a random 16-bit offset, `dice`
is asked; all else is as determined here as there. GRE's keys are chosen in tunnels that the PPTP helper has announced alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from sim.conntrack.conn import Conn, TcpConn
from sim.conntrack.table import Table
from sim.conntrack.tuples import GRE, ICMPS, SCTP, TCP, UDP, UDPLITE, Key, invert, pack
from sim.conntrack.words import DYING, FIXED_TIMEOUT, Status, TcpState
from sim.conntrack.zones import ID, in_original, in_reply
from sim.netfilter.nat.dice import Dice
from sim.netfilter.nat.ranges import NatRange, jhash2, single, spread
from sim.packet import Tuple
from sim.units import Address

SRC: Final = 0
DST: Final = 1
MAX_ATTEMPTS: Final = 128
FEWEST_ATTEMPTS: Final = 16
HARDER: Final = MAX_ATTEMPTS // 4
"""So many attempts before the end a TCP connection in TIME_WAIT may have to make way (NF_NAT_HARDER_THRESH)."""
PORTED: Final = frozenset((TCP, UDP, UDPLITE, SCTP))
ALLOW_CLASH: Final = frozenset((UDP, UDPLITE, GRE))
NATTED: Final = int(Status.SRC_NAT | Status.DST_NAT)
_USES_NAT: Final = NATTED | int(Status.SEQ_ADJUST)


class Chooser:
    """`dice(low, size, manip)` gives the offset at which a search among `size` ports from `low` on begins, `expected(low, size)` that of
    a port for an expectation: both as `Dice` has them. `kill` ends an entry early. `stats`: where tuples found taken are counted.
    """

    def __init__(self, table: Table, dice: Dice, kill: Callable[[Conn], None]) -> None:
        self._table, self._kill = table, kill
        self.stats = {"found": 0}
        self._trying: tuple[Tuple, bool, Conn] | None = None
        self.throw(dice)

    def throw(self, dice: Dice) -> None:
        """Draw from these from now on."""
        self.dice: Callable[[int, int, int], int] = dice.port
        self.expected: Callable[[int, int], int] = dice.expected

    def choose(self, conn: Conn, wanted: NatRange, manip: int, mapped: Iterable[Conn]) -> Tuple:
        """What packets of `conn` shall look like in the original direction. `mapped`: other entries from the same source, newest first."""
        now = invert(conn.reply)
        assert now is not None
        if manip == SRC and not wanted.random:
            kept = self._keep(conn, now, wanted, mapped)
            if kept is not None:
                return kept
        tuple_ = _with_address(now, manip, _address(now, wanted, manip, conn.zone & ID))
        if not wanted.random and self._good_as_it_is(tuple_, wanted, manip, conn):
            return tuple_
        return self._unique(tuple_, wanted, manip, conn)

    def _keep(self, conn: Conn, now: Tuple, wanted: NatRange, mapped: Iterable[Conn]) -> Tuple | None:
        """The tuple as it is, or the mapping that this source has already."""
        if _in_range(now, wanted):
            return None if self._used_new(now, conn) else now
        for other in mapped:
            outward = invert(other.reply)
            if outward is None or in_original(other.zone) != in_original(conn.zone):
                continue
            found = now._replace(src=outward.src, sport=outward.sport)
            if _in_range(found, wanted):
                return None if self.used(found, conn) else found
        return None

    def _good_as_it_is(self, tuple_: Tuple, wanted: NatRange, manip: int, conn: Conn) -> bool:
        if wanted.ports is None:
            return not self.used(tuple_, conn)
        if wanted.base is not None or not _ports_in_range(tuple_, manip, wanted.ports):
            return False
        return wanted.ports[0] == wanted.ports[1] or not self.used(tuple_, conn)

    # ---- is it taken? ------------------------------------------------------------------------------------------------

    def used(self, tuple_: Tuple, conn: Conn) -> bool:
        """Whether the answers to such packets would be another entry's (nf_nat_used_tuple)."""
        reply = invert(tuple_)
        return reply is not None and self._taken(reply, conn) is not None

    def _taken(self, key: Key, conn: Conn) -> Conn | None:
        """nf_conntrack_tuple_taken: two entries with the same original tuple in one zone are one connection, settled at confirm."""
        other = self._table.standing(pack(key), conn.zone, in_reply(conn.zone))
        if other is None or other is conn:
            return None
        if other.original == conn.original and in_original(other.zone) == in_original(conn.zone):
            return None
        self.stats["found"] += 1
        return other

    def _used_new(self, tuple_: Tuple, conn: Conn) -> bool:
        """nf_nat_used_tuple_new: for what stays as it is, an entry of the same two ends opened from the other side is no hindrance."""
        if not self.used(tuple_, conn):
            return False
        if tuple_.protonum not in ALLOW_CLASH or conn.status & _USES_NAT:
            return True
        reply = invert(tuple_)
        other = self._table.find(tuple_, conn.zone) or (self._table.find(reply, conn.zone) if reply is not None else None)
        if other is None:
            return False
        return bool(other.status & _USES_NAT) or other.original != conn.reply

    def _used_harder(self, tuple_: Tuple, conn: Conn, left: int) -> bool:
        """nf_nat_used_tuple_harder: with few attempts left, a finished connection whose sequence number is behind makes way."""
        if left > HARDER or not isinstance(conn, TcpConn) or conn.state != TcpState.SYN_SENT:
            return self.used(tuple_, conn)
        reply = invert(tuple_)
        other = None if reply is None else self._table.find(reply, conn.zone)
        if other is None:
            return False
        if reply != other.reply or not isinstance(other, TcpConn) or not _may_go(other):
            return True
        ahead = (conn.sides[0].end - other.sides[0].end) & 0xFFFFFFFF
        if not 0 < ahead < 1 << 31:
            return True
        self._kill(other)
        return False

    def is_free(self, port: int) -> bool:
        """Whether the tuple of the search for which the dice fall now would be free with that port; without a search it is."""
        if self._trying is None:
            return True
        tuple_, source, conn = self._trying
        return not self.used(tuple_._replace(sport=port) if source else tuple_._replace(dport=port), conn)

    # ---- ports -------------------------------------------------------------------------------------------------------

    def _unique(self, tuple_: Tuple, wanted: NatRange, manip: int, conn: Conn) -> Tuple:
        """nf_nat_l4proto_unique_tuple. With none free the last one tried: then confirm drops the packet."""
        icmp = tuple_.protonum in ICMPS
        if not icmp and tuple_.protonum not in PORTED and not _is_pptp(tuple_, conn):
            return tuple_
        source = manip == SRC or icmp
        span = _ports_to_try(tuple_, wanted, manip, icmp)
        if span is None:
            return tuple_
        low, size = span
        self._trying = tuple_, source, conn
        offset = self._first_offset(tuple_.sport if source else tuple_.dport, wanted, manip, low, size)
        attempts = min(size, MAX_ATTEMPTS)
        while True:
            for left in range(attempts, 0, -1):
                port = low + offset % size & 0xFFFF
                tuple_ = tuple_._replace(sport=port) if source else tuple_._replace(dport=port)
                if not self._used_harder(tuple_, conn, left):
                    return tuple_
                offset = (offset + 1) & 0xFFFF
            if attempts >= size or attempts < FEWEST_ATTEMPTS:
                return tuple_
            attempts //= 2
            offset = self.dice(low, size, manip)

    def _first_offset(self, port: int, wanted: NatRange, manip: int, low: int, size: int) -> int:
        if wanted.base is not None:
            return (port - wanted.base) & 0xFFFF
        return self.dice(low, size, manip) if wanted.random or manip == SRC else 0


def _is_pptp(tuple_: Tuple, conn: Conn) -> bool:
    """GRE has keys to choose only in a tunnel that the PPTP helper has announced."""
    return tuple_.protonum == GRE and conn.master is not None


def _may_go(conn: TcpConn) -> bool:
    """nf_nat_may_kill."""
    return conn.state >= TcpState.TIME_WAIT and not conn.status & (FIXED_TIMEOUT | DYING) and bool(conn.status & Status.SRC_NAT)


def _in_range(tuple_: Tuple, wanted: NatRange) -> bool:
    """Whether its source is one that the rule asks for (nf_in_range)."""
    if wanted.low is not None and wanted.high is not None and not wanted.low <= tuple_.src <= wanted.high:
        return False
    return wanted.ports is None or _ports_in_range(tuple_, SRC, wanted.ports)


def _ports_in_range(tuple_: Tuple, manip: int, ports: tuple[int, int]) -> bool:
    """l4proto_in_range; a protocol without ports is always inside."""
    if tuple_.protonum in ICMPS:
        return ports[0] <= tuple_.sport <= ports[1]
    if tuple_.protonum not in PORTED and tuple_.protonum != GRE:
        return True
    return ports[0] <= (tuple_.sport if manip == SRC else tuple_.dport) <= ports[1]


def _ports_to_try(tuple_: Tuple, wanted: NatRange, manip: int, icmp: bool) -> tuple[int, int] | None:
    """(lowest, how many); None when the port must stay. Without a range: ports of the old one's own kind."""
    if wanted.ports is not None:
        low, high = wanted.ports
        if high < low and not icmp:
            low, high = high, low
        return low, high - low + 1
    if icmp:
        return 0, 65536
    if tuple_.protonum == GRE:
        return 1, 65535
    if manip == DST:
        return None
    if tuple_.sport >= 1024:
        return 1024, 64512
    return (1, 511) if tuple_.sport < 512 else (600, 424)


def _with_address(tuple_: Tuple, manip: int, address: Address) -> Tuple:
    return tuple_._replace(src=address) if manip == SRC else tuple_._replace(dst=address)


def _words(address: Address) -> list[int]:
    """An address as the kernel has it in memory on a little-endian machine: four words."""
    whole = address + bytes(16 - len(address))
    return [int.from_bytes(whole[at : at + 4], "little") for at in range(0, 16, 4)]


def _address(tuple_: Tuple, wanted: NatRange, manip: int, zone: int) -> Address:
    """find_best_ips_proto: the same client and server always get the same address of the range, by a hash without a secret."""
    old = tuple_.src if manip == SRC else tuple_.dst
    if wanted.low is None or wanted.high is None:
        return old
    if wanted.low == wanted.high:
        return wanted.low
    last = len(old) // 4 - 1
    value = jhash2(_words(tuple_.src), 0 if wanted.persistent else _words(tuple_.dst)[last] ^ zone)
    made = b""
    whole_range = False
    for at in range(0, len(old), 4):
        lowest, highest = (int.from_bytes(end[at : at + 4]) for end in (wanted.low, wanted.high))
        low, size = (0, 0xFFFFFFFF) if whole_range else (lowest, (highest - lowest + 1) & 0xFFFFFFFF)
        word = ((low + spread(value, size)) & 0xFFFFFFFF).to_bytes(4)
        made += word
        whole_range = whole_range or word != wanted.high[at : at + 4]
        if not wanted.persistent:
            target = made if manip == DST else tuple_.dst
            value ^= int.from_bytes(target[at : at + 4], "little")
    return made


__all__ = ["DST", "NATTED", "SRC", "Chooser", "NatRange", "single"]
