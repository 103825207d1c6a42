"""In which order nft looks: equalities of fields that touch in a header are fetched at once, in the header's order, wherever they stand.

So a counter between two ports may count less than it seems to: what stands first in the header says where both are looked at (behind a
field that names the next protocol: there). Source: payload_try_merge in nft 1.0.6's rule.c, by what it makes of rules.
Not in here: `!=`, which nft joins as well, into one comparison that means something else (sim/README.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from sim.ruleset.headers import PROTOCOLS
from sim.ruleset.model import Compare, Part, VerdictMap

HEADER = {
    **{f"{protocol} sport": (0, 16) for protocol in ("tcp", "udp", "udplite", "sctp", "dccp", "th")},
    **{f"{protocol} dport": (16, 16) for protocol in ("tcp", "udp", "udplite", "sctp", "dccp", "th")},
    "tcp flags": (104, 8), "tcp window": (112, 16), "tcp checksum": (128, 16), "tcp urgptr": (144, 16), "udp length": (32, 16),
    "udp checksum": (48, 16), "icmp type": (0, 8), "icmp code": (8, 8), "icmp checksum": (16, 16), "icmp id": (32, 16),
    "icmp sequence": (48, 16), "icmpv6 type": (0, 8), "icmpv6 code": (8, 8), "icmpv6 checksum": (16, 16), "icmpv6 id": (32, 16),
    "icmpv6 sequence": (48, 16), "ip length": (16, 16), "ip id": (32, 16), "ip frag-off": (48, 16), "ip ttl": (64, 8),
    "ip protocol": (72, 8), "ip checksum": (80, 16), "ip6 length": (32, 16), "ip6 nexthdr": (48, 8), "ip6 hoplimit": (56, 8),
}  # fmt: skip
"""Where fields stand in their header, in bits, and how wide they are."""
_NEXT = ("ip protocol", "ip6 nexthdr")
_TOGETHER = 32  # bits: one register
_NETWORK = {"ip": 2, "ip6": 10}
P = TypeVar("P", bound=Part)


@dataclass
class _Fetch:
    """Fields that are fetched at once: where they begin and end in the header, where in the rule, and which parts they are."""

    start: int
    end: int
    place: int
    parts: list[int] = field(default_factory=list)


def plain(part: object) -> bool:
    """Whether it is an equality of one field with one number."""
    if not isinstance(part, Compare) or part.selector not in HEADER or part.op != "==" or part.mask is not None or part.braces:
        return False
    return isinstance(part.values, tuple) and len(part.values) == 1 and isinstance(part.values[0], int)


def fetched(parts: tuple[P, ...], family: str) -> tuple[P | Compare, ...]:
    """The parts in the order in which nft has the kernel look; what a field that moved away implied of the protocol stays."""
    places = [place for place, part in enumerate(parts) if plain(part)]
    if len(places) < 2:
        return parts
    moved = [fetch for fetch in _fetches(parts, places) if len(fetch.parts) > 1]
    if all(fetch.parts == list(range(fetch.place, fetch.place + len(fetch.parts))) for fetch in moved):
        return parts
    at = {fetch.place: fetch for fetch in moved}
    away = {place: fetch.place for fetch in moved for place in fetch.parts if place != fetch.place}
    out: list[P | Compare] = []
    for place, part in enumerate(parts):
        if place in at:
            out += [parts[each] for each in at[place].parts]
        elif place not in away:
            out.append(part)
        elif any(not isinstance(each, Compare | VerdictMap) for each in parts[place : away[place]]):
            out += _implied(part, out, family)
    return tuple(out)


def _fetches(parts: tuple[P, ...], places: list[int]) -> Iterator[_Fetch]:
    """Header by header, from its start."""
    headers: dict[str, list[int]] = {}
    for place in places:
        headers.setdefault(_name(parts[place]).split()[0], []).append(place)
    for found in headers.values():
        last: _Fetch | None = None
        for place in sorted(found, key=lambda each: HEADER[_name(parts[each])]):
            start, size = HEADER[_name(parts[place])]
            if last is None or start != last.end or start + size - last.start > _TOGETHER:
                if last is not None:
                    yield last
                last = _Fetch(start, start + size, place, [place])
                continue
            last.end, last.place = start + size, place if _name(parts[place]) in _NEXT else last.place
            last.parts.append(place)
        if last is not None:
            yield last


def _name(part: object) -> str:
    return part.selector if isinstance(part, Compare) else ""


def _implied(part: object, before: list[P | Compare], family: str) -> list[Compare]:
    """The test of the protocol that nft put in front of the field, unless the rule has had one."""
    header = _name(part).split()[0]
    known = any(_name(each).startswith((f"{header} ", "meta l4proto", "ip protocol", "ip6 nexthdr")) for each in before)
    if header in _NETWORK:
        seen = any(_name(each).startswith((f"{header} ", "meta nfproto")) for each in before)
        return [] if seen or family != "inet" else [Compare("meta nfproto", (_NETWORK[header],))]
    return [] if known or header == "th" else [Compare("meta l4proto", (PROTOCOLS[header],))]
