"""A machine's network devices: name, addresses, MTU, up or down. What a link does is network.py's."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.units import Address


@dataclass(slots=True)
class Interface:
    """One device. `addresses` are (address, prefix length) in the order in which they were given; `index` as `ip link` numbers it."""

    name: str
    index: int
    mtu: int = 1500
    up: bool = True
    addresses: list[tuple[Address, int]] = field(default_factory=list)

    @property
    def loopback(self) -> bool:
        """Whether this is lo."""
        return self.name == "lo"

    def address(self, family: int) -> Address | None:
        """The first address of a family (4 or 16 bytes long), None without one."""
        return next((address for address, _ in self.addresses if len(address) == family), None)

    def netmask(self, broadcast: Address) -> Address | None:
        """The netmask of its network that has this broadcast address, None without one."""
        found = next((length for address, length in self.addresses if broadcast_of(address, length) == broadcast), None)
        return None if found is None else (((1 << found) - 1) << (32 - found)).to_bytes(4)


def network_of(address: Address, length: int) -> Address:
    """The network's first address: 192.168.1.0 of 192.168.1.20/24."""
    size = len(address) * 8
    return (int.from_bytes(address) >> (size - length) << (size - length)).to_bytes(len(address))


def broadcast_of(address: Address, length: int) -> Address | None:
    """The directed broadcast address of an IPv4 network; None for IPv6, /31 and /32 (fib_add_ifaddr, net/ipv4/fib_frontend.c)."""
    if len(address) != 4 or length >= 31:
        return None
    return (int.from_bytes(address) | (1 << (32 - length)) - 1).to_bytes(4)
