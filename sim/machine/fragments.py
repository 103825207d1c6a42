"""Fragments on a machine: what is for it is put together on delivery, what leaves is cut where the way takes no more at once.

ip_fragment and ip_do_fragment (net/ipv4/ip_output.c), ip6_fragment (net/ipv6/ip6_output.c), ip_local_deliver, ipv6_frag_rcv
(net/ipv6/reassembly.c), ip_expire, Linux 6.18; RFC 791, RFC 8200 section 4.5. What defragmentation put together leaves in the pieces
in which it came, where these still fit; else in pieces no larger than the largest. Not in here: the queues (netfilter/fragments.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.machine import icmp_errors
from sim.machine.routes import Decision, Kind
from sim.netfilter.defrag import Defrag, become
from sim.netfilter.fragments import Fate, Fragments4, Fragments6, Key, Queue, Waiting, Whole, with_ipv4_header
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.trace import Delivered, Reason
from sim.units import SECOND

if TYPE_CHECKING:
    from sim.machine.ip import IpLayer

_DELIVERY = "delivery"
_MIN_MTU6 = 1280
_WAITS = "fragments that wait for the rest"


class Fragmentation:
    """The part of an IP layer that puts together and cuts."""

    def __init__(self, ip: IpLayer) -> None:
        self._ip = ip
        self._four = Fragments4(lambda: ip.sysctls.number("net.ipv4.ipfrag_time") * SECOND)
        self._four.max_dist = lambda: ip.sysctls.number("net.ipv4.ipfrag_max_dist")
        self._six = Fragments6(lambda: ip.tracker.settings.values["frag6_timeout"])
        self._six_here = Fragments6(lambda: ip.sysctls.number("net.ipv6.ip6frag_time") * SECOND, strict=True)
        self._all: tuple[Waiting, ...] = (self._four, self._six, self._six_here)
        self.defrag = Defrag(ip.hooks, self._four, self._six)

    # ---- delivery ----------------------------------------------------------------------------------------------------

    def together(self, skb: Skb) -> bool:
        """IPv4, ahead of INPUT. False while fragments are missing."""
        packet = skb.packet
        if not packet.fragment and not packet.more:
            return True
        return self._became(skb, self._four.take(packet, _DELIVERY, skb.indev, skb.now) or Fate.WAITS)

    def together6(self, skb: Skb) -> bool:
        """IPv6, behind INPUT: an extension header's work, until none is left."""
        packet = skb.packet
        if packet.l4 == 40 or (not packet.fragment and not packet.more):
            return True
        found = self._six_here.take(packet, _DELIVERY, skb.indev, skb.now)
        if isinstance(found, Fate) and found in _PROBLEMS:
            self._ip.complaints.about(skb, icmp_errors.PARAMETER6, *_PROBLEMS[found])
        return self._became(skb, found)

    def _became(self, skb: Skb, found: Whole | Fate) -> bool:
        if isinstance(found, Whole):
            become(skb, found)
            return True
        self.waits(skb)
        return False

    def waits(self, skb: Skb) -> None:
        """Tell that this fragment's way ends here for now."""
        if self._ip.emit is not None:
            self._ip.emit(Delivered(skb.packet.id, _WAITS))

    # ---- out ---------------------------------------------------------------------------------------------------------

    def send(self, skb: Skb, decision: Decision) -> None:
        """Out of a device, in pieces where the way takes no more at once, or where it came so."""
        packet, whole = skb.packet, len(skb.packet.data)
        pulled = min(max(self._pulled(packet), skb.pulled), whole - packet.l4) if skb.frag_sizes else 0
        if pulled and packet.l4 + pulled <= whole:
            skb.frag_sizes = _pull(skb.frag_sizes, packet.l4 + pulled - (whole - sum(skb.frag_sizes[1:])))
        if whole <= decision.mtu and (not skb.frag_max or (packet.version == 6 and whole <= skb.frag_max)):
            self._ip.transmit(decision.dev, decision.via, packet)
            return
        if _must_stay_whole(skb, decision.mtu):
            self._too_big(skb, decision)
            return
        cut = cut4(packet.data, decision.mtu, skb) if packet.version == 4 else cut6(packet, max(decision.mtu, _MIN_MTU6), skb)
        for number, piece in enumerate(cut):
            self._ip.transmit(decision.dev, decision.via, Packet(piece, self._ip.new_id() if number else packet.id))

    def _pulled(self, packet: Packet) -> int:
        """How much of the transport header the kernel has pulled into the first piece, so that pieces are no longer what they were:

        conntrack of SCTP to sum it (sctp_error), IPv4 of TCP to look for a socket (tcp_v4_early_demux). NAT and helpers tell the skb.
        """
        if packet.protonum == 132:
            return 12 if self._ip.tracker.settings.checksum else 0
        return 20 if packet.protonum == 6 and packet.version == 4 else 0

    def _too_big(self, skb: Skb, decision: Decision) -> None:
        """Its largest fragment already does not fit, or NAT's part of a helper has made it longer, and it must not be cut."""
        what = f"A fragment of {skb.frag_max}" if skb.frag_max else f"The packet's {len(skb.packet.data)}"
        verb = "does" if skb.frag_max else "do"
        reason = Reason("mtu", f"{what} bytes {verb} not fit into {decision.dev}'s MTU of {decision.mtu}.")
        self._ip.drop(skb, "ip", "MTU", reason)
        if skb.packet.version == 4:
            self._ip.complaints.about(skb, icmp_errors.UNREACHABLE, icmp_errors.FRAGMENTATION_NEEDED, decision.mtu)
        else:
            self._ip.complaints.about(skb, icmp_errors.TOO_BIG6, 0, decision.mtu)

    # ---- time --------------------------------------------------------------------------------------------------------

    def next_expiry(self) -> int | None:
        """When the next incomplete packet is given up (µs), or None."""
        found = [at for at in (waiting.next_expiry() for waiting in self._all if waiting.queues) if at is not None]
        return min(found) if found else None

    def expire(self, now: int) -> None:
        """Give up what has waited too long; who sent a first fragment is told (ip_expire, ip6frag_expire_frag_queue)."""
        for waiting in self._all:
            for key, queue in waiting.expire(now) if waiting.queues else ():
                self._tell_of(key, queue, now)

    def _tell_of(self, key: Key, queue: Queue, now: int) -> None:
        first = queue.first
        if first is None or not queue.dev:
            return
        if first.version == 6:
            self._ip.complaints.about(Skb(first, now, queue.dev), icmp_errors.TIME_EXCEEDED6, 1)
        elif self._ip.routes.decide(first.dst).kind == Kind.LOCAL:
            self._ip.complaints.about(Skb(first, now, queue.dev), icmp_errors.TIME_EXCEEDED, 1)


_PROBLEMS = {Fate.UNEVEN: (0, 4), Fate.TOO_FAR: (0, 42), Fate.HEADERLESS: (3, 0)}
"""ICMPv6 parameter problem: code and pointer."""


def _must_stay_whole(skb: Skb, mtu: int) -> bool:
    """ip_fragment, ip6_fragment. What this machine itself sends over IPv6 is cut all the same (ignore_df)."""
    if skb.frag_max:
        return skb.frag_max > mtu and (skb.packet.version == 6 or bool(skb.packet.data[6] & 0x40))
    return bool(skb.packet.data[6] & 0x40) if skb.packet.version == 4 else bool(skb.indev)


def _pull(sizes: tuple[int, ...], count: int) -> tuple[int, ...]:
    """The sizes once the first piece has taken `count` bytes from those behind it (__pskb_pull_tail)."""
    first, rest = sizes[0], list(sizes[1:])
    while count > 0 and rest:
        taken = min(count, rest[0])
        first, count, rest[0] = first + taken, count - taken, rest[0] - taken
        rest = rest if rest[0] else rest[1:]
    return (first, *rest)


def _shape(sizes: tuple[int, ...], size: int, room: int) -> list[int]:
    """How many bytes each piece takes: as they came where that is still right, else as much as goes."""
    if len(sizes) > 1 and sum(sizes) == size and min(sizes) >= 0 and max(sizes) <= room and not any(each & 7 for each in sizes[:-1]):
        return list(sizes)
    lengths, left = list[int](), size
    while left > room:
        lengths.append(room & ~7)
        left -= room & ~7
    return [*lengths, left]


def cut4(data: bytes, mtu: int, skb: Skb | None = None) -> list[bytes]:
    """The fragments of an IPv4 packet, each at most `mtu` bytes long."""
    largest, sizes = (skb.frag_max, skb.frag_sizes) if skb is not None else (0, ())
    size = (data[0] & 15) * 4
    head, body = data[:size], data[size:]
    lengths = _shape(sizes, len(body), min(mtu, largest or mtu) - size)
    kept = 0 if lengths == list(sizes) else (data[6] & 0x40) << 8  # the list of what came (ip_fraglist_init) leaves without DF
    offset, last_more = int.from_bytes(data[6:8]) & 0x1FFF, data[6] & 0x20
    pieces, at = [], 0
    for length in lengths:
        more = last_more or at + length < len(body)
        pieces.append(with_ipv4_header(head, body[at : at + length], (offset + at // 8) | (0x2000 if more else 0) | kept))
        if not at:
            head = _for_later_pieces(head)
        at += length
    return pieces


def _for_later_pieces(head: bytes) -> bytes:
    """ip_options_fragment: options that belong into the first piece alone become no-operations."""
    options, at = bytearray(head[20:]), 0
    while at < len(options) and options[at] != 0:
        size = 1 if options[at] == 1 else options[at + 1] if at + 1 < len(options) else 0
        if size < 1 or at + size > len(options) or (size < 2 and options[at] != 1):
            break
        if not options[at] & 0x80:
            options[at : at + size] = b"\1" * size
        at += size
    return head[:20] + bytes(options)


def cut6(packet: Packet, mtu: int, skb: Skb) -> list[bytes]:
    """The fragments of an IPv6 packet, with an identification of their own; none where its headers have no end."""
    data, largest, rest = packet.data, skb.frag_max, skb.frag_sizes[1:]
    if largest:
        mtu = max(largest, _MIN_MTU6)
    where, named = _unfragmentable(data, len(data) - sum(rest))
    if not where or mtu < where + 16:
        return []
    ident, kind = packet.id & 0xFFFFFFFF, data[named]
    head, body = data[:named] + b"\x2c" + data[named + 1 : where], data[where:]
    pieces, at = [], 0
    sizes = (len(body) - sum(rest), *rest) if rest else ()
    for length in _shape(sizes, len(body), mtu - where - 8):
        word = at | (at + length < len(body))
        extension = bytes((kind, 0)) + word.to_bytes(2) + ident.to_bytes(4)
        part = extension + body[at : at + length]
        pieces.append(head[:4] + (where - 40 + len(part)).to_bytes(2) + head[6:] + part)
        at += length
    return pieces


def _unfragmentable(data: bytes, size: int) -> tuple[int, int]:
    """ip6_find_1stfragopt: where the fragment header goes, and the byte that names what follows. (0, 0) when headers run out.

    Of what was put together it looks into the first piece alone (`size`: how far that goes).
    """
    at, named, routing = 40, 6, False
    while data[named] in (0, 43, 60) and not (data[named] == 60 and routing):
        routing = routing or data[named] == 43
        if at + 2 > size:
            return 0, 0
        at, named = at + (data[at + 1] + 1) * 8, at
        if at > size:
            return 0, 0
    return at, named
