"""Judges that ask beyond the packet: a socket of the machine (socket, cgroup), a queue, a transparent proxy, a BPF program.

`asks.find_socket(...)` is the machine's answer: None where no socket would take the packet, else whether it listens on every address.
No program here listens at a queue or has a transparent socket. Sources: net/netfilter/xt_socket.c, xt_cgroup.c, xt_NFQUEUE.c, xt_bpf.c,
nf_queue.c, net/ipv4/netfilter/nf_socket_ipv4.c, net/ipv6/netfilter/nf_socket_ipv6.c, Linux 6.18.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sim.conntrack.tuples import quoted_key
from sim.conntrack.words import Status
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.ruleset import bpf
from sim.ruleset.parts import Judge

_TCP, _UDP = 6, 17
_ERRORS = {4: (1, (3, 4, 5, 11, 12)), 6: (58, (1, 2, 3, 4))}  # ICMP and ICMPv6: the protocol, and the types that quote a packet
_REPLY, _RELATED_REPLY = 3, 4


class Ends(NamedTuple):
    """Who speaks to whom, as the socket sees it: protocol, the other end, its own end."""

    protonum: int
    src: bytes
    sport: int
    dst: bytes
    dport: int

    def turned(self) -> Ends:
        """Seen from the other end: of a packet that the machine itself sends."""
        return Ends(self.protonum, self.dst, self.dport, self.src, self.sport)


def ends(skb: Skb) -> Ends | None:
    """Whose socket is looked for: TCP's and UDP's own ends, or those of the packet that an ICMP error quotes, turned round."""
    packet = skb.packet
    if packet.protonum in (_TCP, _UDP):
        if packet.fragment or len(packet.data) < packet.l4 + 4:
            return None
        found = Ends(packet.protonum, packet.src, packet.sport, packet.dst, packet.dport)
    else:
        quoted = _quoted(packet)
        if quoted is None:
            return None
        found = quoted
    return _before_nat(found, skb) if packet.version == 4 else found


def _quoted(packet: Packet) -> Ends | None:
    protonum, kinds = _ERRORS[packet.version]
    data = packet.data
    if packet.protonum != protonum or len(data) <= packet.l4 + 8 or data[packet.l4] not in kinds:
        return None
    key = quoted_key(data, packet.l4 + 8, packet.version)
    if key is None or key[4] not in (_TCP, _UDP):
        return None
    src, dst, sport, dport, inner = key
    return Ends(inner, dst, dport, src, sport)


def _before_nat(found: Ends, skb: Skb) -> Ends:
    """An answer to a connection whose source NAT has changed is for the address that it had before."""
    conn = skb.conn
    wanted = _REPLY if skb.packet.protonum in (_TCP, _UDP) else _RELATED_REPLY
    if conn is None or skb.ctinfo != wanted or not conn.status & Status.SRC_NAT_DONE:
        return found
    return found._replace(dst=conn.original.src, dport=conn.original.sport)


class Socket:
    """xt_socket: whether a socket of this machine would take the packet; one that listens on every address does not count by itself."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: Any) -> None:
        self._part, self._asks = dict(part.arguments), asks
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        found = ends(skb)
        anywhere = self._asks.find_socket(*found) if found is not None else None
        if anywhere is None:
            self.why = "no socket here would take it"
            return False
        counts = self._part["nowildcard"] or not anywhere
        self.why = "its socket is there" + ("" if counts else ", but listens on every address")
        if self._part["transparent"]:
            self.why += ", and no socket here is transparent"
            return False
        if counts and self._part["restore-skmark"]:
            skb.mark = 0
        return bool(counts)


class Cgroup:
    """xt_cgroup: the class or place of the socket, which is 0 and the root for all here. Without a socket it never matches."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: Any) -> None:
        self._matches, self._asks = part["matches"], asks
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        sent = not skb.indev and self._asks.socket_owner(skb) is not None
        known = sent or (bool(skb.indev) and not skb.outdev and self._is_connected(skb))
        self.why = "its socket is of class 0, in the root of cgroups" if known else "no socket is known yet"
        return known and bool(self._matches)

    def _is_connected(self, skb: Skb) -> bool:
        """What the IP layer has found ahead of INPUT: the socket of an established connection (tcp_v4_early_demux)."""
        found = ends(skb) if skb.packet.protonum == _TCP else None
        return found is not None and self._asks.find_socket(*found, connected=True) is not None


class Queue:
    """xt_NFQUEUE: nobody listens, so the packet is lost, or goes on where the rule says `bypass` (nf_queue)."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        first, last = part["first"], part["last"]
        where = f"queue {first}" if first == last else f"any of queues {first} to {last}"
        self.why = f"no program listens at {where}: " + ("it goes on, as bypass says" if part["bypass"] else "it is lost")

    def test(self, skb: Skb) -> bool | None:
        return True


class Proxy:
    """xt_TPROXY: no program has a transparent socket there, so the packet is dropped."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self.why = f"no program has a transparent socket at {part['to']}: it is dropped"

    def test(self, skb: Skb) -> bool | None:
        return True


class ProxyOfNft:
    """nft_tproxy: no program has a transparent socket there, and the rule ends."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self.why = "no program has a transparent socket there: the rule ends here"

    def test(self, skb: Skb) -> bool | None:
        return False


class Bpf:
    """xt_bpf: the program's answer is not 0."""

    def __init__(self, part: Judge, shared: dict[str, Any], asks: object) -> None:
        self._program = part["program"]
        self.why = ""

    def test(self, skb: Skb) -> bool | None:
        answer = bpf.run(self._program, skb)
        self.why = f"the program answers {answer}"
        return bool(answer)
