"""One line a packet, as tcpdump 4.99.3 -n prints it. `Printer` remembers each TCP connection's first numbers, to print the rest relative.

The payload's own protocol is told for DNS, and by its first line for HTTP, FTP, SMTP, SIP; all other payload is a length. -v adds the
line of the IP header.
"""

from __future__ import annotations

from sim.apps.tcpdump import icmp
from sim.apps.tcpdump.payload import application
from sim.errors import Malformed
from sim.packet import Packet, protocol_name
from sim.units import show_address
from sim.wire import checksum, pseudo_header, transport_checksum_ok

_FLAGS = ((1, "F"), (2, "S"), (4, "R"), (8, "P"), (16, "."), (32, "U"), (64, "E"), (128, "W"))
_PROTOCOL_TEXT = {1: "ICMP", 2: "IGMP", 6: "TCP", 17: "UDP", 47: "GRE", 50: "ESP", 51: "AH", 58: "ICMPv6", 132: "SCTP", 136: "UDP Lite"}


class Printer:
    """Lines for packets, in the order in which they came."""

    def __init__(self, *, absolute: bool = False, verbose: bool = False, quick: bool = False) -> None:
        self._absolute, self._verbose, self._quick = absolute, verbose, quick
        self._first: dict[tuple[bytes, bytes, int, int], tuple[int, int]] = {}

    def line(self, packet: Packet) -> str:
        """The line, without time and newline."""
        head = "IP" if packet.version == 4 else "IP6"
        if self._verbose:
            head += f" ({_header4(packet) if packet.version == 4 else _header6(packet)})"
            head += "\n    " if packet.version == 4 else " "
        else:
            head += " "
        src, dst = show_address(packet.src), show_address(packet.dst)
        if packet.protonum in (6, 17, 132) and packet.complete and not packet.fragment:
            src, dst = f"{src}.{packet.sport}", f"{dst}.{packet.dport}"
        return f"{head}{src} > {dst}: {self._transport(packet)}"

    def _transport(self, packet: Packet) -> str:
        if packet.fragment:
            return f"frag ({packet.fragment}|{len(packet.data) - packet.l4})" if packet.version == 6 else f"ip-proto-{packet.protonum}"
        if not packet.complete:
            return f" [|{protocol_name(packet.protonum)}]"
        if packet.protonum == 6:
            return self._tcp(packet)
        if packet.protonum == 17:
            return self._udp(packet)
        if packet.protonum in (1, 58):
            return icmp.text(packet, self._verbose) + (_quoted(icmp.quoted(packet)) if self._verbose else "")
        return f" ip-proto-{packet.protonum} {len(packet.data) - packet.l4}"

    # ---- UDP -------------------------------------------------------------------------------------------------------------

    def _udp(self, packet: Packet) -> str:
        length = int.from_bytes(packet.data[packet.l4 + 4 : packet.l4 + 6]) - 8
        payload = packet.data[packet.l4 + 8 : packet.l4 + 8 + max(length, 0)]
        if self._quick:
            return f"UDP, length {length}"
        right = "[udp sum ok] " if self._verbose and packet.version == 6 and _is_right(packet) else ""
        return right + (application(packet, payload, self._verbose) or f"UDP, length {length}")

    # ---- TCP -------------------------------------------------------------------------------------------------------------

    def _tcp(self, packet: Packet) -> str:
        length = max(len(packet.data) - packet.payload, 0)
        if self._quick:
            return f"tcp {length}"
        flags = "".join(letter for bit, letter in _FLAGS if packet.flags & bit) or "none"
        seq, ack, base = self._relative(packet)
        text = f"Flags [{flags}]"
        if self._verbose:
            text += f", {_sum(packet)}"
        if length or packet.flags & 7:
            text += f", seq {seq}" + (f":{(seq + length) & 0xFFFFFFFF}" if length else "")
        if packet.flags & 16:
            text += f", ack {ack}"
        text += f", win {packet.window}"
        if packet.flags & 32:
            text += f", urg {int.from_bytes(packet.data[packet.l4 + 18 : packet.l4 + 20])}"
        options = _options(packet.data[packet.l4 + 20 : packet.payload], base)
        text += f", options [{options}]" if options else ""
        told = application(packet, packet.data[packet.payload :], self._verbose)
        return text + f", length {length}" + (f": {told}" if told else "")

    def _relative(self, packet: Packet) -> tuple[int, int, int]:
        """(seq, ack, what a SACK block is relative to): relative once the connection's first numbers are known."""
        seq, ack = packet.seq, packet.ack
        if self._absolute or not packet.flags & 16:
            return seq, ack, 0
        one, other = (packet.src, packet.sport), (packet.dst, packet.dport)
        back = packet.sport > packet.dport if packet.sport != packet.dport else packet.src > packet.dst
        a, b = (other, one) if back else (one, other)
        key = (a[0], b[0], a[1], b[1])
        known = self._first.get(key)
        if known is None or packet.flags & 2:
            first = (ack - 1 & 0xFFFFFFFF, seq) if back else (seq, ack - 1 & 0xFFFFFFFF)
            self._first[key] = first
            return seq, ack, first[0] if back else first[1]
        mine, theirs = (known[1], known[0]) if back else known
        return (seq - mine) & 0xFFFFFFFF, (ack - theirs) & 0xFFFFFFFF, theirs


def _quoted(data: bytes) -> str:
    """The packet that an ICMP error quotes, on lines of its own, when it is quoted whole."""
    try:
        return f"\n\t{Printer(verbose=True).line(Packet(data))}" if data else ""
    except Malformed:
        return ""


def _is_right(packet: Packet) -> bool:
    return transport_checksum_ok(packet.src, packet.dst, packet.protonum, packet.data[packet.l4 :])


def _sum(packet: Packet) -> str:
    """Whether TCP's checksum is right."""
    segment = packet.data[packet.l4 :]
    found, bare = int.from_bytes(segment[16:18]), segment[:16] + b"\0\0" + segment[18:]
    right = checksum(pseudo_header(packet.src, packet.dst, 6, len(segment)) + bare)
    return f"cksum 0x{found:04x} " + ("(correct)" if found == right else f"(incorrect -> 0x{right:04x})")


def _options(data: bytes, base: int) -> str:
    found: list[str] = []
    while data:
        kind, size = data[0], 1 if data[0] < 2 or len(data) < 2 else data[1]
        if kind > 1 and not 2 <= size <= len(data):
            found.append("[bad opt]" if size < 2 else "[|tcp]")
            break
        found.append(_option(kind, data[2:size], base))
        data = data[size:]
        if kind == 0:
            break
    return ",".join(found)


def _option(kind: int, body: bytes, base: int) -> str:
    if kind < 2:
        return ("eol", "nop")[kind]
    if kind == 2 and len(body) == 2:
        return f"mss {int.from_bytes(body)}"
    if kind == 3 and len(body) == 1:
        return f"wscale {body[0]}"
    if kind == 4 and not body:
        return "sackOK"
    if kind == 5 and len(body) % 8 == 0:
        edges = [(int.from_bytes(body[at : at + 4]) - base) & 0xFFFFFFFF for at in range(0, len(body), 4)]
        blocks = "".join(f"{{{left}:{right}}}" for left, right in zip(edges[::2], edges[1::2], strict=True))
        return f"sack {len(edges) // 2} {blocks}"
    if kind == 8 and len(body) == 8:
        return f"TS val {int.from_bytes(body[:4])} ecr {int.from_bytes(body[4:])}"
    return f"unknown-{kind}" + (f" 0x{body.hex()}" if body else "")


def _header4(packet: Packet) -> str:
    data = packet.data
    flags = [name for bit, name in ((0x40, "DF"), (0x20, "+")) if data[6] & bit]
    text = f"tos 0x{packet.tos:x}" + ("", ",ECT(1)", ",ECT(0)", ",CE")[packet.tos & 3]
    text += f", ttl {packet.ttl}, id {int.from_bytes(data[4:6])}, offset {packet.fragment}, flags [{', '.join(flags) or 'none'}]"
    return text + f", proto {_PROTOCOL_TEXT.get(packet.protonum, 'unknown')} ({packet.protonum}), length {len(data)}"


def _header6(packet: Packet) -> str:
    label = int.from_bytes(packet.data[1:4]) & 0xFFFFF
    text = (f"class 0x{packet.tos:02x}, " if packet.tos else "") + (f"flowlabel 0x{label:05x}, " if label else "")
    name = {0: "Options", 44: "Fragment"}.get(packet.data[6]) or _PROTOCOL_TEXT.get(packet.data[6], "unknown")
    return text + f"hlim {packet.ttl}, next-header {name} ({packet.data[6]}) payload length: {len(packet.data) - 40}"
