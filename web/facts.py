"""What the engine knows by itself and the page draws: conntrack's TCP grid with its sentences. Nothing of any session."""

from __future__ import annotations

from functools import cache
from typing import Any

from sim.conntrack.tcp_grid import GRID, WORDS
from sim.conntrack.tcp_why import REASONS
from sim.conntrack.words import TCP_STATE_NAMES, Segment

DIRECTIONS = ("original", "reply")


@cache
def grid() -> dict[str, Any]:
    """`Grid` of README.md: the table of nf_conntrack_proto_tcp.c as sim/conntrack/tcp_grid.py has it."""
    return {
        "states": list(TCP_STATE_NAMES),
        "segments": [segment.name for segment in Segment],
        "directions": [
            {"name": name, "rows": [[_cell(way, segment, state) for state in range(len(TCP_STATE_NAMES))] for segment in Segment]}
            for way, name in enumerate(DIRECTIONS)
        ],
    }  # fmt: skip


def _cell(way: int, segment: int, state: int) -> dict[str, str]:
    """`code` is what a label's numbers name as its `cell`."""
    reason = REASONS[way][segment][state]
    return {"code": reason.code, "word": WORDS[GRID[way][segment][state]], "why": reason.text}
