"""conntrack: lists, watches, makes, changes and deletes the entries of the connection table, as conntrack-tools 1.4.7 does.

The command line is read by conntrack_options.py; what is done to entries stands in conntrack_entries.py, to expectations in
conntrack_expect.py. Here: the program, -R, statistics, help, completion.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from sim.apps.paths import absolute
from sim.apps.program import Context, Interrupted, Steps
from sim.conntrack import show
from sim.conntrack.labels import FILE, names
from sim.shell import files
from sim.shell.conntrack_check import check
from sim.shell.conntrack_entries import Entries
from sim.shell.conntrack_expect import Expectations
from sim.shell.conntrack_options import Request, parse
from sim.shell.conntrack_values import Complaint
from sim.shell.conntrack_words import CLOSING, EVENTS, KINDS, OPTIONS, OUTPUTS, TABLES, TCP_STATES, TOOL, TRY
from sim.shell.registry import Command
from sim.units import parse_address

if TYPE_CHECKING:
    from sim.machine.machine import Machine

NOT_ROOT = "Operation failed: sorry, you must be root or get CAP_NET_ADMIN capability to do this"
USAGE = "conntrack -L|-D|-E|-G|-I|-U|-F|-C|-S [table] [-p proto [--sport port] [--dport port]] [-s addr] [-d addr] [-u status] [-o id]"
IN_FILES = "IAUDF"
"""Commands that a file of -R may have."""
HELP = """Command line interface for the connection tracking system. Version 1.4.7
Usage: conntrack [commands] [options]

Commands:
  -L [table] [options]\t\tList conntrack or expectation table
  -G [table] parameters\t\tGet conntrack or expectation
  -D [table] parameters\t\tDelete conntrack or expectation
  -I [table] parameters\t\tCreate a conntrack or expectation
  -U [table] parameters\t\tUpdate a conntrack
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
  -c, --secmark secmark\t\t\tSet selinux secmark
  -e, --event-mask eventmask\t\tEvent mask, eg. NEW,DESTROY
  -z, --zero \t\t\t\tZero counters while listing
  -o, --output type[,...]\t\tOutput format, eg. xml
  -l, --label label[,...]\t\tconntrack labels

Expectation parameters and options:
  --tuple-src ip\tSource address in expect tuple
  --tuple-dst ip\tDestination address in expect tuple

Updating parameters and options:
  --label-add label\tAdd label
  --label-del label\tDelete label

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
  --orig-zone value\t\tSet zone for original direction
  --reply-zone value\t\tSet zone for reply direction
  -b, --buffer-size\t\tNetlink socket buffer size
  --mask-src ip\t\t\tSource mask address
  --mask-dst ip\t\t\tDestination mask address

"""


def conntrack(context: Context) -> Steps:
    """The program. Exit status: 0, 1 nothing done or refused, 2 a wrong command line."""
    yield from ()
    argv = context.argv
    try:
        if len(argv) > 2 and argv[1] in ("-R", "--load-file"):
            return (yield from _from_file(context, argv[2]))
        request = _read(context, argv)
        if request.command == "E":
            return (yield from _watch(context, request))
        done = _run(context, request)
        if request.command in ("IDF" if request.table == "expect" else "IAU"):
            for hear in context.machine.conntrack_did:
                hear(argv)
        return _close(context, request, done.shown if done is not None else None)
    except Complaint as error:
        return _complain(context, error)


def _complain(context: Context, error: Complaint) -> int:
    context.failed(f"{TOOL}: {error}", error.status)
    return context.failed(TRY, error.status) if error.status == 2 else error.status


def _read(context: Context, argv: list[str]) -> Request:
    """A command line, checked. Raises Complaint."""
    warnings: list[str] = []
    try:
        request = parse(argv, warnings, lambda read: _known_labels(context, read))
    finally:
        for line in warnings:
            context.error(f"{line}\n")
    _known_labels(context, request)
    check(request)
    return request


def _known_labels(context: Context, request: Request) -> None:
    """Where labels are named, they must be in the machine's file of them."""
    if not request.given & {"l", "<", ">"} and not request.outputs & OUTPUTS["labels"]:
        return
    try:
        known = names(files.read(context.machine, FILE, root=True))
    except OSError as error:
        known = {}
        context.error(f"nfct_labelmap_new: {error.strerror}\n")
    request.known = known
    for name in (*request.labels, *request.label_changes):
        if name not in known:
            raise Complaint(f"unknown label '{name}'")


def _run(context: Context, request: Request) -> Entries | Expectations | None:
    """Do what the command letter says."""
    if request.command == "h":
        context.write(HELP)
        _protocol_help(context, request)
        return None
    if request.command == "V":
        context.write(f"{TOOL}\n")
        return None
    if not context.root:
        raise Complaint(NOT_ROOT, 1)
    if request.command != "C":  # what has no time left is found no more, and counted until somebody looks
        context.machine.ip.tracker.expire(int(context.machine.env.now))
    if request.command == "S":
        context.write(_statistics(context, request))
        return None
    if request.table == "expect":
        return _on_expectations(context, request)
    return _on_entries(context, request)


def _protocol_help(context: Context, request: Request) -> None:
    if request.protonum is None:
        return
    kind = KINDS.get(request.protonum)
    from sim.ruleset.iptables.names import PROTOCOL_NAMES

    name = kind.name if kind is not None else PROTOCOL_NAMES.get(request.protonum, "unknown")
    lines = [f"  --{word}{text}" for word, text in kind.help] if kind is not None else ["  no options (unsupported)"]
    context.write("\n".join([f"Proto `{name}' help:", *lines]) + "\n")


def _on_entries(context: Context, request: Request) -> Entries:
    entries = Entries(context, request, _portid(context, request))
    if request.command == "C":
        context.write(f"{len(list(context.machine.ip.tracker.entries()))}\n")
        return entries
    acts: dict[str, Callable[[], None]] = {
        "L": entries.dump, "G": entries.get, "D": entries.delete, "F": entries.flush, "I": entries.create, "A": entries.create,
        "U": entries.update,
    }  # fmt: skip
    acts[request.command]()
    return entries


def _portid(context: Context, request: Request) -> int:
    """The netlink port by which listeners know the program: its process id."""
    return context.machine.new_pid() if request.command in "IAUDF" else 0


def _on_expectations(context: Context, request: Request) -> Expectations:
    expectations = Expectations(context, request)
    if request.command == "C":
        context.write(f"{len(expectations.all())}\n")
        return expectations
    acts: dict[str, Callable[[], None]] = {
        "L": expectations.dump, "G": expectations.get, "D": expectations.delete, "F": expectations.flush, "I": expectations.create,
    }  # fmt: skip
    acts[request.command]()
    return expectations


def _close(context: Context, request: Request, shown: int | None) -> int:
    """The closing line, and the exit status: 1 where nothing was deleted, updated or made."""
    if shown is None:
        return 0
    if request.command == "F":
        which = "expectation" if request.table == "expect" else "connection tracking"
        return context.failed(f"{TOOL}: {which} table has been emptied.", 0)
    text = CLOSING.get(request.key)
    if text is None:
        return 0
    listed = request.command in "LA"
    return context.failed(f"{TOOL}: {shown} {text}", 0 if shown or listed else 1)


def _statistics(context: Context, request: Request) -> str:
    tracker = context.machine.ip.tracker
    if request.table == "expect":
        return show.statistics_line(tracker.expectations.stats)
    return show.statistics_line(tracker.stats)


# ---- files and events ------------------------------------------------------------------------------------------------


def _from_file(context: Context, name: str) -> Generator[Any, Any, int]:
    """-R: the commands of a file, or of standard input; all are read before the first is run."""
    lines: list[str] = []
    if name == "-":
        while (line := (yield context.stdin.read())) is not None:
            lines.append(str(line))
    else:
        try:
            lines = files.read(context.machine, absolute(name, context.place), context.root).splitlines()
        except OSError as error:
            raise Complaint(f"Failed to open file {name} for reading") from error
    requests = [_read(context, ["conntrack", *shlex.split(line)]) for line in lines if line.strip() and not line.lstrip().startswith("#")]
    for request in requests:
        if request.command not in IN_FILES or request.table == "expect":
            name = f"-{request.command}{' expect' if request.table == 'expect' else ''}"
            raise Complaint(f"Cannot use command `{'unknown' if request.bare else name}' with --load-file")
    for request in requests:
        _run(context, request)
        if request.command == "F":
            _close(context, request, 0)
    return 0


def _watch(context: Context, request: Request) -> Steps:
    """-E: print events until ^C. Stays in front."""
    if not context.root:
        return context.failed(f"mnl_socket_bind: Operation not permitted\n{TOOL}: Can't open netlink socket", 1)
    if "b" in request.given:
        context.error(f"NOTICE: Netlink socket buffer size has been set to {2 * request.numbers['b']} bytes.\n")
    tracker, expected = context.machine.ip.tracker, request.table == "expect"
    listeners: list[Any] = tracker.expectations.listeners if expected else tracker.listeners
    done = Expectations(context, request) if expected else Entries(context, request, 0)
    heard = done.listener()
    listeners.append(heard)
    try:
        yield context.env.event()  # for ever
    except Interrupted as signal:
        if signal.cause not in ("INT", "TERM"):
            raise
    finally:
        listeners.remove(heard)
    if done.shown and done.has("xml"):
        context.write("</expect>\n" if expected else "</conntrack>\n")
    text = "expectation events have been shown." if expected else CLOSING["E"]
    return context.failed(f"{TOOL}: {done.shown} {text}", 0)


# ---- completion ------------------------------------------------------------------------------------------------------


def _complete(machine: Machine, before: list[str], word: str) -> list[str]:
    last = before[-1] if before else ""
    if last in ("-p", "--protonum"):
        return [kind.name for kind in KINDS.values()]
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
        return sorted([f"--{name}" for longs, _ in OPTIONS.values() for name in longs] + ports)
    if len(before) == 1:
        return ["-L", "-E", "-D", "-G", "-I", "-U", "-F", "-C", "-S"]
    return [*TABLES, "-p", "-s", "-d", "-o", "-u"]


def _addresses(machine: Machine) -> list[str]:
    views = [show.entry_view(conn, int(machine.env.now)) for conn in machine.ip.tracker.entries()]
    found = {str(view["original"][end]) for view in views for end in ("src", "dst")}
    found |= set(machine.hosts.values())
    return sorted(found, key=lambda text: (text.count(":"), parse_address(text)))


COMMANDS = [Command("conntrack", conntrack, "the connection table: list, watch (-E), make, change, delete", USAGE, _complete)]
