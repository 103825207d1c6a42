"""In which device of the firewall a captured packet arrived. A capture seldom says; then its source does, by the routes.

Not in here: where a packet goes (machine/ip.py decides that).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from sim.errors import UsageError
from sim.units import Address, in_prefix, parse_interface

OWN: Final = ""
"""Not a device: the firewall itself sent it, so it goes through OUTPUT."""
Addresses = Mapping[str, Sequence[str]]
_MOST = 1 << 16


class Arrivals(Protocol):
    """Which device a packet arrived in, or OWN. `interface`: the one that its frame names."""

    def device(self, interface: str | None, data: bytes) -> str: ...


class ByAddress:
    """For a firewall whose addresses are known ("lan" -> ["192.168.1.1/24"], ...).

    A source that is the firewall's own: OWN. Else the interface that the capture names, where the firewall has a device of
    that name. Else the device in whose network the source lies, the narrowest first; else the last, where the default
    route leads. Raises UsageError for an address that is none.
    """

    def __init__(self, addresses: Addresses) -> None:
        rows = [(parse_interface(text), dev) for dev, texts in addresses.items() for text in texts]
        self._own = {address for (address, _), _ in rows}
        outer = [(address, length, dev) for (address, length), dev in rows if dev != "lo"]
        self._networks = sorted(outer, key=lambda row: -row[1])
        self._devices = frozenset(addresses) - {"lo"}
        self._last = [dev for dev in addresses if dev != "lo"][-1]
        self._known: dict[Address, str] = {}

    def device(self, interface: str | None, data: bytes) -> str:
        """The device's name, or OWN."""
        source = source_of(data)
        found = self._known.get(source)
        if found is None:
            found = self._remember(source)
        if found is not OWN and interface in self._devices:
            return str(interface)
        return found

    def _remember(self, source: Address) -> str:
        if len(self._known) > _MOST:
            self._known.clear()
        found = self._known[source] = self._find(source)
        return found

    def _find(self, source: Address) -> str:
        if source in self._own:
            return OWN
        for network, length, dev in self._networks:
            if in_prefix(source, network, length):
                return dev
        return self._last


class BySides:
    """For a firewall without addresses: two devices, and who speaks first stands behind the first.

    An address that is not known yet stands across from the one it speaks with; where neither is known, the source is behind
    the first device. So the two ends of a capture of one connection are apart, whoever they are.
    """

    def __init__(self, devices: tuple[str, str]) -> None:
        self._devices = devices
        self._side: dict[Address, int] = {}

    def device(self, interface: str | None, data: bytes) -> str:
        """The device's name."""
        if interface in self._devices:
            return str(interface)
        source, target = source_of(data), target_of(data)
        side = self._side.get(source)
        if side is None:
            side = self._side[source] = 1 - self._side.get(target, 1)
        if not _to_many(target):
            self._side.setdefault(target, 1 - side)
        return self._devices[side]


def source_of(data: bytes) -> Address:
    """The source address of a raw IP packet; b"" where it is cut off."""
    return data[12:16] if data[0] >> 4 == 4 else data[8:24]


def target_of(data: bytes) -> Address:
    """The destination address of a raw IP packet; b"" where it is cut off."""
    return data[16:20] if data[0] >> 4 == 4 else data[24:40]


def _to_many(address: Address) -> bool:
    """Multicast or the limited broadcast."""
    if len(address) == 4:
        return address[0] >= 224
    return address[:1] == b"\xff"


def read_addresses(texts: Sequence[str]) -> dict[str, list[str]]:
    """["lan=192.168.1.1/24", ...] -> device -> addresses, in the order given. Raises UsageError."""
    found: dict[str, list[str]] = {}
    for text in texts:
        dev, equals, address = text.partition("=")
        if not (dev and equals and address):
            raise UsageError(f"--addr {text}: write DEV=ADDRESS/LENGTH, for example lan=192.168.1.1/24")
        try:
            parse_interface(address)
        except UsageError as error:
            raise UsageError(f"--addr {text}: {error}") from error
        found.setdefault(dev, []).append(address)
    return found
