"""A packet in words, for the trace: its header fields by name, one line, and what a person would call it.

Read from its bytes alone; whoever sends a packet may know a better name ("GET /", 'PSH "ls"'). Not in here: dissection in depth (edges).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sim.machine.tcp.segment import read_options
from sim.machine.tcp.text import readable
from sim.packet import Packet, flag_letters, protocol_name
from sim.units import show_address

_UNREACHABLE = (
    "net unreachable", "host unreachable", "protocol unreachable", "port unreachable", "fragmentation needed", "source route failed",
    "net unknown", "host unknown", "source isolated", "net prohibited", "host prohibited", "net unreachable for TOS",
    "host unreachable for TOS", "admin prohibited", "host precedence violation", "precedence cutoff",
)  # fmt: skip
_ICMP = {
    0: "echo reply", 4: "source quench", 5: "redirect", 8: "echo request", 9: "router advertisement", 10: "router solicitation",
    11: "time exceeded", 12: "parameter problem", 13: "timestamp request", 14: "timestamp reply", 17: "mask request", 18: "mask reply",
}  # fmt: skip
_UNREACHABLE6 = (
    "no route", "admin prohibited", "beyond scope", "address unreachable", "port unreachable", "source policy failed", "route rejected",
)  # fmt: skip
_ICMPV6 = {
    2: "packet too big", 3: "time exceeded", 4: "parameter problem", 128: "echo request", 129: "echo reply", 130: "listener query",
    131: "listener report", 133: "router solicitation", 134: "router advertisement", 135: "neighbour solicitation",
    136: "neighbour advertisement", 143: "listener report",
}  # fmt: skip
_ECHOES = {4: (0, 8, 13, 14), 6: (128, 129)}
_ERRORS = {4: (3, 4, 5, 11, 12), 6: (1, 2, 3, 4)}
_SHOWN = 40


def headers(packet: Packet) -> Mapping[str, Any]:
    """The fields read: version protocol src dst ttl len, ports, for TCP flags seq ack win, for ICMP type code id seq inner.

    `len` is the length of the IP packet, `payload` of what TCP or UDP carries.
    """
    fields: dict[str, Any] = {
        "version": packet.version, "protocol": protocol_name(packet.protonum),
        "src": show_address(packet.src), "dst": show_address(packet.dst), "ttl": packet.ttl, "tos": packet.tos, "len": len(packet.data),
    }  # fmt: skip
    if packet.version == 4:
        word = int.from_bytes(packet.data[6:8])
        fields |= {"ip_id": int.from_bytes(packet.data[4:6]), "df": bool(word & 0x4000)}
    if packet.fragment or packet.more:
        fields |= {"fragment": packet.fragment, "more": packet.more}
    if packet.complete:
        fields |= _transport(packet)
    return fields


def _transport(packet: Packet) -> dict[str, Any]:
    if packet.protonum == 6:
        return _tcp(packet)
    if packet.sport or packet.dport:
        return {"sport": packet.sport, "dport": packet.dport, "payload": max(0, len(packet.data) - packet.payload)}
    if packet.protonum in (1, 58):
        return _icmp(packet)
    return {}


def _tcp(packet: Packet) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "sport": packet.sport, "dport": packet.dport, "flags": flag_letters(packet.flags), "seq": packet.seq, "ack": packet.ack,
        "win": packet.window, "payload": max(0, len(packet.data) - packet.payload),
    }  # fmt: skip
    options = read_options(packet.data[packet.l4 + 20 : packet.payload])
    if options.mss is not None:
        fields["mss"] = options.mss
    if options.window_scale is not None:
        fields["wscale"] = options.window_scale
    if options.sack_permitted:
        fields["sack_permitted"] = True
    if options.timestamps is not None:
        fields |= {"ts": options.timestamps[0], "ts_echo": options.timestamps[1]}
    if options.sack:
        fields["sack"] = [list(block) for block in options.sack]
    return fields


def _icmp(packet: Packet) -> dict[str, Any]:
    message, version = packet.data[packet.l4 :], packet.version
    kind, code = message[0], message[1]
    fields: dict[str, Any] = {"type": kind, "code": code}
    if kind in _ECHOES[version]:
        fields |= {"id": int.from_bytes(message[4:6]), "seq": int.from_bytes(message[6:8])}
    if (version, kind, code) == (4, 3, 4):
        fields["mtu"] = int.from_bytes(message[6:8])
    elif (version, kind) == (6, 2):
        fields["mtu"] = int.from_bytes(message[4:8])
    if kind in _ERRORS[version] and (inner := _inner(message[8:])) is not None:
        fields["inner"] = inner
    return fields


def _inner(data: bytes) -> dict[str, Any] | None:
    """The fields of the packet that an error quotes, as far as they came along."""
    if len(data) >= 20 and data[0] >> 4 == 4:
        protonum, src, dst, rest = data[9], data[12:16], data[16:20], data[(data[0] & 15) * 4 :]
    elif len(data) >= 40 and data[0] >> 4 == 6:
        protonum, src, dst, rest = data[6], data[8:24], data[24:40], data[40:]
    else:
        return None
    fields: dict[str, Any] = {"protocol": protocol_name(protonum), "src": show_address(src), "dst": show_address(dst)}
    if protonum in (6, 17, 132, 136) and len(rest) >= 4:
        fields |= {"sport": int.from_bytes(rest[:2]), "dport": int.from_bytes(rest[2:4])}
    if protonum == 6 and len(rest) >= 8:
        fields["seq"] = int.from_bytes(rest[4:8])
    if protonum in (1, 58) and len(rest) >= 8:
        fields |= {"type": rest[0], "code": rest[1], "id": int.from_bytes(rest[4:6]), "seq": int.from_bytes(rest[6:8])}
    return fields


def about(packet: Packet) -> str:
    """What a person would call it: "SYN", 'PSH "ls"', "echo request", "port unreachable", "DNS query"."""
    if packet.fragment or not packet.complete:
        return "fragment" if packet.fragment else f"{protocol_name(packet.protonum).upper()}, cut short"
    if packet.protonum == 6:
        return _about_tcp(packet)
    if packet.protonum == 17:
        return _about_udp(packet)
    if packet.protonum in (1, 58):
        return _about_icmp(packet)
    return protocol_name(packet.protonum).upper()


def _about_tcp(packet: Packet) -> str:
    flags, data = packet.flags, packet.data[packet.payload :]
    names = [name for bit, name in ((2, "SYN"), (1, "FIN"), (4, "RST")) if flags & bit]
    if names:
        return " ".join([*names, "ACK"]) if flags & 16 and flags & 2 else " ".join(names)
    if data:
        return f"{'PSH' if flags & 8 else 'data'} {_payload(data)}"
    return "ACK" if flags & 16 else "no flags" if not flags else flag_letters(flags)


def _payload(data: bytes) -> str:
    text = readable(data)
    if not text:
        return f"{len(data)} bytes"
    return f'"{text}"' if len(text) <= _SHOWN else f'"{text[: _SHOWN - 1]}…"'


def _about_udp(packet: Packet) -> str:
    data = packet.data[packet.payload :]
    if 53 in (packet.sport, packet.dport) and len(data) >= 12:
        return "DNS reply" if data[2] & 0x80 else "DNS query"
    return f"datagram {_payload(data)}" if data else "empty datagram"


def _about_icmp(packet: Packet) -> str:
    kind, code = packet.data[packet.l4], packet.data[packet.l4 + 1]
    special, rows, names = (3, _UNREACHABLE, _ICMP) if packet.version == 4 else (1, _UNREACHABLE6, _ICMPV6)
    if kind == special:
        return rows[code] if code < len(rows) else f"unreachable, code {code}"
    return names.get(kind, f"type {kind}")


def text(packet: Packet, fields: Mapping[str, Any]) -> str:
    """One line, much as tcpdump writes it. `fields` are the packet's `headers`."""
    ends = (("src", packet.sport), ("dst", packet.dport))
    src, dst = (f"{fields[end]}.{port}" if port else fields[end] for end, port in ends)
    line = f"{'IP' if packet.version == 4 else 'IP6'} {src} > {dst}: "
    if packet.protonum == 6 and packet.complete:
        ack = f", ack {packet.ack}" if packet.flags & 16 else ""
        return f"{line}Flags [{fields['flags']}], seq {packet.seq}{ack}, win {packet.window}, length {fields['payload']}"
    if packet.protonum == 17 and packet.complete:
        return f"{line}UDP, length {fields['payload']}"
    if packet.protonum in (1, 58) and packet.complete:
        detail = f", id {fields['id']}, seq {fields['seq']}" if "id" in fields else ""
        return f"{line}{'ICMP' if packet.protonum == 1 else 'ICMP6'} {_about_icmp(packet)}{detail}, length {len(packet.data) - packet.l4}"
    return f"{line}{protocol_name(packet.protonum)}, length {len(packet.data) - packet.l4}"
