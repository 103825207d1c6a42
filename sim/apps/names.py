"""Names to addresses, as a program's getaddrinfo finds them: the address itself, then the machine's /etc/hosts.

Not in here: asking a DNS server (resolver.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.errors import UsageError
from sim.units import Address, parse_address

if TYPE_CHECKING:
    from sim.machine.machine import Machine

SERVICES = {
    "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "tftp": 69, "http": 80, "ntp": 123, "https": 443, "syslog": 514,
    "sip": 5060, "sip-tls": 5061, "http-alt": 8080,
}  # fmt: skip
SERVICE_NAMES = {port: name for name, port in SERVICES.items()}


def resolve(machine: Machine, name: str, family: int = 0) -> Address | None:
    """The address of `name`, IPv4 first; `family` 4 or 6 wants that one. None when nobody knows it."""
    for address in _known(machine, name):
        if family in (0, 4 if len(address) == 4 else 6):
            return address
    return None


def _known(machine: Machine, name: str) -> list[Address]:
    try:
        return [parse_address(name)]
    except UsageError:
        pass
    if name in ("localhost", "ip6-localhost"):
        return [parse_address("127.0.0.1"), parse_address("::1")]
    listed = machine.hosts.get(name)
    if listed:
        return [parse_address(listed)]
    own = [address for interface in machine.ip.interfaces.values() for address, _ in interface.addresses]
    return own if name == machine.name else []


def port_number(text: str, highest: int = 65535) -> int | None:
    """A port from its number or its service name; None when it is neither."""
    if text in SERVICES:
        return SERVICES[text]
    return int(text) if text.isdecimal() and 1 <= int(text) <= highest else None
