"""getaddrinfo as programs call it: the address itself, /etc/hosts, then the machine's DNS server, asked as glibc asks.

One socket, a question for A and one for AAAA at once, five seconds, two tries (resolv.conf(5): timeout, attempts).
Not in here: search domains, caches, TCP, a second server. Words of the errors: gai_strerror(3).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple, cast

import simpy

from sim.apps import dns_wire as wire
from sim.apps.names import resolve
from sim.apps.program import Context
from sim.errors import UsageError
from sim.machine.errors import SocketError
from sim.units import SECOND, Address, parse_address

TIMEOUT, TRIES = 5 * SECOND, 2
AGAIN = "Temporary failure in name resolution"  # EAI_AGAIN
NO_NAME = "Name or service not known"  # EAI_NONAME
NO_DATA = "No address associated with hostname"  # EAI_NODATA
Found = Generator[simpy.Event, Any, "Host"]


class Host(NamedTuple):
    """What came of it: an address, or the words for why there is none."""

    address: Address | None
    problem: str = ""


def lookup(context: Context, name: str, family: int = 0) -> Found:
    """The address of `name`, IPv4 first; `family` 4 or 6 wants that one."""
    known = resolve(context.machine, name, family)
    if known is not None:
        return Host(known)
    if _is_address(name):
        return Host(None, "Address family for hostname not supported")
    server = resolve(context.machine, context.machine.resolver) if context.machine.resolver else None
    if server is None:
        return Host(None, AGAIN)
    return (yield from _ask(context, name, server, {4: ("A",), 6: ("AAAA",)}.get(family, ("A", "AAAA"))))


def _is_address(name: str) -> bool:
    try:
        parse_address(name)
    except UsageError:
        return False
    return True


def _ask(context: Context, name: str, server: Address, types: tuple[str, ...]) -> Found:
    """Both questions, and again those that nobody answered."""
    try:
        wire.encode_name(name)
    except UsageError:
        return Host(None, NO_NAME)
    sock = context.machine.udp.open(None, program=context.argv[0], remote=(server, 53))
    context.own(sock)
    heard: dict[str, wire.Message] = {}
    try:
        for _ in range(TRIES):
            yield from _try(context, sock, name, server, [kind for kind in types if kind not in heard], heard)
            if len(heard) == len(types):
                break
    except SocketError:
        return Host(None, AGAIN)
    finally:
        sock.close()
    return _chosen(heard, types)


def _try(
    context: Context, sock: Any, name: str, server: Address, types: list[str], heard: dict[str, wire.Message]
) -> Generator[simpy.Event, Any, None]:
    """Ask each question once and listen until all are answered or the time is over."""
    asked: dict[int, str] = {}
    for kind in types:
        question = wire.Message(context.random().randrange(1, 65536), name, kind, edns=False)
        asked[question.id] = kind
        sock.send(wire.encode(question), server, 53, about=f"DNS query {kind} {name}")
    until = context.now + TIMEOUT
    while set(asked.values()) - heard.keys():
        came = sock.recv()
        yield from context.wait(came, timeout=until - context.now)
        if not came.triggered:
            return
        answer = wire.decode(cast(tuple[bytes, Address, int], came.value)[0])
        if answer is not None and answer.id in asked and answer.flags & wire.RESPONSE:
            heard[asked[answer.id]] = answer


def _chosen(heard: dict[str, wire.Message], types: tuple[str, ...]) -> Host:
    """The first address in the order asked; else why there is none."""
    for kind in types:
        for record in heard[kind].answers if kind in heard else ():
            if record.type == kind:
                return Host(parse_address(record.value))
    if len(heard) < len(types) or any(answer.status not in (0, 3) for answer in heard.values()):
        return Host(None, AGAIN)
    return Host(None, NO_NAME if any(answer.status == 3 for answer in heard.values()) else NO_DATA)
