"""Packets that a person writes: one line of text -> the bytes of an IP packet. For scenarios, lessons and tests.

    tcp 203.0.113.9:4444 > 192.168.1.20:22 S seq 1000 win 64240
    tcp 203.0.113.9:4444 > 192.168.1.20:22 FPU seq 1 data "hello" bad-checksum
    udp 192.168.1.10:5060 > 192.168.1.20:5060 data "OPTIONS"
    icmp 192.168.1.10 > 192.168.1.20 echo-request id 7 seq 1
    icmp 192.168.1.1 > 192.168.1.10 port-unreachable about (udp 192.168.1.10:5000 > 192.168.1.20:53)
    ip 192.168.1.10 > 192.168.1.20 proto 47 hex 0000
    udp 192.168.1.10:5000 > 192.168.1.20:53 len 16 ident 7 more-fragments
    ip 192.168.1.10 > 192.168.1.20 proto 17 ident 7 offset 24 hex 0000
    hex 45000028...

Flags are tcpdump's letters: S F R P U E W and `.` for ACK; `none` for none. IPv6 addresses with a port stand in brackets.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from sim import wire
from sim.errors import Malformed, UsageError, did_you_mean
from sim.packet import Packet
from sim.units import Address, parse_address

_LETTERS = {"F": 1, "S": 2, "R": 4, "P": 8, ".": 16, "U": 32, "E": 64, "W": 128}
_ABOUT = re.compile(r"\babout\s*\((.*)\)\s*$")
ICMP = {
    "echo-reply": (0, 0), "echo-request": (8, 0), "net-unreachable": (3, 0), "host-unreachable": (3, 1), "port-unreachable": (3, 3),
    "frag-needed": (3, 4), "admin-prohibited": (3, 13), "time-exceeded": (11, 0), "redirect": (5, 1), "source-quench": (4, 0),
    "parameter-problem": (12, 0), "timestamp-request": (13, 0), "timestamp-reply": (14, 0), "mask-request": (17, 0), "mask-reply": (18, 0),
}  # fmt: skip
ICMPV6 = {
    "echo-request": (128, 0), "echo-reply": (129, 0), "no-route": (1, 0), "admin-prohibited": (1, 1), "address-unreachable": (1, 3),
    "port-unreachable": (1, 4), "packet-too-big": (2, 0), "time-exceeded": (3, 0), "parameter-problem": (4, 0),
}  # fmt: skip
NUMBERS = {
    "seq": 32, "ack": 32, "win": 16, "ttl": 8, "tos": 8, "id": 16, "mtu": 32, "proto": 8, "type": 8, "code": 8, "ident": 16, "offset": 16,
}  # fmt: skip
"""Words with a number behind them: how many bits it has in a header."""
MOST = 65535
"""Bytes that a packet's length can tell (IPv6: behind its header)."""
DEEPEST = 8
"""How often a packet may be about another."""
MARKS = ("bad-checksum", "may-fragment", "more-fragments")
_FLAGS_WORD = re.compile(r"[SFRPUEW.]+|none")
_PROTOCOLS = ("tcp", "udp", "icmp", "ip", "hex")


class _Words:
    """What stood behind the addresses: numbers by name, data, marks like `bad-checksum`."""

    def __init__(self, words: list[str]) -> None:
        self.numbers: dict[str, int] = {}
        self.data = b""
        self.marks: set[str] = set()
        self.flags: int | None = None
        self.kind: str | None = None
        rest = iter(words)
        for word in rest:
            self._take(word, rest)

    def _take(self, word: str, rest: object) -> None:
        follow: Callable[[], str] = lambda: _next(rest, word)  # noqa: E731
        if word in NUMBERS:
            self.numbers[word] = _within(_number(follow(), word), word)
        elif word == "data":
            self.data = follow().encode()
        elif word == "len":
            self.data = bytes(_within(_number(follow(), word), word))
        elif word == "hex":
            self.data = _hex(follow())
        elif word in MARKS:
            self.marks.add(word)
        elif _FLAGS_WORD.fullmatch(word):
            self.flags = 0 if word == "none" else sum(_LETTERS[letter] for letter in set(word))
        elif word in ICMP or word in ICMPV6:
            self.kind = word
        else:
            known = [*NUMBERS, "data", "len", "hex", *MARKS, *ICMP, *ICMPV6]
            raise UsageError(f"'{word}' means nothing in a packet. {did_you_mean(word, known)}".strip())


def _next(rest: object, word: str) -> str:
    value = next(rest, None)  # type: ignore[call-overload]
    if value is None:
        raise UsageError(f"'{word}' wants a value behind it")
    return str(value)


def _number(text: str, word: str) -> int:
    try:
        return int(text, 0)
    except ValueError as error:
        raise UsageError(f"{word}: '{text}' is no number") from error


def _within(number: int, word: str) -> int:
    most = (1 << NUMBERS.get(word, 16)) - 1
    if not 0 <= number <= most:
        raise UsageError(f"{word}: {number} is not from 0 to {most}")
    return number


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is not hexadecimal") from error


def sendable(text: str) -> bytes:
    """The bytes of a packet that a machine can send: an IP header at least must be there. Raises UsageError."""
    data = craft(text)
    try:
        Packet(data)
    except Malformed as error:
        raise UsageError(f"a machine can send this nowhere: {error}") from error
    return data


def craft(text: str, deep: int = 0) -> bytes:
    """The bytes of the packet that `text` describes; `deep`: inside so many others. Raises UsageError saying which word is wrong."""
    inner = b""
    about = _ABOUT.search(text)
    if about and deep == DEEPEST:
        raise UsageError(f"a packet about a packet about a packet ... more than {DEEPEST} deep")
    if about:
        inner, text = craft(about[1], deep + 1), text[: about.start()]
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"cannot read this packet: {error}") from error
    if words[:1] == ["hex"] and len(words) == 2:
        return _with_room(_hex(words[1]), MOST)
    if len(words) < 4 or words[2] != ">" or words[0] not in _BUILDERS:
        hint = did_you_mean(words[0], _PROTOCOLS) if words else ""
        raise UsageError(f"a packet is written like: tcp 10.0.0.1:1000 > 10.0.0.2:80 S seq 1. {hint}".strip())
    (src, sport), (dst, dport) = _end(words[1]), _end(words[3])
    if len(src) != len(dst):
        raise UsageError(f"{words[1]} and {words[3]} are of different IP versions")
    rest = _Words(words[4:])
    _with_room(rest.data, MOST - _HEADERS[words[0]] - (20 if len(src) == 4 else 0))
    return _BUILDERS[words[0]](src, sport, dst, dport, rest, inner)


def _with_room(data: bytes, most: int) -> bytes:
    if len(data) > most:
        raise UsageError(f"{len(data)} bytes are too many: there is room for {most}")
    return data


def _end(text: str) -> tuple[Address, int]:
    bracket = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?", text)
    host, port = (bracket[1], bracket[2]) if bracket else (text, None)
    if not bracket and text.count(":") == 1:
        host, port = text.split(":")
    return parse_address(host), _within(_number(port, "port"), "port") if port else 0


def _tcp(src: Address, sport: int, dst: Address, dport: int, words: _Words, inner: bytes) -> bytes:
    n = words.numbers
    flags = 2 if words.flags is None else words.flags
    seq, ack, window = n.get("seq", 0), n.get("ack", 0), n.get("win", 64240) & 0xFFFF
    segment = wire.tcp(src, dst, sport, dport, seq=seq, ack=ack, flags=flags, window=window, payload=words.data)
    return _ip(src, dst, 6, _spoil(segment, 16, words), words)


def _udp(src: Address, sport: int, dst: Address, dport: int, words: _Words, inner: bytes) -> bytes:
    return _ip(src, dst, 17, _spoil(wire.udp(src, dst, sport, dport, words.data), 6, words), words)


def _icmp(src: Address, sport: int, dst: Address, dport: int, words: _Words, inner: bytes) -> bytes:
    n = words.numbers
    table = ICMP if len(src) == 4 else ICMPV6
    kind, code = table.get(words.kind or "", (n.get("type", table["echo-request"][0]), n.get("code", 0)))
    if words.kind and words.kind not in table:
        raise UsageError(f"{words.kind} is not a kind of {'ICMP' if len(src) == 4 else 'ICMPv6'}")
    rest = n["mtu"] if "mtu" in n else (n.get("id", 0) << 16 | n.get("seq", 0)) & 0xFFFFFFFF
    payload = inner[:1232] or words.data
    message = (
        wire.icmp(kind, code, rest, payload) if len(src) == 4 else wire.icmpv6(src, dst, kind, code, rest, payload)
    )
    return _ip(src, dst, 1 if len(src) == 4 else 58, _spoil(message, 2, words), words)


def _plain(src: Address, sport: int, dst: Address, dport: int, words: _Words, inner: bytes) -> bytes:
    return _ip(src, dst, words.numbers.get("proto", 255) & 255, words.data, words)


def _ip(src: Address, dst: Address, protonum: int, payload: bytes, words: _Words) -> bytes:
    n = words.numbers
    ttl, tos = n.get("ttl", 64) & 255, n.get("tos", 0) & 255
    fragmented = {"ident", "offset"} & set(n) or words.marks - {"bad-checksum"}
    if len(src) == 16:
        if fragmented:
            raise UsageError("ident, offset, may-fragment and more-fragments are words of IPv4's header")
        return wire.ipv6(src, dst, protonum, payload, ttl=ttl, tos=tos)
    packet = wire.ipv4(src, dst, protonum, payload, ttl=ttl, tos=tos, ident=n.get("ident", 0) & 0xFFFF)
    return _as_fragment(packet, words) if fragmented else packet


def _as_fragment(packet: bytes, words: _Words) -> bytes:
    """The IPv4 packet with its place among fragments; one that is a fragment, or may become one, has no DF."""
    offset, more = words.numbers.get("offset", 0), "more-fragments" in words.marks
    if offset % 8 or not 0 <= offset < 1 << 16:
        raise UsageError(f"offset: {offset} is no multiple of 8 below 65536")
    whole = not offset and not more and "may-fragment" not in words.marks
    head = packet[:6] + (offset >> 3 | more << 13 | whole << 14).to_bytes(2) + packet[8:10] + b"\0\0" + packet[12:20]
    return head[:10] + wire.checksum(head).to_bytes(2) + head[12:] + packet[20:]


def _spoil(segment: bytes, at: int, words: _Words) -> bytes:
    """The same segment with a checksum that is wrong, where the text asked for one."""
    if "bad-checksum" not in words.marks:
        return segment
    return segment[:at] + bytes((segment[at] ^ 0x5A, segment[at + 1] ^ 0xA5)) + segment[at + 2 :]


_HEADERS = {"tcp": 20, "udp": 8, "icmp": 8, "ip": 0}
_BUILDERS = {"tcp": _tcp, "udp": _udp, "icmp": _icmp, "ip": _plain}
