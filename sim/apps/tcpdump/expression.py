"""Filters as pcap-filter(7) writes them: "tcp port 22 and not src host 10.0.0.1", "tcp[tcpflags] & tcp-syn != 0".

    compile_filter(words) -> a function from (Packet, inbound) to bool. Raises FilterError with libpcap's words.

`and` and `or` bind equally and from the left, `not` binds tighter; a bare id takes the qualifiers of the one before it. Not in here: link
layer primitives (ether, vlan, arp …), gateway, names of hosts and networks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import NoReturn

from sim.packet import Packet
from sim.units import Address

Test = Callable[[Packet, bool], bool]
Number = Callable[[Packet], int | None]
_TOKEN = re.compile(r"\s*(<<|>>|<=|>=|==|!=|&&|\|\||[()\[\]&|!<>=:+\-*/](?<!-(?=[a-z]))|\\?[A-Za-z0-9_.:/-]+|\S)")
_PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132, "icmp": 1, "icmp6": 58, "igmp": 2, "esp": 50, "ah": 51, "gre": 47, "udplite": 136}
_FAMILIES = {"ip": 4, "ip6": 6}
_SERVICES = {"ssh": 22, "domain": 53, "http": 80, "https": 443, "ftp": 21, "smtp": 25, "ntp": 123, "sip": 5060, "tftp": 69}
_CONSTANTS = {
    "tcpflags": 13, "icmptype": 0, "icmpcode": 1, "icmp6type": 0, "icmp6code": 1, "tcp-fin": 1, "tcp-syn": 2, "tcp-rst": 4, "tcp-push": 8,
    "tcp-ack": 16, "tcp-urg": 32, "tcp-ece": 64, "tcp-cwr": 128, "icmp-echoreply": 0, "icmp-unreach": 3, "icmp-sourcequench": 4,
    "icmp-redirect": 5, "icmp-echo": 8, "icmp-timxceed": 11, "icmp-paramprob": 12, "icmp6-echo": 128, "icmp6-echoreply": 129,
    "icmp6-destinationrunreach": 1, "icmp6-packettoobig": 2, "icmp6-timeexceeded": 3,
}  # fmt: skip
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "=": int.__eq__, "==": int.__eq__, "!=": int.__ne__, "<": int.__lt__, ">": int.__gt__, "<=": int.__le__, ">=": int.__ge__,
}  # fmt: skip
_CALCULATE: dict[str, Callable[[int, int], int]] = {
    "&": int.__and__, "|": int.__or__, "<<": int.__lshift__, ">>": int.__rshift__, "+": int.__add__, "-": int.__sub__, "*": int.__mul__,
}  # fmt: skip
_REFUSED = "ether arp rarp vlan mpls gateway broadcast multicast link wlan lldp pppoes decnet atalk ifname rulenum reason".split()


class FilterError(ValueError):
    """No filter; the text is what tcpdump says of it."""


@dataclass(frozen=True, slots=True)
class _Qualifiers:
    """What stands before an id: which family and protocol, which side, what kind of id."""

    family: int = 0
    protonum: int = 0
    side: str = ""
    kind: str = ""


def compile_filter(words: list[str]) -> Test:
    """The filter that the words make; no words: everything. Raises FilterError."""
    source = " ".join(words)
    if not source.strip():
        return lambda packet, inbound: True
    reader = _Reader(_TOKEN.findall(source))
    test = reader.expression()
    if reader.at < len(reader.tokens):
        reader.wrong()
    return test


class _Reader:
    """Tokens to a test, left to right."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at = tokens, 0
        self._before = _Qualifiers(kind="host")

    def wrong(self) -> NoReturn:
        """Raise libpcap's complaint."""
        raise FilterError("can't parse filter expression: syntax error")

    @property
    def next(self) -> str:
        """The token that comes next, or ""."""
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        """Go on behind the next token, and give it."""
        token = self.next
        if not token:
            self.wrong()
        self.at += 1
        return token

    def _took(self, *tokens: str) -> bool:
        found = self.next in tokens
        self.at += found
        return found

    # ---- and, or, not ----------------------------------------------------------------------------------------------------

    def expression(self) -> Test:
        """Factors joined by and, or."""
        test = self._factor()
        while self.next in ("and", "&&", "or", "||"):
            both = self.take() in ("and", "&&")
            test = _join(test, self._factor(), both)
        return test

    def _factor(self) -> Test:
        if self._took("not", "!"):
            inner = self._factor()
            return lambda packet, inbound: not inner(packet, inbound)
        if self.next == "(" and not self._is_arithmetic():
            self.take()
            test = self.expression()
            if not self._took(")"):
                self.wrong()
            return test
        return self._primitive()

    def _is_arithmetic(self) -> bool:
        """Whether the parenthesis that opens here holds a number."""
        return self.tokens[self.at + 1 : self.at + 2] != [] and self.tokens[self.at + 2 : self.at + 3] == ["["]

    # ---- primitives ------------------------------------------------------------------------------------------------------

    def _primitive(self) -> Test:
        token = self.next
        if token in _REFUSED:
            raise FilterError(f"'{token}': right, but not simulated here: there is no link layer")
        if self.tokens[self.at + 1 : self.at + 2] == ["["] or token in ("len", "(") or (token.isdecimal() and self._compared()):
            return self._comparison()
        if self._took("inbound"):
            return lambda packet, inbound: inbound
        if self._took("outbound"):
            return lambda packet, inbound: not inbound
        if token in ("greater", "less"):
            self.take()
            size, least = self._integer(self.take()), token == "greater"
            return lambda packet, inbound: len(packet.data) >= size if least else len(packet.data) <= size
        return self._qualified()

    def _compared(self) -> bool:
        return self.tokens[self.at + 1 : self.at + 2] != [] and self.tokens[self.at + 1] in (*_COMPARE, *_CALCULATE)

    def _qualified(self) -> Test:
        given = self._qualifiers()
        if given == _Qualifiers():
            return self._identified(self._before)
        if given.kind == "proto":
            name = self.take().lstrip("\\")
            number = _PROTOCOLS.get(name) or self._integer(name)
            return _protocol(_Qualifiers(given.family, number))
        if not given.kind and not given.side and self.next in ("", ")", "and", "&&", "or", "||"):
            return _protocol(given)
        given = given if given.kind else _Qualifiers(given.family, given.protonum, given.side, "host")
        self._before = given
        return self._identified(given)

    def _qualifiers(self) -> _Qualifiers:
        family = protonum = 0
        side = kind = ""
        while True:
            if self.next in _FAMILIES and not family:
                family = _FAMILIES[self.take()]
            elif self.next in _PROTOCOLS and not protonum and not kind:
                protonum = _PROTOCOLS[self.take()]
            elif self.next in ("src", "dst") and not side:
                side = self.take()
                if self.next in ("or", "and") and self.tokens[self.at + 1 : self.at + 2] == [{"src": "dst", "dst": "src"}[side]]:
                    side = self.take()
                    self.take()
            elif self.next in ("host", "net", "port", "portrange", "proto") and not kind:
                kind = self.take()
            else:
                return _Qualifiers(family, protonum, side, kind)

    def _identified(self, given: _Qualifiers) -> Test:
        word = self.take()
        if word in ("(", ")", "and", "or", "not", "[", "]") or word in _COMPARE:
            self.wrong()
        if given.kind == "host":
            return _hosts(given, _address(word))
        if given.kind == "net":
            return _networks(given, word)
        low, high = self._ports(word, given.kind)
        return _ports(given, low, high)

    def _ports(self, word: str, kind: str) -> tuple[int, int]:
        first, _, last = word.partition("-")
        if kind == "portrange":
            return self._port(first), self._port(last or first)
        return self._port(word), self._port(word)

    def _port(self, word: str) -> int:
        port = _SERVICES.get(word, -1) if not word.isdecimal() else int(word)
        if port < 0:
            raise FilterError(f"unknown port '{word}'")
        if port > 65535:
            raise FilterError(f"illegal port number {port} > 65535")
        return port

    def _integer(self, word: str) -> int:
        try:
            return int(word, 0)
        except ValueError:
            self.wrong()

    # ---- bytes -----------------------------------------------------------------------------------------------------------

    def _comparison(self) -> Test:
        left = self._number()
        compare = _COMPARE.get(self.take())
        if compare is None:
            self.wrong()
        right = self._number()

        def test(packet: Packet, inbound: bool) -> bool:
            one, other = left(packet), right(packet)
            return one is not None and other is not None and compare(one, other)

        return test

    def _number(self) -> Number:
        number = self._operand()
        while self.next in _CALCULATE:
            number = _calculated(_CALCULATE[self.take()], number, self._operand())
        return number

    def _operand(self) -> Number:
        token = self.take()
        if token == "(":
            number = self._number()
            if not self._took(")"):
                self.wrong()
            return number
        if token == "len":
            return lambda packet: len(packet.data)
        if self.next == "[":
            return self._bytes(token)
        value = _CONSTANTS.get(token)
        value = self._integer(token) if value is None else value
        return lambda packet: value

    def _bytes(self, layer: str) -> Number:
        if layer not in _PROTOCOLS and layer not in _FAMILIES:
            self.wrong()
        self.take()
        parts = [self.take()]
        if ":" in parts[0] and parts[0] != ":":
            parts = parts[0].split(":")
        elif self._took(":"):
            parts.append(self.take())
        at, size = _CONSTANTS.get(parts[0]), self._integer(parts[1]) if parts[1:] else 1
        at = self._integer(parts[0]) if at is None else at
        if not self._took("]") or size not in (1, 2, 4):
            self.wrong()
        return _field(layer, at, size)


def _join(one: Test, other: Test, both: bool) -> Test:
    if both:
        return lambda packet, inbound: one(packet, inbound) and other(packet, inbound)
    return lambda packet, inbound: one(packet, inbound) or other(packet, inbound)


def _calculated(operation: Callable[[int, int], int], one: Number, other: Number) -> Number:
    def number(packet: Packet) -> int | None:
        left, right = one(packet), other(packet)
        return None if left is None or right is None else operation(left, right) & 0xFFFFFFFF

    return number


def _field(layer: str, at: int, size: int) -> Number:
    family, protonum = _FAMILIES.get(layer, 0), _PROTOCOLS.get(layer, 0)

    def number(packet: Packet) -> int | None:
        if (family and packet.version != family) or (protonum and (packet.protonum != protonum or packet.fragment)):
            return None
        start = at if family else packet.l4 + at
        return int.from_bytes(packet.data[start : start + size]) if start + size <= len(packet.data) else None

    return number


def _fits(given: _Qualifiers, packet: Packet) -> bool:
    return given.family in (0, packet.version) and given.protonum in (0, packet.protonum)


def _protocol(given: _Qualifiers) -> Test:
    family = {1: 4, 58: 6}.get(given.protonum, given.family)
    wanted = _Qualifiers(family, given.protonum)
    return lambda packet, inbound: _fits(wanted, packet)


def _sides(given: _Qualifiers, src: bool, dst: bool) -> bool:
    return {"": src or dst, "src": src, "dst": dst, "or": src or dst, "and": src and dst}[given.side]


def _address(word: str) -> Address:
    try:
        return ip_address(word).packed
    except ValueError:
        raise FilterError(f"unknown host '{word}'") from None


def _hosts(given: _Qualifiers, address: Address) -> Test:
    return lambda packet, inbound: _fits(given, packet) and _sides(given, packet.src == address, packet.dst == address)


def _networks(given: _Qualifiers, word: str) -> Test:
    if re.fullmatch(r"\d+(\.\d+){0,2}", word):  # 10.1 means 10.1.0.0/16
        word = f"{word}{'.0' * (3 - word.count('.'))}/{8 * (word.count('.') + 1)}"
    try:
        net = ip_network(word)
    except ValueError:
        raise FilterError(f"non-network bits set in \"{word}\"" if "/" in word else f"unknown network '{word}'") from None

    def test(packet: Packet, inbound: bool) -> bool:
        return _fits(given, packet) and _sides(given, ip_address(packet.src) in net, ip_address(packet.dst) in net)

    return test


def _ports(given: _Qualifiers, low: int, high: int) -> Test:
    def test(packet: Packet, inbound: bool) -> bool:
        if packet.protonum not in (6, 17, 132) or packet.fragment or not _fits(given, packet):
            return False
        return _sides(given, low <= packet.sport <= high, low <= packet.dport <= high)

    return test
