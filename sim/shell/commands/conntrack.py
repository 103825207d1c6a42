"""conntrack: lists, watches and deletes the entries of the connection table, as conntrack-tools 1.4.7 does.

-L -G -D -F -C -S -E, for the tables conntrack and expect. Creating and updating (-I, -U) are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from sim.apps.program import EPOCH, Context, Interrupted, Steps
from sim.conntrack import show
from sim.shell.conntrack_filter import Test, View, tests
from sim.shell.conntrack_forms import FORMS
from sim.shell.conntrack_options import (
    EVENTS,
    OPTIONS,
    OUTPUTS,
    TABLES,
    TCP_STATES,
    TOOL,
    TRY,
    Complaint,
    Request,
    parse,
)
from sim.shell.registry import Command
from sim.units import SECOND, parse_address

if TYPE_CHECKING:
    from sim.conntrack.conn import Conn
    from sim.conntrack.expect import Expectation
    from sim.machine.machine import Machine

T = TypeVar("T")
NOT_ROOT = "Operation failed: sorry, you must be root or get CAP_NET_ADMIN capability to do this"
USAGE = "conntrack -L|-D|-E|-G|-F|-C|-S [table] [-p proto [--sport port] [--dport port]] [-s addr] [-d addr] [-u status] [-o extended,id]"
HELP = """Command line interface for the connection tracking system. Version 1.4.7
Usage: conntrack [commands] [options]

Commands:
  -L [table] [options]\t\tList conntrack or expectation table
  -G [table] parameters\t\tGet conntrack or expectation
  -D [table] parameters\t\tDelete conntrack or expectation
  -E [table] [options]\t\tShow events
  -F [table]\t\t\tFlush table
  -C [table]\t\t\tShow counter
  -S\t\t\t\tShow statistics

Tables: conntrack, expect, dying, unconfirmed

Conntrack parameters and options:
  -n, --src-nat ip\t\t\tsource NAT ip
  -g, --dst-nat ip\t\t\tdestination NAT ip
  -j, --any-nat ip\t\t\tsource or destination NAT ip
  -m, --mark mark\t\t\tSet mark
  -e, --event-mask eventmask\t\tEvent mask, eg. NEW,DESTROY
  -z, --zero \t\t\t\tZero counters while listing
  -o, --output type[,...]\t\tOutput format, eg. xml

Common parameters and options:
  -s, --src, --orig-src ip\t\tSource address from original direction
  -d, --dst, --orig-dst ip\t\tDestination address from original direction
  -r, --reply-src ip\t\tSource addres from reply direction
  -q, --reply-dst ip\t\tDestination address from reply direction
  -p, --protonum proto\t\tLayer 4 Protocol, eg. 'tcp'
  -f, --family proto\t\tLayer 3 Protocol, eg. 'ipv6'
  -t, --timeout timeout\t\tSet timeout
  -u, --status status\t\tSet status, eg. ASSURED
  -w, --zone value\t\tSet conntrack zone

"""


def conntrack(context: Context) -> Steps:
    """The program. Exit status: 0, 1 nothing deleted or found, 2 a wrong command line."""
    yield from ()
    try:
        request = parse(context.argv)
        return (yield from _Tool(context, request).run())
    except Complaint as error:
        return context.failed(f"{TOOL}: {error}\n{TRY}", 2)


class _Tool:
    """One run of the tool."""

    def __init__(self, context: Context, request: Request) -> None:
        self.context = context
        self.request = request
        self.tracker = context.machine.ip.tracker
        self.outputs = request.chosen("o", OUTPUTS)

    def run(self) -> Steps:
        """Do what the command letter says."""
        command = self.request.command
        if command == "h":
            self.context.write(HELP)
            return 0
        if command == "V":
            self.context.write(f"{TOOL}\n")
            return 0
        if not self.context.root:
            if command == "E":
                return self.context.failed(
                    f"mnl_socket_bind: Operation not permitted\n{TOOL}: Can't open netlink socket", 1
                )
            return self.say(NOT_ROOT, 1)
        if command in "IU" or "labels" in self.outputs or ("xml" in self.outputs and command == "E"):
            raise Complaint("this is right, but not simulated here")
        if command == "E":
            return (yield from self._events())
        simple: dict[str, Callable[[], int]] = {
            "L": self._list, "D": self._delete, "G": self._get, "F": self._flush, "C": self._count, "S": self._statistics,
        }  # fmt: skip
        return simple[command]()

    def say(self, text: str, status: int = 0) -> int:
        """A line under the tool's name."""
        return self.context.failed(f"{TOOL}: {text}", status)

    def _matching(self) -> list[Conn]:
        checks, now = tests(self.request), self.context.now
        if self.request.table in ("dying", "unconfirmed"):
            return []  # an entry is confirmed, and gone, within the instant: there is nothing to see in between
        entries = self.tracker.entries()
        if not checks:
            return list(entries)
        return [conn for conn in entries if _passes(show.entry_view(conn, now), checks)]

    def _line(self, conn: Conn) -> str:
        for name, form in FORMS.items():
            if name in self.outputs:
                return form(show.entry_view(conn, self.context.now), self.context.now, conn.id)
        use = 2 if self.request.command == "G" else 1
        return show.conntrack_line(
            conn, self.context.now, extended="extended" in self.outputs, with_id="id" in self.outputs, use=use
        )

    def _list(self) -> int:
        if self.request.table == "expect":
            lines = [
                show.expect_line(expectation, self.context.now) for expectation in self.tracker.expectations.entries()
            ]
            self.context.write("".join(f"{line}\n" for line in lines))
            return self.say(f"{len(lines)} expectations have been shown.")
        conns = self._matching()
        text = "".join(f"{self._line(conn)}\n" for conn in conns)
        if "xml" in self.outputs and conns:
            text = f'<?xml version="1.0" encoding="utf-8"?>\n<conntrack>\n{text}</conntrack>\n'
        self.context.write(text)
        return self.say(f"{len(conns)} flow entries have been shown.")

    def _delete(self) -> int:
        self._only_entries()
        conns = self._matching()
        self.context.write("".join(f"{self._line(conn)}\n" for conn in conns))
        for conn in conns:
            self.tracker.delete(conn, self.context.now)
        self.context.machine.ip.settled()
        return self.say(f"{len(conns)} flow entries have been deleted.", 0 if conns else 1)

    def _get(self) -> int:
        self._only_entries()
        if not self.request.options.keys() >= {"s", "d"}:
            raise Complaint("you have to specify `--src' and `--dst'")
        special = self.request.special
        if self.request.protonum in (6, 17, 33, 132, 136) and not special.keys() >= {"sport", "dport"}:
            raise Complaint("you have to specify `--sport' and `--dport'")
        if self.request.protonum in (1, 58) and "icmp-type" not in special:
            raise Complaint("You need to supply the `--icmp-type' option for this command")
        conns = self._matching()
        if not conns:
            return self.say("Operation failed: such conntrack doesn't exist", 1)
        self.context.write(f"{self._line(conns[0])}\n")
        return self.say("1 flow entries have been shown.")

    def _only_entries(self) -> None:
        if self.request.table != "conntrack":
            raise Complaint(f"-{self.request.command} {self.request.table}: right, but not simulated here")

    def _flush(self) -> int:
        if self.request.table == "expect":
            self.tracker.expectations.flush(self.context.now)
            return self.say("expectation table has been emptied.")
        self.tracker.flush(self.context.now)
        self.context.machine.ip.settled()
        return self.say("connection tracking table has been emptied.")

    def _count(self) -> int:
        entries = self.tracker.expectations.entries() if self.request.table == "expect" else self.tracker.entries()
        self.context.write(f"{len(list(entries))}\n")
        return 0

    def _statistics(self) -> int:
        self.context.write(show.statistics_line(self.tracker.stats))
        return 0

    # ---- events ---------------------------------------------------------------------------------------------------

    def _events(self) -> Steps:
        """Print events until ^C. Stays in front."""
        if self.request.table == "expect":
            return (yield from self._expect_events())
        self._only_entries()
        wanted = self.request.chosen("e", EVENTS) - {"ALL"}
        checks = tests(self.request)
        shown = 0

        def heard(event: str, conn: Conn, now: int) -> None:
            nonlocal shown
            if (not wanted or _event_name(event) in wanted) and _passes(show.entry_view(conn, now), checks):
                shown += 1
                self.context.write(self._event_line(event, conn, now))

        yield from self._listen(self.tracker.listeners, heard)
        return self.say(f"{shown} flow events have been shown.")

    def _expect_events(self) -> Steps:
        """The same for expectations: those that come, and those that go."""
        if "e" in self.request.options:
            raise Complaint("Illegal option `--event-mask' with this command")
        shown = 0

        def heard(event: str, one: Expectation, now: int) -> None:
            nonlocal shown
            shown += 1
            stamp = round(EPOCH.timestamp()) * SECOND + now if "timestamp" in self.outputs else None
            self.context.write(show.expect_event_line(event, one, now, stamp) + "\n")

        yield from self._listen(self.tracker.expectations.listeners, heard)
        return self.say(f"{shown} expectation events have been shown.")

    def _listen(self, listeners: list[Callable[[str, T, int], None]], heard: Callable[[str, T, int], None]) -> Steps:
        """Be among the listeners until ^C."""
        listeners.append(heard)
        try:
            yield self.context.env.event()  # for ever
        except Interrupted as signal:
            if signal.cause != "INT":
                raise
        finally:
            listeners.remove(heard)
        return 0

    def _event_line(self, event: str, conn: Conn, now: int) -> str:
        portid = self.tracker.portid if "userspace" in self.outputs else 0
        extended, with_id = "extended" in self.outputs, "id" in self.outputs
        stamp = round(EPOCH.timestamp()) * SECOND + now if "timestamp" in self.outputs else None
        return show.event_line(event, conn, now, extended=extended, with_id=with_id, portid=portid, timestamp=stamp) + "\n"


def _passes(view: View, checks: list[Test]) -> bool:
    return all(check(view) for check in checks)


def _event_name(event: str) -> str:
    return "UPDATES" if event == "UPDATE" else event


def _complete(machine: Machine, before: list[str], word: str) -> list[str]:
    last = before[-1] if before else ""
    if last in ("-p", "--protonum"):
        return ["tcp", "udp", "icmp", "icmpv6", "sctp", "udplite", "gre"]
    if last == "--state":
        return list(TCP_STATES[1:9])
    if last in ("-u", "--status"):
        return ["ASSURED", "SEEN_REPLY", "UNREPLIED"]
    if last in ("-e", "--event-mask"):
        return list(EVENTS)
    if last in ("-o", "--output"):
        return list(OUTPUTS)
    if last in ("-s", "-d", "-r", "-q", "--orig-src", "--orig-dst", "--src", "--dst", "--reply-src", "--reply-dst"):
        return _addresses(machine)
    if word.startswith("--"):
        ports = ["--sport", "--dport", "--reply-port-src", "--reply-port-dst", "--state"] if "-p" in before else []
        return sorted([f"--{name}" for names, _ in OPTIONS.values() for name in names] + ports)
    if len(before) == 1:
        return ["-L", "-E", "-D", "-G", "-F", "-C", "-S"]
    return [*TABLES, "-p", "-s", "-d", "-o", "-u"]


def _addresses(machine: Machine) -> list[str]:
    views = [show.entry_view(conn, int(machine.env.now)) for conn in machine.ip.tracker.entries()]
    found = {str(view["original"][end]) for view in views for end in ("src", "dst")}
    found |= set(machine.hosts.values())
    return sorted(found, key=lambda text: (text.count(":"), parse_address(text)))


COMMANDS = [Command("conntrack", conntrack, "the connection table: list, watch (-E), delete", USAGE, _complete)]
