"""UdpStack: one machine's UDP. Sockets, datagrams, and the ICMP errors that come back.

__udp4_lib_rcv, __udp4_lib_err (net/ipv4/udp.c), Linux 6.18.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

import simpy

from sim import wire
from sim.machine import icmp_errors
from sim.machine.errors import SocketError, icmp_errno
from sim.machine.quoted import Quoted
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.trace import Delivered, Emit, Reason, SocketChanged
from sim.units import Address, show_address

if TYPE_CHECKING:
    from sim.machine.ip import IpLayer

End = tuple[Address, int]
_LARGEST = 65507
_QUEUE = 212_992  # net.core.rmem_default: bytes that wait to be read


class UdpSocket:
    """A socket at `port`. With `remote` it is connected: it hears that peer alone, and of ICMP errors."""

    def __init__(self, stack: UdpStack, port: int, program: str, remote: End | None, address: Address | None) -> None:
        self._stack = stack
        self.port, self.program, self.remote, self.address = port, program, remote, address
        self.user = stack.ip.acting
        self.id = stack.new_socket_id()
        self.state = "ESTAB" if remote else "UNCONN"
        self.error: str | None = None
        self._queue: deque[tuple[bytes, Address, int]] = deque()
        self.queued = 0  # bytes that wait to be read
        self._reader: simpy.Event | None = None
        self._tell()

    def send(self, data: bytes, dst: Address | None = None, dport: int = 0, *, about: str = "") -> None:
        """Send a datagram, to the connected peer unless told. Raises SocketError: no route, EPERM (a rule), a late ECONNREFUSED."""
        self._raise_error()
        if dst is None:
            if self.remote is None:
                raise SocketError("EDESTADDRREQ")
            dst, dport = self.remote
        if self.state == "CLOSED":
            raise SocketError("EPIPE")
        self._stack.output(self, data, dst, dport, about)

    def recv(self) -> simpy.Event:
        """An event that brings (data, source, source port); it fails with SocketError. One reader at a time."""
        if self._reader is None or self._reader.triggered:
            self._reader = self._stack.env.event()
        self._wake()
        return self._reader

    def close(self) -> None:
        """Close it."""
        if self.state == "CLOSED":
            return
        self.state = "CLOSED"
        self._stack.sockets.remove(self)
        self._tell()

    def take(self, data: bytes, src: Address, sport: int) -> bool:
        """A datagram for it. False when its queue is full."""
        if self.queued + len(data) > _QUEUE:
            return False
        self._queue.append((data, src, sport))
        self.queued += len(data)
        self._wake()
        return True

    def hurt(self, code: str) -> None:
        """An ICMP error that the program is to hear of."""
        self.error = code
        self._wake()

    def _raise_error(self) -> None:
        if self.error is not None:
            code, self.error = self.error, None
            raise SocketError(code)

    def _wake(self) -> None:
        reader = self._reader
        if reader is None or reader.triggered:
            return
        if self.error is not None:
            code, self.error = self.error, None
            reader.fail(SocketError(code))
            reader.defused = True
        elif self._queue:
            item = self._queue.popleft()
            self.queued -= len(item[0])
            reader.succeed(item)

    def _tell(self) -> None:
        if self._stack.emit is not None:
            local, remote = self._stack.ends(self)
            self._stack.emit(SocketChanged(self.id, "udp", local, remote, self.state, self.program))


class UdpStack:
    """`open` is for programs; `receive` and `icmp_error` are called by the machine."""

    def __init__(self, ip: IpLayer, env: simpy.Environment, random: Random, new_socket_id: Callable[[], int], emit: Emit | None) -> None:
        self.ip, self.env, self.emit = ip, env, emit
        self.new_socket_id = new_socket_id
        self.sockets: list[UdpSocket] = []
        self._random = random

    def open(
        self, port: int | None = None, program: str = "", *, remote: End | None = None, address: Address | None = None,
    ) -> UdpSocket:  # fmt: skip
        """A socket; without `port` at one that is free. Raises SocketError: EADDRINUSE, EADDRNOTAVAIL, or no route to `remote`."""
        if address is not None and not any(address):
            address = None
        if address is not None and not self.ip.routes.is_local(address):
            raise SocketError("EADDRNOTAVAIL")
        if remote is not None and address is None:
            address = self.ip.source_for(remote[0])
        if port is None:
            port = self._free_port()
        elif any(s.port == port and (s.address == address or None in (s.address, address)) for s in self.sockets):
            raise SocketError("EADDRINUSE")
        socket = UdpSocket(self, port, program, remote, address)
        self.sockets.append(socket)
        return socket

    def _free_port(self) -> int:
        low, high = self.ip.sysctls.ports
        start = self._random.randrange(high - low + 1)
        taken = {socket.port for socket in self.sockets}
        for offset in range(high - low + 1):
            port = low + (start + offset) % (high - low + 1)
            if port not in taken:
                return port
        raise SocketError("EADDRINUSE")

    def ends(self, socket: UdpSocket) -> tuple[str, str]:
        """Local and remote end, as ss prints them."""
        local = show(socket.address, socket.port)
        return local, show(*socket.remote) if socket.remote else "0.0.0.0:*"

    def output(self, socket: UdpSocket, data: bytes, dst: Address, dport: int, about: str) -> None:
        """Send one datagram of a socket."""
        if len(data) > _LARGEST:
            raise SocketError("EMSGSIZE")
        source = socket.address or self.ip.source_for(dst)
        self.ip.route_to(dst)
        six = len(dst) == 16
        ttl = self.ip.sysctls.number("net.ipv6.conf.all.hop_limit" if six else "net.ipv4.ip_default_ttl")
        made = wire.udp(source, dst, socket.port, dport, data)
        small = six or len(made) + 20 <= self.ip.path_mtu(dst)
        if six:
            packet = wire.ipv6(source, dst, 17, made, ttl=ttl)
        else:
            packet = wire.ipv4(source, dst, 17, made, ttl=ttl, ident=self._random.getrandbits(16), dont_fragment=small)
        if not self.ip.send(packet, about=about):
            raise SocketError("EPERM")

    def receive(self, skb: Skb) -> None:
        """A UDP packet for this machine."""
        packet = skb.packet
        data = packet.data[packet.l4 :]
        length = int.from_bytes(data[4:6]) if packet.complete else 0
        if not packet.complete or not 8 <= length <= len(data):
            self.ip.drop(skb, "socket", "udp", Reason("udp-length", "Its UDP length is wrong."))
            return
        data = data[:length]
        if (data[6:8] != b"\0\0" or packet.version == 6) and not wire.transport_checksum_ok(packet.src, packet.dst, 17, data):
            self.ip.drop(skb, "socket", "udp", Reason("udp-checksum", "Its UDP checksum is wrong."))
            return
        socket = self._find(packet)
        if socket is None:
            self._nobody(skb)
        elif not socket.take(data[8:], packet.src, packet.sport):
            self.ip.drop(skb, "socket", "udp", Reason("queue-full", "The socket's queue is full: its program does not read."))
        elif self.emit is not None:
            self.emit(Delivered(packet.id, f"udp {show(packet.dst, packet.dport)}"))

    def _find(self, packet: Packet) -> UdpSocket | None:
        return self.waiting((packet.src, packet.sport), (packet.dst, packet.dport))

    def waiting(self, other: End, own: End) -> UdpSocket | None:
        """The socket that fits best: a connected one before one for everybody (compute_score)."""
        fitting = [
            socket for socket in self.sockets
            if socket.port == own[1] and socket.address in (None, own[0]) and socket.remote in (None, other)
        ]  # fmt: skip
        return max(fitting, key=lambda socket: (socket.remote is not None, socket.address is not None), default=None)

    def _nobody(self, skb: Skb) -> None:
        packet = skb.packet
        where = show(packet.dst, packet.dport)
        text = f"No socket is at {where}. It is answered with ICMP port unreachable."
        self.ip.drop(skb, "socket", "udp", Reason("no-socket", text, {"port": packet.dport}))
        if packet.version == 4:
            self.ip.complaints.about(skb, icmp_errors.UNREACHABLE, icmp_errors.PORT_UNREACHABLE, attach=False)
        else:
            self.ip.complaints.about(skb, icmp_errors.UNREACHABLE6, icmp_errors.PORT_UNREACHABLE6, attach=False)

    def icmp_error(self, inner: Quoted, kind: int, code: int, mtu: int) -> None:
        """An ICMP error about a datagram of this machine: connected sockets hear of those that are final."""
        meaning = icmp_errno(inner.version, kind, code)
        for socket in self.sockets:
            if socket.port == inner.sport and socket.remote == (inner.dst, inner.dport) and meaning and meaning[1]:
                socket.hurt(meaning[0])


def show(address: Address | None, port: int) -> str:
    """An address and port as ss prints them."""
    if address is None:
        return f"0.0.0.0:{port}"
    return f"{show_address(address)}:{port}" if len(address) == 4 else f"[{show_address(address)}]:{port}"
