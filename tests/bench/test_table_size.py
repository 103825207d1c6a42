"""A table of a million entries: bytes an entry takes, what a lookup costs in it and in one of a thousand, and what expiry costs a packet.

Memory is what the process has more of in RAM (resident set) when the entries are in, all of it: keys, dict, timers, allocator. Lookups
are told twice: `find`, the table asked for a packet's tuple; and `label`, a packet's bytes read, looked up and judged. Both with packets
drawn at random from a thousand of the table's connections (the same number of keys at work in either table: what the table's size itself
costs), and with packets drawn from all of them (then most are not in the processor's cache, in a table of a million).
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sim import wire
from sim.conntrack.settings import Settings
from sim.conntrack.tracker import Tracker
from sim.conntrack.tuples import packed_of
from sim.packet import COMPILED, Packet
from sim.units import SECOND

pytestmark = pytest.mark.bench
MANY, FEW, DRAWN = 1_000_000, 1_000, 100_000
SERVER = bytes((198, 51, 100, 7))
MOST_BYTES = 700


def resident() -> int:
    """Bytes of RAM that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def packet_of(number: int, protonum: int) -> bytes:
    """The packet that opens connection `number`."""
    client, port = (0x0A000000 + (number >> 4)).to_bytes(4), 1024 + (number & 15) * 4001
    if protonum == 17:
        return wire.ipv4(client, SERVER, 17, wire.udp(client, SERVER, port, 53, b"x" * 32))
    return wire.ipv4(client, SERVER, 6, wire.tcp(client, SERVER, port, 443, seq=number, flags=2))


def filled(count: int, protonum: int) -> Tracker:
    """A tracker with so many confirmed entries."""
    settings = Settings()
    settings.set("net.netfilter.nf_conntrack_max", str(2 * MANY))
    tracker = Tracker(settings)
    for number in range(count):
        packet = Packet(packet_of(number, protonum))
        tracker.enter(packet, 0, number)
        assert tracker.conn is not None
        tracker.confirm(tracker.conn, packet, number)
    assert len(tracker.table) == count
    return tracker


def nanoseconds(work: Callable[[bytes], object], packets: list[bytes]) -> float:
    """A call's time, in the best of a few rounds."""
    best = float("inf")
    for _ in range(5):
        begun = time.perf_counter_ns()
        for data in packets:
            work(data)
        best = min(best, time.perf_counter_ns() - begun)
    return best / len(packets)


def lookups(tracker: Tracker, count: int, working: int, protonum: int) -> dict[str, float]:
    """Nanoseconds of a lookup, and of a whole label, with packets of `working` connections drawn at random from `count`."""
    choose = random.Random(working)
    chosen = choose.sample(range(count), working)
    # each packet its own bytes, in the order of use: what is measured is the table, not where the packets lie
    packets = [packet_of(choose.choice(chosen), protonum) for _ in range(DRAWN)]
    keys = [packed_of(Packet(data)) or b"" for data in packets]
    now = tracker.now
    return {
        "find": nanoseconds(lambda packed: tracker.table.held(packed, 0), keys),
        "label": nanoseconds(lambda data: tracker.enter(Packet(data), 0, now), packets),
    }


@pytest.mark.parametrize("protonum", [17, 6], ids=["udp", "tcp"])
def test_bytes_and_nanoseconds_of_a_million_entries(protonum: int) -> None:
    name = {6: "TCP", 17: "UDP"}[protonum]
    small = lookups(filled(FEW, protonum), FEW, FEW, protonum)
    gc.collect()
    before = resident()
    tracker = filled(MANY, protonum)
    gc.collect()
    each = (resident() - before) / MANY
    print(f"\n{name}, {'compiled' if COMPILED else 'interpreted'}: {each:.0f} bytes an entry of {MANY:,}")
    for working, words in ((FEW, f"{FEW:,} of its connections at work"), (MANY, "all of its connections at work")):
        large = lookups(tracker, MANY, working, protonum)
        for what, took in large.items():
            print(f"  {what:5} {words}: {took:6.0f} ns, {took / small[what]:.2f} × of a table of {FEW:,} ({small[what]:.0f} ns)")
    if COMPILED:
        assert each <= MOST_BYTES


def test_expiry_costs_a_packet_nothing() -> None:
    """A thousand packets while a hundred thousand entries wait, none of which ends: the timers are not touched."""
    tracker = filled(100_000, 17)
    data = packet_of(5, 17)
    tracker.next_expiry()
    due = tracker.timers.due
    still = nanoseconds(lambda data: tracker.enter(Packet(data), 0, due - 1), [data] * 1000)
    alone = filled(1, 17)
    single = nanoseconds(lambda data: alone.enter(Packet(data), 0, 1), [packet_of(0, 17)] * 1000)
    begun = time.perf_counter_ns()
    tracker.expire(1000 * SECOND)
    spent = (time.perf_counter_ns() - begun) / 100_000
    print(f"\na packet among 100,000 that wait: {still:.0f} ns, in a table of one: {single:.0f} ns; an entry's end: {spent:.0f} ns")
    assert tracker.timers.due > due
    assert len(tracker.table) == 0
