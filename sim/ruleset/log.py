"""The line that LOG writes into the kernel's log: net/netfilter/nf_log_syslog.c, Linux 6.18, word for word.

Devices here have no link-layer header: MAC= is empty, as for a tunnel. UID= and GID= (`--log-uid`) are not told: packets
here do not know which process sent them.
"""

from __future__ import annotations

from sim.netfilter.skb import Skb
from sim.ruleset.model import Log
from sim.units import show_address

_TCP_FLAGS = ((128, "CWR"), (64, "ECE"), (32, "URG"), (16, "ACK"), (8, "PSH"), (4, "RST"), (2, "SYN"), (1, "FIN"))
_ICMP_NEEDS = {0: 4, 3: 28, 4: 28, 5: 28, 8: 4, 11: 28, 12: 28, 13: 20, 14: 20, 17: 12, 18: 12}
_EXTENSIONS = frozenset((0, 43, 44, 50, 51, 60))


def log_line(part: Log, skb: Skb) -> str:
    """The line for one packet, with the blank that the kernel leaves at its end."""
    line = f"{part.prefix}IN={skb.indev} OUT={skb.outdev} "
    if skb.indev:
        line += "MAC= "
    dump = _ipv4 if skb.packet.version == 4 else _ipv6
    line += dump(skb.packet.data, part.flags, True)
    return line + (f"MARK={skb.mark:#x} " if skb.mark else "")


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size])


def _ipv4(data: bytes, flags: frozenset[str], outer: bool) -> str:
    if len(data) < 20:
        return "TRUNCATED"
    fragment, size = _number(data, 6, 2), (data[0] & 15) * 4
    text = f"SRC={show_address(data[12:16])} DST={show_address(data[16:20])} LEN={_number(data, 2, 2)} "
    text += f"TOS=0x{data[1] & 0x1E:02X} PREC=0x{data[1] & 0xE0:02X} TTL={data[8]} ID={_number(data, 4, 2)} "
    text += "".join(word for bit, word in ((0x8000, "CE "), (0x4000, "DF "), (0x2000, "MF ")) if fragment & bit)
    if fragment & 0x1FFF:
        text += f"FRAG:{fragment & 0x1FFF} "
    if "ip options" in flags and size > 20:
        if len(data) < size:
            return text + "TRUNCATED"
        text += f"OPT ({data[20:size].hex().upper()}) "
    later, rest, protonum = bool(fragment & 0x1FFF), data[size:], data[9]
    if protonum == 1:
        return text + _icmp(rest, later, flags, outer)
    if protonum in (50, 51):
        return text + _ipsec(protonum, rest, later)
    return text + _transport(protonum, rest, later, flags)


def _transport(protonum: int, data: bytes, later: bool, flags: frozenset[str]) -> str:
    if protonum == 6:
        return _tcp(data, later, flags)
    if protonum in (17, 136):
        return _udp(protonum, data, later)
    return f"PROTO={protonum} "


def _tcp(data: bytes, later: bool, flags: frozenset[str]) -> str:
    if later:
        return "PROTO=TCP "
    if len(data) < 20:
        return f"PROTO=TCP INCOMPLETE [{len(data)} bytes] "
    text = f"PROTO=TCP SPT={_number(data, 0, 2)} DPT={_number(data, 2, 2)} "
    if "tcp sequence" in flags:
        text += f"SEQ={_number(data, 4, 4)} ACK={_number(data, 8, 4)} "
    text += f"WINDOW={_number(data, 14, 2)} RES=0x{(data[12] & 14) << 2:02x} {'AE ' if data[12] & 1 else ''}"
    text += "".join(f"{word} " for bit, word in _TCP_FLAGS if data[13] & bit)
    text += f"URGP={_number(data, 18, 2)} "
    size = (data[12] >> 4) * 4
    if "tcp options" in flags and size > 20:
        text += f"OPT ({data[20:size].hex().upper()}) " if len(data) >= size else "OPT (TRUNCATED)"
    return text


def _udp(protonum: int, data: bytes, later: bool) -> str:
    text = "PROTO=UDP " if protonum == 17 else "PROTO=UDPLITE "
    if later:
        return text
    if len(data) < 8:
        return f"{text}INCOMPLETE [{len(data)} bytes] "
    return f"{text}SPT={_number(data, 0, 2)} DPT={_number(data, 2, 2)} LEN={_number(data, 4, 2)} "


def _ipsec(protonum: int, data: bytes, later: bool) -> str:
    text, size, at = ("PROTO=ESP ", 8, 0) if protonum == 50 else ("PROTO=AH ", 12, 4)
    if later:
        return text if protonum == 50 else ""
    return text + (f"SPI={_number(data, at, 4):#x} " if len(data) >= size else f"INCOMPLETE [{len(data)} bytes] ")


def _icmp(data: bytes, later: bool, flags: frozenset[str], outer: bool) -> str:
    if later:
        return "PROTO=ICMP "
    if len(data) < 8:
        return f"PROTO=ICMP INCOMPLETE [{len(data)} bytes] "
    kind, code = data[0], data[1]
    text = f"PROTO=ICMP TYPE={kind} CODE={code} "
    if len(data) < _ICMP_NEEDS.get(kind, 0):
        return f"{text}INCOMPLETE [{len(data)} bytes] "
    if kind in (0, 8):
        return f"{text}ID={_number(data, 4, 2)} SEQ={_number(data, 6, 2)} "
    if kind == 12:
        return f"{text}PARAMETER={data[4]} "
    if kind == 5:
        text += f"GATEWAY={show_address(data[4:8])} "
    if kind in (3, 4, 5, 11) and outer:
        text += f"[{_ipv4(data[8:], flags, False)}] "
    if (kind, code) == (3, 4):
        text += f"MTU={_number(data, 6, 2)} "
    return text


def _full(address: bytes) -> str:
    return ":".join(address[at : at + 2].hex() for at in range(0, 16, 2))


def _ipv6(data: bytes, flags: frozenset[str], outer: bool) -> str:
    if len(data) < 40:
        return "TRUNCATED"
    first = _number(data, 0, 4)
    text = f"SRC={_full(data[8:24])} DST={_full(data[24:40])} LEN={_number(data, 4, 2) + 40} "
    text += f"TC={first >> 20 & 0xFF} HOPLIMIT={data[7]} FLOWLBL={first & 0xFFFFF} "
    protonum, at, later = data[6], 40, False
    while protonum in _EXTENSIONS:
        shown, size, later, ends = _extension(protonum, data[at:], later, "ip options" in flags)
        text += shown
        if ends:
            return text
        protonum, at = data[at], at + size
    if protonum == 58:
        return text + _icmpv6(data[at:], later, flags, outer)
    return text + _transport(protonum, data[at:], later, flags)


def _extension(protonum: int, data: bytes, later: bool, options: bool) -> tuple[str, int, bool, bool]:
    """One IPv6 extension header: its text, its size, whether a later fragment is now known, whether the dump ends here."""
    if len(data) < 2:
        return "TRUNCATED", 0, later, True
    opened, closed = ("OPT ( ", ") ") if options else ("", "")
    if protonum == 44:
        if len(data) < 8:
            return f"{opened}FRAG:TRUNCATED ", 0, later, True
        word = _number(data, 2, 2)
        more = "INCOMPLETE " if word & 1 else ""
        return f"{opened}FRAG:{word & 0xFFF8} {more}ID:{data[4:8].hex()} {closed}", 8, later or word > 7, False
    if protonum in (50, 51):
        return _ipv6_ipsec(protonum, data, later, options)
    if later:
        return f"{opened})" if options else "", 0, later, True
    return opened + closed, (data[1] + 1) * 8, later, False


def _ipv6_ipsec(protonum: int, data: bytes, later: bool, options: bool) -> tuple[str, int, bool, bool]:
    name, at, need = ("ESP", 0, 8) if protonum == 50 else ("AH", 4, 12)
    if not options:
        return "", (data[1] + 2) * 4, later, protonum == 50
    if later:
        return f"OPT ( {name} )", 0, later, True
    if len(data) < need:
        return f"OPT ( {name} INCOMPLETE [{len(data)} bytes] )", 0, later, True
    spi = f"OPT ( {name} SPI={_number(data, at, 4):#x} )"
    return (spi, 0, later, True) if protonum == 50 else (spi + " ", (data[1] + 2) * 4, later, False)


def _icmpv6(data: bytes, later: bool, flags: frozenset[str], outer: bool) -> str:
    if later:
        return "PROTO=ICMPv6 "
    if len(data) < 8:
        return f"PROTO=ICMPv6 INCOMPLETE [{len(data)} bytes] "
    kind = data[0]
    text = f"PROTO=ICMPv6 TYPE={kind} CODE={data[1]} "
    if kind in (128, 129):
        return f"{text}ID={_number(data, 4, 2)} SEQ={_number(data, 6, 2)} "
    if kind == 4:
        text += f"POINTER={_number(data, 4, 4):08x} "
    if kind in (1, 2, 3, 4) and outer:
        text += f"[{_ipv6(data[8:], flags, False)}] "
    if kind == 2:
        text += f"MTU={_number(data, 4, 4)} "
    return text
