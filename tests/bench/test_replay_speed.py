"""Packets a second: the floor, conntrack alone, a whole replay, and the real kernel fed by TUN from Python, in one run."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.conntrack.tracker import Tracker
from sim.edges.capture import read_capture, write_pcap
from sim.edges.kernel import KernelFirewall, why_unavailable
from sim.edges.replay import Outcome, Replay, Writer, load_rules
from sim.netfilter.words import Hook
from sim.packet import Packet
from tests.bench.traffic import ADDRESSES, STATEFUL, frames, packets

pytestmark = pytest.mark.bench
CONNECTIONS = 2000


def best(work: Callable[[], int], times: int = 3) -> float:
    """Packets a second in the best of a few runs."""
    speeds = []
    for _ in range(times):
        begun = time.perf_counter()
        count = work()
        speeds.append(count / (time.perf_counter() - begun))
    return max(speeds)


def floor() -> int:
    """What no firewall in Python can do without: read the headers by struct, look the connection up in a dict."""
    ip, tcp = struct.Struct("!BBHHHBBH4s4s").unpack_from, struct.Struct("!HHIIBBHHH").unpack_from
    table: dict[tuple[bytes, bytes, int, int, int], int] = {}
    for _, data in packets(CONNECTIONS):
        _, _, _, _, _, _, protonum, _, src, dst = ip(data)
        sport, dport, *_ = tcp(data, 20)
        table.setdefault((src, dst, sport, dport, protonum), 0)
    return len(packets(CONNECTIONS))


def conntrack_alone() -> int:
    tracker = Tracker()
    for _, data in packets(CONNECTIONS):
        packet = Packet(data)
        if tracker.enter(packet, Hook.PREROUTING, 0) == 2 and tracker.conn is not None:
            tracker.confirm(tracker.conn, packet, 0)
    return len(packets(CONNECTIONS))


def replay(path: Path, lines: bool) -> int:
    """The whole way: the capture's bytes in, outcomes (or lines of JSON) out, with ten rules."""
    work, writer, count = Replay(ADDRESSES), Writer(), 0
    load_rules(work.wall.ip.rules, STATEFUL, "rules")
    for happened in work.run(read_capture(path)):
        count += 1
        if lines and isinstance(happened, Outcome):
            writer.line(happened, work.wall.lookup(happened.data or b""), work.wall.now)
    return count


def kernel() -> float:
    """The real netfilter with the same rules, fed by TUN."""
    with KernelFirewall(ADDRESSES, iptables=STATEFUL, questions=False) as firewall:
        return max(firewall.feed_many(packets(CONNECTIONS)).per_second for _ in range(3))


def test_replay_beside_the_floor_and_the_kernel(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    write_pcap(path, frames(CONNECTIONS))
    base = best(floor)
    figures = {
        "floor: struct parse and one dict lookup": base,
        "conntrack alone, bytes to label": best(conntrack_alone),
        "replay of a capture, 10 rules": best(lambda: replay(path, False)),
        "replay of a capture, 10 rules, JSON lines": best(lambda: replay(path, True)),
    }
    if not why_unavailable():
        figures["this machine's kernel, 10 rules, fed by TUN"] = kernel()
    print()
    for name, speed in figures.items():
        print(f"{name:46} {speed:12,.0f} packets/s   {base / speed:6.1f} × the floor's time")
    assert figures["replay of a capture, 10 rules"] > 10_000
