"""Packets of every kind that a lab makes, printed by the real tcpdump and by ours: the same lines."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from sim import wire
from sim.apps.dns_wire import Message, Record, encode
from sim.apps.tcpdump.expression import compile_filter
from sim.apps.tcpdump.text import Printer
from sim.craft import craft
from sim.packet import Packet
from sim.units import parse_address

pytestmark = [pytest.mark.kernel, pytest.mark.skipif(shutil.which("tcpdump") is None, reason="tcpdump is not installed")]

A, B = parse_address("192.168.1.10"), parse_address("203.0.113.9")
A6, B6 = parse_address("fd00::10"), parse_address("2001:db8::9")
LATE = b"\x05\x0a" + struct.pack("!II", 5001, 5101) + b"\x01\x01"
TIMES = b"\x02\x04\x05\xb4\x04\x02\x08\x0a" + struct.pack("!II", 77, 0) + b"\x01\x03\x03\x07"


def tcp(forth: bool, seq: int, ack: int, flags: int, payload: bytes = b"", port: int = 9999, options: bytes = b"") -> bytes:
    src, dst, sport, dport = (A, B, 51514, port) if forth else (B, A, port, 51514)
    segment = bytearray(wire.tcp(src, dst, sport, dport, seq=seq, ack=ack, flags=flags, payload=options + payload))
    segment[12] = (5 + len(options) // 4) << 4
    segment[16:18] = b"\0\0"
    segment[16:18] = wire.checksum(wire.pseudo_header(src, dst, 6, len(segment)) + segment).to_bytes(2)
    return wire.ipv4(src, dst, 6, bytes(segment))


def udp(src: bytes, dst: bytes, sport: int, dport: int, payload: bytes) -> bytes:
    return wire.ip(src, dst, 17, wire.udp(src, dst, sport, dport, payload))


def error(kind: int, code: int, rest: int = 0) -> bytes:
    return wire.ipv4(B, A, 1, wire.icmp(kind, code, rest, udp(A, B, 4000, 99, b"question")))


def error6(kind: int, code: int, rest: int = 0) -> bytes:
    inner = wire.ipv6(A6, B6, 6, wire.tcp(A6, B6, 1, 80, seq=1, ack=0, flags=2))
    return wire.ipv6(B6, A6, 58, wire.icmpv6(B6, A6, kind, code, rest, inner))


ANSWER = Message(7, "www.example.org", "A", 0x8180, 0, (Record("www.example.org", "A", 60, "198.51.100.7"),))
PACKETS = [
    tcp(True, 4294967290, 0, 2, options=TIMES),
    tcp(False, 5000, 4294967291, 18, options=TIMES),
    tcp(True, 4294967291, 5001, 16),
    tcp(True, 4294967291, 5001, 24, b"x" * 100),
    tcp(False, 5001, 95, 16, options=LATE),
    tcp(False, 5001, 95, 0xD1, b"last"),
    tcp(True, 95, 5006, 4),
    tcp(True, 95, 0, 0),
    tcp(True, 1, 1, 24, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 80),
    tcp(False, 1, 1, 24, b"\x00\x01binary", 80),
    tcp(False, 1, 1, 24, b"220 ready\r\n", 21),
    tcp(False, 1, 1, 24, b"SSH-2.0-OpenSSH_9.2p1\r\n", 22),
    tcp(False, 1, 1, 24, b"\x00\x00\x01\x02cipher", 22),
    udp(A, B, 4000, 9999, b"four"),
    udp(A6, B6, 4000, 9999, b""),
    udp(A, B, 4000, 53, encode(Message(7, "www.example.org", "AAAA"))),
    udp(B, A, 53, 4000, encode(ANSWER)),
    udp(B, A, 53, 4000, encode(Message(9, "no.example.org", "A", 0x8580, 3, edns=False))),
    udp(A, B, 4000, 69, b"\0\1boot.img\0octet\0"),
    udp(A, B, 5060, 5060, b"INVITE sip:bob@example.org SIP/2.0\r\nVia: x\r\n"),
    wire.ipv4(A, B, 1, wire.icmp(8, 0, 0x00010002, b"p" * 56)),
    wire.ipv4(B, A, 1, wire.icmp(0, 0, 0x00010002, b"p" * 56)),
    *(error(3, code, 1400 if code == 4 else 0) for code in range(16)),
    *(error(11, code) for code in range(2)), *(error(5, code, 0x0A000001) for code in range(4)), error(12, 0, 5 << 24),
    wire.ipv6(A6, B6, 58, wire.icmpv6(A6, B6, 128, 0, 0x00050006, b"p" * 8)),
    *(error6(1, code) for code in range(5)), error6(2, 0, 1280), error6(3, 0), error6(4, 1, 40),
    wire.ipv6(A6, B6, 58, wire.icmpv6(A6, B6, 135, 0, 0, B6)),
    wire.ipv6(A6, B6, 58, wire.icmpv6(A6, B6, 136, 0, 0, B6)),
    wire.ipv4(A, B, 99, b"whatever"),
]  # fmt: skip


def capture(path: Path) -> Path:
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))
        for data in PACKETS:
            out.write(struct.pack("<IIII", 0, 0, len(data), len(data)) + data)
    return path


def real(path: Path, *options: str) -> list[str]:
    done = subprocess.run(["tcpdump", "-ntr", str(path), *options], capture_output=True, text=True, check=True)
    lines: list[str] = []
    for line in done.stdout.splitlines():
        if line[:1] in (" ", "\t") and lines:
            lines[-1] += f"\n{line}"
        else:
            lines.append(line)
    return lines


@pytest.mark.parametrize("options", [(), ("-v",), ("-S",), ("-q",)], ids=" ".join)
def test_each_line_is_the_real_tcpdumps(options: tuple[str, ...], tmp_path: Path) -> None:
    printer = Printer(absolute="-S" in options, verbose="-v" in options, quick="-q" in options)
    assert [printer.line(Packet(data)) for data in PACKETS] == real(capture(tmp_path / "x.pcap"), *options)


FILTERS = [
    "tcp", "udp port 53", "not tcp", "icmp or icmp6", "host 192.168.1.10 and port 53", "src host 203.0.113.9", "dst net 192.168.0.0/16",
    "net 203.0.113", "portrange 50-70", "src port 53 or 9999", "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn", "tcp[13] = 18",
    "icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply", "ip6", "ip6 and udp", "greater 100", "len < 60", "ip[8] > 32",
    "tcp port 80 or tcp port 22", "!(udp or icmp)", "ip proto 99", "ip proto \\tcp", "host 192.168.1.10 and not port 80", "proto 17",
    "tcp[0:2] = 80", "port ssh", "host fd00::10", "udp and src or dst port 69", "ip[6:2] & 0x1fff = 0 and tcp", "udp[4:2] > 20",
]  # fmt: skip


@pytest.mark.parametrize("words", FILTERS)
def test_a_filter_lets_through_what_libpcap_lets_through(words: str, tmp_path: Path) -> None:
    test, printer = compile_filter(words.split()), Printer(quick=True)
    chosen = [printer.line(packet) for packet in map(Packet, PACKETS) if test(packet, True)]
    assert chosen == real(capture(tmp_path / "x.pcap"), "-q", words)


@pytest.mark.parametrize("words", ["and", "port 99999", "tcp and", "host", "(tcp", "tcp[99999999]", "port nosuch", "net 10.0.0.1/8"])
def test_what_libpcap_refuses_is_refused_in_its_words(words: str) -> None:
    done = subprocess.run(["tcpdump", "-d", "-y", "RAW", *words.split()], capture_output=True, text=True, check=False)
    with pytest.raises(ValueError) as caught:
        compile_filter(words.split())
    assert done.returncode and f"tcpdump: {caught.value}" == done.stderr.strip().splitlines()[-1]


def test_crafted_words_and_lines_agree() -> None:
    assert Printer().line(Packet(craft("udp 192.168.1.10:1000 > 203.0.113.9:5000 data ask"))) == (
        "IP 192.168.1.10.1000 > 203.0.113.9.5000: UDP, length 3"
    )
