"""What the tests here share: packets between a client, a router and a server, and short words for the kernel's answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet

from sim.edges.kernel import Answer, KernelFirewall

Open = Callable[..., KernelFirewall]
CLIENT, SERVER = "192.168.1.10", "198.51.100.7"
CLIENT6, SERVER6 = "fd00:1::10", "2001:db8::7"
ROUTER = "192.168.1.1"


def tcp(flags: str, seq: int = 1000, ack: int = 0, back: bool = False, dport: int = 80) -> bytes:
    """A segment of CLIENT:40000 > SERVER:dport, or `back`."""
    segment = TCP(flags=flags, seq=seq, ack=ack, window=8192, sport=dport if back else 40000, dport=40000 if back else dport)
    return bytes(IP(src=SERVER if back else CLIENT, dst=CLIENT if back else SERVER) / segment)


def udp(src: str = CLIENT, dst: str = SERVER, sport: int = 40000, dport: int = 53, ttl: int = 64, size: int = 4, **ip: Any) -> bytes:
    return bytes(IP(src=src, dst=dst, ttl=ttl, **ip) / UDP(sport=sport, dport=dport) / (b"x" * size))


def said(answer: Answer) -> tuple[str | None, str | None, str]:
    return answer.label, answer.direction, answer.verdict


def timeout(answer: Answer) -> int:
    """Seconds left, as this packet set them: where the kernel's timer ticked in between, the full ten above."""
    assert answer.entry is not None
    left: int = answer.entry["timeout"]
    return left if answer.exact else left + -left % 10


def state(answer: Answer) -> tuple[str | None, int]:
    assert answer.entry is not None
    return answer.entry["state"], timeout(answer)


def only(answer: Answer) -> tuple[str, Packet]:
    """The one packet that left."""
    ((device, data),) = answer.out
    return device, IP(data) if data[0] >> 4 == 4 else IPv6(data)


def rules(*lines: str, table: str = "filter", policy: str = "ACCEPT") -> str:
    chains = {"filter": "INPUT FORWARD OUTPUT", "raw": "PREROUTING OUTPUT", "nat": "PREROUTING INPUT OUTPUT POSTROUTING"}
    heads = [f":{chain} {policy if chain == 'FORWARD' else 'ACCEPT'} [0:0]" for chain in chains[table].split()]
    return "\n".join([f"*{table}", *heads, *lines, "COMMIT", ""])


HANDSHAKE = [
    ("lan", tcp("S", 1000)),
    ("wan", tcp("SA", 5000, 1001, back=True)),
    ("lan", tcp("A", 1001, 5001)),
]
