"""Finding headers, addresses and numbers in SIP and SDP text, byte for byte as the kernel finds them (RFC 3261, RFC 4566).

As the first half of nf_conntrack_sip.c, Linux 6.18. Offsets count from the message's start; `limit` is its end. The kernel's
searches stop short of a needle that stands at the very end; so do these. What the messages mean: sip.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from sim.conntrack.helpers.numbers import address, is_alpha, is_digit
from sim.units import Address

SIP_PORT: Final = 5060
CR, LF, SPACE, TAB, COLON = 13, 10, 32, 9, 58


class Found(NamedTuple):
    """A value's place: `at`, and its length."""

    at: int
    length: int


class Wrong(NamedTuple):
    """A header is there but what it should hold is not; `at` is how far the search came."""

    at: int


class Message:
    """One message. `size` is the length of an address in its connection's family; `base`: where in the segment it begins.

    Its `data` change where NAT writes into it.
    """

    def __init__(self, data: bytes, size: int, base: int = 0) -> None:
        self.data, self.size, self.base = data, size, base

    def number(self, at: int) -> tuple[int, int]:
        """(number, offset behind) of digits; (0, at) when they are more than 32 bits hold (sip_strtouint)."""
        end = at
        while end < len(self.data) and is_digit(self.data[end]):
            end += 1
        value = int(self.data[at:end] or b"0") if end - at <= 11 else 1 << 32
        return (value, end) if value < 1 << 32 else (0, at)

    def says(self, at: int, word: bytes) -> bool:
        """Whether a word stands there, in large or small letters."""
        return self.data[at : at + len(word)].lower() == word.lower()

    # -- lengths of values; each gives (length, shift), the shift to where the value begins

    def digits(self, at: int, limit: int) -> tuple[int, int]:
        """Digits."""
        end = at
        while end < limit and is_digit(self.data[end]):
            end += 1
        return end - at, 0

    def letters(self, at: int, limit: int) -> int:
        """How many letters."""
        end = at
        while end < limit and is_alpha(self.data[end]):
            end += 1
        return end - at

    def media(self, at: int, limit: int) -> tuple[int, int]:
        """audio 4000"""
        end = at + self.letters(at, limit)
        if end >= limit or self.data[end] != SPACE:
            return 0, 0
        return end + 1 - at + self.digits(end + 1, limit)[0], 0

    def end_point(self, at: int, limit: int) -> tuple[int, int]:
        """address[:port]"""
        found = self.place(at, limit)
        return (0 if found is None else found[2] - at), 0

    def user_end_point(self, at: int, limit: int) -> tuple[int, int]:
        """[user@]address[:port]: the shift goes over the user."""
        end = at
        while end < limit and self.data[end] not in b"@\r\n":
            end += 1
        start = end + 1 if end < limit and self.data[end] == 64 else at
        return self.end_point(start, limit)[0], start - at

    def sdp_address(self, at: int, limit: int) -> tuple[int, int]:
        """A bare address."""
        found = address(self.data, at, limit, self.size)
        return (0 if found is None else found[1] - at), 0

    # -- addresses

    def address(self, at: int, limit: int, brackets: bool = True) -> tuple[Address, int] | None:
        """An address; IPv6's stands in brackets, unless `brackets` says it need not (sip_parse_addr)."""
        if self.size == 4:
            return address(self.data, at, limit, 4)
        open_there = at < limit and self.data[at] == 91
        if brackets and not open_there:
            return None
        found = address(self.data, at + open_there, limit, 16)
        if found is None:
            return None
        closed = found[1] < limit and self.data[found[1]] == 93
        if brackets and not closed:
            return None
        return found[0], found[1] + closed

    def place(self, at: int, limit: int) -> tuple[Address, int, int] | None:
        """(address, port, offset behind) of address[:port]; 5060 where none is said."""
        found = self.address(at, limit)
        port = self.port(found[1], limit) if found else None
        return None if found is None or port is None else (found[0], *port)

    def port(self, at: int, limit: int) -> tuple[int, int] | None:
        """(port, offset behind) of :port, with something behind it; five digits at most, 1024 to 65535 (sip_parse_port)."""
        if at >= limit:
            return None
        if self.data[at] != COLON:
            return SIP_PORT, at
        size = self.digits(at + 1, limit)[0]
        end = at + 1 + size
        if not 0 < size <= 5 or end >= limit:
            return None
        port = int(self.data[at + 1 : end])
        return (port, end) if 1024 <= port <= 65535 else None

    # -- headers

    def continued(self, at: int, limit: int) -> int | None:
        """Over a line's end to a continuation line's text; None when no such line follows."""
        at += 1
        if at >= limit:
            return None
        if self.data[at - 1] == CR and self.data[at] == LF:
            at += 1
            if at >= limit:
                return None
        if self.data[at] not in b" \t":
            return None
        while at < limit and self.data[at] in b" \t":
            at += 1
        return at

    def _blank(self, at: int, limit: int) -> int | None:
        while at < limit:
            if self.data[at] not in b" \t":
                return self.continued(at, limit) if self.data[at] in b"\r\n" else at
            at += 1
        return at

    def search(self, at: int, limit: int, needle: bytes) -> int | None:
        """Where a word stands within a header's value, continuation lines included."""
        limit -= len(needle)
        while at < limit:
            if self.data[at] in b"\r\n":
                after = self.continued(at, limit)
                if after is None:
                    return None
                at = after
            elif self.says(at, needle):
                return at
            at += 1
        return None

    def line_starts(self, at: int, limit: int) -> int | None:
        """Behind the next line's end from `at` on."""
        while at < limit:
            if self.data[at] in b"\r\n":
                at += 1
                if at < limit and self.data[at - 1] == CR and self.data[at] == LF:
                    at += 1
                return at if at < limit else None
            at += 1
        return None

    def header(self, kind: Header, at: int = 0) -> Found | Wrong | None:
        """A header's value, looked for from `at` on (ct_sip_get_header)."""
        limit = len(self.data)
        while (start := self.line_starts(at, limit)) is not None:
            at = start + 1
            if self.data[start] in b" \t":
                continue
            value = self._value(kind, start, limit)
            if value is not None:
                return None if value < 0 else self._match(kind, value, limit)
        return None

    def _value(self, kind: Header, at: int, limit: int) -> int | None:
        """Where the value begins of the header that stands at `at`; None: it is another; -1: it is broken."""
        if limit - at >= len(kind.name) and self.says(at, kind.name):
            at += len(kind.name)
        elif self._is_short(kind, at, limit):
            at += len(kind.short)
        else:
            return None
        colon = self._blank(at, limit)
        if colon is None or colon >= limit or self.data[colon] != COLON or colon + 1 >= limit:
            return -1
        value = self._blank(colon + 1, limit)
        return -1 if value is None else value

    def _is_short(self, kind: Header, at: int, limit: int) -> bool:
        there = kind.short and limit - at >= len(kind.short) + 1 and self.says(at, kind.short)
        return bool(there) and not is_alpha(self.data[at + len(kind.short)])

    def _match(self, kind: Header, at: int, limit: int) -> Found | Wrong:
        start = at
        if kind.search:
            found = self.search(at, limit, kind.search)
            if found is None:
                return Wrong(start)
            at = found + len(kind.search)
        length, shift = kind.length(self, at, limit)
        return Found(at + shift, length) if length else Wrong(start)

    def next_value(self, kind: Header, at: int) -> Found | Wrong | None:
        """The next of several values behind a comma (ct_sip_next_header)."""
        limit = len(self.data)
        comma = self.search(at, limit, b",")
        found = self.search(comma, limit, kind.search) if comma is not None else None
        if found is None:
            return None
        at = found + len(kind.search)
        length, shift = kind.length(self, at, limit)
        return Found(at + shift, length) if length else Wrong(at)

    def parameter(self, at: int, name: bytes) -> Found | None:
        """A parameter's value, up to a semicolon (ct_sip_parse_param)."""
        limit = self.end_of_value(at)
        found = self.search(at, limit, name)
        if found is None:
            return None
        start = found + len(name)
        end = self.search(start, limit, b";")
        return Found(start, (limit if end is None else end) - start)

    def end_of_value(self, at: int) -> int:
        """The comma that ends one of several values, or the message's end."""
        comma = self.search(at, len(self.data), b",")
        return len(self.data) if comma is None else comma

    # -- SDP

    def sdp(self, kind: Header, at: int, stop: Header | None = None) -> Found | Wrong | None:
        """An SDP line's value, looked for from `at` on, not behind a line of kind `stop` (ct_sip_get_sdp_header)."""
        limit = len(self.data)
        while (start := self.line_starts(at, limit)) is not None:
            if stop is not None and limit - start >= len(stop.name) and self.says(start, stop.name):
                return None
            if limit - start >= len(kind.name) and self.says(start, kind.name):
                return self._sdp_value(kind, start + len(kind.name), limit)
            at = start + 1
        return None

    def _sdp_value(self, kind: Header, at: int, limit: int) -> Found | Wrong:
        start = at
        if kind.search:
            found = self._in_line(at, limit - len(kind.search), kind.search)
            if found is None:
                return Wrong(start)
            at = found + len(kind.search)
        length, shift = kind.length(self, at, limit)
        return Found(at + shift, length) if length else Wrong(start)

    def _in_line(self, at: int, limit: int, needle: bytes) -> int | None:
        while at < limit and self.data[at] not in b"\r\n":
            if self.data.startswith(needle, at):
                return at
            at += 1
        return None


class Header(NamedTuple):
    """A header: its name, its short form, what to look for in its value, and how long the value found there is."""

    name: bytes
    short: bytes
    search: bytes
    length: Callable[[Message, int, int], tuple[int, int]]


CSEQ: Final = Header(b"CSeq", b"", b"", Message.digits)
CONTACT: Final = Header(b"Contact", b"m", b"sip:", Message.user_end_point)
FROM: Final = Header(b"From", b"f", b"sip:", Message.user_end_point)
TO: Final = Header(b"To", b"t", b"sip:", Message.user_end_point)
VIA_UDP: Final = Header(b"Via", b"v", b"UDP ", Message.end_point)
VIA_TCP: Final = Header(b"Via", b"v", b"TCP ", Message.end_point)
EXPIRES: Final = Header(b"Expires", b"", b"", Message.digits)
CONTENT_LENGTH: Final = Header(b"Content-Length", b"l", b"", Message.digits)
VERSION: Final = Header(b"v=", b"", b"", Message.digits)
CONNECTION: Final = {
    4: Header(b"c=", b"", b"IN IP4 ", Message.sdp_address),
    16: Header(b"c=", b"", b"IN IP6 ", Message.sdp_address),
}
OWNER: Final = {size: kind._replace(name=b"o=") for size, kind in CONNECTION.items()}
MEDIA: Final = Header(b"m=", b"", b"", Message.media)
