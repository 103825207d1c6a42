"""The score of a drill: how long what matters could not be reached, and how many live connections died. Measured from the trace.

Downtime is what the scenario's probes found out by really trying (sim/apps/clients.py); lost are the talks that were given up or broken.
A second of downtime of a service costs a point (60 at most), a lost connection 20 (40 at most). Without the goal there are no points.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sim.trace import Reached, Record
from sim.units import SECOND, show_time

MOST_FOR_DOWNTIME, MOST_FOR_LOST, FOR_LOST = 60, 40, 20


@dataclass(frozen=True, slots=True)
class Score:
    """`down`: µs by what was probed; `lost`: the talks that died."""

    down: dict[str, int]
    lost: tuple[str, ...]

    @property
    def seconds(self) -> int:
        """Downtime, all services together, in whole seconds."""
        return sum(self.down.values()) // SECOND

    def points(self, reached: bool) -> int:
        """From 0 to 100."""
        if not reached:
            return 0
        return 100 - min(MOST_FOR_DOWNTIME, self.seconds) - min(MOST_FOR_LOST, FOR_LOST * len(self.lost))

    def said(self) -> str:
        """What took points, in words."""
        down = ", ".join(f"{name} {show_time(us)}" for name, us in self.down.items() if us)
        return f"{f'downtime: {down}' if down else 'no downtime'}; {lost_words(self.lost)}"

    def message(self, reached: bool) -> dict[str, Any]:
        """For the page and the store."""
        return {"down": self.down, "seconds": self.seconds, "lost": list(self.lost), "points": self.points(reached)}


def lost_words(lost: Sequence[str]) -> str:
    """Which connections were lost, by name."""
    noun = "connection" if len(lost) == 1 else "connections"
    return f"{len(lost)} lost {noun}: {', '.join(lost)}" if lost else "no lost connection"


def score(records: Sequence[Record], until: int, meant: Collection[str] = ()) -> Score:
    """The score by the time `until` (µs). `meant`: talks, as "name (machine)", whose end is what was wanted."""
    down: dict[str, int] = {}
    lost: list[str] = []
    for record in records:
        event = record.event
        if record.time > until or not isinstance(event, Reached):
            continue
        name = f"{event.name} ({record.machine})"
        if event.what == "probe":
            down[name] = event.down
        elif event.what == "talk" and name not in meant and event.reason.code not in ("answered", "silence"):
            lost.append(name)
    return Score(down, tuple(lost))
