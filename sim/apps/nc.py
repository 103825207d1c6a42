"""nc: netcat as OpenBSD's (Debian patch level 1.219). TCP and UDP, connecting and listening, lines from the terminal.

    nc [-46CklnNuvz] [-p PORT] [-s ADDRESS] [-w SECONDS] [-q SECONDS] HOST PORT | nc -l [-ku] [-p] PORT

A UDP listener answers the first that writes, as nc's does. Other options are refused.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any, cast

import simpy

from sim.apps.names import SERVICE_NAMES, port_number
from sim.apps.options import Parsed, getopt
from sim.apps.program import Context, Steps
from sim.apps.resolver import lookup
from sim.machine.errors import SocketError
from sim.machine.tcp.connection import Connection
from sim.machine.udp import UdpSocket
from sim.units import SECOND, Address, parse_address, show_address

FLAGS, VALUED = "46bCDdFhklNnrStUuvZz", "IiMmOPpqsTVWwXx"
SIMULATED = "46CklNnuvzpwq"
USAGE = """usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]
\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]
\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]
\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]
\t  [destination] [port]
"""
_Talk = Generator[simpy.Event, Any, Any]


def nc(context: Context) -> Steps:
    """The program."""
    options = getopt(context.argv, FLAGS, VALUED)
    if options.problem:
        context.error(f"nc: {options.problem}\n{USAGE}")
        return 1
    refusal = next((name for name, _ in options.given if name not in SIMULATED), None)
    if refusal:
        return context.failed(f"nc: -{refusal}: right, but not simulated here", 1)
    operands, status = list(options.operands), 0
    if options.has("l") and options.has("p") and len(operands) < 2:
        operands.append(options.value("p"))
    problem = _operands(options, operands)
    if problem:
        context.error(problem)
        return 1
    if options.has("l"):
        return (yield from _listen(context, options, int(operands[-1])))
    address, problem = yield from lookup(context, operands[0], 6 if options.has("6") else 4 if options.has("4") else 0)
    if address is None:
        return context.failed(
            f'nc: getaddrinfo for host "{operands[0]}" port {operands[1]}: {problem}', 1
        )
    for port in _ports(operands[1]):
        status = yield from _connect(context, options, operands[0], address, port)
    return status


def _operands(options: Parsed, operands: list[str]) -> str:
    if not operands:
        return "nc: missing port number\n" if options.has("l") else USAGE
    if len(operands) == 1 and not options.has("l"):
        return "nc: missing port number\n"
    if not _ports(operands[-1]):
        return f"nc: port number invalid: {operands[-1]}\n"
    if options.has("w") and not options.value("w").isdecimal():
        return f"nc: timeout invalid: {options.value('w')}\n"
    return ""


def _ports(text: str) -> list[int]:
    """One port or a range; [] when it is neither."""
    first, dash, last = text.partition("-")
    low, high = port_number(first), port_number(last or first)
    if low is None or high is None or (dash and not last):
        return []
    return list(range(min(low, high), max(low, high) + 1))


def _timeout(options: Parsed) -> int | None:
    return int(options.value("w")) * SECOND if options.has("w") else None


def _named(host: str, address: Address) -> str:
    return host if host == show_address(address) else f"{host} ({show_address(address)})"


def _service(options: Parsed, port: int, protocol: str) -> str:
    return f"[{protocol}/{'*' if options.has('n') else SERVICE_NAMES.get(port, '*')}]"


# ---- connecting ---------------------------------------------------------------------------------------------------


def _connect(context: Context, options: Parsed, host: str, address: Address, port: int) -> Steps:
    if options.has("u"):
        return (yield from _connect_udp(context, options, host, address, port))
    sport = port_number(options.value("p", "0"))
    try:
        conn = context.machine.tcp.connect(address, port, sport=sport or None, program="nc")
    except SocketError as error:
        return context.failed(f"nc: bind failed: {error.strerror}", 1)
    context.own(conn)
    timeout = _timeout(options)
    try:
        yield from context.wait(conn.connected, timeout=timeout)
    except SocketError as error:
        said = f"nc: connect to {_named(host, address)} port {port} (tcp) failed: {error.strerror}\n"
        return _quietly(context, options, said)
    if not conn.connected.triggered:
        conn.abort()
        return _quietly(
            context,
            options,
            f"nc: connect to {_named(host, address)} port {port} (tcp) timed out: Operation now in progress\n",
        )
    if options.has("v"):
        context.error(
            f"Connection to {_named(host, address)} {port} port {_service(options, port, 'tcp')} succeeded!\n"
        )
    if options.has("z"):
        conn.close()
        return 0
    return (yield from _talk(context, options, conn))


def _quietly(context: Context, options: Parsed, said: str) -> int:
    """nc names a failure to connect only when asked to (-v)."""
    if options.has("v"):
        context.error(said)
    return 1


def _talk(context: Context, options: Parsed, conn: Connection) -> Steps:
    """Lines typed go out, bytes that come are printed, until the other side is done (or -w seconds of silence)."""
    typed: simpy.Event | None = context.stdin.read()
    heard = conn.recv()
    timeout = _timeout(options)
    while True:
        try:
            yield from context.wait(heard, typed, timeout=timeout)
            if heard.triggered:
                if not heard.value:
                    return 0
                context.write(heard.value.decode(errors="replace"))
                heard = conn.recv()
            elif typed is None or not typed.triggered:
                return 0
            if typed is not None and typed.triggered:
                typed = _typed(context, options, conn, typed.value)
        except SocketError:
            return 1


def _typed(context: Context, options: Parsed, conn: Connection, text: str | None) -> simpy.Event | None:
    if text is not None:
        conn.send(_ended(options, f"{text}\n"))
        return context.stdin.read()
    if options.has("N") or options.has("q"):
        conn.shutdown()
    return None


def _connect_udp(context: Context, options: Parsed, host: str, address: Address, port: int) -> Steps:
    try:
        sock = context.machine.udp.open(port_number(options.value("p", "0")) or None, program="nc", remote=(address, port))
    except SocketError as error:
        said = f"nc: connect to {_named(host, address)} port {port} (udp) failed: {error.strerror}\n"
        return _quietly(context, options, said)
    context.own(sock)
    if options.has("z") or options.has("v"):
        alive = yield from _udp_test(context, sock, address, port)
        if not alive:
            return 1
        if options.has("v"):
            context.error(
                f"Connection to {_named(host, address)} {port} port {_service(options, port, 'udp')} succeeded!\n"
            )
        if options.has("z"):
            return 0
    return (yield from _talk_udp(context, options, sock, (address, port)))


def _udp_test(context: Context, sock: UdpSocket, address: Address, port: int) -> _Talk:
    """What -v and -z do: write "X" once a second, three times and once at first; an ICMP error says that nobody listens."""
    for _ in range(4):
        try:
            sock.send(b"X", address, port)
        except SocketError:
            return False
        yield from context.sleep(SECOND)
    return True


def _talk_udp(context: Context, options: Parsed, sock: UdpSocket, peer: tuple[Address, int] | None) -> Steps:
    typed: simpy.Event | None = context.stdin.read()
    heard = sock.recv()
    timeout = _timeout(options)
    while True:
        try:
            yield from context.wait(heard, typed, timeout=timeout)
            if heard.triggered:
                data, src, sport = cast(tuple[bytes, Address, int], heard.value)
                if peer is None:
                    peer = (src, sport)
                    _announce(context, options, "Connection received", *peer)
                context.write(data.decode(errors="replace"))
                heard = sock.recv()
            elif typed is None or not typed.triggered:
                return 0
            if typed is not None and typed.triggered:
                text, typed = _block(context, typed.value)
                if text and peer is not None:
                    sock.send(_ended(options, text), *peer)
        except SocketError:
            return 1


def _ended(options: Parsed, text: str) -> bytes:
    """The bytes to send; with -C each line ends with CR LF."""
    return (re.sub(r"(?<!\r)\n", "\r\n", text) if options.has("C") else text).encode()


def _block(context: Context, line: str | None) -> tuple[str, simpy.Event | None]:
    """What one read(2) gives, and the next: a line from a terminal; from a file or a pipe all that is there, up to 16384 bytes."""
    text = ""
    while line is not None:
        text += f"{line}\n"
        following = context.stdin.read()
        if context.stdin is context.tty or not following.triggered or len(text) >= 16384:
            return text, following
        line = following.value
    return text, None


# ---- listening ----------------------------------------------------------------------------------------------------


def _listen(context: Context, options: Parsed, port: int) -> Steps:
    if port < 1024 and not context.root:
        return context.failed("nc: Permission denied", 1)
    any_address = parse_address("::" if options.has("6") else "0.0.0.0")
    try:
        if options.has("u"):
            return (yield from _listen_udp(context, options, port, any_address))
        listener = context.machine.tcp.listen(port, program="nc")
    except SocketError as error:
        return context.failed(f"nc: {error.strerror}", 1)
    context.own(listener)
    _announce(context, options, "Listening", any_address, port)
    while True:
        conn = yield listener.accept()
        if not options.has("k"):
            listener.close()
        context.own(conn)
        _announce(context, options, "Connection received", *conn.remote)
        status = yield from _talk(context, options, conn)
        conn.close()
        if not options.has("k"):
            return status


def _listen_udp(context: Context, options: Parsed, port: int, any_address: Address) -> Steps:
    sock = context.machine.udp.open(port, program="nc")
    context.own(sock)
    _announce(context, options, "Bound", any_address, port)
    return (yield from _talk_udp(context, options, sock, None))


def _announce(context: Context, options: Parsed, what: str, address: Address, port: int) -> None:
    if options.has("v"):
        context.error(f"{what} on {show_address(address)} {port}\n")
