"""Connection: what a program holds of TCP. Opening, writing, reading and closing; the rest is done by its sender and receiver.

    conn = machine.tcp.connect(dst, dport);  yield conn.connected      raises SocketError
    conn.send(b"…");  data = yield conn.recv()                         b"" at the end of the stream; raises SocketError
    conn.shutdown()  no more will be written    conn.close()  neither written nor read    conn.abort()  RST

States are those that `ss` prints. Not in here: what a segment that came in does (arrival.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import simpy

from sim.machine.errors import SocketError
from sim.machine.tcp.acks import Acks
from sim.machine.tcp.receiver import Receiver
from sim.machine.tcp.segment import ACK, RST, SYN, Options, Segment, write_options
from sim.machine.tcp.sender import Sender
from sim.machine.tcp.text import shown
from sim.machine.timer import Timer
from sim.trace import SocketChanged
from sim.units import SECOND, Address, show_address

if TYPE_CHECKING:
    from sim.machine.tcp.listener import Listener
    from sim.machine.tcp.stack import TcpStack

End = tuple[Address, int]
_SYNCHRONIZED = frozenset(("ESTAB", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "LAST-ACK", "CLOSING", "TIME-WAIT"))
SCALE = 7


class Connection:
    """One end of a connection. `local` and `remote` are (address, port), `state` as ss prints it, `id` the socket's number in the trace.

    `nodelay` is TCP_NODELAY, `keepalive` SO_KEEPALIVE. `error` is what the next call will raise, `dead` whether the program has let go.
    """

    def __init__(self, stack: TcpStack, local: End, remote: End, program: str, buffer: int) -> None:
        self.stack, self.env = stack, stack.env
        self.local, self.remote = local, remote
        self.program, self.user = program, stack.ip.acting
        self.id = stack.new_socket_id()
        self.state = "CLOSED"
        self.connected = self.env.event()
        self.listener: Listener | None = None
        self.nodelay = self.dead = False
        self.error: str | None = None
        self.soft_error: str | None = None
        self.options = stack.own_options(remote[0])
        self.timestamps_on = self.options.timestamps is not None
        self.recent_timestamp = 0
        self.last_challenge = -SECOND
        self.sender = Sender(self, stack.random.getrandbits(32))
        self.receiver = Receiver(buffer, SCALE if self.options.window_scale is not None else 0)
        self.acks = Acks()
        self.delayed = Timer(self.env, self._delay_over)
        self.lifetime = Timer(self.env, self._lifetime_over)  # TIME-WAIT, or FIN-WAIT-2 of an orphan; SYN-RECV's retries
        self.idle = Timer(self.env, self._idle_over)
        self._keepalive = False
        self._probes = 0
        self.begun = self.heard_at = self.now
        self._reader: simpy.Event | None = None
        self._ended = self._shut = self._writing_over = False
        self._told: tuple[object, ...] = ()
        self._ident = stack.random.getrandbits(16)
        self._stamp = stack.random.getrandbits(32)

    @property
    def now(self) -> int:
        """The time in µs."""
        return int(self.env.now)

    @property
    def synchronized(self) -> bool:
        """Whether both sides know each other's numbers."""
        return self.state in _SYNCHRONIZED

    # ---- for the program ---------------------------------------------------------------------------------------------

    def send(self, data: bytes, about: str = "") -> None:
        """Write. Takes any amount; `about` is what the trace calls the segment. Raises SocketError: EPIPE, ENOTCONN, or what happened."""
        self._raise_error()
        if self._writing_over or self.dead or self.state == "CLOSED":
            raise SocketError("EPIPE")
        if data:
            self.sender.write(data, about)

    def recv(self) -> simpy.Event:
        """An event that brings all bytes that can be read, b"" at the end; it fails with SocketError. One reader at a time."""
        if self._reader is None or self._reader.triggered:
            self._reader = self.env.event()
        self.wake_reader()
        return self._reader

    def shutdown(self) -> None:
        """Write no more (shutdown(SHUT_WR)): the FIN goes out behind what was written. Reading goes on."""
        if self._writing_over or self.state in ("CLOSED", "SYN-SENT"):
            return
        self._writing_over = True
        if self.state in ("ESTAB", "SYN-RECV"):
            self.become("FIN-WAIT-1")
        elif self.state == "CLOSE-WAIT":
            self.become("LAST-ACK")
        self.sender.finish()

    def close(self) -> None:
        """Let go (close(2)). What was written still goes out, then a FIN; a RST instead when bytes were not read (RFC 2525, 2.17)."""
        if self.dead:
            return
        self.dead = True
        self._end_of_reading()
        if self.state in ("CLOSED", "SYN-SENT"):
            self.stack.forget(self)
        elif self.receiver.buffer:
            self.reset("close with unread data")
        else:
            self.shutdown()
            if self.state == "FIN-WAIT-2":
                self.lifetime.start(self.stack.number("tcp_fin_timeout") * SECOND)
            elif self.state == "TIME-WAIT":
                self.tell()

    def abort(self) -> None:
        """Drop it at once: a RST where the other side knows of it (SO_LINGER 0, tcp_disconnect)."""
        self.dead = True
        self._end_of_reading()
        if self.state in ("SYN-RECV", "ESTAB", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT"):
            self.reset("abort")
        elif self.state != "TIME-WAIT":
            self.stack.forget(self)

    @property
    def keepalive(self) -> bool:
        """Whether a connection that says nothing is asked now and then whether it lives (SO_KEEPALIVE)."""
        return self._keepalive

    @keepalive.setter
    def keepalive(self, on: bool) -> None:
        self._keepalive = on
        self.idle.stop()
        if on:
            self.idle.start(self.stack.number("tcp_keepalive_time") * SECOND)

    def _raise_error(self) -> None:
        if self.error is not None:
            code, self.error = self.error, None
            raise SocketError(code)

    def _end_of_reading(self) -> None:
        if self._reader is not None and not self._reader.triggered:
            self._reader.succeed(b"")

    # ---- news for the program ----------------------------------------------------------------------------------------

    def wake_reader(self) -> None:
        """Give a waiting reader what there is: bytes, an error, or the end."""
        reader = self._reader
        if reader is None or reader.triggered:
            return
        if self.receiver.buffer:
            reader.succeed(self.receiver.read())
            self._was_read()
        elif self.receiver.fin:
            reader.succeed(b"")
        elif self.error is not None:
            code, self.error = self.error, None
            _fail(reader, code)
        elif self._ended:
            reader.succeed(b"")

    def _was_read(self) -> None:
        """tcp_cleanup_rbuf: the program has read; an ACK that is owed may go now, and a window that was small be opened."""
        receiver, acks = self.receiver, self.acks
        big = distance_since_ack(self) > receiver.largest
        if self.synchronized and acks.owed and (big or (acks.pushed and not acks.interactive)):
            self.acknowledge()
        elif self.synchronized and 2 * receiver.open() <= receiver.limit and receiver.wanted() >= 2 * max(1, receiver.open()):
            self.acknowledge("window update")

    def fail(self, code: str) -> None:
        """The connection is over because of `code`: tell whoever waits."""
        if not self.connected.triggered:
            _fail(self.connected, code)
        else:
            self.error = code
        self._ended = True
        self.stack.forget(self)
        self.wake_reader()

    def gave_up(self) -> bool:
        """tcp_write_timeout: whether this RTO is one too many; then the connection is over."""
        if not self.stack.patience.exhausted(self):
            return False
        if self.state == "SYN-RECV" and self.listener is not None:
            self.stack.forget(self)
        else:
            self.fail(self.soft_error or "ETIMEDOUT")
        return True

    def gave_up_probing(self) -> bool:
        """tcp_probe_timer: too many window probes went unanswered."""
        limit = 8 if self.dead else self.stack.number("tcp_retries2")
        if self.sender.retry.probes < limit:
            return False
        self.fail(self.soft_error or "ETIMEDOUT")
        return True

    # ---- segments out ------------------------------------------------------------------------------------------------

    def emit_segment(self, seq: int, flags: int, data: bytes = b"", *, about: str = "", again: int = 0) -> None:
        """Send one segment with the present ACK, window and options."""
        syn = bool(flags & SYN)
        window = self.receiver.select(scaled=not syn) if not flags & RST else 0
        if flags & ACK:
            self.acks.sent()
            self.delayed.stop()
        options = self._options(syn, bool(flags & ACK))
        ack = self.receiver.nxt if flags & ACK else 0
        self._ident = (self._ident + 1) & 0xFFFF
        self.stack.output(self, seq, ack, flags, window, write_options(options), data, self._ident, about, again)

    def _options(self, syn: bool, ack: bool) -> Options:
        stamps = ((self.now // 1000 + self._stamp) & 0xFFFFFFFF, self.recent_timestamp if ack else 0) if self.timestamps_on else None
        if syn:
            return self.options._replace(timestamps=stamps)
        return Options(timestamps=stamps, sack=self.receiver.sack() if self.sender.sack else ())

    def since_timestamp(self, echo: int) -> int:
        """How long ago (µs) this side sent the timestamp that came back; to the millisecond, at least 1."""
        milliseconds = (self.now // 1000 + self._stamp - echo) & 0xFFFFFFFF
        return max(1, milliseconds) * 1000 if milliseconds < 1 << 31 else -1

    def acknowledge(self, about: str = "") -> None:
        """Send a bare ACK."""
        self.emit_segment(self.sender.nxt, ACK, about=about)

    def acknowledge_soon(self) -> None:
        """Send an ACK with the next data, or after a delay."""
        if self.delayed.at is None:
            self.delayed.start(self.acks.delay(self.sender.rtt.srtt))

    def _delay_over(self) -> None:
        self.acks.waited_in_vain(self.sender.rtt.rto)
        self.acknowledge()

    def challenge(self) -> None:
        """A challenge ACK, at most two a second (RFC 5961; tcp_invalid_ratelimit)."""
        if self.now - self.last_challenge >= SECOND // 2:
            self.last_challenge = self.now
            self.acknowledge("challenge ACK")

    def reset(self, why: str) -> None:
        """Send a RST and forget the connection; `why` is for those who read the code."""
        self.emit_segment(self.sender.nxt, RST | ACK)
        self.stack.forget(self)

    # ---- states ------------------------------------------------------------------------------------------------------

    def become(self, state: str) -> None:
        """Go into a state."""
        self.state = state
        self.tell()

    def wait_out(self) -> None:
        """Into TIME-WAIT for 60 s (TCP_TIMEWAIT_LEN): late segments must not meet a successor."""
        self.sender.clear()
        self.delayed.stop()
        self.idle.stop()
        self.become("TIME-WAIT")
        self.lifetime.start(60 * SECOND)

    def _lifetime_over(self) -> None:
        self.stack.forget(self)

    def _idle_over(self) -> None:
        """tcp_keepalive_timer: ask a silent peer whether it lives."""
        if self.state in ("CLOSED", "LISTEN", "SYN-SENT", "TIME-WAIT"):
            return
        every = self.stack.number("tcp_keepalive_time") * SECOND
        silent = self.now - self.heard_at
        if self.sender.sent or self.sender.unsent.size or silent < every:
            self._probes = 0
            self.idle.start(every - silent if 0 < silent < every else every)
        elif self._probes >= self.stack.number("tcp_keepalive_probes"):
            self.emit_segment(self.sender.nxt, RST | ACK)
            self.fail("ETIMEDOUT")
        else:
            self._probes += 1
            self.emit_segment((self.sender.una - 1) & 0xFFFFFFFF, ACK, about="keep-alive")
            self.idle.start(self.stack.number("tcp_keepalive_intvl") * SECOND)

    def heard(self, segment: Segment) -> None:
        """Something came from the peer."""
        self.begun = self.heard_at = self.now
        self._probes = 0

    def tell(self) -> None:
        """Say what the socket believes, when it is not what it said last."""
        if self.stack.emit is None:
            return
        waiting = [(chunk.data, chunk.about) for chunk in self.sender.sent] + self.sender.unsent.text()
        retry = self.sender.retry.timer.at if self.sender.sent else None
        told = (self.state, shown(waiting), max((c.sends - 1 for c in self.sender.sent), default=0), retry)
        if told == self._told:
            return
        self._told = told
        local, remote = show_end(self.local), show_end(self.remote)
        self.stack.emit(SocketChanged(self.id, "tcp", local, remote, self.state, self.program, told[1], told[2], told[3]))


def distance_since_ack(conn: Connection) -> int:
    """How many bytes came in order since the last ACK was sent."""
    return (conn.receiver.nxt - conn.receiver.acked) & 0xFFFFFFFF


def show_end(end: End) -> str:
    """An address and port as ss prints them: 192.168.1.20:22, [fd00::1]:22."""
    address, port = end
    text = show_address(address)
    return f"{text}:{port}" if len(address) == 4 else f"[{text}]:{port}"


def _fail(event: simpy.Event, code: str) -> None:
    """Fail an event; nobody need be waiting for it."""
    event.fail(SocketError(code))
    event.defused = True
