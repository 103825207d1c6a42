"""Traffic to measure with: TCP connections between a lan and a wan, interleaved, as a capture has them. Made once for a size."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from sim import wire
from sim.edges.capture import Frame
from sim.units import parse_address

ADDRESSES = {"lan": ["192.168.0.1/16"], "wan": ["203.0.113.2/24"]}
STATEFUL = """*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -s 10.0.0.0/8 -j DROP
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -p icmp -j ACCEPT
-A FORWARD -p tcp -m tcp --dport 25 -j REJECT --reject-with tcp-reset
-A FORWARD -p udp -m udp --dport 53 -j ACCEPT
-A FORWARD -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
-A FORWARD -i wan -m conntrack --ctstate NEW -j DROP
-A FORWARD -i lan -p tcp -m multiport --dports 80,443 -m conntrack --ctstate NEW -j ACCEPT
-A FORWARD -j LOG
COMMIT
"""
START, APART = 1_700_000_000_000_000, 37
SYN, SYNACK, ACK, PUSH, FIN = 2, 18, 16, 24, 17


def connection(number: int) -> Iterator[tuple[str, bytes]]:
    """One connection of 21 packets: (device, packet)."""
    client = parse_address(f"192.168.{number // 250 % 250}.{10 + number % 240}")
    server, port = parse_address(f"198.51.100.{number % 250 + 1}"), 1024 + number % 60000

    def there(flags: int, seq: int, ack: int, payload: bytes = b"") -> tuple[str, bytes]:
        return "lan", wire.ipv4(client, server, 6, wire.tcp(client, server, port, 80, seq=seq, ack=ack, flags=flags, payload=payload))

    def back(flags: int, seq: int, ack: int, payload: bytes = b"") -> tuple[str, bytes]:
        return "wan", wire.ipv4(server, client, 6, wire.tcp(server, client, 80, port, seq=seq, ack=ack, flags=flags, payload=payload))

    yield from (there(SYN, 999, 0), back(SYNACK, 4999, 1000), there(ACK, 1000, 5000))
    for turn in range(5):
        seq, ack = 1000 + 200 * turn, 5000 + 1000 * turn
        yield from (there(PUSH, seq, ack, b"?" * 200), back(PUSH, ack, seq + 200, b"!" * 1000), there(ACK, seq + 200, ack + 1000))
    yield from (there(FIN, 2000, 10000), back(FIN, 10000, 2001), there(ACK, 2001, 10001))


@cache
def packets(connections: int) -> list[tuple[str, bytes]]:
    """The packets of so many connections, fifty at a time."""
    found = []
    for first in range(0, connections, 50):
        group = [list(connection(number)) for number in range(first, min(first + 50, connections))]
        found += [packet for turn in zip(*group, strict=True) for packet in turn]
    return found


def frames(connections: int) -> list[Frame]:
    """The same as frames of a capture."""
    return [Frame(number, START + number * APART, None, data, "") for number, (_, data) in enumerate(packets(connections), 1)]
