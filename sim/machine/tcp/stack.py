"""TcpStack: one machine's TCP. Finds the connection or listener that a segment is for, answers what is for none, makes connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from random import Random
from typing import TYPE_CHECKING

import simpy

from sim import wire
from sim.machine.errors import SocketError, icmp_errno
from sim.machine.quoted import Quoted
from sim.machine.tcp.arrival import arrive, negotiate
from sim.machine.tcp.chunk import Chunk
from sim.machine.tcp.connection import SCALE, Connection, show_end
from sim.machine.tcp.listener import Listener
from sim.machine.tcp.patience import Patience
from sim.machine.tcp.segment import ACK, FIN, RST, SYN, Options, Segment, read
from sim.machine.tcp.sequence import after, before, plus
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.trace import Delivered, Emit, Reason
from sim.units import Address, show_address

if TYPE_CHECKING:
    from sim.machine.ip import IpLayer

Key = tuple[Address, int, Address, int]
CLIENT_WINDOW, SERVER_WINDOW = 64240, 65160  # the first windows that Linux offers at an MSS of 1460


class TcpStack:
    """`connect` and `listen` are for programs; `receive` and `icmp_error` are called by the machine."""

    def __init__(self, ip: IpLayer, env: simpy.Environment, random: Random, new_socket_id: Callable[[], int], emit: Emit | None) -> None:
        self.ip, self.env, self.random = ip, env, random
        self.new_socket_id, self.emit = new_socket_id, emit
        self.connections: dict[Key, Connection] = {}
        self.listeners: dict[int, list[Listener]] = {}
        self.patience = Patience(self)

    def number(self, name: str) -> int:
        """A sysctl net.ipv4.NAME."""
        return self.ip.sysctls.number(f"net.ipv4.{name}")

    # ---- for programs ------------------------------------------------------------------------------------------------

    def listen(self, port: int, program: str = "", *, address: Address | None = None, backlog: int = 128) -> Listener:
        """Wait for connections on `port` (0: a free one). Raises SocketError EADDRINUSE, EADDRNOTAVAIL."""
        port = port or self._port_to_bind()
        if address is not None and any(address) and not self.ip.routes.is_local(address):
            raise SocketError("EADDRNOTAVAIL")
        address = address if address and any(address) else None
        taken = self.listeners.setdefault(port, [])
        if any(other.address is None or address is None or other.address == address for other in taken):
            raise SocketError("EADDRINUSE")
        listener = Listener(self, port, program, address, backlog)
        taken.append(listener)
        return listener

    def stop_listening(self, listener: Listener) -> None:
        """Forget a listener, and what was half open on it."""
        self.listeners[listener.port].remove(listener)
        for conn in [c for c in self.connections.values() if c.listener is listener and c.state == "SYN-RECV"]:
            self.forget(conn)

    def connect(self, dst: Address, dport: int, *, sport: int | None = None, program: str = "") -> Connection:
        """Open a connection: its `connected` succeeds or fails with SocketError. A wrong local port raises SocketError at once."""
        try:
            source, failed = self.ip.source_for(dst), None
        except SocketError as error:
            source, failed = bytes(len(dst)), error.code
        local = (source, sport if sport is not None else self._free_port(source, dst, dport))
        if (*local, dst, dport) in self.connections:
            raise SocketError("EADDRINUSE" if sport is not None else "EADDRNOTAVAIL")
        conn = Connection(self, local, (dst, dport), program, CLIENT_WINDOW)
        if failed:
            conn.fail(failed)
            return conn
        self.connections[(*local, dst, dport)] = conn
        conn.become("SYN-SENT")
        conn.sender.first(Chunk(conn.sender.isn, b"", SYN, ""))
        conn.tell()
        return conn

    def _free_port(self, source: Address, dst: Address, dport: int) -> int:
        """A port that makes the four unique: an even one while there is one, as __inet_hash_connect prefers."""
        low, high = self.ip.sysctls.ports
        span = high - low + 1
        start = self.random.randrange(span) & ~1
        for offset in chain(range(0, span, 2), range(1, span, 2)):
            port = low + (start + offset) % span
            if (source, port, dst, dport) not in self.connections and port not in self.listeners:
                return port
        raise SocketError("EADDRNOTAVAIL")

    def _port_to_bind(self) -> int:
        """A port for bind(0): an odd one, as inet_csk_find_open_port prefers."""
        low, high = self.ip.sysctls.ports
        used = {port for _, port, _, _ in self.connections} | self.listeners.keys()
        ports = [port for port in range(low | 1, high + 1, 2) if port not in used]
        if not ports:
            raise SocketError("EADDRINUSE")
        return self.random.choice(ports)

    def rows(self) -> Iterator[Listener | Connection]:
        """Everything that `ss -ta` shows."""
        for listeners in self.listeners.values():
            yield from listeners
        yield from self.connections.values()

    def show_local(self, address: Address | None) -> str:
        """The local address of a listener, as ss prints it."""
        if address is None:
            return "0.0.0.0"
        return show_address(address) if len(address) == 4 else f"[{show_address(address)}]"

    # ---- segments in -------------------------------------------------------------------------------------------------

    def receive(self, skb: Skb) -> None:
        """A TCP packet for this machine."""
        packet = skb.packet
        if not packet.complete or packet.payload > len(packet.data) or packet.payload < packet.l4 + 20:
            self.ip.drop(skb, "socket", "tcp", Reason("tcp-header", "Its TCP header is cut short."))
            return
        if not wire.transport_checksum_ok(packet.src, packet.dst, 6, packet.data[packet.l4 :]):
            self.ip.drop(skb, "socket", "tcp", Reason("tcp-checksum", "Its TCP checksum is wrong."))
            return
        segment = read(packet)
        conn = self.connections.get((packet.dst, packet.dport, packet.src, packet.sport))
        listener = self._listener(packet) if conn is None else None
        if conn is None and listener is None:
            self._nobody(skb, segment)
            return
        if self.emit is not None:
            self.emit(Delivered(packet.id, f"tcp {show_end((packet.dst, packet.dport))}"))
        if conn is not None:
            arrive(conn, segment)
        elif listener is not None:
            self._knock(listener, segment)

    def _nobody(self, skb: Skb, segment: Segment) -> None:
        where = show_end((skb.packet.dst, skb.packet.dport))
        answer = "" if segment.flags & RST else " It is answered with a reset."
        self.ip.drop(skb, "socket", "tcp", Reason("no-socket", f"No socket is at {where}.{answer}", {"port": skb.packet.dport}))
        self.refuse(segment)

    def _listener(self, packet: Packet) -> Listener | None:
        return self.listening(packet.dst, packet.dport)

    def listening(self, address: Address, port: int) -> Listener | None:
        """The listener that takes what comes for an address and port."""
        return next((one for one in self.listeners.get(port, ()) if one.address in (None, address)), None)

    def _knock(self, listener: Listener, segment: Segment) -> None:
        """LISTEN: a SYN begins a connection, an ACK is refused, the rest falls silent (tcp_rcv_state_process)."""
        if segment.flags & ACK and not segment.flags & RST:
            self.refuse(segment)
        elif segment.flags & (SYN | RST | FIN) == SYN and not listener.full:
            self._half_open(listener, segment)

    def _half_open(self, listener: Listener, segment: Segment) -> None:
        packet = segment.packet
        conn = Connection(self, (packet.dst, packet.dport), (packet.src, packet.sport), listener.program, SERVER_WINDOW)
        conn.listener, conn.user = listener, listener.user
        self.connections[packet.dst, packet.dport, packet.src, packet.sport] = conn
        negotiate(conn, segment)
        conn.become("SYN-RECV")
        conn.sender.first(Chunk(conn.sender.isn, b"", SYN | ACK, ""))
        conn.tell()

    def reopen(self, segment: Segment) -> None:
        """A SYN for the ports of a connection that was in TIME-WAIT: a new connection, where somebody listens."""
        listener = self._listener(segment.packet)
        if listener is not None:
            self._knock(listener, segment)
        else:
            self.refuse(segment)

    def refuse(self, segment: Segment) -> None:
        """Answer with a RST (tcp_v4_send_reset); a RST is never answered."""
        if segment.flags & RST:
            return
        packet = segment.packet
        seq, ack, flags = segment.ack, 0, RST
        if not segment.flags & ACK:
            seq, ack, flags = 0, segment.end, RST | ACK
        made = wire.tcp(packet.dst, packet.src, packet.dport, packet.sport, seq=seq, ack=ack, flags=flags, window=0)
        self.ip.send(self._in_ip(packet.dst, packet.src, made, 0))

    def _in_ip(self, src: Address, dst: Address, segment: bytes, ident: int) -> bytes:
        name = "net.ipv4.ip_default_ttl" if len(src) == 4 else "net.ipv6.conf.all.hop_limit"
        return wire.ip(src, dst, 6, segment, ttl=self.ip.sysctls.number(name), ident=ident)

    # ---- for connections ---------------------------------------------------------------------------------------------

    def output(
        self, conn: Connection, seq: int, ack: int, flags: int, window: int, options: bytes, data: bytes, ident: int, about: str,
        again: int,
    ) -> None:  # fmt: skip
        """Send one segment of a connection."""
        (src, sport), (dst, dport) = conn.local, conn.remote
        made = wire.tcp(src, dst, sport, dport, seq=seq, ack=ack, flags=flags, window=window, options=options, payload=data)
        self.ip.send(self._in_ip(src, dst, made, ident), about=about, again=again)

    def own_options(self, to: Address) -> Options:
        """What this machine's SYN to an address offers."""
        stamps = (0, 0) if self.number("tcp_timestamps") else None
        scale = SCALE if self.number("tcp_window_scaling") else None
        return Options(self.path_mss(to), scale, bool(self.number("tcp_sack")), stamps)

    def path_mss(self, dst: Address) -> int:
        """The largest segment that the way to `dst` takes, as far as is known."""
        return self.ip.path_mtu(dst) - (40 if len(dst) == 4 else 60)

    def forget(self, conn: Connection) -> None:
        """The connection is over: its timers stop, its ports are free."""
        conn.sender.clear()
        for timer in (conn.delayed, conn.lifetime, conn.idle):
            timer.stop()
        key = (*conn.local, *conn.remote)
        if self.connections.get(key) is conn:
            del self.connections[key]
        conn.become("CLOSED")

    # ---- ICMP errors -------------------------------------------------------------------------------------------------

    def icmp_error(self, inner: Quoted, kind: int, code: int, mtu: int) -> None:
        """An ICMP error about a segment that this machine sent (tcp_v4_err, tcp_v6_err)."""
        conn = self.connections.get((inner.src, inner.sport, inner.dst, inner.dport))
        meaning = icmp_errno(inner.version, kind, code)
        if conn is None or meaning is None or conn.state == "TIME-WAIT":
            return
        sender = conn.sender
        if before(inner.seq, sender.una) or after(inner.seq, plus(sender.nxt, 1)):
            return
        if (inner.version, kind, code) == (4, 3, 4) or (inner.version, kind) == (6, 2):
            sender.smaller_mtu(max(mtu, 576 if inner.version == 4 else 1280) - (40 if inner.version == 4 else 60) - 12 * conn.timestamps_on)
        elif conn.state == "SYN-RECV" and conn.listener is not None:
            if (kind, code) in ((3, 0), (3, 1)):
                self.forget(conn)
        elif conn.state in ("SYN-SENT", "SYN-RECV"):
            conn.fail(meaning[0])
        else:
            if (inner.version, kind) == (4, 3) and code in (0, 1):
                sender.retry.host_unreachable(inner.seq)
            conn.soft_error = meaning[0]
