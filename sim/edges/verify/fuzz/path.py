"""Path: two ends that speak with each other, and the device of the firewall by which each one's packets come. Spoken: who does so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from sim.units import Address, parse_address

if TYPE_CHECKING:
    from sim.edges.verify.fuzz.shadow import Shadow


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


class View(NamedTuple):
    """How a packet is addressed where it is sent."""

    src: Address
    dst: Address
    sport: int
    dport: int


class Said(NamedTuple):
    """A message on its way: of which end, how addressed, and the bytes behind the IP header."""

    way: int
    view: View
    message: bytes


class Spoken(ABC):
    """What every talk is: a path, two ports (or an id, first), a protocol. Says how a packet of each way is addressed."""

    number = 0

    def __init__(self, random: Random, path: Path, ports: tuple[int, int], shadow: Shadow, wrong: float) -> None:
        self.path = path
        self._random, self._ports, self._shadow, self._wrong = random, ports, shadow, wrong

    @abstractmethod
    def next(self) -> Said:
        """The next message."""

    def view(self, way: int) -> View:
        """The answering end answers what came to it, so under NAT not the path's own ends; now and then it does not care."""
        ends, ports = self.path.ends, self._ports
        if way == 1 and self._random.random() > 0.03:
            found = self._shadow.answers((*ends, *ports, self.number))
            if found is not None:
                return View(*found[:4])
        return self._plainly(way)

    def _plainly(self, way: int) -> View:
        ends, ports = self.path.ends, self._ports
        return View(ends[way], ends[1 - way], ports[way], ports[1 - way])

    def device(self, way: int, view: View) -> str | None:
        """Where a packet of that way and view comes in; None: the firewall sends it."""
        return self.path.devs[way] if view.src == self.path.ends[way] else device_of(view.src)


OWN_ADDRESSES: Final = frozenset(map(parse_address, ("192.168.1.1", "203.0.113.2", "fd00:1::1", "fd00:2::1")))
INSIDE: Final = (parse_address("192.168.1.0")[:3], parse_address("fd00:1::")[:8])


def device_of(address: Address) -> str | None:
    """The side on which an address stands; None: the firewall has it."""
    if address in OWN_ADDRESSES:
        return None
    return "lan" if address.startswith(INSIDE) else "wan"
