"""Cells: how many segments met each cell of the grids of TCP and SCTP (direction × kind × state).

The grids are put under a counter, so it needs the interpreted engine (CTLAB_PURE=1): compiled code does not look them up by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from types import ModuleType, TracebackType
from typing import Any, Final, Self

from sim.conntrack import sctp, tcp, tcp_grid
from sim.conntrack.words import SCTP_STATE_NAMES, TCP_STATE_NAMES, Segment

DIRECTIONS: Final = ("original", "reply")
SCTP_ROWS: Final = {row: kind for kind, row in sctp.ROWS.items()}
UNREACHABLE: Final = {
    ("tcp", "reply", "NONE"): "nobody answers before somebody has spoken",
    ("sctp", "reply", "NONE"): "nobody answers before somebody has spoken",
}

NO_FLAGS: Final = ("tcp", "NONE")
"""Segments without any flag are refused ahead of the grid (tcp_valid_flags)."""


class _Counted:
    """A grid, or a part of it, that counts what is looked up."""

    def __init__(self, rows: Any, counts: Counter[tuple[int, ...]], path: tuple[int, ...] = ()) -> None:
        self._counts, self._path = counts, path
        self._rows = [
            _Counted(row, counts, (*path, at)) if isinstance(row, tuple) else row for at, row in enumerate(rows)
        ]

    def __getitem__(self, at: int) -> Any:
        value = self._rows[at]
        if not isinstance(value, _Counted):
            self._counts[(*self._path, at)] += 1
        return value


class _CountedRow:
    """A grid in one row, likewise."""

    def __init__(self, cells: bytes, counts: Counter[tuple[int, ...]]) -> None:
        self._cells, self._counts = cells, counts

    def __getitem__(self, at: int) -> int:
        row, state = divmod(at, tcp_grid.STATES)
        self._counts[(*divmod(row, tcp_grid.SEGMENTS), state)] += 1
        return self._cells[at]


class Cells:
    """A context manager that counts while it is open."""

    def __init__(self) -> None:
        self.tcp: Counter[tuple[int, ...]] = Counter()
        self.sctp: Counter[tuple[int, ...]] = Counter()
        self._grids: list[tuple[ModuleType, str, Any, Any]] = [
            (tcp, "NEXT", tcp_grid.NEXT, _CountedRow(tcp_grid.NEXT, self.tcp)),
            (sctp, "GRID", sctp.GRID, _Counted(sctp.GRID, self.sctp)),
        ]

    def __enter__(self) -> Self:
        for module, name, _, counted in self._grids:
            vars(module)[name] = counted
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for module, name, grid, _ in self._grids:
            vars(module)[name] = grid

    def table(self) -> Iterator[tuple[str, str, str, str, int]]:
        """(protocol, direction, kind, state, count) of every cell that can be reached."""
        for name, grid, counts in (("tcp", tcp_grid.GRID, self.tcp), ("sctp", sctp.GRID, self.sctp)):
            kinds = (
                [kind.name for kind in Segment]
                if name == "tcp"
                else [f"chunk {SCTP_ROWS[row]}" for row in range(len(SCTP_ROWS))]
            )
            states = TCP_STATE_NAMES if name == "tcp" else SCTP_STATE_NAMES
            for way, direction in enumerate(DIRECTIONS):
                for row, kind in enumerate(kinds):
                    for column in range(len(grid[way][row])):
                        if (name, direction, states[column]) not in UNREACHABLE and (name, kind) != NO_FLAGS:
                            yield name, direction, kind, states[column], counts[way, row, column]

    def lines(self) -> Iterator[str]:
        """The report."""
        for name in ("tcp", "sctp"):
            rows = [row for row in self.table() if row[0] == name]
            met = [row for row in rows if row[4]]
            least = min((row[4] for row in met), default=0)
            yield f"cells of {name}'s grid that segments met: {len(met)} of {len(rows)}; the rarest {least} times"
            yield from (
                f"{name} {direction} {kind} in {state}: never" for _, direction, kind, state, count in rows if not count
            )
