"""The addresses that SIP's request line and headers name, and parameters of headers: RFC 3261, sections 7.1, 18.2, 20, 25.

As ct_sip_parse_request, ct_sip_parse_header_uri, ct_sip_parse_address_param and ct_sip_parse_numerical_param of nf_conntrack_sip.c,
Linux 6.18. Finding text: sip_text.py.
"""

from __future__ import annotations

from typing import NamedTuple

from sim.conntrack.helpers.sip_text import Found, Header, Message, Wrong
from sim.units import Address


class Uri(NamedTuple):
    """An address: where the `text` found stands, and the offset `end` behind address and port."""

    where: Address
    port: int
    text: Found
    end: int

    @property
    def behind(self) -> int:
        """The offset behind the text found: parameters begin there."""
        return self.text.at + self.text.length


def header_uri(message: Message, kind: Header, at: int = 0, among: bool = False) -> Uri | Wrong | None:
    """The next address in headers of that kind from `at` on; `among`: `at` stands in a list of them (ct_sip_parse_header_uri)."""
    found: Found | Wrong | None = None
    if among:
        found = message.next_value(kind, at)
        while isinstance(found, Wrong):
            at = found.at
            found = message.next_value(kind, at)
    if found is None:
        found = message.header(kind, at)
        while isinstance(found, Wrong):
            found = message.header(kind, found.at)
    if found is None or isinstance(found, Wrong):
        return None
    place = message.place(found.at, len(message.data))
    if place is None:
        return Wrong(found.at)
    return Uri(place[0], place[1], found, place[2])


def request_uri(message: Message) -> Uri | None:
    """The address of a request line (ct_sip_parse_request); without "sip:" the kernel looks at the message's last bytes."""
    limit = len(message.data)
    word = message.letters(0, limit)
    at = word + 1
    if not word or at >= limit:
        return None
    while at < limit - 4:
        if message.data[at] in b"\r\n":
            return None
        if message.says(at, b"sip:"):
            at += 4
            break
        at += 1
    length, shift = message.user_end_point(at, limit)
    place = message.place(at + shift, limit) if length else None
    return None if place is None else Uri(place[0], place[1], Found(at + shift, place[2] - at - shift), place[2])


def address_parameter(message: Message, at: int, name: bytes, brackets: bool) -> tuple[Address, Found] | None:
    """The address behind `name` in the value that goes on at `at`; with `brackets` IPv6's must be in them."""
    limit = message.end_of_value(at)
    found = message.search(at, limit, name)
    if found is None:
        return None
    start = found + len(name)
    read = message.address(start, limit, brackets)
    return None if read is None else (read[0], Found(start, read[1] - start))


def number_parameter(message: Message, at: int, name: bytes) -> tuple[int, Found] | None:
    """The number behind `name`."""
    found = message.search(at, message.end_of_value(at), name)
    if found is None:
        return None
    start = found + len(name)
    value, end = message.number(start)
    return None if end == start else (value, Found(start, end - start))


__all__ = ["Uri", "address_parameter", "header_uri", "number_parameter", "request_uri"]
