"""Services without a protocol of their own: echo, sink, a plain TCP or UDP listener that may answer."""

from __future__ import annotations

from sim.apps.program import Context, Program, Steps, start
from sim.machine.errors import SocketError
from sim.machine.tcp.connection import Connection
from sim.machine.udp import UdpSocket
from sim.units import Address


def tcp_listener(port: int, name: str, *, echo: bool, answer: str, delay: int) -> Program:
    """Accepts on `port`. `echo` sends back what comes; `answer` is sent for each piece that comes; else it only listens."""

    def program(context: Context) -> Steps:
        listener = context.machine.tcp.listen(port, program=name)
        context.own(listener)
        while True:
            conn = yield listener.accept()
            child = Context(context.machine, [name], tty=None, user="nobody")
            child.own(conn)
            start(_tcp_session(conn, echo, answer.encode(), delay), child)

    return program


def _tcp_session(conn: Connection, echo: bool, answer: bytes, delay: int) -> Program:
    def program(context: Context) -> Steps:
        try:
            while received := (yield conn.recv()):
                reply = received if echo else answer
                if reply:
                    yield from context.sleep(delay)
                    conn.send(reply)
        except SocketError:
            return 1
        return 0

    return program


def udp_listener(port: int, name: str, *, echo: bool, answer: str, delay: int) -> Program:
    """Receives on `port`; echoes, answers or is silent. Each answer leaves `delay` µs after what it answers."""

    def program(context: Context) -> Steps:
        sock = context.machine.udp.open(port, program=name)
        context.own(sock)
        while True:
            try:
                data, src, sport = yield sock.recv()
            except SocketError:
                continue  # an ICMP error for an earlier answer
            reply = data if echo else answer.encode()
            if reply:
                child = Context(context.machine, [name], tty=None, user="nobody")
                start(_udp_reply(sock, reply, src, sport, delay), child)

    return program


def _udp_reply(sock: UdpSocket, reply: bytes, src: Address, sport: int, delay: int) -> Program:
    def program(context: Context) -> Steps:
        yield from context.sleep(delay)
        try:
            sock.send(reply, src, sport)
        except SocketError:
            return 1
        return 0

    return program
