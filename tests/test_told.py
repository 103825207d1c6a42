"""What the trace tells beyond labels: the tool's own lines for each entry, and the numbers that a TCP label was decided on."""

from __future__ import annotations

import re

from sim.simulation import Simulation
from sim.trace import EntryCreated, EntryTold, EntryUpdated, Labelled
from tests.test_simulation import pair, printed, typed


def test_the_lines_told_are_those_that_conntrack_E_prints_from_the_start() -> None:
    asked = typed((0, "server", "conntrack -E"), (1_000_000, "laptop", "ping -c 2 server"), (9_000_000, "laptop", "curl http://server/"))
    run = Simulation(pair(), inputs=asked)
    run.run(100_000_000)
    told = [record.event.line for record in run.records if isinstance(record.event, EntryTold) and record.machine == "server"]
    shown = [line for line in printed(run, "server").splitlines() if re.match(r" *\[(NEW|UPDATE|DESTROY)\]", line)]
    assert told == shown
    assert len(told) >= 8


def test_the_line_of_an_entry_is_the_one_that_conntrack_L_prints_but_for_the_seconds_that_have_passed() -> None:
    asked = typed((0, "laptop", "curl http://server/"), (5_000_000, "server", "conntrack -L"))
    run = Simulation(pair(), inputs=asked)
    run.run(6_000_000)
    lines = [r.event.entry["line"] for r in run.records if isinstance(r.event, EntryCreated | EntryUpdated) and r.machine == "server"]
    shown = next(line for line in printed(run, "server").splitlines() if line.startswith("tcp"))
    assert shown.split()[3:] == lines[-1].split()[3:]
    assert 0 < int(lines[-1].split()[2]) - int(shown.split()[2]) <= 6


def test_a_tcp_label_carries_its_cell_of_the_grid_and_the_bounds_of_the_window() -> None:
    run = Simulation(pair(), inputs=typed((0, "laptop", "curl http://server/")))
    run.run(2_000_000)
    labels = [r.event for r in run.records if isinstance(r.event, Labelled) and r.machine == "server"]
    assert [label.reason.numbers["cell"] for label in labels[:3]] == [
        "tcp-original-syn-NONE", "tcp-reply-synack-SYN_SENT", "tcp-original-ack-SYN_RECV",
    ]  # fmt: skip
    for label in labels[2:]:
        numbers = label.reason.numbers
        assert (numbers["highest"] - numbers["seq"]) % 2**32 < 2**31
        assert (numbers["end"] - numbers["lowest"]) % 2**32 < 2**31
        assert (numbers["ack_highest"] - numbers["sack"]) % 2**32 < 2**31


def test_the_first_segment_has_no_window_to_be_measured_by() -> None:
    run = Simulation(pair(), inputs=typed((0, "laptop", "curl http://server/")))
    run.run(2_000_000)
    first = next(r.event for r in run.records if isinstance(r.event, Labelled) and r.machine == "server")
    assert "highest" not in first.reason.numbers
