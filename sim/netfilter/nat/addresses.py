"""Which of a device's own addresses MASQUERADE speaks from and REDIRECT sends to.

inet_select_addr (net/ipv4/devinet.c), ipv6_dev_get_saddr (net/ipv6/addrconf.c, RFC 6724 section 5), nf_nat_redirect.c; Linux 6.18.
Not in here, because no device has such: deprecated, temporary, home and anycast addresses, labels of `ip addrlabel` beyond the default's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sim.units import LOOPBACK6, Address, in_prefix

Devices = Mapping[str, Sequence[tuple[Address, int]]]
"""Device -> (address, prefix length), in the order in which they were given; the devices in their order."""

LOOPBACK: Final = {4: b"\x7f\0\0\1", 6: LOOPBACK6}
_HOST, _LINK, _GLOBAL = 16, 2, 14  # RFC 4007 scopes: smaller is narrower, but for a host's own
_LABELS: Final = (
    (LOOPBACK6, 128, 0), (bytes(10) + b"\xff\xff" + bytes(4), 96, 4), (bytes(16), 96, 3),
    (b"\x20\1" + bytes(14), 32, 6), (b"\x20\1\0\x10" + bytes(12), 28, 7), (b"\x3f\xfe" + bytes(14), 16, 12),
    (b"\x20\2" + bytes(14), 16, 2), (b"\xfe\xc0" + bytes(14), 10, 11), (b"\xfc" + bytes(15), 7, 5), (bytes(16), 0, 1),
)  # fmt: skip
"""ip6addrlbl_init_table (net/ipv6/addrlabel.c); the longest prefix counts."""


def to_speak_from(devices: Devices, dev: str, near: Address) -> Address | None:
    """The address from which `dev` speaks to its neighbour `near` (IPv4), or to the far end (IPv6); None without any."""
    return _select4(devices, dev, near) if len(near) == 4 else _select6(devices, dev, near)


def _select4(devices: Devices, dev: str, near: Address) -> Address | None:
    first: Address | None = None
    for address, length in _primary(devices.get(dev, ())):
        if in_prefix(near, address, length):
            return address
        first = first or address
    if first is not None:
        return first
    return next((address for one in devices for address, _ in _primary(devices[one])), None)


def _primary(addresses: Sequence[tuple[Address, int]]) -> Iterator[tuple[Address, int]]:
    """IPv4 addresses of universal scope without the secondary ones: a second address in a network that the device is in already."""
    seen: list[tuple[Address, int]] = []
    for address, length in addresses:
        if len(address) != 4 or address[0] == 127 or any(length == other and in_prefix(address, held, other) for held, other in seen):
            continue
        seen.append((address, length))
        yield address, length


def in_order6(addresses: Sequence[tuple[Address, int]]) -> list[tuple[Address, int]]:
    """IPv6 addresses as the kernel keeps a device's: widest scope first, newest first among equals (ipv6_link_dev_addr)."""
    newest_first = [(address, length) for address, length in addresses if len(address) == 16][::-1]
    return sorted(newest_first, key=lambda row: _scope_rank(row[0]))


def _scope_rank(address: Address) -> int:
    return {_GLOBAL: 0, _LINK: 1, _HOST: 2}[_scope(address)]


def _scope(address: Address) -> int:
    if address == LOOPBACK[6]:
        return _HOST
    return _LINK if address[0] == 0xFE and address[1] & 0xC0 == 0x80 else _GLOBAL


def _select6(devices: Devices, dev: str, far: Address) -> Address | None:
    own = _scope(far) == _LINK or far[0] == 0xFF
    best, best_score = None, None
    for one in devices:
        for address, length in in_order6(devices[one]) if one == dev or not own else ():
            score = _score(address, length, far, one == dev)
            if best_score is None or score > best_score:
                best, best_score = address, score
    return best


def _score(address: Address, length: int, far: Address, on_dev: bool) -> tuple[int, ...]:
    """Rules 1, 2, 5, 6 and 8, each better when larger; no more bits count as common than the address's own prefix has."""
    mine, wanted = _scope(address), _scope(far)
    scope = -mine if mine >= wanted else mine - 128
    common = 128 - (int.from_bytes(address) ^ int.from_bytes(far)).bit_length()
    return int(address == far), scope, int(on_dev), int(_label(address) == _label(far)), min(common, length)


def _label(address: Address) -> int:
    return max((length, label) for prefix, length, label in _LABELS if in_prefix(address, prefix, length))[1]


def to_redirect_to(devices: Devices, dev: str, version: int, dst: Address) -> Address | None:
    """The address of `dev` that REDIRECT sends to: its first; for a link-local destination a link-local one (nf_nat_redirect.c)."""
    addresses = devices.get(dev, ())
    if version == 4:
        return next((address for address, _ in addresses if len(address) == 4), None)
    link = _scope(dst) == _LINK
    return next((address for address, _ in in_order6(addresses) if not link or _scope(address) == _LINK), None)
