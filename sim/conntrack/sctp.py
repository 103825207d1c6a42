"""SCTP: chunks, verification tags and the grid of states. As nf_conntrack_proto_sctp.c, Linux 6.18 (RFC 9260)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.conntrack import checksums, why
from sim.conntrack.conn import Conn, SctpConn
from sim.conntrack.words import (
    ACCEPT,
    ASSURED,
    CONFIRMED,
    INVALID,
    ORIGINAL,
    REPLY,
    TOLD_ASSURED,
    TOLD_PROTOINFO,
    SctpState,
)
from sim.packet import Packet
from sim.trace import Reason

if TYPE_CHECKING:
    from sim.conntrack.tracker import Tracker

DATA, INIT, INIT_ACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN, SHUTDOWN_ACK = 0, 1, 2, 4, 5, 6, 7, 8
ERROR, COOKIE_ECHO, COOKIE_ACK, SHUTDOWN_COMPLETE = 9, 10, 11, 14
ROWS: Final = {
    INIT: 0, INIT_ACK: 1, ABORT: 2, SHUTDOWN: 3, SHUTDOWN_ACK: 4, ERROR: 5, COOKIE_ECHO: 6, COOKIE_ACK: 7,
    SHUTDOWN_COMPLETE: 8, HEARTBEAT: 9, HEARTBEAT_ACK: 10,
}  # fmt: skip
"""The chunks that the grid has a row for; any other, such as DATA, changes no state."""
WORDS: Final = "NO CL CW CE ES SS SR SA HS IV".split()
IV: Final = 9
NONE, CLOSED, ESTABLISHED = 0, 1, 4
GRID_TEXT: Final = """
original       NO CL CW CE ES SS SR SA HS
init           CL CL CW CE ES CL CL SA CW
init_ack       CL CL CW CE ES SS SR SA CL
abort          CL CL CL CL CL CL CL CL CL
shutdown       CL CL CW CE SS SS SR SA CL
shutdown_ack   SA CL CW CE ES SA SA SA SA
error          CL CL CW CE ES SS SR SA CL
cookie_echo    CL CL CE CE ES SS SR SA CL
cookie_ack     CL CL CW ES ES SS SR SA CL
shutdown_comp  CL CL CW CE ES SS SR CL CL
heartbeat      HS CL CW CE ES SS SR SA HS
heartbeat_ack  CL CL CW CE ES SS SR SA HS

reply          NO CL CW CE ES SS SR SA HS
init           IV CL CW CE ES SS SR SA IV
init_ack       IV CW CW CE ES SS SR SA IV
abort          IV CL CL CL CL CL CL CL IV
shutdown       IV CL CW CE SR SS SR SA IV
shutdown_ack   IV CL CW CE ES SA SA SA IV
error          IV CL CW CL ES SS SR SA IV
cookie_echo    IV CL CE CE ES SS SR SA IV
cookie_ack     IV CL CW ES ES SS SR SA IV
shutdown_comp  IV CL CW CE ES SS SR CL IV
heartbeat      IV CL CW CE ES SS SR SA HS
heartbeat_ack  IV CL CW CE ES SS SR SA ES
"""
Chunk = tuple[int, int, int]
"""type, flags, offset."""
VTAG_FAILED: Final = 1
_ALONE: Final = frozenset((INIT, INIT_ACK, SHUTDOWN_COMPLETE))
_FIRST: Final = frozenset((COOKIE_ACK, COOKIE_ECHO))
_OUT_OF_BLUE: Final = frozenset((ABORT, SHUTDOWN_COMPLETE, COOKIE_ACK))
_OWN_TAG_RULES: Final = frozenset((INIT, SHUTDOWN_COMPLETE, COOKIE_ECHO, ABORT, SHUTDOWN_ACK, HEARTBEAT, HEARTBEAT_ACK))


def _parse(text: str) -> tuple[tuple[tuple[int, ...], ...], ...]:
    blocks = (block.splitlines()[1:] for block in text.strip().split("\n\n"))
    return tuple(tuple(tuple(WORDS.index(cell) for cell in row.split()[1:]) for row in block) for block in blocks)


GRID: Final = _parse(GRID_TEXT)


def _new_state(direction: int, state: int, kind: int) -> int:
    row = ROWS.get(kind)
    return state if row is None else GRID[direction][row][state]


def handle(tracker: Tracker, conn: Conn, packet: Packet, direction: int, prerouting: bool, now: int) -> int:
    """Judge one packet of `conn` (nf_conntrack_sctp_packet)."""
    assert isinstance(conn, SctpConn)
    if not packet.complete:
        tracker.malformed(132, "nf_ct_sctp: short packet ", why.SCTP_SHORT)
        return INVALID
    if prerouting and tracker.settings.checksum and not checksums.sctp_ok(packet):
        tracker.malformed(132, "nf_ct_sctp: bad CRC ", why.BAD_CHECKSUM)
        return INVALID
    chunks = _chunks(tracker, packet)
    if not chunks:
        tracker.why = why.SCTP_CHUNKS
        return INVALID
    kinds = {kind for kind, _, _ in chunks}
    vtag = int.from_bytes(packet.data[packet.l4 + 4 : packet.l4 + 8])
    if not conn.status & CONFIRMED and (kinds & _OUT_OF_BLUE or not _start(conn, packet, chunks, vtag)):
        tracker.why = why.SCTP_OUT_OF_BLUE
        return INVALID
    if not kinds & _OWN_TAG_RULES and vtag != conn.vtag[direction]:
        tracker.log(132, f"verification tag check failed {_raw(vtag):x} vs {_raw(conn.vtag[direction]):x} for dir {direction}")
        tracker.why = why.SCTP_VTAG
        return INVALID
    return _walk(tracker, conn, packet, chunks, kinds, vtag, direction, now)


def _raw(tag: int) -> int:
    """The kernel prints tags as they lie in memory on a little-endian machine."""
    return int.from_bytes(tag.to_bytes(4), "little")


def _chunks(tracker: Tracker, packet: Packet) -> list[Chunk]:
    """The chunks; empty when they cannot stand together (do_basic_checks)."""
    data, at, alone, found = packet.data, packet.l4 + 12, False, list[Chunk]()
    while at < len(data) and at + 4 <= len(data):
        kind, size = data[at], int.from_bytes(data[at + 2 : at + 4])
        alone = alone or kind in _ALONE
        if ((kind in _FIRST or alone) and found) or not size:
            raw = int.from_bytes(data[at + 2 : at + 4], "little")
            text = f"do_basic_checks failed. chunk num {len(found)}, type {kind}, len {raw} flag {int(alone)}\n"
            tracker.log(132, text)
            return []
        found.append((kind, data[at + 1], at))
        at += (size + 3) & ~3
    return found


def _init_tag(packet: Packet, at: int) -> int | None:
    """The initiate tag of an INIT or INIT ACK chunk; None when the chunk is cut short (struct sctp_inithdr: 16 bytes)."""
    data = packet.data
    return None if len(data) < at + 20 else int.from_bytes(data[at + 4 : at + 8])


def _start(conn: SctpConn, packet: Packet, chunks: list[Chunk], vtag: int) -> bool:
    """The first packet of an entry (sctp_new)."""
    for kind, _, at in chunks:
        if _new_state(ORIGINAL, NONE, kind) in (NONE, IV):
            return False
        if kind == INIT:
            tag = _init_tag(packet, at)
            if vtag or tag is None:
                return False
            conn.vtag[REPLY] = tag
        elif kind == HEARTBEAT:
            conn.vtag[ORIGINAL] = vtag
        elif kind == SHUTDOWN_ACK:
            conn.vtag[REPLY] = vtag
    return True


def _walk(
    tracker: Tracker, conn: SctpConn, packet: Packet, chunks: list[Chunk], kinds: set[int], vtag: int, direction: int, now: int
) -> int:
    """Chunk by chunk: tag, state, what an INIT says."""
    ignore, state = False, NONE
    for kind, flags, at in chunks:
        found = _tag_rule(conn, kind, flags, vtag, direction, DATA in kinds or ignore)
        if found == REFUSED:
            return _invalid(tracker, why.SCTP_VTAG)
        if found == SKIPPED:
            ignore = True
            continue
        old = conn.state
        state = _new_state(direction, old, kind)
        if state == IV:
            tracker.log(132, f"Invalid, old_state {old}, dir {direction}, type {kind}")
            return _invalid(tracker, why.SCTP_STATE)
        if kind in (INIT, INIT_ACK):
            if not _init_rule(conn, packet, kind, at, direction, old):
                return _invalid(tracker, why.SCTP_VTAG)
            ignore = ignore or (kind == INIT and state == old == CLOSED and bool(conn.status & CONFIRMED))
        _move(conn, old, state)
    tracker.reason = why.SCTP_TAKEN
    if not ignore:
        tracker.refresh(conn, tracker.settings.sctp[state], now)
        tracker.count(conn, packet, direction)
    return ACCEPT


def _invalid(tracker: Tracker, reason: Reason) -> int:
    tracker.why = reason
    return INVALID


def _move(conn: SctpConn, old: int, state: int) -> None:
    conn.state = state
    if old != state:
        conn.cache |= TOLD_PROTOINFO
        if state == ESTABLISHED and not conn.status & ASSURED:
            conn.status |= ASSURED
            conn.cache |= TOLD_ASSURED


FITS: Final = 0
REFUSED: Final = 1
SKIPPED: Final = 2


def _tag_rule(conn: SctpConn, kind: int, flags: int, vtag: int, direction: int, strict: bool) -> int:
    """The rules of RFC 9260 section 8.5.1 for chunks that have their own."""
    mine, theirs = conn.vtag[direction], conn.vtag[1 - direction]
    if kind == INIT:
        return REFUSED if vtag else FITS
    if kind in (ABORT, SHUTDOWN_COMPLETE):
        return FITS if vtag == (theirs if flags & 1 else mine) else REFUSED
    if kind == COOKIE_ECHO:
        return FITS if vtag == mine else REFUSED
    if kind == COOKIE_ACK:
        conn.init[0] = conn.init[1] = False
    elif kind in (HEARTBEAT, HEARTBEAT_ACK):
        return _heartbeat_rule(conn, kind, vtag, direction, strict)
    return FITS


def _heartbeat_rule(conn: SctpConn, kind: int, vtag: int, direction: int, strict: bool) -> int:
    if conn.vtag[direction] == 0:
        conn.vtag[direction] = vtag
    elif vtag == conn.vtag[direction]:
        conn.flags &= ~VTAG_FAILED
    elif strict:
        return REFUSED
    elif kind == HEARTBEAT:
        conn.flags |= VTAG_FAILED
        conn.last_direction = direction
        return SKIPPED
    else:
        if not conn.flags & VTAG_FAILED or conn.last_direction == direction:
            return REFUSED
        conn.flags &= ~VTAG_FAILED
        conn.vtag[direction], conn.vtag[1 - direction] = vtag, 0
    return FITS


def _init_rule(conn: SctpConn, packet: Packet, kind: int, at: int, direction: int, old: int) -> bool:
    """Note the tag that the other end is to use. An INIT ACK may not change it, but after an INIT that was a new one."""
    tag = _init_tag(packet, at)
    if tag is None:
        return False
    other = 1 - direction
    if kind == INIT:
        if old == NONE or conn.vtag[other] != tag:
            if conn.init[direction] and conn.init[other]:
                conn.init[other] = False
            conn.init[direction] = True
    else:
        known = conn.vtag[other]
        if not conn.init[other] and known and known != tag:
            return False
        if conn.init[direction] and conn.init[other] and known != tag:
            return False
    conn.vtag[other] = tag
    return True


EARLY_DROP: Final = (SctpState.SHUTDOWN_SENT, SctpState.SHUTDOWN_RECD, SctpState.SHUTDOWN_ACK_SENT)
