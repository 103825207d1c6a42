"""Which entries a conntrack command line means: the filters over an entry's view (sim/conntrack/show.py entry_view)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sim.shell.conntrack_options import STATUS, Request, network, number
from sim.units import in_prefix, parse_address

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
    """--src-nat: the reply goes to another address than the original came from; --dst-nat: it comes from another."""

    def source(view: View) -> str:
        return str(view["reply"]["dst"]) if view["reply"]["dst"] != view["original"]["src"] else ""

    def target(view: View) -> str:
        return str(view["reply"]["src"]) if view["reply"]["src"] != view["original"]["dst"] else ""

    def one(own: str, seen: str) -> bool:
        return bool(seen) and in_prefix(parse_address(seen), *network(request.options[own]))

    def test(view: View) -> bool:
        options = request.options
        return (
            ("n" not in options or one("n", source(view)))
            and ("g" not in options or one("g", target(view)))
            and ("j" not in options or one("j", source(view)) or one("j", target(view)))
        )

    return test


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
