"""Packets a second of the processor's time: the floor, conntrack alone, a whole replay, and the real kernel fed by TUN from Python.

Time is what a process was given of one core, the kernel's part for it too, so that others on the machine take nothing from either.
"""

from __future__ import annotations

import resource
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.compiled import state
from sim.conntrack.tracker import Tracker
from sim.edges.capture import read_capture, write_pcap
from sim.edges.kernel import KernelFirewall, why_unavailable
from sim.edges.replay import Replay, load_rules
from sim.netfilter.words import Hook
from sim.packet import Packet
from tests.bench.traffic import ADDRESSES, STATEFUL, frames, packets

pytestmark = pytest.mark.bench
CONNECTIONS = 2000
ROOT = Path(__file__).resolve().parents[2]
COMMAND = "ctlab replay --jsonl, 10 rules"


def best(work: Callable[[], int], times: int = 3) -> float:
    """Packets a second in the best of a few runs."""
    speeds = []
    for _ in range(times):
        begun = time.process_time()
        count = work()
        speeds.append(count / (time.process_time() - begun))
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


def replay(path: Path) -> int:
    """The whole way, for every packet: the capture's bytes in, outcomes out, with ten rules."""
    work = Replay(ADDRESSES)
    load_rules(work.wall.ip.rules, STATEFUL, "rules")
    return sum(1 for _ in work.run(read_capture(path)))


def replay_lines(path: Path) -> int:
    """Bytes in, lines of JSON out, plain packets by the quick way."""
    work = Replay(ADDRESSES)
    load_rules(work.wall.ip.rules, STATEFUL, "rules")
    return sum(block.count(b"\n") for block in work.lines(read_capture(path)) if isinstance(block, bytes))


def command(folder: Path) -> float:
    """`ctlab replay CAPTURE --jsonl` into a file, its start-up apart: the time that a long capture takes more than a short one."""
    rules = folder / "rules.v4"
    rules.write_text(STATEFUL, encoding="utf-8")
    times, counts = [], []
    for connections in (50, 10 * CONNECTIONS):
        path = folder / f"{connections}.pcap"
        counts.append(write_pcap(path, frames(connections)))
        argv = [sys.executable, "-m", "web.cli", "replay", str(path), "--jsonl", "--rules", str(rules)]
        argv += [f"--addr={dev}={text}" for dev, texts in ADDRESSES.items() for text in texts]
        times.append(min(seconds(argv, folder / "lines") for _ in range(2)))
        assert (folder / "lines").read_bytes().count(b"\n") == counts[-1]
    return (counts[1] - counts[0]) / (times[1] - times[0])


def seconds(argv: list[str], out: Path) -> float:
    begun = resource.getrusage(resource.RUSAGE_CHILDREN)
    with out.open("wb") as file:
        subprocess.run(argv, cwd=ROOT, stdout=file, check=True)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime


def kernel(read: bool, heard: bool) -> float:
    """The real netfilter with the same rules, fed by TUN. `read`: what leaves, too; `heard`: and each packet's label, over NFLOG."""
    with KernelFirewall(ADDRESSES, iptables=STATEFUL, questions=heard) as firewall:
        return max(firewall.feed_many(packets(CONNECTIONS), read).per_second for _ in range(3))


def test_replay_beside_the_floor_and_the_kernel(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    write_pcap(path, frames(CONNECTIONS))
    base = best(floor)
    figures = {
        "floor: struct parse and one dict lookup": base,
        "conntrack alone, bytes to label": best(conntrack_alone),
        "replay of a capture, 10 rules, whole way": best(lambda: replay(path)),
        "replay of a capture, 10 rules, JSON lines": best(lambda: replay_lines(path)),
        COMMAND: command(tmp_path),
    }
    if not why_unavailable():
        figures["kernel by TUN: written, read, labels heard"] = kernel(read=True, heard=True)
        figures["kernel by TUN: written and read"] = kernel(read=True, heard=False)
        figures["kernel by TUN: written alone"] = kernel(read=False, heard=False)
    print(f"\n{state()}")
    for name, speed in figures.items():
        ratio = f"   ctlab: {figures[COMMAND] / speed:5.2f} × as fast" if name.startswith("kernel") else ""
        print(f"{name:46} {speed:12,.0f} packets/s   {base / speed:6.1f} × the floor's time{ratio}")
    assert figures[COMMAND] > 10_000
