"""Entries and expectations as `conntrack -o xml` and `-o save` write them (libnetfilter_conntrack 1.0.9, conntrack-tools 1.4.7)."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from sim.apps.program import EPOCH
from sim.conntrack.conn import Conn, SctpConn
from sim.conntrack.expect import Expectation
from sim.conntrack.show import DCCP, protocol, seconds_left
from sim.conntrack.tuples import GRE, ICMPS, PORTED
from sim.conntrack.words import ASSURED, SEEN_REPLY, TCP_STATE_NAMES, Told
from sim.conntrack.zones import ID, ORIGINAL_ONLY, REPLY_ONLY
from sim.packet import Tuple
from sim.shell.conntrack_filter import is_translated
from sim.shell.conntrack_values import swapped
from sim.shell.conntrack_words import KINDS
from sim.units import SECOND, Address, show_address

_FLAGS = ((1, "EXPECTED"), (2, "SEEN_REPLY"), (4, "ASSURED"), (1024, "FIXED_TIMEOUT"))
_KEPT = frozenset((*PORTED, *ICMPS, GRE))
"""Protocols of whose numbers Linux tells: DCCP's it does not know any more."""
_SWITCH = {"NEW": "-A", "UPDATE": "-U", "DESTROY": "-D"}
_EXPECTED = ((1, "<permanent/>"), (2, "<inactive/>"), (4, "<userspace/>"))


def _layer3(address: Address) -> str:
    return 'protonum="2" protoname="ipv4"' if len(address) == 4 else 'protonum="10" protoname="ipv6"'


def _source(one: Tuple) -> str:
    if one.protonum in PORTED:
        return f"<sport>{one.sport}</sport>"
    return f"<srckey>0x{one.sport:x}</srckey>" if one.protonum == GRE else "<sport>0</sport>" * (one.protonum == DCCP)


def _target(one: Tuple) -> str:
    if one.protonum in PORTED:
        return f"<dport>{one.dport}</dport>"
    return f"<dstkey>0x{one.dport:x}</dstkey>" if one.protonum == GRE else "<dport>0</dport>" * (one.protonum == DCCP)


def _ends(one: Tuple) -> str:
    return f"<src>{show_address(one.src)}</src><dst>{show_address(one.dst)}</dst>"


def _direction(word: str, one: Tuple, acct: list[int] | None, zone: int = 0) -> str:
    zoned = f"<zone>{zone}</zone>" if zone else ""
    counters = "" if acct is None else f"<counters><packets>{acct[0]}</packets><bytes>{acct[1]}</bytes></counters>"
    return (
        f'<meta direction="{word}"><layer3 {_layer3(one.src)}>{_ends(one)}</layer3>'
        f'<layer4 protonum="{one.protonum}" protoname="{protocol(one.protonum)}">{_source(one)}{_target(one)}</layer4>'
        f"{zoned}{counters}</meta>"
    )


def _state(conn: Conn) -> str:
    """SCTP's states have the names of TCP's with the same number: so the library writes them."""
    if isinstance(conn, SctpConn):
        return TCP_STATE_NAMES[conn.state]
    return conn.state_name() or ""


def _when(micros: int) -> str:
    """The time of an event as a calendar has it; `micros` since 1970."""
    at = datetime.datetime.fromtimestamp(micros // SECOND, datetime.UTC)
    parts = (
        ("hour", str(at.hour)), ("min", f"{at.minute:02}"), ("sec", f"{at.second:02}"), ("wday", str(at.isoweekday() % 7 + 1)),
        ("day", str(at.day)), ("month", str(at.month)), ("year", str(at.year)),
    )  # fmt: skip
    return "<when>" + "".join(f"<{name}>{text}</{name}>" for name, text in parts) + "</when>"


def xml(
    conn: Conn, now: int, *, event: str = "", use: int = 1, ktimestamp: bool = False, timestamp: int | None = None,
    labels: Sequence[str] = (),
) -> str:  # fmt: skip
    """One <flow> element. `event`: NEW, UPDATE or DESTROY, which leave out what they do not tell; `timestamp`: µs since 1970."""
    gone, left = event == "DESTROY", seconds_left(conn, now)
    acct = conn.acct if not event or gone else None
    state = _state(conn) if not event or gone or conn.telling & (Told.PROTOINFO | Told.NEW | Told.RELATED) else ""
    marked = conn.mark or not event or (not gone and conn.telling & Told.MARK)
    meta = [
        f"<state>{state}</state>" * bool(state), f"<timeout>{left}</timeout>" * (not gone or left > 0),
        f"<mark>{conn.mark}</mark>" * bool(marked),
        "<labels>" * bool(labels) + "".join(f"<label>{name}</label>" for name in labels) + "</labels>" * bool(labels),
        f"<zone>{conn.zone}</zone>" * (0 < conn.zone <= ID),
        f"<use>{use + conn.children}</use>" * (not event), f"<id>{conn.id}</id>", "<assured/>" * bool(conn.status & ASSURED),
        "<unreplied/>" * (not conn.status & SEEN_REPLY), *(_times(conn, now, ktimestamp) if not event or gone else ()),
    ]  # fmt: skip
    kind = f' type="{event.lower()}"' if event else ""
    there, back = (conn.zone & ID if conn.zone & only else 0 for only in (ORIGINAL_ONLY, REPLY_ONLY))
    helper = f"<helper>{conn.helper}</helper>" if conn.helper is not None and not gone else ""
    return (
        f"<flow{kind}>{_direction('original', conn.original, acct[:2] if acct else None, there)}"
        f"{_direction('reply', conn.reply, acct[2:] if acct else None, back)}"
        f'<meta direction="independent">{"".join(meta)}</meta>{"" if timestamp is None else _when(timestamp)}{helper}</flow>'
    )


def _times(conn: Conn, now: int, ktimestamp: bool) -> list[str]:
    if conn.started < 0:
        return []
    start = (round(EPOCH.timestamp()) * SECOND + conn.started) * 1000
    stamp = [f"<timestamp><start>{start}</start></timestamp>"] if ktimestamp else []
    return [*stamp, f"<deltatime>{(now - conn.started) // SECOND}</deltatime>"]


def save(conn: Conn, now: int, event: str = "NEW") -> str:
    """The options that would make this entry again (-A), or -U, -D for such an event."""
    original, reply = conn.original, conn.reply
    source, target = is_translated(conn)
    words = [_SWITCH[event], "-t", str(seconds_left(conn, now)), "-u", _status(conn)]
    switch = "--orig-zone" if conn.zone & ORIGINAL_ONLY else "--reply-zone" if conn.zone & REPLY_ONLY else "-w"
    words += [switch, str(conn.zone & ID)] if conn.zone else []
    words += ["-s", show_address(original.src), "-d", show_address(original.dst)]
    words += ["-g" if target else "-r", show_address(reply.src), "-n" if source else "-q", show_address(reply.dst)]
    kind = KINDS.get(original.protonum)
    words += ["-p", kind.name if kind is not None else str(original.protonum)]
    return " ".join([*words, *_numbers(conn), *_protocol_state(conn, event)])


def _numbers(conn: Conn) -> list[str]:
    original, reply, kind = conn.original, conn.reply, KINDS.get(conn.original.protonum)
    if kind is None or original.protonum not in _KEPT:
        return []
    values: tuple[int, ...] = (original.sport, original.dport, reply.sport, reply.dport)
    if original.protonum in ICMPS:
        values = (original.dport >> 8, original.dport & 255, original.sport)
    return [word for names, value in zip(kind.options, values, strict=False) for word in (f"--{names[0]}", str(value))]


def _protocol_state(conn: Conn, event: str) -> list[str]:
    state = conn.state_name()
    if state is None:
        return []
    if not isinstance(conn, SctpConn) or event == "DESTROY":
        return ["--state", state]
    mine, others = map(str, map(swapped, conn.vtag))
    return ["--state", state, "--orig-vtag", mine, "--reply-vtag", others]


def _status(conn: Conn) -> str:
    return ",".join(name for bit, name in _FLAGS if conn.status & bit) or "UNSET"


def expect_xml(one: Expectation, now: int, event: str = "", timestamp: int | None = None) -> str:
    """An expectation as one <flow> element."""
    mine, master = one.tuple, one.master.original
    mask = Tuple(one.mask, b"\xff" * len(mine.dst), one.mask_port, 0xFFFF, mine.protonum)
    parts = (("expected", mine), ("mask", mask), ("master", master))
    ends = "".join(f"<{name}>{_ends(each)}</{name}>" for name, each in parts)
    numbers = "".join(f"<{name}>{_source(each)}{_target(each)}</{name}>" for name, each in parts)
    helper = f"<helper-name>{one.master.helper}</helper-name>" if one.master.helper is not None else ""
    kind = f' type="{event.lower()}"' if event else ""
    flags = "".join(text for bit, text in _EXPECTED if one.flags & bit)
    return (
        f"<flow{kind}><layer3 {_layer3(mine.dst)}>{ends}</layer3>"
        f'<layer4 protonum="{mine.protonum}" protoname="{protocol(mine.protonum)}">{numbers}</layer4>'
        f"<meta>{helper}<timeout>{max(0, one.expires - now) // SECOND}</timeout><class>{one.kind}</class>"
        f"{'' if timestamp is None else _when(timestamp)}{flags}</meta></flow>"
    )
