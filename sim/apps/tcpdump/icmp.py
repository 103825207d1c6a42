"""What tcpdump 4.99.3 says of ICMP and ICMPv6 messages."""

from __future__ import annotations

from sim.packet import Packet
from sim.units import show_address
from sim.wire import checksum, pseudo_header

_UNREACHABLE = {
    0: "net {dst} unreachable", 1: "host {dst} unreachable", 4: "{dst} unreachable - need to frag",
    5: "{dst} unreachable - source route failed", 6: "net {dst} unreachable - unknown", 7: "host {dst} unreachable - unknown",
    8: "{dst} unreachable - source host isolated", 9: "net {dst} unreachable - admin prohibited",
    10: "host {dst} unreachable - admin prohibited", 11: "net {dst} unreachable - tos prohibited",
    12: "host {dst} unreachable - tos prohibited", 13: "host {dst} unreachable - admin prohibited filter",
    14: "host {dst} unreachable - host precedence violation", 15: "host {dst} unreachable - precedence cutoff",
}  # fmt: skip
_REDIRECT = (
    "redirect {dst} to net {gateway}", "redirect {dst} to host {gateway}", "redirect-tos {dst} to net {gateway}",
    "redirect-tos {dst} to host {gateway}",
)  # fmt: skip
_PLAIN = {
    4: "source quench", 9: "router advertisement", 10: "router solicitation", 13: "time stamp query id {id} seq {seq}",
    14: "time stamp reply id {id} seq {seq}", 15: "information request", 16: "information reply", 17: "address mask request",
}  # fmt: skip
_UNREACHABLE6 = {
    0: "unreachable route {dst}", 1: " unreachable prohibited {dst}", 2: "beyond scope {dst}, source address {src}",
    3: "unreachable address {dst}",
}  # fmt: skip
_NEIGHBOURS = {
    130: "multicast listener query", 131: "multicast listener report", 132: "multicast listener done", 133: "router solicitation",
    134: "router advertisement", 137: "redirect", 143: "multicast listener report v2",
}  # fmt: skip


_SHORTEST = {**{(1, kind): 36 for kind in (3, 5)}, **{(58, kind): 24 for kind in (135, 136)}, **{(58, kind): 48 for kind in (1, 2, 3)}}
"""How long (protocol, type) must be for all of it to be told."""


def quoted(packet: Packet) -> bytes:
    """The packet that an ICMP error is about; b"" for all other messages."""
    return packet.data[packet.l4 + 8 :] if packet.protonum == 1 and packet.data[packet.l4] in (3, 4, 5, 11, 12) else b""


def text(packet: Packet, verbose: bool = False) -> str:
    """All behind the addresses. When verbose: whether the checksum is right; ICMPv6 without its length."""
    message = packet.data[packet.l4 :]
    if len(message) < _SHORTEST.get((packet.protonum, message[0]), 8):
        return " [|icmp]" if packet.protonum == 1 else "ICMP6, [|icmp6]"
    found, right = int.from_bytes(message[2:4]), _right_sum(packet, message)
    if packet.protonum == 1:
        wrong = f" (wrong icmp cksum {found:x} (->{right:x})!)" if verbose and found != right else ""
        return f"ICMP {_told4(message)}, length {len(message)}{wrong}"
    if not verbose:
        return f"ICMP6, {_told6(message)}, length {len(message)}"
    if message[0] in (135, 136):
        name, _, rest = _told6(message).partition(", ")
        told = f"{name}, length {len(message)}, {rest}" + (f", Flags [{_neighbour_flags(message[4])}]" if message[0] == 136 else "")
        return f"{_verdict6(found, right)} ICMP6, {told}"
    return f"{_verdict6(found, right)} ICMP6, {_told6(message)}"


def _verdict6(found: int, right: int) -> str:
    return "[icmp6 sum ok]" if found == right else f"[bad icmp6 cksum 0x{found:04x} -> 0x{right:04x}!]"


def _neighbour_flags(byte: int) -> str:
    return ", ".join(name for bit, name in ((0x80, "router"), (0x40, "solicited"), (0x20, "override")) if byte & bit) or "none"


def _right_sum(packet: Packet, message: bytes) -> int:
    bare = message[:2] + b"\0\0" + message[4:]
    return checksum(bare if packet.version == 4 else pseudo_header(packet.src, packet.dst, 58, len(message)) + bare)


def _told4(message: bytes) -> str:
    kind, code = message[0], message[1]
    id, seq = int.from_bytes(message[4:6]), int.from_bytes(message[6:8])
    if kind in (0, 8):
        return f"echo {'request' if kind else 'reply'}, id {id}, seq {seq}"
    inner = _Inner(message[8:], 4)
    if kind == 3:
        return _unreachable4(message, code, inner)
    if kind == 5:
        return _REDIRECT[code].format(dst=inner.dst, gateway=show_address(message[4:8])) if code < 4 else f"redirect-#{code}"
    if kind == 11:
        return ("time exceeded in-transit", "ip reassembly time exceeded")[code] if code < 2 else f"time exceeded-#{code}"
    if kind == 12:
        return f"parameter problem - octet {message[4]}" if not code else f"parameter problem - code {code}"
    return _PLAIN.get(kind, f"type-#{kind}").format(id=id, seq=seq)


def _unreachable4(message: bytes, code: int, inner: _Inner) -> str:
    if code == 2:
        return f"{inner.dst} protocol {inner.protonum} unreachable"
    if code == 3:
        name = {6: "tcp", 17: "udp"}.get(inner.protonum, f"protocol {inner.protonum}")
        return f"{inner.dst} {name} port {inner.dport} unreachable"
    mtu = int.from_bytes(message[6:8])
    told = _UNREACHABLE.get(code, "{dst} unreachable - #" + str(code)).format(dst=inner.dst)
    return told + (f" (mtu {mtu})" if code == 4 and mtu else "")


def _told6(message: bytes) -> str:
    kind, code = message[0], message[1]
    if kind in (128, 129):
        return f"echo {'request' if kind == 128 else 'reply'}, id {int.from_bytes(message[4:6])}, seq {int.from_bytes(message[6:8])}"
    inner = _Inner(message[8:], 6)
    if kind == 1:
        if code == 4:
            name = {6: "tcp", 17: "udp"}.get(inner.protonum)
            port = f"{name} port {inner.dport}" if name else f"protocol {inner.protonum} port {inner.dport}"
            return f"destination unreachable, unreachable port, {inner.dst} {port}"
        told = _UNREACHABLE6.get(code, f"unknown unreach code ({code})").format(dst=inner.dst, src=inner.src)
        return f"destination unreachable, {told}"
    if kind == 2:
        return f"packet too big, mtu {int.from_bytes(message[4:8])}"
    if kind == 3:
        return f"time exceeded in-transit for {inner.dst}" if not code else "ip6 reassembly time exceeded"
    if kind == 4:
        what = ("erroneous", "next header", "option")[code] if code < 3 else ""
        return "parameter problem, " + (f"{what} - octet {int.from_bytes(message[4:8])}" if what else f"code #{code}")
    if kind == 135:
        return f"neighbor solicitation, who has {show_address(message[8:24])}"
    if kind == 136:
        return f"neighbor advertisement, tgt is {show_address(message[8:24])}"
    return _NEIGHBOURS.get(kind, f"unknown icmp6 type ({kind})")


class _Inner:
    """The packet that an error is about, as far as the error quotes it."""

    def __init__(self, data: bytes, version: int) -> None:
        four = version == 4
        self.protonum = data[9 if four else 6] if len(data) > 9 else 0
        at, size = (12, 4) if four else (8, 16)
        src, dst = data[at : at + size], data[at + size : at + 2 * size]
        self.src, self.dst = (show_address(src), show_address(dst)) if len(dst) == size else ("?", "?")
        at = (data[0] & 15) * 4 if four and data else 40
        self.dport = int.from_bytes(data[at + 2 : at + 4])
