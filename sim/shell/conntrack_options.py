"""conntrack's command line read: a Request, or a Complaint in the words of conntrack-tools 1.4.7. The tables are in conntrack_words.py.

As getopt_long reads: options in any order, short ones together, long ones cut short; the first word behind a command is its table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from sim.ruleset.iptables.names import PROTOCOL_NUMBERS
from sim.shell.conntrack_values import (
    Complaint,
    bits_of,
    decimal,
    network,
    number,
    one_of,
    split,
    split_port,
)
from sim.shell.conntrack_words import (
    ATTACHED,
    COMMANDS,
    DCCP_STATES,
    EVENTS,
    KINDS,
    OPTIONS,
    OUTPUTS,
    SCTP_STATES,
    SHORT,
    STATUS,
    TABLES,
    TCP_STATES,
    Kind,
)
from sim.units import Address

SEEN_REPLY = 2
_STATES = {6: (TCP_STATES, "unknown TCP state"), 132: (SCTP_STATES, "unknown SCTP state"), 33: (DCCP_STATES, "Unknown DCCP state")}
_ENDS = {"s": "src", "d": "dst", "r": "reply-src", "q": "reply-dst", "[": "tuple-src", "]": "tuple-dst", "{": "mask-src", "}": "mask-dst"}
_MASKED = {"s": "{", "d": "}", "[": "{", "]": "}"}


@dataclass(slots=True)
class Request:
    """A command line that makes sense.

    `command` is the letter, `bare` says that none was given (then -h); `given` the options' keys, `family` 4, 6 or 0;
    `ends`: addresses by src, dst, reply-src, reply-dst, tuple-src ...; `special`: the protocol's own numbers by their first names;
    `mark`: value and mask, `mark_asked` those that the kernel is asked for: a -u behind -m changes the former alone;
    `status`, `status_off`: bits to be set, bits to be clear; `snat`, `dnat`: address and port; `labels`,
    `label_changes`: names; `known`: all of the machine's, once labels are asked for; `events`, `outputs`: bits of the tables;
    `warnings`: what the tool says on the way.
    """

    command: str = "h"
    table: str = "conntrack"
    bare: bool = True
    given: set[str] = field(default_factory=set)
    family: int = 0
    ends: dict[str, Address] = field(default_factory=dict)
    protonum: int | None = None
    special: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    mark: tuple[int, int] = (0, 0xFFFFFFFF)
    mark_asked: tuple[int, int] = (0, 0xFFFFFFFF)
    status: int = 0
    status_off: int = 0
    snat: tuple[Address | None, int | None] = (None, None)
    dnat: tuple[Address | None, int | None] = (None, None)
    labels: list[str] = field(default_factory=list)
    known: dict[str, int] | None = None
    label_changes: list[str] = field(default_factory=list)
    events: int = 0
    outputs: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The command, with an x before it for the table of expectations."""
        return f"x{self.command}" if self.table == "expect" else self.command

    @property
    def kind(self) -> Kind | None:
        """What the protocol adds, if it is known."""
        return KINDS.get(self.protonum) if self.protonum is not None else None


class _Reader:
    """Reads the words from left to right."""

    def __init__(self, words: list[str], warnings: list[str]) -> None:
        self.words, self._all = list(words), ["conntrack", *words]
        self.request = Request(warnings=warnings)

    def read(self) -> Request:
        while self.words:
            word = self.words.pop(0)
            if word == "--":
                break
            if word.startswith("--"):
                self._long(word)
            elif word.startswith("-") and len(word) > 1:
                self._cluster(word)
        return self.request

    def _cluster(self, word: str) -> None:
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in COMMANDS:
                attached = letter in ATTACHED and bool(letters)
                self._command(letter, attached)
                letters = "" if attached else letters
                continue
            if letter not in SHORT:
                named = self._all[-len(self.words) - 2] if letters else word  # getopt is not yet behind a word that has more letters
                raise Complaint(f"unknown option `{named}'")
            wants = OPTIONS[letter][1]
            if wants == 1 and not letters and not self.words:
                raise Complaint(f"option `{word}' requires an argument")
            value: str | None = None
            if wants == 1:
                value, letters = (letters, "") if letters else (self.words.pop(0), "")
            elif wants == 2:
                value, letters = (None if letters else self._optional()), ""
            self._option(letter, value)

    def _long(self, word: str) -> None:
        name, equals, value = word[2:].partition("=")
        kind, key, wants = self._find(name, word)
        if wants == 0 and equals:
            raise Complaint(f"unknown option `{word}'")
        given: str | None = value if equals else None
        if kind == "command":
            self._command(key, bool(equals))
            return
        if wants == 1 and not equals:
            if not self.words:
                raise Complaint(f"option `{word}' requires an argument")
            given = self.words.pop(0)
        elif wants == 2:
            given = None if equals else self._optional()
        if kind == "special":
            self._special(key, given or "")
        else:
            self._option(key, given)

    def _find(self, name: str, word: str) -> tuple[str, str, int]:
        known: dict[str, tuple[str, str, int]] = {long: ("command", letter, 2) for letter, long in COMMANDS.items()}
        known |= {long: ("option", key, wants) for key, (longs, wants) in OPTIONS.items() for long in longs}
        kind = self.request.kind
        known |= {long: ("special", names[0], 1) for names in (kind.options if kind else ()) for long in names}
        found = {known[long] for long in ([name] if name in known else known) if long.startswith(name)}
        if not name or len(found) != 1:
            raise Complaint(f"unknown option `{word}'")
        return found.pop()

    def _optional(self) -> str | None:
        """The value that may follow, or the table's name (get_optional_arg)."""
        return self.words.pop(0) if self.words and self.words[0][:1] not in ("-", "!") else None

    def _command(self, letter: str, attached: bool) -> None:
        request, table = self.request, "conntrack"
        name = None if attached else self._optional()
        if name is not None:
            table = next((each for each in TABLES if each.startswith(name)), "")
            if not table:
                raise Complaint(f"unknown type `{name}'")
        if table in ("dying", "unconfirmed") and letter != "L":
            raise Complaint("Can't do that command with tables `dying' and `unconfirmed'")
        if table == "expect" and letter in "UA":
            raise Complaint(f"Can't do --{COMMANDS[letter]} on expectations")
        if not request.bare:
            raise Complaint("Invalid commands combination")
        request.bare, request.command, request.table = False, letter, table

    # ---- values ------------------------------------------------------------------------------------------------------

    def _option(self, key: str, value: str | None) -> None:
        request, text = self.request, value or ""
        if key == "a":
            request.warnings.append("WARNING: ignoring -a, deprecated option.")
            return
        if key in _ENDS:
            self._address(key, text)
        elif key in "ngj":
            request.given.add(key)
            if value is not None:
                self._nat(key, text)
        elif key in "l<>":
            self._label(key, value)
        else:
            _VALUES[key](request, text)
        request.given.add(key)

    def _address(self, key: str, text: str) -> None:
        request = self.request
        address, length = network(text)
        self._family(address)
        if length is not None and key not in _MASKED:
            raise Complaint(f"CIDR notation unavailable for `--{_LONG[key]}'")
        if length == -1:
            raise Complaint("Invalid netmask")
        request.ends[_ENDS[key]] = address
        if length is not None and length != len(address) * 8:
            bits = len(address) * 8
            request.ends[_ENDS[_MASKED[key]]] = ((1 << bits) - (1 << bits - length)).to_bytes(len(address))
            request.given.add(_MASKED[key])

    def _family(self, address: Address) -> None:
        family = 4 if len(address) == 4 else 6
        if self.request.family not in (0, family):
            raise Complaint("mismatched address family")
        self.request.family = family

    def _nat(self, key: str, text: str) -> None:
        name, port = split_port(text)
        address, length = network(name)
        self._family(address)
        if length is not None:
            raise Complaint(f"CIDR notation unavailable for `--{_LONG[key]}'")
        if key in "nj":
            self.request.snat = (address, port)
        if key in "gj":
            self.request.dnat = (address, port)

    def _label(self, key: str, value: str | None) -> None:
        request = self.request
        if {"<", ">"} <= request.given | {key}:
            raise Complaint("cannot use --label-add and --label-del at the same time", 1)
        if value is not None:
            (request.labels if key == "l" else request.label_changes).extend(value.split(","))

    def _special(self, name: str, text: str) -> None:
        request = self.request
        assert request.protonum is not None
        if name == "state":
            states, words = _STATES[request.protonum]
            if text not in states and not (request.protonum == 6 and text == "LISTEN"):
                raise Complaint(f"{words} `{text}'")
            request.special[name] = 9 if text == "LISTEN" else states.index(text)
        elif name == "role":
            if not any(role.startswith(text.lower()) for role in ("client", "server")):
                raise Complaint(f"Unknown DCCP role `{text}'")
            request.special[name] = int(not "client".startswith(text.lower()))
        elif request.protonum == 47:
            request.special[name] = number(text) & 0xFFFF
        else:
            wide = 0xFFFFFFFF if "vtag" in name else 0xFF if name.endswith(("-type", "-code")) else 0xFFFF
            request.special[name] = decimal(text) & wide


_LONG = {"r": "reply-src", "q": "reply-dst", "n": "src-nat", "g": "dst-nat", "j": "any-nat", "{": "mask-src", "}": "mask-dst"}


def _protocol(request: Request, text: str) -> None:
    names = {kind.name: number_ for number_, kind in KINDS.items()}
    found = names.get(text.lower(), PROTOCOL_NUMBERS.get(text))
    if found is None and re.fullmatch(r"\s*(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)", text) and number(text) <= 255:
        found = number(text)
    if found is None:
        raise Complaint(f"`{text}' unsupported protocol")
    request.protonum = found


def _family(request: Request, text: str) -> None:
    if not text.startswith(("ipv4", "ipv6")):
        raise Complaint(f"`{text}' unsupported protocol")
    family = int(text[3])
    if request.family not in (0, family):
        raise Complaint("mismatched address family")
    request.family = family


def _mark(request: Request, text: str) -> None:
    value, slash, mask = text.partition("/")
    request.mark = request.mark_asked = (number(value) & 0xFFFFFFFF, number(mask) & 0xFFFFFFFF if slash else 0xFFFFFFFF)


def _status(request: Request, text: str) -> None:
    for word, rest in split(text):
        negated = word.startswith("!")
        name = word[negated:]
        if not negated and name.startswith("UNREPLIED"):
            request.status_off |= SEEN_REPLY
            continue
        bits = one_of(request.warnings, name, STATUS)
        if bits is None:
            raise Complaint(f"Bad parameter `{rest[negated:]}'")
        if negated:
            request.status_off |= bits
        else:
            request.status |= bits
    request.mark = request.status, request.mark[1]  # the tool keeps them in one place


def _outputs(request: Request, text: str) -> None:
    request.outputs |= bits_of(request.warnings, text, OUTPUTS)
    if request.outputs & 64 and request.outputs & ~64:
        raise Complaint("cannot combine save output with any other output type, use -o save only", 1)


def _events(request: Request, text: str) -> None:
    request.events |= bits_of(request.warnings, text, EVENTS)


def _bounded(key: str, most: int) -> Callable[[Request, str], None]:
    def read(request: Request, text: str) -> None:
        request.numbers[key] = number(text) & most

    return read


def _timeout(request: Request, text: str) -> None:
    request.numbers["t"] = decimal(text) & 0xFFFFFFFF


def _size(request: Request, text: str) -> None:
    request.numbers["b"] = decimal(text)


def _zero(request: Request, text: str) -> None:
    return


_VALUES: dict[str, Callable[[Request, str], None]] = {
    "p": _protocol, "f": _family, "m": _mark, "u": _status, "o": _outputs, "e": _events, "t": _timeout, "b": _size, "z": _zero,
    "w": _bounded("w", 0xFFFF), "(": _bounded("(", 0xFFFF), ")": _bounded(")", 0xFFFF), "c": _bounded("c", 0xFFFFFFFF),
    "i": _bounded("i", 0xFFFFFFFF),
}  # fmt: skip


def parse(argv: list[str], warnings: list[str], so_far: Callable[[Request], None] = lambda request: None) -> Request:
    """Read a command line, but for labels' names and what goes with what (conntrack_check.py). Raises Complaint.

    `warnings` gets what the tool says on the way, were the line refused in the end; `so_far` what was read ahead of a mistake.
    """
    reader = _Reader(argv[1:], warnings)
    try:
        request = reader.read()
    except Complaint:
        so_far(reader.request)
        raise
    if not request.family and (request.command not in "LUDGFEh" or request.table == "expect"):
        request.family = 4
    return request
