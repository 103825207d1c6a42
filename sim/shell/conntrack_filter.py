"""Which entries a conntrack command line means: the filters over an entry's view (sim/conntrack/show.py entry_view)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sim.shell.conntrack_options import STATUS, Request, endpoint, network, number
from sim.units import Address, in_prefix, parse_address

View = Mapping[str, Any]
Test = Callable[[View], bool]
_ENDS = {"s": ("original", "src"), "d": ("original", "dst"), "r": ("reply", "src"), "q": ("reply", "dst")}
_MASKS = {"s": "mask-src", "d": "mask-dst"}
_SPECIAL = {
    "sport": ("original", "sport"), "dport": ("original", "dport"), "reply-sport": ("reply", "sport"), "reply-dport": ("reply", "dport"),
    "icmp-type": ("original", "type"), "icmp-code": ("original", "code"), "icmp-id": ("original", "id"),
}  # fmt: skip


def tests(request: Request) -> list[Test]:
    """The tests that an entry must all pass."""
    found: list[Test] = []
    if "f" in request.options:
        found.append(lambda view: view["family"] == request.options["f"])
    if request.protonum is not None:
        found.append(lambda view: view["protonum"] == request.protonum)
    for own, (direction, end) in _ENDS.items():
        if own in request.options:
            found.append(_address(direction, end, request.options[own], request.options.get(_MASKS.get(own, ""))))
    for own, value in request.special.items():
        found.append(_special(own, value))
    if "m" in request.options:
        found.append(_mark(request.options["m"]))
    if "w" in request.options:
        found.append(lambda view: view["zone"] == number(request.options["w"]) & 0xFFFF)
    if request.options.keys() & {"n", "g", "j"}:
        found.append(_nat(request))
    return found + _status(request.chosen("u", STATUS))


def _address(direction: str, end: str, text: str, mask: str | None) -> Test:
    address, length = network(text)
    if mask is not None:
        length = bin(int.from_bytes(network(mask)[0])).count("1")
    return lambda view: in_prefix(parse_address(view[direction][end]), address, length)


def _special(own: str, value: str) -> Test:
    if own == "state":
        return lambda view: view["state"] == value
    direction, name = _SPECIAL[own]
    wanted = number(value) & 0xFFFF
    return lambda view: view[direction].get(name) == wanted


def _mark(text: str) -> Test:
    value, _, mask = text.partition("/")
    wanted, bits = number(value), number(mask) if mask else 0xFFFFFFFF
    return lambda view: view["mark"] & bits == wanted


def _nat(request: Request) -> Test:
    """--src-nat: the answers go to another address or port than the original came from; --dst-nat: they come from another."""
    wanted = {own: endpoint(request.options[own], own) if request.options[own] else None for own in "ngj" if own in request.options}

    def test(view: View) -> bool:
        source, target = (_changed(view, *ends) for ends in (("src", "sport", "dst", "dport"), ("dst", "dport", "src", "sport")))
        tests = {"n": (source,), "g": (target,), "j": (source, target)}
        return all(any(_meets(found, value) for found in tests[own]) for own, value in wanted.items())

    return test


_Change = tuple[str | None, int | None]


def _changed(view: View, end: str, port: str, answers: str, answer_port: str) -> _Change:
    """(address, port) that NAT put in the place of one end, each None where it left it alone."""
    original, reply = view["original"], view["reply"]
    address = reply[answers] if reply[answers] != original[end] else None
    return address, reply.get(answer_port) if original.get(port) != reply.get(answer_port) else None


def _meets(found: _Change, value: tuple[Address, int | None] | None) -> bool:
    address, port = found
    if value is None:
        return address is not None or port is not None
    return address is not None and parse_address(address) == value[0] and value[1] in (None, port)


def _status(words: frozenset[str]) -> list[Test]:
    found: list[Test] = []
    for word in sorted(words):
        if word == "UNREPLIED":
            found.append(lambda view: bool(view["unreplied"]))
        elif word == "SEEN_REPLY":
            found.append(lambda view: not view["unreplied"])
        elif word == "ASSURED":
            found.append(lambda view: bool(view["assured"]))
        else:
            found.append(lambda view, word=word: word in view["status"])  # type: ignore[misc]
    return found
