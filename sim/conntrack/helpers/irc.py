"""The IRC helper: reads offers of direct connections (DCC) in the client's messages. As nf_conntrack_irc.c, Linux 6.18; IPv4 only.

    PRIVMSG bob :\\1DCC SEND file 3232235786 5555 1000\\1
"""

from __future__ import annotations

from typing import Final

from sim.conntrack.helpers.help import ESTABLISHED, Help, Helper, Policy
from sim.conntrack.helpers.numbers import decimal
from sim.conntrack.words import ACCEPT
from sim.units import show_address

MOST_BYTES: Final = 4095
"""MAX_SEARCH_SIZE."""
OFFERS: Final = (b"SEND ", b"CHAT ", b"MOVE ", b"TSEND ", b"SCHAT ")
SHORTEST: Final = 26
"""What a whole offer takes from the colon on."""


def offer(data: bytes) -> int | None:
    """Where the words behind DCC SEND (or CHAT ...) begin, or None."""
    end, at = len(data), 0
    while at < end - 10 and data[at] in b" \r\n":
        at += 1
    if at < end - 10:
        if data[at : at + 8].upper() != b"PRIVMSG ":
            return None
        at += 8
    while 0 <= (at := data.find(b" :", at)) < end - SHORTEST:
        if data[at + 2 : at + 7] != b"\1DCC ":
            return None
        at += 7
        for word in OFFERS:
            if data.startswith(word, at):
                return at + len(word)
    return None


def place(data: bytes, at: int) -> tuple[int, int, int, int] | None:
    """(address as a number, port, where they begin, where they end) behind the file's name, or None (parse_dcc)."""
    end = len(data)
    while data[at] != 32:
        at += 1
        if at > end - 12:
            return None
    at += 1
    if b"\n" not in data[at:]:
        return None
    address, behind = decimal(data, at)
    while data[behind] == 32:
        behind += 1
    port, last = decimal(data, behind)
    return address & 0xFFFFFFFF, port & 0xFFFF, at, last


def help_irc(help: Help) -> int:
    """Look into one segment of the client's."""
    data = help.segment()[:MOST_BYTES]
    if help.direction or help.ctinfo not in ESTABLISHED or not data:
        return ACCEPT
    words = offer(data)
    named = place(data, words) if words is not None else None
    if named is None:
        return ACCEPT
    number, port, at, end = named
    address = number.to_bytes(4)
    if address not in (help.mine.src, help.other.dst) or not port:
        said, who = show_address(address), show_address(help.mine.src)
        help.tracker.warn(f"nf_conntrack_irc: Forged DCC command from {who}: {said}:{port}")
        return ACCEPT
    new = help.expectation(None, help.other.dst, port, 6)
    return help.expect(new, f"The client offers a direct connection (DCC) on port {port}: anybody may come.", at, end - at)


IRC: Final = Helper("irc", 6, ("ip",), (Policy(8),), help_irc)
