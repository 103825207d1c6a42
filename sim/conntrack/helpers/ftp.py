"""The FTP helper: reads PORT and EPRT from the client, 227 and 229 from the server, and expects the data connection.

As nf_conntrack_ftp.c, Linux 6.18 (RFC 959, 1123, 2428). It looks only at segments that begin a line: it remembers, for each
direction, the sequence numbers behind the last two newlines. A line that is cut off in the middle of what it looks for is
dropped: the sender will say it again, whole. Text only; what NAT writes into it is not here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from sim.conntrack.helpers.help import ESTABLISHED, Help, Helper, Policy
from sim.conntrack.helpers.numbers import ipv6, is_digit
from sim.conntrack.words import ACCEPT
from sim.units import Address, show_address

REMEMBERED: Final = 2
"""NUM_SEQ_TO_REMEMBER."""


class Lines:
    """Where lines begin, for each direction (struct nf_ct_ftp_master). Sequence numbers are modulo 2**32."""

    def __init__(self) -> None:
        self.after: tuple[list[int], list[int]] = ([], [])

    def begins(self, direction: int, seq: int) -> bool:
        """Whether a line begins at `seq`."""
        return seq in self.after[direction]

    def learn(self, direction: int, seq: int) -> None:
        """A newline stood in front of `seq`: it takes the place of the oldest unless that is younger (update_nl_seq)."""
        known = self.after[direction]
        if seq in known:
            return
        if len(known) < REMEMBERED:
            known.append(seq)
            return
        oldest = 0 if _before(known[0], known[1]) else 1
        if _before(known[oldest], seq):
            known[oldest] = seq


def _before(one: int, other: int) -> bool:
    return (one - other) & 0xFFFFFFFF > 0x7FFFFFFF


@dataclass(slots=True)
class Named:
    """What the text names: an address (at first the speaker's own) and a port."""

    address: Address
    port: int = 0


class Match(NamedTuple):
    """Where the numbers stand: `at` in the payload, and their length."""

    at: int
    length: int


def _numbers(data: bytes, count: int, separator: int, end: int | None) -> tuple[list[int], int]:
    """`count` numbers and the length of their text, 0 when they are not there. `end` None: any character ends them (try_number)."""
    found = [0] * count
    index = 0
    for at, byte in enumerate(data):
        if is_digit(byte):
            found[index] = (found[index] * 10 + byte - 48) & 0xFFFFFFFF
        elif byte == separator:
            index += 1
            if index == count:
                break
        else:
            return found, at if (end is None or byte == end) and index == count - 1 else 0
    return found, 0


def _four(numbers: list[int]) -> Address:
    """Four numbers as an address: what is above 255 runs over into its neighbour, as in the kernel."""
    value = numbers[0] << 24 | numbers[1] << 16 | numbers[2] << 8 | numbers[3]
    return (value & 0xFFFFFFFF).to_bytes(4)


def _six(data: bytes, at: int, end: int | None, named: Named) -> Match:
    """192,168,1,10,200,10 (RFC 959)."""
    numbers, length = _numbers(data[at:], 6, 44, end)
    if length:
        named.address, named.port = _four(numbers), (numbers[4] << 8 | numbers[5]) & 0xFFFF
    return Match(at, length)


def _port(data: bytes, at: int, named: Named) -> Match:
    """PORT h1,h2,h3,h4,p1,p2"""
    return _six(data, at, 13, named)


def _pasv(data: bytes, at: int, named: Named) -> Match:
    """227: the first digit begins the numbers, with or without brackets (RFC 1123, section 4.1.2.6)."""
    while at < len(data) and not is_digit(data[at]):
        at += 1
    return _six(data, at, None, named)


def _delimited_port(data: bytes, at: int, delimiter: int, named: Named) -> int:
    """A port and a delimiter: the offset behind, or 0 (get_port)."""
    port = 0
    for index in range(at, len(data)):
        if data[index] == delimiter:
            named.port = port
            return index + 1 if port else 0
        if not is_digit(data[index]):
            return 0
        port = (port * 10 + data[index] - 48) & 0xFFFF
    return 0


def _delimiter(text: bytes) -> int | None:
    """The character with which EPRT and EPSV divide: the first one, printable and no digit."""
    return text[0] if len(text) > 3 and not is_digit(text[0]) and 33 <= text[0] <= 126 else None


def _eprt(data: bytes, at: int, named: Named) -> Match:
    """EPRT |1|192.168.1.10|51210| or |2|fd00::1|51210| (RFC 2428)."""
    text = data[at:]
    delimiter = _delimiter(text)
    wanted = 49 if len(named.address) == 4 else 50
    if delimiter is None or text[2] != delimiter or text[1] != wanted:
        return Match(at, 0)
    if wanted == 49:
        numbers, length = _numbers(text[3:], 4, 46, delimiter)
        if length:
            named.address = _four(numbers)
    else:
        found = ipv6(text, 3, len(text), delimiter)
        length = found[1] - 3 if found else 0
        if found:
            named.address = found[0]
    return Match(at, _delimited_port(text, 3 + length + 1, delimiter, named) if length else 0)


def _epsv(data: bytes, at: int, named: Named) -> Match:
    """229 … (|||51210|): the server's own address (RFC 2428)."""
    text = data[at:]
    delimiter = _delimiter(text)
    if delimiter is None or text[1] != delimiter or text[2] != delimiter:
        return Match(at, 0)
    return Match(at, _delimited_port(text, 3, delimiter, named))


class Search(NamedTuple):
    """What to look for: the line's beginning, the character behind which the numbers stand, and how to read them."""

    pattern: bytes
    skip: bytes
    read: Callable[[bytes, int, Named], Match]
    word: str


SEARCHES: Final = (
    (Search(b"PORT", b" ", _port, "PORT"), Search(b"EPRT", b" ", _eprt, "EPRT")),
    (Search(b"227 ", b"", _pasv, "227"), Search(b"229 ", b"(", _epsv, "229")),
)
"""By direction: what the client says, what the server says."""
PARTIAL: Final = Match(-1, 0)


def find(data: bytes, search: Search, named: Named) -> Match | None:
    """Where the numbers stand; PARTIAL when only a beginning is there; None when it is another line (find_pattern)."""
    size = len(search.pattern)
    if len(data) <= size:
        return PARTIAL if search.pattern.startswith(data.upper()) else None
    if data[:size].upper() != search.pattern:
        return None
    at = size
    if search.skip:
        at = data.find(search.skip, size) + 1
        if not at:
            return PARTIAL
    found = search.read(data, at, named)
    return found if found.length else PARTIAL


def _look(help: Help, data: bytes) -> tuple[int, bool]:
    """The verdict on a segment that begins a line, and whether its end may be remembered."""
    named = Named(help.mine.src)
    for search in SEARCHES[help.direction]:
        found = find(data, search, named)
        if found is PARTIAL:
            why = f"The line begins with {search.word} but what should follow is not all there: the sender must say it again in one piece."
            return help.drop(f"partial matching of `{search.pattern.decode()}'", why), False
        if found is not None:
            return _expect(help, search, named, found), True
    return ACCEPT, True


def _expect(help: Help, search: Search, named: Named, found: Match) -> int:
    mine, other = help.mine, help.other
    if named.address != mine.src:
        return ACCEPT  # an address that is not the speaker's own might open a way to somebody else: not expected (`loose` is off)
    new = help.expectation(other.src, other.dst, named.port, 6)
    place = f"{show_address(named.address)} port {named.port}"
    if help.direction:
        why = f"The server's answer {search.word} names {place}: the client will open the data connection to it."
    else:
        why = f"The client's {search.word} names {place}: the server will open the data connection to it."
    return help.expect(new, why, found.at, found.length, search.word)


def help_ftp(help: Help) -> int:
    """Look into one segment."""
    data = help.segment()
    if help.ctinfo not in ESTABLISHED or not data:
        return ACCEPT
    lines = help.conn.help
    assert isinstance(lines, Lines)
    packet, direction = help.packet, help.direction
    verdict, learn = ACCEPT, True
    if lines.begins(direction, packet.seq):
        verdict, learn = _look(help, data)
    if learn and data.endswith(b"\n"):
        lines.learn(direction, (packet.seq + len(data)) & 0xFFFFFFFF)
    return verdict


FTP: Final = Helper("ftp", 6, ("ip", "ip6"), (Policy(1),), help_ftp, Lines)
