"""conntrack's command line: commands, options, protocol options, and the complaints of conntrack-tools 1.4.7 in its own words.

The table ALLOWED was asked of the tool itself: every command with every option.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from sim.packet import Protocol
from sim.units import Address

TOOL = "conntrack v1.4.7 (conntrack-tools)"
TRY = "Try `conntrack -h' or 'conntrack --help' for more information."

COMMANDS = {
    "L": "dump", "I": "create", "D": "delete", "U": "update", "G": "get", "F": "flush", "E": "event", "V": "version", "h": "help",
    "C": "count", "S": "stats",
}  # fmt: skip
TABLES = ("conntrack", "expect", "dying", "unconfirmed")
# letter or own name -> (long names, wants a value); the first long name is the one that complaints use
OPTIONS: dict[str, tuple[tuple[str, ...], bool]] = {
    "s": (("src", "orig-src"), True), "d": (("dst", "orig-dst"), True), "r": (("reply-src",), True), "q": (("reply-dst",), True),
    "p": (("protonum",), True), "t": (("timeout",), True), "u": (("status",), True), "f": (("family",), True),
    "n": (("src-nat",), True), "g": (("dst-nat",), True), "j": (("any-nat",), True), "m": (("mark",), True), "c": (("secmark",), True),
    "e": (("event-mask",), True), "z": (("zero",), False), "o": (("output",), True), "l": (("label",), True), "w": (("zone",), True),
    "b": (("buffer-size",), True), "orig-zone": (("orig-zone",), True), "reply-zone": (("reply-zone",), True),
    "tuple-src": (("tuple-src",), True), "tuple-dst": (("tuple-dst",), True), "mask-src": (("mask-src",), True),
    "mask-dst": (("mask-dst",), True), "label-add": (("label-add",), True), "label-del": (("label-del",), True),
}  # fmt: skip
_PORTS: dict[str, tuple[str, ...]] = {
    "sport": ("sport", "orig-port-src"),
    "dport": ("dport", "orig-port-dst"),
    "reply-sport": ("reply-port-src",),
    "reply-dport": ("reply-port-dst",),
}
_ICMP: dict[str, tuple[str, ...]] = {"icmp-type": ("icmp-type",), "icmp-code": ("icmp-code",), "icmp-id": ("icmp-id",)}
_ICMP6: dict[str, tuple[str, ...]] = {
    "icmp-type": ("icmpv6-type",),
    "icmp-code": ("icmpv6-code",),
    "icmp-id": ("icmpv6-id",),
}
PROTOCOL_OPTIONS: dict[int, dict[str, tuple[str, ...]]] = {
    6: _PORTS | {"state": ("state",)}, 17: _PORTS, 132: _PORTS | {"state": ("state",)}, 33: _PORTS | {"state": ("state",)}, 136: _PORTS,
    1: _ICMP, 58: _ICMP6,
}  # fmt: skip
TCP_STATES = (
    "NONE",
    "SYN_SENT",
    "SYN_RECV",
    "ESTABLISHED",
    "FIN_WAIT",
    "CLOSE_WAIT",
    "LAST_ACK",
    "TIME_WAIT",
    "CLOSE",
    "LISTEN",
    "SYN_SENT2",
)
_OPTIONAL = "LIDGFECU"
_MAYBE = ("n", "g", "j")  # a value may follow them
STATUS = ("ASSURED", "SEEN_REPLY", "UNSET", "FIXED_TIMEOUT", "EXPECTED", "OFFLOAD", "HW_OFFLOAD", "UNREPLIED")
EVENTS = ("ALL", "NEW", "UPDATES", "DESTROY")
OUTPUTS = ("xml", "extended", "timestamp", "id", "ktimestamp", "labels", "userspace", "save")
_FILTERS = "s d r q p f n g m w orig-zone reply-zone o mask-src mask-dst l".split()
ALLOWED: dict[str, frozenset[str]] = {
    "L": frozenset([*_FILTERS, "u", "j", "c", "z"]), "D": frozenset([*_FILTERS, "u", "t"]), "U": frozenset([*_FILTERS, "u", "t"]),
    "E": frozenset([*_FILTERS, "j", "c", "e", "b"]), "G": frozenset("s d r q p f o w u m".split()), "I": frozenset(OPTIONS),
    "F": frozenset("f"), "C": frozenset(), "S": frozenset(), "V": frozenset(), "h": frozenset(),
}  # fmt: skip
ALLOWED_EXPECT: dict[str, frozenset[str]] = {
    "L": frozenset("fo"),
    "E": frozenset("o"),
    "F": frozenset(),
    "C": frozenset(),
}
NEEDED = {"G": ("p",), "I": ("p", "t")}
NEEDED_EXPECT = {"D": ("s", "d"), "G": ("s", "d"), "I": ("t", "s")}


class Complaint(Exception):
    """The command line is wrong: what the tool says behind its name."""


@dataclass(slots=True)
class Request:
    """A command line that makes sense: the command's letter, the table, options by letter or own name, protocol number.

    `special` are the protocol's own options; `attached`: something stood right behind the command's letter.
    """

    command: str
    table: str = "conntrack"
    options: dict[str, str] = field(default_factory=dict)
    protonum: int | None = None
    special: dict[str, str] = field(default_factory=dict)
    attached: bool = False

    def chosen(self, option: str, known: tuple[str, ...]) -> frozenset[str]:
        """The words of a comma list, as those of `known` they stand for: any case, cut short is fine. Raises Complaint."""
        found: set[str] = set()
        for word in self.options.get(option, "").split(",") if option in self.options else ():
            names = [name for name in known if name.lower().startswith(word.lower())]
            if not names:
                raise Complaint(f"Bad parameter `{word}'")
            found.add(names[0])
        return frozenset(found)


def parse(argv: list[str]) -> Request:
    """Read a command line. Raises Complaint."""
    commands: list[str] = []
    request = Request("")
    operands: list[str] = []
    words = list(argv[1:])
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            _long(word, words, commands, request)
        elif word.startswith("-") and len(word) > 1:
            _short(word[1:], words, commands, request)
        else:
            operands.append(word)
    return _checked(commands, operands, request)


def _short(letters: str, words: list[str], commands: list[str], request: Request) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in COMMANDS:
            commands.append(letter)
            if letter in _OPTIONAL:  # getopt takes what is attached for the command's own; the tool never looks at it
                request.attached = request.attached or bool(letters)
                return
            continue
        if len(letter) != 1 or letter not in OPTIONS:
            raise Complaint(f"unknown option `-{letter}'")
        value = ""
        if letter in _MAYBE:
            value, letters = _next_value([] if letters else words), ""
        elif OPTIONS[letter][1]:
            if not letters and not words:
                raise Complaint(f"option `-{letter}' requires an argument")
            value, letters = (letters, "") if letters else (words.pop(0), "")
        _set(letter, value, request)


def _long(word: str, words: list[str], commands: list[str], request: Request) -> None:
    name, equals, value = word[2:].partition("=")
    special = PROTOCOL_OPTIONS.get(request.protonum if request.protonum is not None else -1, {})
    known = {long: ("command", letter) for letter, long in COMMANDS.items()}
    known |= {long: ("option", own) for own, (longs, _) in OPTIONS.items() for long in longs}
    known |= {long: ("special", own) for own, longs in special.items() for long in longs}
    matches = [name] if name in known else [long for long in known if long.startswith(name)]
    if not name or len({known[long] for long in matches}) != 1:
        raise Complaint(f"unknown option `{word}'")
    kind, own = known[matches[0]]
    if kind == "command":
        commands.append(own)
        return
    if own in _MAYBE and kind == "option":
        value = _next_value([] if equals else words)
    elif kind == "special" or OPTIONS[own][1]:
        if not equals and not words:
            raise Complaint(f"option `{word}' requires an argument")
        value = value if equals else words.pop(0)
    if kind == "special":
        request.special[own] = value
        _check_special(own, value, request)
    else:
        _set(own, value, request)


def _next_value(words: list[str]) -> str:
    """The value that may follow --src-nat; what is attached (-n1.2.3.4) the tool overlooks (get_optional_arg)."""
    return words.pop(0) if words and words[0][:1] not in ("-", "!") else ""


def _check_special(own: str, value: str, request: Request) -> None:
    if own == "state" and request.protonum == Protocol.TCP and value not in TCP_STATES:
        raise Complaint(f"unknown TCP state `{value}'")


def _set(own: str, value: str, request: Request) -> None:
    if own == "o" and "o" in request.options:
        value = f"{request.options['o']},{value}"
    request.options[own] = value
    if own == "p":
        request.protonum = _protocol(value)
    elif own == "f" and value not in ("ipv4", "ipv6"):
        raise Complaint(f"`{value}' unsupported protocol")
    elif own in ("s", "d", "r", "q"):
        network(value)
    elif own in _MAYBE and value:
        endpoint(value, own)
    for option, names in (("u", STATUS), ("e", EVENTS), ("o", OUTPUTS)):
        if own == option:
            request.chosen(option, names)


def _protocol(value: str) -> int:
    names = {protocol.name.lower(): int(protocol) for protocol in Protocol} | {"ipv6-icmp": 58, "ip": 0}
    if value.lower() in names:
        return names[value.lower()]
    if value.isdigit() and int(value) <= 255:
        return int(value)
    raise Complaint(f"`{value}' unsupported protocol")


def network(text: str) -> tuple[Address, int]:
    """(address, prefix length) of "192.168.1.10" or "192.168.1.0/24"; "1.2.3.4/" is everything, as the tool has it. Raises Complaint."""
    name, slash, length = text.partition("/")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        raise Complaint(f"Invalid IP address `{name}'") from None
    bits = address.max_prefixlen
    if not slash:
        return address.packed, bits
    if length and not (length.isdigit() and int(length) <= bits):
        raise Complaint("Invalid netmask")
    return address.packed, int(length or 0)


def endpoint(text: str, own: str) -> tuple[Address, int | None]:
    """(address, port or None) of "203.0.113.2" or "203.0.113.2:5000". Raises Complaint."""
    if "/" in text:
        raise Complaint(f"CIDR notation unavailable for `--{OPTIONS[own][0][0]}'")
    name, colon, port = text.partition(":") if text.count(":") == 1 else (text, "", "")
    address, _ = network(name)
    return address, number(port) & 0xFFFF if colon else None


def _checked(commands: list[str], operands: list[str], request: Request) -> Request:
    if len(commands) > 1:
        raise Complaint("Invalid commands combination")
    request.command = commands[0] if commands else "h"
    if operands and not request.attached:
        if operands[0] not in TABLES:
            raise Complaint(f"unknown type `{operands[0]}'")
        request.table = operands[0]
    expect = request.table == "expect"
    for own in (NEEDED_EXPECT if expect else NEEDED).get(request.command, ()):
        if own not in request.options:
            raise Complaint(f"You need to supply the `--{OPTIONS[own][0][0]}' option for this command")
    allowed = (ALLOWED_EXPECT if expect else ALLOWED).get(request.command, frozenset(OPTIONS))
    for own in OPTIONS:  # in the tool's own order
        if own in request.options and own not in allowed:
            raise Complaint(f"Illegal option `--{OPTIONS[own][0][0]}' with this command")
    for own in ("l", "label-add", "label-del", "c"):
        if own in request.options:
            raise Complaint(f"--{OPTIONS[own][0][0]}: right, but not simulated here")
    _check_masks(request)
    _check_family(request)
    return request


def _check_masks(request: Request) -> None:
    for mask, end in (("mask-src", "s"), ("mask-dst", "d")):
        if mask in request.options and end not in request.options:
            raise Complaint(f"Can't use --{mask} without --{OPTIONS[end][0][0]}")


def _check_family(request: Request) -> None:
    sizes = {len(network(request.options[own])[0]) for own in "sdrq" if own in request.options}
    sizes |= {len(endpoint(request.options[own], own)[0]) for own in _MAYBE if request.options.get(own)}
    if "f" in request.options:
        sizes.add(4 if request.options["f"] == "ipv4" else 16)
    if len(sizes) > 1:
        raise Complaint("mismatched address family")


def number(text: str) -> int:
    """A number as strtoul reads it: as far as it goes, 0 when it does not begin."""
    match = re.match(r"\s*(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)", text)
    digits = match[1] if match else "0"
    if digits[:2].lower() == "0x":
        return int(digits, 16)
    return int(digits, 8) if digits.startswith("0") else int(digits)
