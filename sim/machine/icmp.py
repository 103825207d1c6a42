"""IcmpStack: one machine's ICMP and ICMPv6. Answers echo requests, hands errors to the sockets that they are about, gives ping its sockets.

icmp_rcv, icmp_echo, icmp_unreach (net/ipv4/icmp.c), icmpv6_rcv (net/ipv6/icmp.c), ping_rcv (net/ipv4/ping.c), Linux 6.18.
Not in here: ICMP errors that the machine makes itself (ip.py, icmp_errors.py), redirects, neighbour discovery, multicast listeners.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import simpy

from sim import wire
from sim.machine.errors import SocketError
from sim.machine.quoted import Quoted, quoted
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.trace import Delivered, Reason
from sim.units import Address

if TYPE_CHECKING:
    from sim.machine.machine import Machine

_ERRORS = {4: frozenset((3, 4, 11, 12)), 6: frozenset((1, 2, 3, 4))}
_REQUEST, _REPLY = {4: 8, 6: 128}, {4: 0, 6: 129}


@dataclass(frozen=True, slots=True)
class Echo:
    """What came back for an echo request: a reply (`error` False), or an ICMP error about it, of `type` and `code`.

    `size` are the bytes of the ICMP message, `ttl` the packet's, `sequence` that of the request; `payload` what a reply carried;
    `mtu` what an error told of one, else 0.
    """

    src: Address
    sequence: int
    ttl: int
    size: int
    type: int
    code: int
    error: bool
    payload: bytes = b""
    mtu: int = 0


class EchoSocket:
    """What ping holds: echo requests under one identifier."""

    def __init__(self, stack: IcmpStack, ident: int) -> None:
        self._stack = stack
        self.ident = ident
        self._queue: deque[Echo] = deque()
        self._reader: simpy.Event | None = None

    def send(self, dst: Address, sequence: int, payload_size: int = 56, ttl: int | None = None) -> None:
        """Send an echo request. Raises SocketError: no route, EACCES (a broadcast address), EPERM (a rule dropped it)."""
        self._stack.output(self, dst, sequence, payload_size, ttl)

    def recv(self) -> simpy.Event:
        """An event that brings the next Echo. One reader at a time."""
        if self._reader is None or self._reader.triggered:
            self._reader = self._stack.env.event()
        self._wake()
        return self._reader

    def close(self) -> None:
        """Close it."""
        self._stack.sockets.pop(self.ident, None)

    def take(self, echo: Echo) -> None:
        """Something came back."""
        self._queue.append(echo)
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.triggered and self._queue:
            self._reader.succeed(self._queue.popleft())


class IcmpStack:
    """`open` is for programs; `receive` is called by the machine."""

    def __init__(self, machine: Machine, env: simpy.Environment, random: Random) -> None:
        self._machine = machine
        self.env = env
        self.sockets: dict[int, EchoSocket] = {}
        self._random = random

    def open(self) -> EchoSocket:
        """A socket for echo requests, with an identifier of its own."""
        ident = next(number for number in iter(lambda: self._random.getrandbits(16), None) if number not in self.sockets)
        socket = self.sockets[ident] = EchoSocket(self, ident)
        return socket

    def output(self, socket: EchoSocket, dst: Address, sequence: int, size: int, ttl: int | None) -> None:
        """Send an echo request of `size` bytes of payload: the time of sending in 16 bytes, then iputils' pattern."""
        ip, six = self._machine.ip, len(dst) == 16
        if ip.routes.address_type(dst) == 3:
            raise SocketError("EACCES")
        if size > (65527 if six else 65507):
            raise SocketError("EMSGSIZE")
        source = ip.source_for(dst)
        stamp = (int(self.env.now) // 1_000_000).to_bytes(8, "little") + (int(self.env.now) % 1_000_000).to_bytes(8, "little")
        payload = (stamp + bytes(number & 255 for number in range(16, max(16, size))))[:size]
        rest = socket.ident << 16 | sequence & 0xFFFF
        hops = ttl or ip.sysctls.number("net.ipv6.conf.all.hop_limit" if six else "net.ipv4.ip_default_ttl")
        if six:
            data = wire.ipv6(source, dst, 58, wire.icmpv6(source, dst, 128, 0, rest, payload), ttl=hops)
        else:
            small = size + 28 <= ip.path_mtu(dst)
            message = wire.icmp(8, 0, rest, payload)
            data = wire.ipv4(source, dst, 1, message, ttl=hops, ident=self._random.getrandbits(16), dont_fragment=small)
        if not ip.send(data):
            raise SocketError("EPERM")

    # ---- in ----------------------------------------------------------------------------------------------------------

    def receive(self, skb: Skb) -> None:
        """An ICMP or ICMPv6 packet for this machine."""
        packet, ip = skb.packet, self._machine.ip
        message = packet.data[packet.l4 :]
        if not packet.complete:
            ip.drop(skb, "socket", "icmp", Reason("icmp-header", "Its ICMP header is cut short."))
            return
        if not self._checksum_ok(packet, message):
            ip.drop(skb, "socket", "icmp", Reason("icmp-checksum", "Its ICMP checksum is wrong."))
            return
        kind, version = message[0], packet.version
        if ip.emit is not None:
            ip.emit(Delivered(packet.id, "icmp" if version == 4 else "icmpv6"))
        if kind == _REQUEST[version]:
            self._answer(packet, message)
        elif kind == _REPLY[version]:
            self._reply(packet, message)
        elif kind in _ERRORS[version]:
            self._error(packet, message)
        elif version == 4 and kind == 13 and len(message) >= 20 and not self._to_many(packet):
            self._answer_timestamp(packet, message)

    @staticmethod
    def _checksum_ok(packet: Packet, message: bytes) -> bool:
        if packet.version == 4:
            return wire.ones_sum(message) == 0xFFFF
        return wire.transport_checksum_ok(packet.src, packet.dst, 58, message)

    def _to_many(self, packet: Packet) -> bool:
        return not self._machine.ip.routes.is_local(packet.dst)

    def _answer(self, packet: Packet, message: bytes) -> None:
        """icmp_echo, icmpv6_echo_reply: the same identifier, sequence and payload back."""
        number, many = self._machine.ip.sysctls.number, self._to_many(packet)
        if packet.version == 4:
            if not number("net.ipv4.icmp_echo_ignore_all") and not (many and number("net.ipv4.icmp_echo_ignore_broadcasts")):
                self._answer_with(packet, wire.icmp(0, 0, int.from_bytes(message[4:8]), message[8:]), many)
        elif not number("net.ipv6.icmp.echo_ignore_all"):
            source = self._machine.ip.source_for(packet.src) if many else packet.dst
            reply = wire.icmpv6(source, packet.src, 129, 0, int.from_bytes(message[4:8]), message[8:])
            hops = number("net.ipv6.conf.all.hop_limit")
            self._machine.ip.send(wire.ipv6(source, packet.src, 58, reply, ttl=hops, tos=packet.tos))

    def _answer_with(self, packet: Packet, message: bytes, many: bool) -> None:
        ip = self._machine.ip
        decision = ip.routes.decide(packet.src)
        source = decision.source if many else packet.dst
        if source is None:
            return
        ttl, ident = ip.sysctls.number("net.ipv4.ip_default_ttl"), self._random.getrandbits(16)
        ip.send(wire.ipv4(source, packet.src, 1, message, ttl=ttl, ident=ident, tos=packet.tos & 0x1E, dont_fragment=False))

    def _answer_timestamp(self, packet: Packet, message: bytes) -> None:
        """icmp_timestamp: milliseconds since midnight, received and sent in the same one."""
        now = (int(self.env.now) // 1000 % 86_400_000).to_bytes(4)
        self._answer_with(packet, wire.icmp(14, 0, int.from_bytes(message[4:8]), message[8:12] + now + now), False)

    def _reply(self, packet: Packet, message: bytes) -> None:
        socket = self.sockets.get(int.from_bytes(message[4:6]))
        if socket is not None:
            sequence = int.from_bytes(message[6:8])
            socket.take(Echo(packet.src, sequence, packet.ttl, len(message), message[0], 0, False, message[8:]))

    def _error(self, packet: Packet, message: bytes) -> None:
        inner = quoted(packet)
        if inner is None:
            return
        kind, code = message[0], message[1]
        mtu = int.from_bytes(message[6:8]) if (packet.version, kind, code) == (4, 3, 4) else 0
        if (packet.version, kind) == (6, 2):
            mtu = int.from_bytes(message[4:8])
        if mtu:
            self._machine.ip.learn_mtu(inner.dst, mtu)
        self._hand_over(packet, message, inner, mtu)

    def _hand_over(self, packet: Packet, message: bytes, inner: Quoted, mtu: int) -> None:
        kind, code = message[0], message[1]
        if inner.protonum == 6:
            self._machine.tcp.icmp_error(inner, kind, code, mtu)
        elif inner.protonum == 17:
            self._machine.udp.icmp_error(inner, kind, code, mtu)
        elif inner.protonum in (1, 58) and (socket := self.sockets.get(inner.sport)) is not None:
            socket.take(Echo(packet.src, inner.seq, packet.ttl, len(message), kind, code, True, mtu=mtu))
