"""What `conntrack -E` tells while random traffic passes: line by line, in the kernel's order, the same of ctlab.

Time-outs and ids are left out: they are compared elsewhere, and a line may be printed behind a tick. CTLAB_SEED as in test_against_kernel.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sim.conntrack import show
from sim.edges.kernel import KernelFirewall
from sim.edges.verify.fuzz.session import session
from sim.edges.verify.pair import Pair
from sim.edges.verify.plan import Case, Feed
from tests.fuzz.test_against_kernel import first_seed

CASES, PACKETS = 10, 200
KINDS = ("", "expect")


def fit(seed: int) -> Iterator[Case]:
    """Cases in which nothing but packets comes, and everybody who listens is told."""
    while True:
        case = session(seed, PACKETS)
        if all(isinstance(step, Feed) for step in case.steps) and not any("events" in key for key in case.plan.sysctls):
            yield case
        seed += 1


@contextmanager
def listening(kernel: KernelFirewall, folder: Path) -> Iterator[Callable[[], list[list[str]]]]:
    """`conntrack -E` in the kernel's namespace, of entries and of expectations; gives what they have printed."""
    files = [folder / f"heard{kind}" for kind in KINDS]
    started = [
        int(kernel.command(["sh", "-c", f"conntrack -E {kind} > {file} 2> /dev/null & echo $!"]))
        for kind, file in zip(KINDS, files, strict=True)
    ]
    try:
        wait_until(lambda: subscribed(kernel) == len(KINDS))
        yield lambda: [file.read_text().splitlines() for file in files]
    finally:
        for pid in started:
            os.kill(pid, signal.SIGKILL)


def subscribed(kernel: KernelFirewall) -> int:
    """How many sockets of the namespace hear of netfilter's groups."""
    rows = [line.split() for line in kernel.command(["cat", "/proc/self/net/netlink"]).splitlines()[1:]]
    return sum(row[1] == "12" and int(row[3], 16) != 0 for row in rows)


def wait_until(done: Callable[[], bool]) -> None:
    """Raises AssertionError after 10 s."""
    end = time.monotonic() + 10
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def bare(lines: list[str]) -> list[str]:
    """Without blanks for looks, ids and time-outs."""
    plain = (re.sub(r"\s+", " ", re.sub(r" (use|id)=\d+", "", line)).strip() for line in lines)
    return [re.sub(r"^(\[\w+\] (?:\w+ +\d+ )?)\d+ ", r"\1", line) for line in plain]


def heard_beside(case: Case, folder: Path) -> tuple[list[list[str]], list[list[str]]]:
    """(ours, the kernel's): the lines of entries, and those of expectations."""
    mine: list[list[str]] = [[], []]
    with Pair(case.plan) as pair, listening(pair.kernel, folder) as said:
        tracker = pair.wall.ip.tracker
        tracker.listeners.append(lambda event, conn, now: mine[0].append(show.event_line(event, conn, now)))
        tracker.expectations.listeners.append(lambda event, one, now: mine[1].append(show.expect_event_line(event, one, now, None)))
        assert [str(each) for each in pair.run(case.steps)] == []
        ours = [bare(lines) for lines in mine]
        wait_until(lambda: all(len(lines) >= len(other) for lines, other in zip(said(), ours, strict=True)))
        return ours, [bare(lines) for lines in said()]


def test_conntrack_tells_the_events_of_random_traffic_as_they_happen_in_the_kernel(tmp_path: Path) -> None:
    cases, total = fit(first_seed()), 0
    for _ in range(CASES):
        case = next(cases)
        ours, theirs = heard_beside(case, tmp_path)
        assert ours == theirs, case.name
        total += len(ours[0])
    assert total > CASES
