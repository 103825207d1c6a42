"""ss: the machine's sockets, in the layout of iproute2 6.1's ss as it prints into a pipe: nothing is stretched to the screen's width.

ss [-t] [-u] [-a|-l] [-n] [-p] [-o] [-H] [-4|-6] [-s] [state STATE] [sport|dport = :PORT] [src|dst ADDRESS]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sim.apps.names import SERVICE_NAMES, port_number
from sim.apps.options import Parsed, getopt
from sim.apps.program import Context, Steps
from sim.errors import UsageError
from sim.shell.registry import Command
from sim.units import SECOND, in_prefix, parse_address, parse_interface

if TYPE_CHECKING:
    from sim.machine.machine import Machine
    from sim.machine.sockets import SocketRow

_FIRST_PID = 600  # sockets have programs, but no process numbers: theirs are counted from here
Test = Callable[["SocketRow"], bool]
USAGE = "ss [-t] [-u] [-a|-l] [-n] [-p] [-o] [state STATE] [sport|dport = :PORT] [src|dst ADDRESS]"
FLAGS = "hVnralomepiTsbEZz460tMSudwxKHO"
SIMULATED = "nalopHstu46r"
STATES = {
    "established": "ESTAB", "syn-sent": "SYN-SENT", "syn-recv": "SYN-RECV", "fin-wait-1": "FIN-WAIT-1", "fin-wait-2": "FIN-WAIT-2",
    "time-wait": "TIME-WAIT", "closed": "UNCONN", "close-wait": "CLOSE-WAIT", "last-ack": "LAST-ACK", "listening": "LISTEN",
    "closing": "CLOSING",
}  # fmt: skip
_LONG = {
    "--numeric": "-n", "--all": "-a", "--listening": "-l", "--options": "-o", "--processes": "-p", "--tcp": "-t", "--udp": "-u",
    "--ipv4": "-4", "--ipv6": "-6", "--no-header": "-H", "--summary": "-s",
}  # fmt: skip


class Complaint(Exception):
    """ss gives up: what it says."""


class _Column(NamedTuple):
    """A column: its heading, whether it is pushed to the right, and what stands before it."""

    title: str
    right: bool
    gap: str


_COLUMNS = (
    _Column("Netid", False, ""), _Column("State", False, " "), _Column("Recv-Q", False, " "), _Column("Send-Q", False, " "),
    _Column("Local Address:", True, " "), _Column("Port", False, ""), _Column("Peer Address:", True, " "), _Column("Port", False, ""),
    _Column("Process", False, ""),
)  # fmt: skip


def ss(context: Context) -> Steps:
    """The program."""
    yield from ()
    options = getopt([_LONG.get(word, word) for word in context.argv], FLAGS, "AfFDN")
    refused = next((name for name, _ in options.given if name not in SIMULATED), "")
    if options.problem or refused:
        return context.failed(
            f"ss: {options.problem or f'-{refused}: right, but not simulated here'}\nUsage: {USAGE}", 255
        )
    try:
        rows, states = _chosen(context, options)
    except Complaint as error:
        return context.failed(str(error), 255)
    if options.has("s"):
        context.write(_summary(rows))
    else:
        context.write(_table(options, rows, states))
    return 0


def _chosen(context: Context, options: Parsed) -> tuple[list[SocketRow], int]:
    """The rows to show, and how many states could be among them (one: the column is left out)."""
    wanted, tests = _filter(options.operands)
    protocols = [name for letter, name in (("u", "udp"), ("t", "tcp")) if options.has(letter)] or ["udp", "tcp"]
    family = 4 if options.has("4") else 16 if options.has("6") else 0
    if not wanted:
        wanted = _usual_states(options, protocols)
    rows = [
        row
        for row in context.machine.sockets()
        if row.protocol in protocols and (row.state in wanted or options.has("s"))
    ]
    rows = [row for row in rows if family in (0, _family(row)) and all(test(row) for test in tests)]
    rows.sort(key=lambda row: (protocols.index(row.protocol), _family(row), row.state != "LISTEN"))
    return rows, len(wanted)


def _usual_states(options: Parsed, protocols: list[str]) -> set[str]:
    every = set(STATES.values())
    if options.has("a"):
        return every
    if options.has("l"):
        return {"LISTEN", "UNCONN"}
    return {"ESTAB"} if protocols == ["udp"] else every - {"LISTEN", "UNCONN"}


def _filter(words: list[str]) -> tuple[set[str], list[Test]]:
    """(states, tests) of the filter words. Raises Complaint."""
    words, states = list(words), set[str]()
    tests: list[Test] = []
    while words:
        word = words.pop(0)
        if word == "state":
            states |= _state(words.pop(0) if words else "")
        elif word in ("sport", "dport"):
            tests.append(_port_test(word, words))
        elif word in ("src", "dst"):
            tests.append(_address_test(word, words.pop(0) if words else ""))
        elif word in ("and", "&", "&&"):
            continue
        elif word in ("or", "not", "(", ")", "|", "!", "exclude", "dev", "autobound"):
            raise Complaint(f"ss: {word}: right, but not simulated here")
        else:
            raise Complaint(f'Error: an inet prefix is expected rather than "{word}".\nCannot parse dst/src address.')
    return states, tests


def _state(word: str) -> set[str]:
    groups = {
        "all": set(STATES.values()), "connected": set(STATES.values()) - {"LISTEN", "UNCONN"},
        "synchronized": set(STATES.values()) - {"LISTEN", "UNCONN", "SYN-SENT"}, "bucket": {"SYN-RECV", "TIME-WAIT"},
        "big": set(STATES.values()) - {"SYN-RECV", "TIME-WAIT"},
    }  # fmt: skip
    if word in groups:
        return groups[word]
    if word not in STATES:
        raise Complaint(f"ss: wrong state name: {word}")
    return {STATES[word]}


def _port_test(which: str, words: list[str]) -> Test:
    operator = words.pop(0) if words and not words[0].startswith(":") else "="
    if operator not in ("=", "==", "eq"):
        raise Complaint(f"ss: {which} {operator}: right, but not simulated here")
    port = port_number((words.pop(0) if words else "").lstrip(":"))
    if port is None:
        raise Complaint(f'Error: an inet prefix is expected rather than "{which}".\nCannot parse dst/src address.')
    return lambda row: _split(row.local if which == "sport" else row.remote)[1] == str(port)


def _address_test(which: str, text: str) -> Test:
    host, _, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "")
    try:
        network, length = parse_interface(host)
    except UsageError:
        raise Complaint(
            f'Error: an inet prefix is expected rather than "{text}".\nCannot parse dst/src address.'
        ) from None
    number = port_number(port) if port else None

    def test(row: SocketRow) -> bool:
        shown, own_port = _split(row.local if which == "src" else row.remote)
        address = parse_address(shown.strip("[]"))
        return in_prefix(address, network, length) and (number is None or str(number) == own_port)

    return test


# ---- layout -------------------------------------------------------------------------------------------------------


def _table(options: Parsed, rows: list[SocketRow], states: int) -> str:
    """All cells padded to their column's widest."""
    hidden = {0} if options.has("t") != options.has("u") else set()
    hidden |= {1} if states == 1 else set()
    lines = [] if options.has("H") else [[column.title for column in _COLUMNS]]
    lines += [_cells(row, options) for row in rows]
    shown = [index for index in range(len(_COLUMNS)) if index not in hidden]
    widths = {index: max((len(line[index]) for line in lines), default=0) for index in shown}
    return "".join(_line(line, shown, widths) + "\n" for line in lines)


def _line(cells: list[str], shown: list[int], widths: dict[int, int]) -> str:
    text = ""
    for place, index in enumerate(shown):
        column = _COLUMNS[index]
        padded = cells[index].rjust(widths[index]) if column.right else cells[index].ljust(widths[index])
        text += (column.gap if place else "") + padded
    return text


def _cells(row: SocketRow, options: Parsed) -> list[str]:
    numeric = options.has("n")
    process = f' users:(("{row.program}",pid={_FIRST_PID + row.id},fd=3))' if options.has("p") and row.program else ""
    timer = (
        f" timer:({row.timer[0]},{_duration(row.timer[1])},{row.timer[2]})" if options.has("o") and row.timer else ""
    )
    ends = [*_end(row.local, numeric), *_end(row.remote, numeric)]
    return [
        row.protocol.ljust(5),
        row.state,
        str(row.recv_q).ljust(6),
        str(row.send_q).ljust(6),
        *ends,
        process + timer,
    ]


def _split(end: str) -> tuple[str, str]:
    """(address, port) of "192.168.1.20:22" or "[::1]:22"."""
    address, _, port = end.rpartition(":")
    return address, port


def _family(row: SocketRow) -> int:
    return 16 if row.local.startswith("[") else 4


def _end(end: str, numeric: bool) -> tuple[str, str]:
    """(address with its colon, port) of one end, the port by name unless -n."""
    address, port = _split(end)
    named = port if numeric or not port.isdecimal() else SERVICE_NAMES.get(int(port), port)
    return f"{address}:", named


def _duration(time: int) -> str:
    """print_ms_timer of ss: 59sec, 224ms, 1.984ms, 2min; seconds are left out from ten minutes on, milliseconds from ten seconds on."""
    millis = time * 1000 // SECOND
    minutes, seconds, rest = millis // 60_000, millis // 1000 % 60, millis % 1000
    text = f"{minutes}min" if minutes else ""
    rest = 0 if minutes else rest
    seconds = 0 if minutes > 9 else seconds
    if seconds:
        rest = 0 if seconds > 9 else rest
        text += f"{seconds}{'.' if rest else 'sec'}"
    return text + (f"{rest:03}ms" if rest else "")


def _summary(rows: list[SocketRow]) -> str:
    """ss -s."""
    counts = {name: [row for row in rows if row.protocol == name] for name in ("udp", "tcp")}
    tcp = counts["tcp"]
    states = {
        name: sum(row.state == state for row in tcp) for name, state in (("estab", "ESTAB"), ("timewait", "TIME-WAIT"))
    }
    held = f"estab {states['estab']}, closed {states['timewait']}, orphaned 0, timewait {states['timewait']}"
    text = f"Total: {len(rows)}\nTCP:   {len(tcp)} ({held})\n\n"
    text += "Transport Total     IP        IPv6\n"
    for name, chosen in (("RAW", []), ("UDP", counts["udp"]), ("TCP", tcp), ("INET", rows), ("FRAG", [])):
        old = sum(_family(row) == 4 for row in chosen)
        text += f"{name}\t  {len(chosen):<9} {old:<9} {len(chosen) - old:<9}\n"
    return text + "\n"


def _complete(machine: Machine, before: list[str], word: str) -> list[str]:
    if before[-1] == "state":
        return sorted(STATES)
    return ["-t", "-u", "-a", "-l", "-n", "-p", "-o", "state", "sport", "dport", "src", "dst"]


COMMANDS = [Command("ss", ss, "the machine's sockets", USAGE, _complete)]
