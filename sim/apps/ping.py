"""ping: echo requests and what comes back, printed as iputils 20221126 prints it.

    ping [-46nqOD] [-c COUNT] [-i SECONDS] [-W SECONDS] [-w SECONDS] [-s SIZE] [-t TTL] HOST

Other options are refused.
"""

from __future__ import annotations

import re
from math import isqrt
from typing import cast

import simpy

from sim.apps.options import Parsed, getopt
from sim.apps.program import Context, Interrupted, Steps
from sim.apps.resolver import lookup
from sim.machine.errors import SocketError
from sim.machine.icmp import Echo
from sim.units import SECOND, Address, show_address

FLAGS, VALUED = "46aABbCdDfhLnOqRrUvV", "ceFgIilmMNpQsStTwW"
SIMULATED = "46nqciWwst"
# net/ipv4 ICMP (type, code) -> ping's words
ERRORS = {
    (3, 0): "Destination Net Unreachable", (3, 1): "Destination Host Unreachable", (3, 2): "Destination Protocol Unreachable",
    (3, 3): "Destination Port Unreachable", (3, 4): "Frag needed and DF set", (3, 5): "Source Route Failed",
    (3, 6): "Destination Net Unknown", (3, 7): "Destination Host Unknown", (3, 8): "Source Host Isolated",
    (3, 9): "Destination Net Prohibited", (3, 10): "Destination Host Prohibited",
    (3, 11): "Destination Net Unreachable for Type of Service", (3, 12): "Destination Host Unreachable for Type of Service",
    (3, 13): "Packet filtered", (3, 14): "Precedence Violation", (3, 15): "Precedence Cutoff",
    (11, 0): "Time to live exceeded", (11, 1): "Frag reassembly time exceeded", (12, 0): "Parameter problem",
}  # fmt: skip
ERRORS6 = {
    (1, 0): "Destination unreachable: No route", (1, 1): "Destination unreachable: Administratively prohibited",
    (1, 2): "Destination unreachable: Beyond scope of source address", (1, 3): "Destination unreachable: Address unreachable",
    (1, 4): "Destination unreachable: Port unreachable", (2, 0): "Packet too big", (3, 0): "Time exceeded: Hop limit",
    (3, 1): "Time exceeded: Defragmentation failure", (4, 0): "Parameter problem",
}  # fmt: skip
_LIMITS = {"c": (1, 2**63 - 1), "s": (0, 2**31 - 1), "t": (0, 255), "w": (0, 2**31 - 1)}


def ping(context: Context) -> Steps:
    """The program. Exit status: 0 something answered, 1 nothing did, 2 other trouble."""
    options = getopt(context.argv, FLAGS, VALUED)
    if options.problem:
        return context.failed(f"ping: {options.problem}", 2)
    problem = _problem(options)
    if problem:
        return context.failed(f"ping: {problem}", 1)
    name = options.operands[0]
    address, problem = yield from lookup(context, name, 6 if options.has("6") else 4 if options.has("4") else 0)
    if address is None:
        return context.failed(f"ping: {name}: {problem}", 2)
    return (yield from _Ping(context, options, name, address).run())


def _problem(options: Parsed) -> str:
    """What ping has against the command line; "" when nothing."""
    for name, value in options.given:
        if name not in SIMULATED:
            return f"-{name}: right, but not simulated here"
        if name in _LIMITS:
            low, high = _LIMITS[name]
            if not re.fullmatch(r"-?\d+", value):
                return f"invalid argument: '{value}'"
            if not low <= int(value) <= high:
                return f"invalid argument: '{value}': out of range: {low} <= value <= {high}"
        if name in "iW" and not re.fullmatch(r"\d+(\.\d*)?|\.\d+", value):
            return f"bad timing interval: {value}" if name == "i" else f"bad linger time: {value}"
    return "" if options.operands else "usage error: Destination address required"


class _Ping:
    """One run: requests at their times, replies as they come, the statistics at the end."""

    def __init__(self, context: Context, options: Parsed, name: str, address: Address) -> None:
        self.context = context
        self.name = name
        self.address = address
        self.count = int(options.value("c", "0"))
        self.interval = round(float(options.value("i", "1")) * SECOND)
        self.wait = round(float(options.value("W", "10")) * SECOND)
        self.deadline = int(options.value("w", "0")) * SECOND
        self.size = int(options.value("s", "56"))
        self.ttl = int(options.value("t", "64"))
        self.quiet = options.has("q")
        self.sent: dict[int, int] = {}
        self.answered: set[int] = set()
        self.times: list[int] = []
        self.duplicates = self.errors = 0
        self.begun = self.last = context.now

    def run(self) -> Steps:
        """Send, listen, sum up. ^C ends it with the statistics."""
        if not self.context.root and self.interval < 2000:
            self._title()
            return self.context.failed("ping: cannot flood; minimal interval allowed for user is 2ms", 2)
        try:
            self.context.machine.ip.source_for(self.address)  # ping connects a UDP socket first, to learn its own address
        except SocketError as error:
            return self.context.failed(f"ping: connect: {error.strerror}", 2)
        self.echo = self.context.machine.icmp.open()
        self.context.own(self.echo)
        self._title()
        try:
            yield from self._exchange()
        except Interrupted as signal:
            if signal.cause != "INT":
                raise
            self.context.write("\n")
            return self._statistics()
        self.context.write("\n")
        return self._statistics()

    def _title(self) -> None:
        shown = show_address(self.address)
        if len(self.address) == 4:
            self.context.write(f"PING {self.name} ({shown}) {self.size}({self.size + 28}) bytes of data.\n")
        else:
            both = shown if self.name == shown else f"{self.name}({shown})"
            self.context.write(
                f"PING {both}({shown}) {self.size} data bytes\n"
                if both == shown
                else f"PING {both} {self.size} data bytes\n"
            )

    def _exchange(self) -> Steps:
        """Requests every interval; after the last, wait for what is still out (twice the longest time, or -W when nothing ever came)."""
        heard = self.echo.recv()
        next_at: int | None = self.context.now
        while True:
            now = self.context.now
            if next_at is not None and now >= next_at:
                self._send()
                next_at = None if self.count and len(self.sent) >= self.count else next_at + self.interval
            if self._done():
                return 0
            until = self._until(next_at)
            if until <= now:
                return 0
            try:
                yield from self.context.wait(heard, timeout=until - now)
            except SocketError as error:
                self.context.error(f"ping: recvmsg: {error.strerror}\n")
                heard = self.echo.recv()
                continue
            if heard.triggered:
                self._take(heard)
                heard = self.echo.recv()

    def _done(self) -> bool:
        if self.deadline and self.count and len(self.answered) >= self.count:
            return True
        return (
            bool(self.count)
            and not self.deadline
            and len(self.sent) >= self.count
            and len(self.answered) + self.errors >= self.count
        )

    def _until(self, next_at: int | None) -> int:
        """When to look up next: the next request, the end of the waiting, or the deadline."""
        until = next_at if next_at is not None else self.last + (2 * max(self.times) if self.times else self.wait)
        if next_at is None and self.times:
            until = max(until, self.last + self.interval)
        return min(until, self.begun + self.deadline) if self.deadline else until

    def _send(self) -> None:
        sequence = len(self.sent) + 1
        self.sent[sequence] = self.last = self.context.now
        try:
            self.echo.send(self.address, sequence & 0xFFFF, self.size, self.ttl)
        except SocketError as error:
            self._unsent(error)

    def _unsent(self, error: SocketError) -> None:
        """The kernel's own mistake: too long a packet is told by its queue of errors, but not by a raw socket above 64 KiB."""
        six = len(self.address) == 16
        if error.code != "EMSGSIZE":
            self.context.error(f"ping: sendmsg: {error.strerror}\n")
        elif six or self.size + 8 <= 0xFFFF:
            mtu = self.context.machine.ip.path_mtu(self.address)
            self.context.error(f"ping: local error: message too long, mtu{': ' if six else '='}{mtu}\n")
        else:
            return
        self.errors += 1

    def _take(self, heard: simpy.Event) -> None:
        reply = cast(Echo, heard.value)
        if reply.error:
            self.errors += 1
            known = ERRORS if len(self.address) == 4 else ERRORS6
            words = known.get((reply.type, reply.code), f"Bad ICMP type: {reply.type}")
            self._say(f"From {show_address(reply.src)} icmp_seq={reply.sequence} {words}\n")
            return
        again = reply.sequence in self.answered
        self.duplicates += again
        self.answered.add(reply.sequence)
        line = f"{reply.size} bytes from {self._from(reply.src)}: icmp_seq={reply.sequence} ttl={reply.ttl}"
        if self.size >= 16:
            time = self.context.now - self.sent.get(reply.sequence, self.context.now)
            self.times.append(time)
            line += f" time={_milliseconds(time)} ms"
        self._say(line + (" (DUP!)\n" if again else "\n"))

    def _from(self, src: Address) -> str:
        shown = show_address(src)
        return shown if self.name == show_address(self.address) else f"{self.name} ({shown})"

    def _say(self, line: str) -> None:
        if not self.quiet:
            self.context.write(line)

    def _statistics(self) -> int:
        sent, received = len(self.sent), len(self.answered)
        loss = (sent - received) * 100 / sent if sent else 0
        extra = (f", +{self.duplicates} duplicates" if self.duplicates else "") + (
            f", +{self.errors} errors" if self.errors else ""
        )
        elapsed = (self.last - self.begun) // 1000  # up to the last request, not to the end of the waiting
        text = f"--- {self.name} ping statistics ---\n{sent} packets transmitted, {received} received{extra}"
        text += f", {_percent(loss)}% packet loss, time {elapsed}ms\n"
        self.context.write(text + (self._summary() or "\n"))
        return 0 if received else 1

    def _summary(self) -> str:
        if not self.times:
            return ""
        count, total = len(self.times), sum(self.times)
        mean = total // count
        deviation = isqrt(max(0, sum(time * time for time in self.times) // count - mean * mean))
        numbers = "/".join(f"{value / 1000:.3f}" for value in (min(self.times), mean, max(self.times), deviation))
        return f"rtt min/avg/max/mdev = {numbers} ms\n"


def _milliseconds(time: int) -> str:
    """µs as ping prints a round trip: four significant places at most."""
    if time >= 99_950:
        return f"{(time + 500) // 1000}"
    if time >= 9_995:
        return f"{time / 1000:.1f}"
    return f"{time / 1000:.2f}" if time >= 1_000 else f"{time / 1000:.3f}"


def _percent(loss: float) -> str:
    """As printf's %g of a float: 0, 100, 33.3333."""
    return f"{loss:.6g}"
