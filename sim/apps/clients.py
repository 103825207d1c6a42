"""Clients that act by themselves: who tries a service again and again, who keeps one connection busy, and a single try.

    probe    a fresh try every so often; each that fails stands for the time until the next: that is the downtime
    talk     one TCP connection, a line every so often; it gives up when nothing was acknowledged for `patience`
    attempt  one try, begun by an input (a judge's question)

What came of it is told as a Reached record. A try over TCP counts when bytes came back or were acknowledged, over UDP when an answer
came, by ping when the echo came back. Not in here: what a person types, and what a scenario may say (scenario.py).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import simpy

from sim.apps import dns_wire
from sim.apps.program import Context, Program, Steps, start
from sim.machine.errors import SocketError
from sim.machine.icmp import Echo
from sim.machine.tcp.connection import Connection
from sim.trace import Emit, Reached, Reason
from sim.units import SECOND, Address, parse_address

if TYPE_CHECKING:
    from sim.machine.machine import Machine

TIMEOUT = 3 * SECOND
PROTOCOLS = ("tcp", "udp", "ping")
_GREETINGS = {22: b"SSH-2.0-probe\r\n", 80: b"HEAD / HTTP/1.1\r\n\r\n"}
_Found = Generator[simpy.Event, Any, Reason]
_WORDS = {
    "answered": "It answered.",
    "silence": "Nothing came back: somebody dropped it, or the answer to it.",
    "half": "The handshake went through, but what was sent then was never acknowledged.",
    "ECONNREFUSED": "It was refused.",
    "lost": "Nothing was acknowledged for so long that the connection was given up.",
}


@dataclass(frozen=True, slots=True)
class Target:
    """What is tried: `protocol` tcp, udp or ping (port 0 then); `name` is what people call it."""

    name: str
    to: str
    protocol: str
    port: int

    @property
    def text(self) -> str:
        """tcp 192.168.1.20:22, ping 192.168.1.20."""
        return f"{self.protocol} {self.to}" + (f":{self.port}" if self.port else "")


@dataclass(frozen=True, slots=True)
class Times:
    """When a client acts (µs): from `at` on, `every` so often, no more after `until`; `patience`: see talk."""

    at: int
    every: int
    until: int
    patience: int


def _reason(code: str) -> Reason:
    return Reason(code, _WORDS.get(code) or f"{SocketError(code).strerror}.")


def _address(machine: Machine, name: str) -> Address:
    return parse_address(machine.hosts.get(name, name))


def start_client(machine: Machine, emit: Emit | None, does: str, target: Target, times: Times) -> None:
    """Start a probe or a talk as a program of the machine."""
    make = {"probe": _probe, "talk": _talk}[does]
    start(make(emit, target, times), Context(machine, [does], tty=None, user="nobody"))


def start_attempt(machine: Machine, emit: Emit | None, target: Target) -> None:
    """One try, now."""

    def program(context: Context) -> Steps:
        began = context.now
        reason = yield from _reach(context, target)
        _tell(emit, "attempt", target, reason, began, 0)
        return 0

    start(program, Context(machine, ["attempt"], tty=None, user="nobody"))


def _tell(emit: Emit | None, what: str, target: Target, reason: Reason, began: int, down: int) -> None:
    if emit is not None:
        emit(Reached(what, target.name, target.text, reason.code == "answered", began, down, reason))


# ---- a probe -------------------------------------------------------------------------------------------------------


def _probe(emit: Emit | None, target: Target, times: Times) -> Program:
    def program(context: Context) -> Steps:
        down = 0
        yield from context.sleep(times.at)
        while context.now <= times.until:
            began = context.now
            reason = yield from _reach(context, target)
            down += 0 if reason.code == "answered" else times.every
            _tell(emit, "probe", target, reason, began, down)
            yield from context.sleep(max(0, began + times.every - context.now))
        return 0

    return program


def _reach(context: Context, target: Target) -> _Found:
    """One try; how it went."""
    reach = {"tcp": _reach_tcp, "udp": _reach_udp, "ping": _reach_ping}[target.protocol]
    try:
        return (yield from reach(context, _address(context.machine, target.to), target.port))
    except SocketError as error:
        return _reason(error.code)


def _reach_tcp(context: Context, address: Address, port: int) -> _Found:
    conn = context.machine.tcp.connect(address, port, program=context.argv[0])
    try:
        yield from context.wait(conn.connected, timeout=TIMEOUT)
        if not conn.connected.triggered:
            return _reason("silence")
        conn.send(_GREETINGS.get(port, b"hello\n"))
        heard = conn.recv()
        yield from context.wait(heard, timeout=TIMEOUT)
        return _reason("answered" if heard.triggered or _acknowledged(conn) else "half")
    finally:
        conn.abort()


def _acknowledged(conn: Connection) -> bool:
    return conn.synchronized and not conn.sender.unsent.size and conn.sender.una == conn.sender.nxt


def _reach_udp(context: Context, address: Address, port: int) -> _Found:
    sock = context.machine.udp.open(None, program=context.argv[0], remote=(address, port))
    try:
        sock.send(_query() if port == 53 else b"hello\n")
        heard = sock.recv()
        yield from context.wait(heard, timeout=TIMEOUT)
        return _reason("answered" if heard.triggered else "silence")
    finally:
        sock.close()


def _query() -> bytes:
    return dns_wire.encode(dns_wire.Message(1, "www.example.com", "A"))


def _reach_ping(context: Context, address: Address, port: int) -> _Found:
    sock = context.machine.icmp.open()
    try:
        sock.send(address, 1)
        heard = sock.recv()
        yield from context.wait(heard, timeout=TIMEOUT)
        if not heard.triggered:
            return _reason("silence")
        return _reason("ECONNREFUSED" if cast(Echo, heard.value).error else "answered")
    finally:
        sock.close()


# ---- a connection that is kept busy --------------------------------------------------------------------------------


def _talk(emit: Emit | None, target: Target, times: Times) -> Program:
    def program(context: Context) -> Steps:
        yield from context.sleep(times.at)
        conn = context.machine.tcp.connect(_address(context.machine, target.to), target.port, program="talk")
        context.own(conn)
        try:
            yield from context.wait(conn.connected, timeout=TIMEOUT)
            if not conn.connected.triggered:
                raise SocketError("ETIMEDOUT")
            return (yield from _Talk(context, conn, emit, target, times).run())
        except SocketError as error:
            _tell(emit, "talk", target, _reason(error.code), context.now, 0)
            conn.abort()
            return 1

    return program


class _Talk:
    """The lines of one connection: what was acknowledged when. Told when it begins to hang, when it goes on, when it is given up."""

    def __init__(self, context: Context, conn: Connection, emit: Emit | None, target: Target, times: Times) -> None:
        self.context, self.conn, self.emit, self.target, self.times = context, conn, emit, target, times
        self.well, self.fine_at, self.down = False, context.now, 0

    def run(self) -> Steps:
        """Raises SocketError when the connection is over."""
        self._say("answered")
        while self.context.now <= self.times.until:
            heard = self.conn.recv()
            self.conn.send(b"still here\n")
            yield from self.context.sleep(self.times.every)
            if heard.triggered and not heard.ok:
                raise cast(SocketError, heard.value)
            if heard.triggered and heard.value == b"":
                raise SocketError("EPIPE")
            if not self._goes_on():
                self.conn.abort()
                return 1
        self.conn.close()
        return 0

    def _goes_on(self) -> bool:
        """Whether this connection is worth another line."""
        now = self.context.now
        if _acknowledged(self.conn):
            self.fine_at = now
            self._say("answered")
            return True
        self.down += self.times.every
        lost = now - self.fine_at >= self.times.patience
        self._say("lost" if lost else "silence", force=lost)
        return not lost

    def _say(self, code: str, force: bool = False) -> None:
        well = code == "answered"
        if force or well != self.well:
            _tell(self.emit, "talk", self.target, _reason(code), self.fine_at, self.down)
        self.well = well
