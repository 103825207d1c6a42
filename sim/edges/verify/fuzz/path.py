"""Path: two ends that speak with each other, and the device of the firewall by which each one's packets come."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from sim.units import Address, parse_address


class Path(NamedTuple):
    """`ends` and the device of each; None: the firewall itself."""

    ends: tuple[Address, Address]
    devs: tuple[str | None, str | None]

    @property
    def version(self) -> int:
        """4 or 6."""
        return 4 if len(self.ends[0]) == 4 else 6


def _path(one: str, dev: str | None, other: str, other_dev: str | None) -> Path:
    return Path((parse_address(one), parse_address(other)), (dev, other_dev))


THROUGH: Final = (
    _path("192.168.1.10", "lan", "203.0.113.9", "wan"), _path("192.168.1.11", "lan", "198.51.100.7", "wan"),
    _path("198.51.100.50", "wan", "192.168.1.77", "lan"),
    _path("fd00:1::10", "lan", "fd00:2::9", "wan"), _path("2001:db8::50", "wan", "fd00:1::77", "lan"),
)  # fmt: skip
OWN: Final = (
    _path("192.168.1.10", "lan", "192.168.1.1", None), _path("203.0.113.2", None, "203.0.113.9", "wan"),
    _path("fd00:1::10", "lan", "fd00:1::1", None), _path("fd00:2::1", None, "fd00:2::9", "wan"),
)  # fmt: skip
"""To the firewall, and from it."""


def draw_path(random: Random, own: float = 0.25) -> Path:
    """One of them; `own` is the share of those with the firewall at one end."""
    return random.choice(OWN if random.random() < own else THROUGH)
