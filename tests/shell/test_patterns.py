"""grep with patterns that would take hours, and files that double themselves, end at once and say why."""

from __future__ import annotations

import time

import pytest

from sim.shell.files import DISK, LARGEST
from tests.shell.one_machine import OneMachine

EVIL = {
    r"grep -E '(a*)*b' /tmp/f": "a repeat of what itself repeats or branches",
    r"grep -E '(a|a)+b' /tmp/f": "a repeat of what itself repeats or branches",
    r"grep '\(a*\)*b' /tmp/f": "a repeat of what itself repeats or branches",
    r"grep -E '((a+)x?){5,}' /tmp/f": "a repeat of what itself repeats or branches",
    r"grep -E 'a*a*a*a*a*b' /tmp/f": "more than 3 repeats in a pattern",
    r"grep 'a.*a.*a.*b' /tmp/f": "too long for what is simulated",
}
PLAIN = {
    r"grep -E '^(tcp|udp) .*=[0-9]+' /tmp/g": "tcp src=1\n",
    r"grep -c 's[*+(]*rc' /tmp/g": "1\n",
    r"grep -E 'x{2}' /tmp/g": "xx (a*)*\n",
    r"grep -F '(a*)*' /tmp/g": "xx (a*)*\n",
}


@pytest.fixture
def machine() -> OneMachine:
    machine = OneMachine()
    machine.files |= {"/tmp/f": "a" * 4000 + "\n", "/tmp/g": "tcp src=1\nxx (a*)*\n"}
    return machine


@pytest.mark.parametrize("line", EVIL)
def test_a_pattern_that_would_take_hours_is_refused_at_once(machine: OneMachine, line: str) -> None:
    begun = time.process_time()
    assert EVIL[line] in machine.type(line)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("line", PLAIN)
def test_other_patterns_are_looked_for_as_before(machine: OneMachine, line: str) -> None:
    assert machine.type(line) == PLAIN[line]


def test_a_file_that_doubles_itself_grows_no_further_than_a_file_may(machine: OneMachine) -> None:
    for _ in range(5):
        said = machine.type("cat /tmp/f /tmp/f > /tmp/h; cat /tmp/h /tmp/h > /tmp/f")
    assert "File too large" in said
    assert max(map(len, machine.files.values())) <= LARGEST


def test_many_files_end_where_the_disk_does(machine: OneMachine) -> None:
    machine.files |= {f"/tmp/{number}": "x" * LARGEST for number in range(DISK // LARGEST)}
    assert "No space left on device" in machine.type("echo more > /tmp/more")
