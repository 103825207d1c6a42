"""Time and addresses. Time is an int of microseconds since the scenario's start; an address is its bytes.

An address is `bytes` of length 4 (IPv4) or 16 (IPv6): sliced straight from a packet, hashable, and its length is its family.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Final

from sim.errors import UsageError

MICROSECOND = 1
MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

Address = bytes

_ZEROS = bytes(10)
_UNITS = {"us": MICROSECOND, "µs": MICROSECOND, "ms": MILLISECOND, "s": SECOND, "m": MINUTE, "min": MINUTE, "h": HOUR, "d": DAY}
_TIME = re.compile(r"(\d{1,15}(?:\.\d{1,12})?)\s*(us|µs|ms|s|min|m|h|d)")


def parse_time(text: str | int | float) -> int:
    """Microseconds of "30s", "1.5 ms", "5d", "1h30m"; a bare number is seconds. Raises UsageError."""
    if isinstance(text, int | float):
        return round(text * SECOND)
    word = text.strip()
    if re.fullmatch(r"\d{1,15}(\.\d{1,12})?", word):
        return round(float(word) * SECOND)
    parts = _TIME.findall(word)
    if not parts or _TIME.sub("", word).strip():
        raise UsageError(f"'{text}' is no time: write for example 30s, 200ms, 5m, 1h30m or 5d")
    return sum(round(float(number) * _UNITS[unit]) for number, unit in parts)


def show_time(time: int) -> str:
    """The shortest exact form that `parse_time` reads back: 30s, 200ms, 5d, 1.5s."""
    for unit in ("d", "h", "m", "s", "ms"):
        if time and time % _UNITS[unit] == 0:
            return f"{time // _UNITS[unit]}{unit}"
    if time >= SECOND:
        return f"{time / SECOND:.6f}".rstrip("0").rstrip(".") + "s"
    return f"{time}us" if time else "0s"


def inet_aton(text: str) -> Address | None:
    """The bytes of an IPv4 address in any of the spellings that inet_aton(3) takes (10, 10.1, 0x0a.0.0.1), else None."""
    try:
        return socket.inet_aton(text) if text and not text[0].isspace() else None
    except (OSError, ValueError):
        return None


def parse_address(text: str) -> Address:
    """The bytes of a dotted or colon address. Raises UsageError."""
    try:
        return ipaddress.ip_address(text.strip()).packed
    except ValueError as error:
        raise UsageError(f"'{text}' is no IPv4 or IPv6 address") from error


def show_address(address: Address) -> str:
    """The text of an address, as `ip` and `conntrack` print it."""
    if len(address) == 4:
        return "%d.%d.%d.%d" % tuple(address)
    if address[:10] == _ZEROS and (address[10:12] == b"\xff\xff" or (address[10:12] == b"\0\0" and address[12:14] != b"\0\0")):
        # as inet_ntop has it: an IPv4 address inside shows as one
        return ("::ffff:" if address[10] else "::") + "%d.%d.%d.%d" % tuple(address[12:])
    return str(ipaddress.IPv6Address(address))


def parse_interface(text: str) -> tuple[Address, int]:
    """(address, prefix length) of "192.168.1.20/24"; without a slash the whole address. Raises UsageError."""
    try:
        interface = ipaddress.ip_interface(text.strip())
    except ValueError as error:
        raise UsageError(f"'{text}' is no address with prefix: write for example 192.168.1.20/24") from error
    return interface.ip.packed, interface.network.prefixlen


LOOPBACK6: Final = bytes(15) + b"\1"
"""::1"""


def is_link_local(address: Address) -> bool:
    """Whether this is an IPv6 address of one link only (fe80::/10)."""
    return len(address) == 16 and address[0] == 0xFE and address[1] & 0xC0 == 0x80


def in_prefix(address: Address, network: Address, length: int) -> bool:
    """Whether `address` lies in `network`/`length`; False across families."""
    if len(address) != len(network):
        return False
    shift = len(address) * 8 - length
    return int.from_bytes(address) >> shift == int.from_bytes(network) >> shift
