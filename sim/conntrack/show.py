"""How entries look: to the trace, to `conntrack -L`, and to `conntrack -E`. Formats are conntrack-tools 1.4.7's, seen from the real one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from sim.conntrack import zones
from sim.conntrack.conn import Conn, GreConn
from sim.conntrack.tuples import GRE, ICMP, ICMPV6, PORTED
from sim.conntrack.words import ASSURED, SEEN_REPLY, Told, status_words
from sim.packet import Tuple
from sim.trace import Json
from sim.units import SECOND, Address, show_address

if TYPE_CHECKING:
    from sim.conntrack.expect import Expectation

DCCP: Final = 33
NAMES: Final = {1: "icmp", 6: "tcp", 17: "udp", 33: "dccp", 47: "gre", 58: "icmpv6", 132: "sctp", 136: "udplite"}
"""What conntrack calls a protocol; any other is "unknown"."""


def protocol(protonum: int) -> str:
    """The name `conntrack -L` prints."""
    return NAMES.get(protonum, "unknown")


def tuple_view(one: Tuple) -> dict[str, Json]:
    """src and dst, and what else the protocol keys on: sport dport; type code id; srckey dstkey."""
    shown: dict[str, Json] = {"src": show_address(one.src), "dst": show_address(one.dst)}
    if one.protonum in PORTED:
        return shown | {"sport": one.sport, "dport": one.dport}
    if one.protonum in (ICMP, ICMPV6):
        return shown | {"type": one.dport >> 8, "code": one.dport & 255, "id": one.sport}
    if one.protonum == GRE:
        return shown | {"srckey": one.sport, "dstkey": one.dport}
    return shown


def entry_view(conn: Conn, now: int) -> dict[str, Json]:
    """An entry as the trace has it: see trace.EntryCreated. `timeout` is what is left, µs; `expires` the absolute time."""
    return {
        "family": conn.family,
        "protocol": protocol(conn.original.protonum),
        "protonum": conn.original.protonum,
        "state": conn.state_name(),
        "original": tuple_view(conn.original),
        "reply": tuple_view(conn.reply),
        "unreplied": not conn.status & SEEN_REPLY,
        "assured": bool(conn.status & ASSURED),
        "mark": conn.mark,
        "zone": conn.zone & zones.ID,
        "status": status_words(conn.status),
        "helper": conn.helper,
        "timeout": max(0, conn.expires - now),
        "expires": conn.expires,
        "packets": [conn.acct[0], conn.acct[2]] if conn.acct else None,
        "bytes": [conn.acct[1], conn.acct[3]] if conn.acct else None,
    }


def traced(conn: Conn, now: int) -> dict[str, Json]:
    """`entry_view`, and the line that `conntrack -L` prints for it now."""
    return entry_view(conn, now) | {"line": conntrack_line(conn, now)}


def seconds_left(conn: Conn, now: int) -> int:
    """Whole seconds until it expires, rounded down, never below 0 (nf_ct_expires)."""
    return max(0, conn.expires - now) // SECOND


def whole_address(address: Address) -> str:
    """As the kernel's %pI4 and %pI6 print: IPv6 without shortening."""
    if len(address) == 4:
        return show_address(address)
    return ":".join(address[at : at + 2].hex() for at in range(0, 16, 2))


def _tuple_words(one: Tuple, whole: bool) -> str:
    write = whole_address if whole else show_address
    words = [f"src={write(one.src)} dst={write(one.dst)}"]
    if one.protonum in PORTED:
        words.append(f"sport={one.sport} dport={one.dport}")
    elif one.protonum in (ICMP, ICMPV6):
        words.append(f"type={one.dport >> 8} code={one.dport & 255} id={one.sport}")
    elif one.protonum == GRE:
        words.append(f"srckey=0x{one.sport:x} dstkey=0x{one.dport:x}")
    elif one.protonum == DCCP and not whole:  # the tool still prints what Linux has not told since 6.17
        words.append("sport=0 dport=0")
    return " ".join(words)


def _counters(conn: Conn, direction: int) -> list[str]:
    if conn.acct is None:
        return []
    return [f"packets={conn.acct[2 * direction]} bytes={conn.acct[2 * direction + 1]}"]


def _body(conn: Conn, left: int | None, state: bool, whole: bool = False, counted: bool = True) -> list[str]:
    """What -L, -E and /proc (`whole`) have in common: protocol, time, state, both tuples with their marks."""
    number = conn.original.protonum
    words = [f"{protocol(number):<8s} {number}"]
    if left is not None:
        words.append(str(left))
    if state and conn.state_name():
        words.append(str(conn.state_name()))
    if whole and isinstance(conn, GreConn):
        words.append(f"timeout={conn.timeout // SECOND}, stream_timeout={conn.stream // SECOND}")
    there, back, _ = zones.words(conn.zone)
    words += [_tuple_words(conn.original, whole), *([there] if there else ()), *(_counters(conn, 0) if counted else ())]
    if not conn.status & SEEN_REPLY:
        words.append("[UNREPLIED]")
    words += [_tuple_words(conn.reply, whole), *([back] if back else ()), *(_counters(conn, 1) if counted else ())]
    if conn.status & ASSURED:
        words.append("[ASSURED]")
    return words


def conntrack_line(
    conn: Conn, now: int, *, extended: bool = False, with_id: bool = False, ktimestamp: str = "", use: int = 1
) -> str:  # fmt: skip
    """A line of `conntrack -L`, without its end. `use` is 2 for -G, which holds the entry while it prints.

    `extended`: -o extended; `with_id`: -o id; `ktimestamp`: -o ktimestamp, the start as asctime writes it.
    """
    words = [*_body(conn, seconds_left(conn, now), state=True), f"mark={conn.mark}", *_zone(conn), *_delta(conn, now)]
    if ktimestamp:
        words.append(f"[start={ktimestamp}]")
    words += [*_helper(conn), f"use={use + conn.children}"]
    if with_id:
        words.append(f"id={conn.id}")
    return _family(conn, extended) + " ".join(words)


def _zone(conn: Conn) -> list[str]:
    both = zones.words(conn.zone)[2]
    return [both] if both else []


def _delta(conn: Conn, now: int) -> list[str]:
    return [f"delta-time={(now - conn.started) // SECOND}"] if conn.started >= 0 else []


def _helper(conn: Conn) -> list[str]:
    return [f"helper={conn.helper}"] if conn.helper is not None else []


def _family(conn: Conn, extended: bool) -> str:
    if not extended:
        return ""
    return "ipv4     2 " if conn.family == "ipv4" else "ipv6     10 "


def event_line(
    event: str, conn: Conn, now: int, *, extended: bool = False, with_id: bool = False, timestamp: int | None = None,
) -> str:  # fmt: skip
    """A line of `conntrack -E`, without its end, for what `conn.telling` tells; event NEW, UPDATE or DESTROY.

    `timestamp`: -o timestamp, µs since 1970. What the tool says of the program that caused it stands behind the line.
    """
    gone = event == "DESTROY"
    left = seconds_left(conn, now)
    state = gone or bool(conn.telling & (Told.PROTOINFO | Told.NEW | Told.RELATED))
    words = _body(conn, None if gone and not left else left, state, counted=gone)
    if conn.mark or (conn.telling & Told.MARK and not gone):
        words.append(f"mark={conn.mark}")
    words += [*_zone(conn), *(_delta(conn, now) if gone else _helper(conn))]
    if with_id:
        words.append(f"id={conn.id}")
    return f"{stamped(timestamp)}{f'[{event}]':>9s} {_family(conn, extended)}{' '.join(words)}"


def stamped(timestamp: int | None) -> str:
    """What -o timestamp puts before a line; nothing for None. The microseconds are no decimal fraction: 12 of them are ".12    "."""
    return "" if timestamp is None else f"[{timestamp // SECOND:<8d}.{timestamp % SECOND:<6d}]\t"


def proc_line(conn: Conn, now: int) -> str:
    """A line of /proc/net/nf_conntrack, without its end. Whoever reads it holds the entry: use=2."""
    line = " ".join([*_body(conn, seconds_left(conn, now), state=True, whole=True), f"mark={conn.mark}"])
    zone = [f"zone={conn.zone}"] if conn.zone <= zones.ID else []
    return f"{_family(conn, True)}{line} {' '.join([*zone, *_delta(conn, now), f'use={2 + conn.children}'])}"


_EXPECT_FLAGS: Final = ((1, "PERMANENT"), (2, "INACTIVE"), (4, "USERSPACE"))


def expect_line(one: Expectation, now: int) -> str:
    """A line of `conntrack -L expect`, without its end."""
    mine, master = one.tuple, one.master.original
    mask = Tuple(one.mask, b"\xff" * len(mine.dst), one.mask_port, 0xFFFF, mine.protonum)
    words = [
        f"{max(0, one.expires - now) // SECOND} proto={mine.protonum} {_tuple_words(mine, False)}",
        *(f"mask-{word}" if word.startswith(("src=", "dst=")) else word for word in _tuple_words(mask, False).split()),
        *(f"master-{word}" if word.startswith(("src=", "dst=")) else word for word in _tuple_words(master, False).split()),
        *([",".join(names)] if (names := [name for bit, name in _EXPECT_FLAGS if one.flags & bit]) else []), f"class={one.kind}",
    ]  # fmt: skip
    if one.master.helper is not None:
        words.append(f"helper={one.master.helper}")
    return " ".join(words)


def proc_expect_line(one: Expectation, now: int) -> str:
    """A line of /proc/net/nf_conntrack_expect, without its end (exp_seq_show, nf_conntrack_expect.c)."""
    mine = one.tuple
    left = f"{max(0, one.expires - now) // SECOND} " if one.timeout else "- "
    number = 2 if len(mine.dst) == 4 else 10
    flags = ",".join(name for bit, name in _EXPECT_FLAGS if one.flags & bit)
    helper = one.master.helper
    tail = f" {helper}" if helper is not None else ""
    if one.helper is not None and helper is not None:
        tail += f"/{one.helper}"
    return f"{left}l3proto = {number} proto={mine.protonum} {_tuple_words(mine, True)} {flags}{tail}"


def expect_event_line(event: str, one: Expectation, now: int, timestamp: int | None = None) -> str:
    """A line of `conntrack -E expect`, without its end; event NEW or DESTROY. `timestamp` as for event_line."""
    return f"{stamped(timestamp)}{f'[{event}]':>9s} {expect_line(one, now)}"


def statistics_line(stats: Mapping[str, int]) -> str:
    """The line of `conntrack -S` for the machine's one processor, with its end."""
    return "cpu=0   \t" + "".join(f"{name}={count} " for name, count in stats.items()) + "\n"


_COLUMNS: Final = (
    "clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error",
    "expect_new expect_create expect_delete search_restart",
)
_COUNTERS: Final = {"clashres": "clash_resolve", "chainlength": "chaintoolong", "icmp_error": "error"}
"""What /proc calls otherwise than `conntrack -S`; new, ignore and delete have not been counted since Linux 5.9."""


def proc_statistics(entries: int, stats: Mapping[str, int]) -> str:
    """/proc/net/stat/nf_conntrack (ct_cpu_seq_show), for the machine's one processor."""
    groups = (" ".join(f"{stats.get(_COUNTERS.get(name, name), 0):08x}" for name in names.split()) for names in _COLUMNS)
    return f"entries  {'  '.join(_COLUMNS)}\n{entries:08x}  {'  '.join(groups)}\n"
