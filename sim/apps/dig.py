"""dig: asks a DNS server and prints the answer in the layout of dig 9.18.

    dig [@SERVER] [-p PORT] [-t TYPE] [-x ADDRESS] [-4|-6] NAME [TYPE] [+short +timeout=S +tries=N +[no]comments +noall +answer ...]

Without @SERVER it asks the machine's resolver. Other options are refused.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Generator
from typing import Any, cast

import simpy

from sim.apps import dns_wire as wire
from sim.apps.names import resolve
from sim.apps.program import Context, Steps, clock
from sim.errors import UsageError
from sim.machine.errors import SocketError
from sim.units import SECOND, Address, show_address

VERSION = "9.18.28-1~deb12u2-Debian"
USAGE = """Usage:  dig [@global-server] [domain] [q-type] [q-class] {q-opt}
            {global-d-opt} host [@local-server] {local-d-opt}
            [ host [@local-server] {local-d-opt} [...]]

Use "dig -h" (or "dig -h | more") for complete list of options
"""
SECTIONS = ("cmd", "comments", "question", "answer", "authority", "additional", "stats")
SIMULATED_FLAGS = (*SECTIONS, "all", "short", "recurse", "edns", "cookie", "tcp", "qr")
_SYMBOLS = (("qr", wire.RESPONSE), ("aa", wire.AUTHORITATIVE), ("tc", wire.TRUNCATED), ("rd", wire.RECURSION_DESIRED),
            ("ra", wire.RECURSION_AVAILABLE), ("ad", wire.AUTHENTIC))  # fmt: skip


class _Query:
    """What the command line asks for. `problem` is what dig says when it makes no sense."""

    def __init__(self, words: list[str]) -> None:
        self.server = ""
        self.port = 53
        self.name = ""
        self.type = "A"
        self.family = 0
        self.timeout = 5 * SECOND
        self.tries = 3
        self.on = dict.fromkeys(SECTIONS, True) | {"short": False, "recurse": True, "edns": True}
        self.problem = ""
        rest = list(words)
        while rest and not self.problem:
            self._word(rest.pop(0), rest)

    def _word(self, word: str, rest: list[str]) -> None:
        if word.startswith("@"):
            self.server = word[1:]
        elif word.startswith("+"):
            self._plus(word)
        elif word in ("-4", "-6"):
            self.family = int(word[1])
        elif word.startswith("-"):
            self._dash(word, rest)
        elif word.upper() == "IN":
            pass  # the class, which is IN anyway
        elif word.upper() in wire.TYPES:
            self.type = word.upper()
        elif self.name:
            self.problem = f"dig: a second name ({word}): right, but not simulated here\n"
        else:
            self.name = word

    def _dash(self, word: str, rest: list[str]) -> None:
        value = word[2:] or (rest.pop(0) if rest else "")
        if word[1:2] == "p" and value.isdecimal():
            self.port = int(value)
            if self.port > 65535:
                self.problem = f"invalid port number '{value}': out of range\ndig: Couldn't parse port number\n"
        elif word[1:2] == "t" and value.upper() in wire.TYPES:
            self.type = value.upper()
        elif word[1:2] == "q" and value:
            self.name = value
        elif word[1:2] == "x":
            self._reverse(value)
        else:
            self.problem = f"Invalid option: {word}\n{USAGE}"

    def _reverse(self, value: str) -> None:
        try:
            self.name, self.type = ipaddress.ip_address(value).reverse_pointer, "PTR"
        except ValueError:
            self.problem = f"dig: Invalid IP address {value}\n"

    def _plus(self, word: str) -> None:
        name, _, value = word[1:].partition("=")
        yes = not name.startswith("no")
        flag = name.removeprefix("no")
        if name in ("timeout", "time") and value.isdecimal():
            self.timeout = max(1, int(value)) * SECOND
        elif name in ("tries", "retry") and value.isdecimal():
            self.tries = max(1, int(value) + (name == "retry"))
        elif flag == "all":
            self.on |= dict.fromkeys(SECTIONS, yes)
        elif flag in self.on:
            self.on[flag] = yes
        elif flag in SIMULATED_FLAGS:
            if yes:
                self.problem = f"dig: {word}: right, but not simulated here\n"
        else:
            self.problem = f"Invalid option: {word}\n{USAGE}"


def dig(context: Context) -> Steps:
    """The program. Exit status: 0 an answer came, 9 none, 1 usage, 10 the name cannot be."""
    query = _Query(context.argv[1:])
    if query.problem:
        context.error(query.problem)
        return 1
    server = query.server or context.machine.resolver
    address = resolve(context.machine, server, query.family) if server else None
    if address is None and query.server:
        return context.failed(f"dig: couldn't get address for '{server}': failure", 1)
    if address is None:
        return context.failed(";; no servers could be reached", 9)
    try:
        wire.encode_name(query.name)
    except UsageError as error:
        return context.failed(f"dig: {error} (label too long or empty)", 10)
    return (yield from _ask(context, query, server, address))


def _ask(context: Context, query: _Query, server: str, address: Address) -> Steps:
    """Send the query, again when no answer comes; print what came of it."""
    ident = context.random().randrange(1, 65536)
    flags = wire.RECURSION_DESIRED * query.on["recurse"] | wire.AUTHENTIC
    question = wire.Message(ident, query.name, query.type, flags, edns=query.on["edns"])
    where = f"{show_address(address)}#{query.port}"
    for _ in range(query.tries):
        sent = context.now
        try:
            answer, size = yield from _try(context, question, address, query)
        except SocketError as error:
            word = error.strerror.lower()
            if word == "network is unreachable":
                context.write(f";; UDP setup with {where}({server}) for {query.name} failed: network unreachable.\n")
            else:
                context.write(f";; communications error to {where}: {word}\n")
            continue
        if answer is not None:
            _print(context, query, answer, where=f"{where}({server})", sent=sent, size=size)
            return 0
        context.write(f";; communications error to {where}: timed out\n")
    _head(context, query)
    context.write(";; no servers could be reached\n")
    return 9


def _try(
    context: Context, question: wire.Message, address: Address, query: _Query
) -> Generator[simpy.Event, Any, tuple[wire.Message | None, int]]:
    """One try from a port of its own; (None, 0) when the time is over."""
    sock = context.machine.udp.open(None, program="dig", remote=(address, query.port))
    context.own(sock)
    try:
        sock.send(wire.encode(question), address, query.port, about=f"DNS query {question.type} {question.name}")
        until = context.now + query.timeout
        while True:
            heard = sock.recv()
            yield from context.wait(heard, timeout=until - context.now)
            if not heard.triggered:
                return None, 0
            data = cast(tuple[bytes, Address, int], heard.value)[0]
            answer = wire.decode(data)
            if answer is not None and answer.id == question.id and answer.flags & wire.RESPONSE:
                return answer, len(data)
    finally:
        sock.close()


def _head(context: Context, query: _Query) -> None:
    if query.on["short"] or not query.on["cmd"]:
        return
    words = " ".join(context.argv[1:])
    context.write(f"\n; <<>> DiG {VERSION} <<>> {words}\n")
    if query.server:
        context.write("; (1 server found)\n")
    context.write(";; global options: +cmd\n")


def _print(context: Context, query: _Query, answer: wire.Message, *, where: str, sent: int, size: int) -> None:
    if query.on["short"]:
        context.write("".join(f"{_value(record)}\n" for record in answer.answers))
        return
    _head(context, query)
    parts = [_comments(answer) if query.on["comments"] else ""]
    if query.on["question"]:
        title = ";; QUESTION SECTION:\n" if query.on["comments"] else ""
        parts.append(
            title + _columns(f";{answer.name}", "", "IN", answer.type) + "\n" + ("\n" if query.on["comments"] else "")
        )
    if query.on["answer"] and answer.answers:
        title = ";; ANSWER SECTION:\n" if query.on["comments"] else ""
        lines = "".join(_columns(r.name, str(r.ttl), "IN", r.type, _value(r)) + "\n" for r in answer.answers)
        parts.append(title + lines + ("\n" if query.on["comments"] else ""))
    if query.on["stats"]:
        when = clock(context.now, "%a %b %d %H:%M:%S UTC %Y")
        elapsed = (context.now - sent) // 1000
        parts.append(
            f";; Query time: {elapsed} msec\n;; SERVER: {where} (UDP)\n;; WHEN: {when}\n;; MSG SIZE  rcvd: {size}\n\n"
        )
    context.write("".join(parts))


def _comments(answer: wire.Message) -> str:
    flags = " ".join(name for name, bit in _SYMBOLS if answer.flags & bit)
    counts = f"QUERY: 1, ANSWER: {len(answer.answers)}, AUTHORITY: 0, ADDITIONAL: {int(answer.edns)}"
    head = f";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: {wire.STATUS[answer.status]}, id: {answer.id}\n"
    head += f";; flags: {flags}; {counts}\n\n"
    edns = f";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: {wire.UDP_SIZE}\n" if answer.edns else ""
    return head + edns


def _columns(*cells: str) -> str:
    """Cells at columns 0, 24, 32, 40 with tabs, as dig lays them out; a cell too long is followed by one space."""
    line, column = cells[0], len(cells[0])
    for cell, stop in zip(cells[1:], (24, 32, 40, 48), strict=False):
        target = max(stop, column + 1)
        tabs = target // 8 - column // 8
        line += "\t" * tabs + " " * (target % 8 if tabs else target - column) + cell
        column = target + len(cell)
    return line


def _value(record: wire.Record) -> str:
    return f'"{record.value}"' if record.type == "TXT" else record.value
