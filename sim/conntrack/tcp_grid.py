"""TCP's grid of states, and what conntrack takes a segment for. As net/netfilter/nf_conntrack_proto_tcp.c, Linux 6.18.

We are the man in the middle: every segment passes here, but may still be lost behind us. From the segments we guess the
state of the connection. NONE: nothing yet; SYN_SENT: a SYN was seen; SYN_SENT2: one from the other side too (simultaneous
open); SYN_RECV: SYN/ACK seen; ESTABLISHED: the ACK that ends the handshake; FIN_WAIT: a FIN; CLOSE_WAIT: an ACK after it;
LAST_ACK: FINs from both; TIME_WAIT: the last ACK; CLOSE: a RST.

In the grid a row is a kind of segment, a column the state so far, a cell the state after: NO SS SR ES FW CW LA TW CL S2 as
above; IV: invalid, of no connection; IG: ignored, let through because whoever gets it may know better, but changing nothing.
The sentence for each cell stands in tcp_why.py, what a grid cannot say in tcp_special.py.
"""

from __future__ import annotations

from typing import Final

from sim.conntrack.words import Segment

WORDS: Final = "NO SS SR ES FW CW LA TW CL S2 IV IG".split()
IV: Final = 10
IG: Final = 11
NONE: Final = 0
SYN_SENT: Final = 1
SYN_RECV: Final = 2
ESTABLISHED: Final = 3
FIN_WAIT: Final = 4
CLOSE_WAIT: Final = 5
LAST_ACK: Final = 6
TIME_WAIT: Final = 7
CLOSE: Final = 8
SYN_SENT2: Final = 9

GRID_TEXT: Final = """
original    NO SS SR ES FW CW LA TW CL S2
syn         SS SS IG IG IG IG IG SS SS S2
synack      IV IV SR IV IV IV IV IV IV SR
fin         IV IV FW FW LA LA LA TW CL IV
ack         ES IV ES ES CW CW TW TW CL IV
rst         IV CL CL CL CL CL CL CL CL CL
none        IV IV IV IV IV IV IV IV IV IV

reply       NO SS SR ES FW CW LA TW CL S2
syn         IV S2 IV IV IV IV IV SS IV S2
synack      IV SR IG IG IG IG IG IG IG SR
fin         IV IV FW FW LA LA LA TW CL IV
ack         IV IG SR ES CW CW TW TW CL IG
rst         IV CL CL CL CL CL CL CL CL CL
none        IV IV IV IV IV IV IV IV IV IV
"""
Grid = tuple[tuple[tuple[int, ...], ...], ...]


def parse_grid(text: str) -> Grid:
    """GRID[direction][segment][state] of the drawing above."""
    blocks = [block.splitlines() for block in text.strip().split("\n\n")]
    rows = ([row.split() for row in block[1:]] for block in blocks)
    return tuple(tuple(tuple(WORDS.index(cell) for cell in row[1:]) for row in block) for block in rows)


GRID: Final = parse_grid(GRID_TEXT)
SEGMENTS: Final = 6
STATES: Final = 10
NEXT: Final = bytes(cell for block in GRID for row in block for cell in row)
"""The same in one row: the cell of (direction, segment, state) stands at `(direction * SEGMENTS + segment) * STATES + state`."""


def _kind(flags: int) -> int:
    if flags & 4:
        return Segment.RST
    if flags & 2:
        return Segment.SYNACK if flags & 16 else Segment.SYN
    if flags & 1:
        return Segment.FIN
    return Segment.ACK if flags & 16 else Segment.NONE


SEGMENT_OF: Final = bytes(int(_kind(flags)) for flags in range(256))
"""What conntrack takes a segment for, by its flags (get_conntrack_index)."""
VALID_FLAGS: Final = bytes((flags & 0x37) in (2, 34, 18, 4, 20, 17, 49, 16, 48) for flags in range(256))
"""SYN, SYN+URG, SYN+ACK, RST, RST+ACK, FIN+ACK, FIN+ACK+URG, ACK, ACK+URG; PSH, ECE and CWR are always valid (tcp_valid_flags)."""
SYN: Final = 0
SYNACK: Final = 1
FIN: Final = 2
ACK: Final = 3
RST: Final = 4
EARLY_DROP: Final = (FIN_WAIT, LAST_ACK, TIME_WAIT, CLOSE, CLOSE_WAIT)
