"""How FTP writes an address and a port: 192,168,1,10,200,10 (RFC 959) and |1|192.168.1.10|51210| (RFC 2428).

Strict, as a client or server is; what a firewall reads out of the same text is conntrack/helpers/ftp.py.
"""

from __future__ import annotations

import re

from sim.errors import UsageError
from sim.units import Address, parse_address, show_address

_SIX = re.compile(r"(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})")
_EPSV = re.compile(r"\(\|\|\|(\d{1,5})\|\)")


def six(address: Address, port: int) -> str:
    """An IPv4 address and a port as PORT and 227 write them."""
    return ",".join(str(number) for number in (*address, port >> 8, port & 255))


def read_six(text: str) -> tuple[Address, int] | None:
    """The first address and port in `text`; None when there is none, or a number is above 255."""
    found = _SIX.search(text)
    numbers = [int(number) for number in found.groups()] if found else [256]
    if max(numbers) > 255:
        return None
    return bytes(numbers[:4]), numbers[4] << 8 | numbers[5]


def read_port(text: str) -> tuple[Address, int] | None:
    """What PORT names; None when it is no address and port."""
    return read_six(text) if _SIX.fullmatch(text.strip()) else None


def eprt(address: Address, port: int) -> str:
    """|1|192.168.1.10|51210|, |2|fd00::1|51210|"""
    return f"|{1 if len(address) == 4 else 2}|{show_address(address)}|{port}|"


def read_eprt(text: str) -> tuple[Address, int] | None:
    """What EPRT names; None when it is no address and port."""
    words = text.strip().split("|")
    if len(words) != 5 or not words[3].isdecimal() or int(words[3]) > 65535:
        return None
    try:
        address = parse_address(words[2])
    except UsageError:
        return None
    return (address, int(words[3])) if words[1] == ("1" if len(address) == 4 else "2") else None


def read_epsv(text: str) -> int | None:
    """The port of a 229; None when there is none."""
    found = _EPSV.search(text)
    return int(found[1]) if found else None
