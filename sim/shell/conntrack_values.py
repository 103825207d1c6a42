"""What stands behind conntrack's options: numbers, addresses, ports and comma lists, read as conntrack-tools 1.4.7 reads them."""

from __future__ import annotations

import ipaddress
import re

from sim.units import Address, inet_aton

_NUMBER = re.compile(r"[ \t\n]*([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)")


def swapped(tag: int) -> int:
    """A verification tag as the tool says and reads it: on machines of the usual kind with its bytes turned round."""
    return int.from_bytes(tag.to_bytes(4), "little")


class Complaint(Exception):
    """The command line is wrong: what the tool says behind its name; `status` 2 with the hint to try -h, 1 without."""

    def __init__(self, text: str, status: int = 2) -> None:
        super().__init__(text)
        self.status = status


def bits_of(warnings: list[str], text: str, table: dict[str, int]) -> int:
    """The bits of a comma list's words. Raises Complaint."""
    found = 0
    for word, rest in split(text):
        bits = one_of(warnings, word, table)
        if bits is None:
            raise Complaint(f"Bad parameter `{rest}'")
        found |= bits
    return found


def split(text: str) -> list[tuple[str, str]]:
    """The words of a comma list, each with itself and all that follows."""
    words = text.split(",")
    return [(word, ",".join(words[at:])) for at, word in enumerate(words)]


def one_of(warnings: list[str], word: str, table: dict[str, int]) -> int | None:
    """Any case, cut short is fine; NAT has options of its own."""
    if not word:
        return None
    for name in ("SRC_NAT", "DST_NAT"):
        if name.startswith(word.upper()):
            warnings.append(f"WARNING: ignoring {name}, use --{name[:3].lower()}-nat instead")
            return 0
    return next((bits for name, bits in table.items() if name.lower().startswith(word.lower())), None)


def whole(text: str) -> bool:
    """Whether all of it is a number."""
    return _NUMBER.fullmatch(text) is not None


_MOST_DIGITS = 30  # more than 64 bits have room for


def number(text: str) -> int:
    """A number as strtoul reads it in base 0: as far as it goes, 0 when it does not begin."""
    match = _NUMBER.match(text)
    if match is None:
        return 0
    digits = match[2]
    if digits[:2].lower() == "0x":
        value = int(digits, 16)
    elif digits.startswith("0"):
        octal = re.match(r"[0-7]*", digits)
        value = int(octal[0] if octal else "0", 8)
    else:
        value = int(digits) if len(digits) < _MOST_DIGITS else 2**64 - 1
    return -value if match[1] == "-" else value


def decimal(text: str) -> int:
    """A number as atol reads it."""
    match = re.match(r"[ \t\n]*([+-]?[0-9]+)", text)
    return int(match[1][:_MOST_DIGITS]) if match else 0


def network(text: str) -> tuple[Address, int | None]:
    """(address, prefix length: None without one, -1 for a bad one). Raises Complaint for what is no address."""
    name, slash, length = text.partition("/")
    address = _parse_address(name)
    if address is None:
        raise Complaint(f"Invalid IP address `{text}'")
    if not slash:
        return address, None
    if not length:
        return address, 0
    good = re.fullmatch(r"\s*\+?[0-9]+", length) is not None and int(length) <= len(address) * 8
    return address, int(length) if good else -1


def _parse_address(text: str) -> Address | None:
    """inet_aton, then inet_pton for IPv6: 10 and 10.1 are addresses too."""
    found = inet_aton(text)
    if found is not None:
        return found
    try:
        return ipaddress.IPv6Address(text).packed
    except ValueError:
        return None


def split_port(text: str) -> tuple[str, int | None]:
    """(address, port or None) of "203.0.113.2:5000" or "[fd00::1]:5000". Raises Complaint."""
    if "[" in text:
        return _bracketed(text)
    name, colon, port = text.partition(":")
    if not colon or ":" in port:
        return text, None
    return name, _port(port)


def _bracketed(text: str) -> tuple[str, int | None]:
    start = text.index("[") + 1
    end = text.find("]", start)
    if end == start:
        raise Complaint("No IPv6 address specified")
    if end < 0:
        raise Complaint("No closing ']' around IPv6 address")
    colon = text.find(":", end)
    return (text, None) if colon < 0 else (text[start:end], _port(text[colon + 1 :]))


def _port(text: str) -> int:
    if not text:
        raise Complaint("No port specified after `:'")
    if not text.isdecimal() or int(text) > 65535:
        raise Complaint(f"Invalid port `{text}'")
    return int(text)
