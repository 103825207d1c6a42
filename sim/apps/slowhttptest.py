"""slowhttptest: opens many connections to a web server and never finishes its requests (slow headers). Words of version 1.8.2.

    slowhttptest [-c CONNECTIONS] [-r PER SECOND] [-l SECONDS] [-i SECONDS] [-p SECONDS] -u http://HOST[:PORT]/

Each connection sends the head of a request without its end, and a line more every `-i` seconds. Every five seconds a probe asks for the
page, so that one sees whether others are served. Without colours, and without clearing the screen. Its other tests (-B, -R, -X, -H is
taken as given) are refused.
"""

from __future__ import annotations

from collections.abc import Generator
from random import Random
from typing import Any

import simpy

from sim.apps.options import Parsed, getopt
from sim.apps.program import Context, Interrupted, Steps, clock, start
from sim.apps.resolver import lookup
from sim.machine.errors import SocketError
from sim.machine.tcp.connection import Connection
from sim.units import SECOND, Address

FLAGS, VALUED = "BHRXgh", "acdefijklmnoprstuvwxyz"
SIMULATED = "Hcrlipu"
DEFAULTS = {"c": 50, "r": 50, "l": 240, "i": 10, "p": 5}
MOST = 2000
EVERY = 5 * SECOND
_ROW = "{:<39}{}"


def slowhttptest(context: Context) -> Steps:
    """The program. Exit status: 0 when it ran."""
    options = getopt(context.argv, FLAGS, VALUED)
    problem = _problem(options)
    if problem:
        return context.failed(f"slowhttptest: {problem}", 1)
    url = options.value("u")
    host, _, port = url.removeprefix("http://").split("/")[0].partition(":")
    address, why = yield from lookup(context, host, 4)
    if address is None:
        return context.failed(f"slowhttptest: {host}: {why}", 1)
    numbers = {name: int(options.value(name, str(default))) for name, default in DEFAULTS.items()}
    return (yield from _Test(context, url, host, (address, int(port or 80)), numbers).run())


def _problem(options: Parsed) -> str:
    if options.problem:
        return options.problem
    for name, value in options.given:
        if name not in SIMULATED:
            return f"-{name}: right, but not simulated here"
        if name in DEFAULTS and not (value.isdigit() and 1 <= int(value) <= MOST):
            return f"-{name} takes a number from 1 to {MOST}, not '{value}'"
    host, _, port = options.value("u").removeprefix("http://").split("/")[0].partition(":")
    if not options.value("u").startswith("http://") or not host or (port and not port.isdigit()):
        return "-u wants the URL of a page: http://HOST[:PORT]/"
    return ""


class _Test:
    """One run: `open` are the connections that stand, `asked` those whose SYN is unanswered."""

    def __init__(self, context: Context, url: str, host: str, goal: tuple[Address, int], numbers: dict[str, int]) -> None:
        self.context, self.url, self.host, self.goal, self.numbers = context, url, host, goal, numbers
        self.random: Random = context.random()
        self.asked: list[Connection] = []
        self.open: list[Connection] = []
        self.counts = {"error": 0, "closed": 0}
        self.available = "YES"

    def run(self) -> Steps:
        """Open, keep open, tell, until the time is over or ^C."""
        begun, told, followed = self.context.now, -EVERY, 0
        self._tell_plan()
        try:
            while (spent := self.context.now - begun) < self.numbers["l"] * SECOND:
                if spent - told >= EVERY:
                    told = spent
                    self._tell(spent // SECOND)
                    start(self._probe, Context(self.context.machine, ["slowhttptest"], tty=None, user=self.context.user))
                self._open_due(spent)
                if spent // SECOND // self.numbers["i"] > followed:
                    followed = spent // SECOND // self.numbers["i"]
                    self._follow_up()
                yield from self.context.sleep(SECOND // 20)
                self._look()
        except Interrupted as signal:
            if signal.cause != "INT":
                raise
            return self._end(begun, "Cancelled by user")
        return self._end(begun, "Hit test time limit")

    def _open_due(self, spent: int) -> None:
        due = min(self.numbers["c"], 1 + spent * self.numbers["r"] // SECOND)
        while self._begun < due:
            conn = self.context.machine.tcp.connect(*self.goal, program="slowhttptest")
            self.context.own(conn)
            self.asked.append(conn)

    @property
    def _begun(self) -> int:
        return len(self.asked) + len(self.open) + sum(self.counts.values())

    def _look(self) -> None:
        """Who is connected by now, and who is gone."""
        path = self.url.removeprefix("http://").partition("/")[2]
        head = f"GET /{path} HTTP/1.1\r\nHost: {self.host}\r\nReferer: TESTING_PURPOSES_ONLY\r\n"
        for conn in [conn for conn in self.asked if conn.connected.triggered]:
            self.asked.remove(conn)
            if conn.connected.ok:
                self.open.append(conn)
                self._send(conn, head, "half a request")
            else:
                self.counts["error"] += 1
        for conn in [conn for conn in self.open if conn.state != "ESTAB"]:
            self.open.remove(conn)
            self.counts["closed"] += 1

    def _send(self, conn: Connection, text: str, about: str) -> None:
        try:
            conn.send(text.encode(), about=about)
        except SocketError:
            pass  # seen by _look

    def _follow_up(self) -> None:
        for conn in self.open:
            line = f"X-{self.random.randrange(10**8)}: {self.random.randrange(10**8)}\r\n"
            self._send(conn, line, "one line more")

    def _probe(self, context: Context) -> Steps:
        conn = context.machine.tcp.connect(*self.goal, program="slowhttptest")
        context.own(conn)
        try:
            self.available = "YES" if (yield from self._asks(context, conn)) else "NO"
        except SocketError:
            self.available = "NO"
        return 0

    def _asks(self, context: Context, conn: Connection) -> Generator[simpy.Event, Any, bool]:
        limit = self.numbers["p"] * SECOND
        yield from context.wait(conn.connected, timeout=limit)
        if not conn.connected.triggered:
            return False
        conn.send(f"GET / HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode(), about="probe")
        heard = conn.recv()
        yield from context.wait(heard, timeout=limit)
        return bool(heard.triggered and heard.value)

    # ---- words ----------------------------------------------------------------------------------------------------------

    def _say(self, *lines: str) -> None:
        self.context.write("".join(f"{line}\n" for line in lines))

    def _tell_plan(self) -> None:
        n = self.numbers
        rows = (
            ("test type:", "SLOW HEADERS"), ("number of connections:", n["c"]), ("URL:", self.url), ("verb:", "GET"),
            ("interval between follow up data:", f"{n['i']} seconds"), ("connections per seconds:", n["r"]),
            ("probe connection timeout:", f"{n['p']} seconds"), ("test duration:", f"{n['l']} seconds"),
        )  # fmt: skip
        self._say("\tslowhttptest version 1.8.2", *(_ROW.format(name, value) for name, value in rows), "")

    def _tell(self, second: int) -> None:
        rows = (
            ("initializing", 0), ("pending", len(self.asked)), ("connected", len(self.open)),
            ("error", self.counts["error"]), ("closed", self.counts["closed"]),
        )  # fmt: skip
        self._say(f"{clock(self.context.now)}:", f"slow HTTP test status on {second}th second:", "")
        self._say(*(f"{name + ':':<21}{count}" for name, count in rows), f"service available:   {self.available}")

    def _end(self, begun: int, why: str) -> int:
        second = (self.context.now - begun) // SECOND
        self._say(f"{clock(self.context.now)}:", f"Test ended on {second}th second", f"Exit status: {why}")
        return 0
