"""A table of a million entries: bytes an entry takes, what a lookup costs in it and in one of a thousand, and what expiry costs a packet.

Memory is what the process has more of in RAM (resident set) when the entries are in, all of it: keys, dict, timers, allocator. Lookups
are told four times: `held`, the table asked for a packed tuple; `find`, the tracker for a tuple; `label`, a packet's bytes read, looked
up and judged; `track`, the same with all that can be said of it. With packets drawn at random from a thousand of the table's connections
(the same number of keys at work in either table: what the table's size itself costs), and with packets drawn from all of them (then
most are not in the processor's cache, in a table of a million).
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sim import wire
from sim.conntrack.settings import Settings
from sim.conntrack.tracker import Tracker
from sim.conntrack.tuples import packed_of, unpack
from sim.packet import COMPILED, Packet
from sim.units import SECOND

pytestmark = pytest.mark.bench
MANY, FEW, DRAWN, ROUNDS = 1_000_000, 1_000, 100_000, 9
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


def nanoseconds(work: Callable[[Any], object], given: Sequence[Any]) -> float:
    """Processor's time of a call, in one round."""
    begun = time.thread_time_ns()
    for one in given:
        work(one)
    return (time.thread_time_ns() - begun) / len(given)


class Asked:
    """One table, and what it is asked for: packets of `working` of its connections, drawn at random, in rounds."""

    def __init__(self, tracker: Tracker, working: int, protonum: int) -> None:
        choose = random.Random(working)
        chosen = choose.sample(range(len(tracker.table)), working)
        # each packet its own bytes, in the order of use: what is measured is the table, not where the packets lie
        self.packets = [packet_of(choose.choice(chosen), protonum) for _ in range(DRAWN)]
        self.keys = [packed_of(Packet(data)) or b"" for data in self.packets]
        self.tuples = [unpack(key) for key in self.keys]
        self.tracker, self.now = tracker, tracker.now
        self.rounds: dict[str, list[float]] = {"held": [], "find": [], "label": [], "track": []}

    def ask(self) -> None:
        """One round of each question."""
        tracker, now = self.tracker, self.now
        works: dict[str, tuple[Callable[[Any], object], Sequence[Any]]] = {
            "held": (lambda packed: tracker.table.held(packed, 0), self.keys),
            "find": (tracker.find, self.tuples),
            "label": (lambda data: tracker.enter(Packet(data), 0, now), self.packets),
            "track": (lambda data: tracker.track(Packet(data), 0, now), self.packets),
        }
        for what, (work, given) in works.items():
            self.rounds[what].append(nanoseconds(work, given))

    def took(self, what: str, of: Callable[[list[float]], float]) -> float:
        """The least, or the median, of the rounds' times, ns."""
        return of(self.rounds[what])


@pytest.mark.parametrize("protonum", [17, 6], ids=["udp", "tcp"])
def test_bytes_and_nanoseconds_of_a_million_entries(protonum: int) -> None:
    small = Asked(filled(FEW, protonum), FEW, protonum)
    gc.collect()
    before = resident()
    tracker = filled(MANY, protonum)
    gc.collect()
    each = (resident() - before) / MANY
    print(f"\n{ {6: 'TCP', 17: 'UDP'}[protonum] }, {'compiled' if COMPILED else 'interpreted'}: {each:.0f} bytes an entry of {MANY:,}")
    large = {f"{FEW:,} of its connections at work": Asked(tracker, FEW, protonum), "all at work": Asked(tracker, MANY, protonum)}
    for _ in range(ROUNDS):  # by turns, so that what others do on the machine falls on all of them
        for asked in (small, *large.values()):
            asked.ask()
    for words, asked in large.items():
        print(f"  {words}, × of a table of {FEW:,} (least and median of {ROUNDS} rounds of processor time):")
        for what in asked.rounds:
            least, median = ((asked.took(what, of), small.took(what, of)) for of in (min, statistics.median))
            print(f"    {what:5} {least[0]:6.0f} ns {least[0] / least[1]:5.2f} ×   {median[0]:6.0f} ns {median[0] / median[1]:5.2f} ×")
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
