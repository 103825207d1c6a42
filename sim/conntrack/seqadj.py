"""Sequence adjustment: a helper's NAT has made a segment's payload longer or shorter, and every later number is off by as much.

As nf_conntrack_seqadj.c, Linux 6.18. For each direction we keep where the last change was made, and by how much numbers are shifted
up to there and behind it; more than one change in flight at once is not told apart. Window tracking counts in the sender's own numbers
(see `offset`); segments that leave get shifted ones (`adjusted`). Not here: the payload itself (netfilter/nat/helpers).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim import wire
from sim.conntrack.words import SEQ_ADJUST

if TYPE_CHECKING:
    from sim.conntrack.conn import Conn

M: Final = 0xFFFFFFFF
HALF: Final = 0x80000000
ACK: Final = 16
SACK: Final = 5


class Shift:
    """One direction's shift (struct nf_ct_seqadj): `before` for numbers up to `position`, `after` for those behind it."""

    __slots__ = ("after", "before", "position")

    def __init__(self) -> None:
        self.position = self.before = self.after = 0

    def of(self, seq: int) -> int:
        """By how much the sender's number `seq` is shifted."""
        return self.after if (self.position - seq) & HALF else self.before

    def undone(self, number: int) -> int:
        """The sender's own number that the other end acknowledges by `number`."""
        back = self.after if (self.position - (number - self.before)) & HALF else self.before
        return (number - back) & M


Shifts = tuple[Shift, Shift]
"""By direction of the sender."""


def shift(conn: Conn, direction: int, seq: int, by: int) -> None:
    """The segment of `direction` that begins at `seq` has become `by` bytes longer (nf_ct_seqadj_set).

    A retransmission of it moves nothing; and nothing is remembered where the entry has no room for it: it was not under NAT yet when
    it got its helper.
    """
    if not by or conn.seqadj is None:
        return
    conn.status |= SEQ_ADJUST
    mine = conn.seqadj[direction]
    if mine.before == mine.after or (mine.position - seq) & HALF:
        mine.position = seq
        mine.before = mine.after
        mine.after += by


def adjusted(data: bytes, at: int, shifts: Shifts, direction: int) -> bytes | None:
    """The packet whose TCP header stands at `at` as it leaves: seq, ack and SACK blocks shifted, the checksum mended.

    None where header or options are cut short: the packet is dropped (nf_ct_seq_adjust, nf_ct_sack_adjust).
    """
    if len(data) < at + 20:
        return None
    out = bytearray(data)
    seq = int.from_bytes(out[at + 4 : at + 8])
    _put(out, at, at + 4, seq + shifts[direction].of(seq))
    if not out[at + 13] & ACK:
        return bytes(out)
    other = shifts[1 - direction]
    _put(out, at, at + 8, other.undone(int.from_bytes(out[at + 8 : at + 12])))
    return bytes(out) if _sack(out, at, other) else None


def _put(out: bytearray, header: int, place: int, number: int) -> None:
    old, new = bytes(out[place : place + 4]), (number & M).to_bytes(4)
    check = int.from_bytes(out[header + 16 : header + 18])
    out[header + 16 : header + 18] = wire.mended(check, old, new).to_bytes(2)
    out[place : place + 4] = new


def _sack(out: bytearray, header: int, other: Shift) -> bool:
    at, end = header + 20, header + (out[header + 12] >> 4) * 4
    if end > len(out):
        return False
    while at < end:
        kind = out[at]
        if kind == 0:
            return True
        if kind == 1:
            at += 1
            continue
        if at + 1 == end or out[at + 1] < 2 or at + out[at + 1] > end:
            return False
        size = out[at + 1]
        if kind == SACK and size >= 10 and (size - 2) % 8 == 0:
            for edge in range(at + 2, at + size, 4):
                _put(out, header, edge, other.undone(int.from_bytes(out[edge : edge + 4])))
        at += size
    return True
