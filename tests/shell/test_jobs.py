"""What runs behind a shell's back: &, subshells, jobs, nohup, timeout, watch."""

from __future__ import annotations

import pytest

from sim.apps.tty import CLEAR
from sim.units import SECOND
from tests.shell.one_machine import OneMachine


@pytest.fixture
def machine() -> OneMachine:
    return OneMachine()


def test_a_job_is_numbered_and_its_end_is_told_ahead_of_the_next_prompt(machine: OneMachine) -> None:
    assert machine.type("sleep 5 &") == "[1] 1207\n"
    assert machine.type("jobs") == "[1]+  Running                 sleep 5 &\n"
    assert machine.type("echo still here") == "still here\n"
    machine.env.run(until=6 * SECOND)
    assert machine.type("echo now") == "now\n[1]+  Done                    sleep 5\n"
    assert machine.type("jobs") == ""


def test_a_whole_list_goes_into_the_background_and_nothing_waits_for_it(machine: OneMachine) -> None:
    machine.type("sleep 2 && echo later &")
    assert machine.type("echo first") == "first\n"
    machine.env.run(until=3 * SECOND)
    assert "later\n" in machine.screen()


def test_a_subshell_ends_with_its_own_status_and_is_one_command_to_a_pipe(machine: OneMachine) -> None:
    assert machine.type("(echo one; exit 3; echo two); echo $?") == "one\n3\n"
    assert machine.type("(echo one; echo two) | wc -l") == "2\n"


def test_interrupting_a_subshell_interrupts_what_runs_in_it(machine: OneMachine) -> None:
    machine.type("(sleep 100; echo never)")
    machine.key("^C")
    machine.env.run(until=200 * SECOND)
    assert "\nnever\n" not in machine.screen()
    assert machine.type("echo $?") == "130\n"


def test_control_c_does_not_reach_a_job(machine: OneMachine) -> None:
    machine.type("sleep 3 && echo alive &")
    machine.key("^C")
    machine.env.run(until=4 * SECOND)
    assert "alive\n" in machine.screen().split("^C")[1]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["sleep 9 &", "kill %1", "echo"], "\n[1]+  Terminated              sleep 9\n"),
        (["sleep 9 &", "kill $!", "echo"], "\n[1]+  Terminated              sleep 9\n"),
        (["kill %3"], "-bash: kill: %3: no such job\n"),
        (["kill 99"], "-bash: kill: (99) - No such process\n"),
        (["kill x"], "-bash: kill: x: arguments must be process or job IDs\n"),
        (["kill -FOO 1"], "-bash: kill: FOO: invalid signal specification\n"),
        (["fg"], "-bash: fg: current: no such job\n"),
        (["wait 12345"], "-bash: wait: pid 12345 is not a child of this shell\n"),
        (["false &", "echo"], "\n[1]+  Exit 1                  false\n"),
    ],
)
def test_builtins_speak_as_bash_does(machine: OneMachine, lines: list[str], said: str) -> None:
    for line in lines[:-1]:
        machine.type(line)
    assert machine.type(lines[-1]) == said


def test_wait_waits_and_gives_the_status_of_the_job_that_was_named(machine: OneMachine) -> None:
    assert machine.type("(sleep 1; exit 7) & wait $!; echo $?", wait=2 * SECOND) == (
        "[1] 1207\n7\n[1]+  Exit 7                  (sleep 1; exit 7)\n"
    )
    machine.type("sleep 5 &")
    assert machine.type("wait; echo $?", wait=10 * SECOND).startswith("0\n")


def test_a_hang_up_ends_jobs_but_not_what_nohup_runs(machine: OneMachine) -> None:
    machine.type("sleep 5 && echo plain > /tmp/plain &")
    machine.type("nohup bash -c 'sleep 5; echo kept' &")
    machine.tty.interrupt("HUP")
    machine.env.run(until=10 * SECOND)
    assert [text for path, text in machine.files.items() if path.endswith("/nohup.out")] == ["kept\n"]
    assert "/tmp/plain" not in machine.files


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("timeout 2 sleep 9; echo $?", "124\n"),
        ("timeout 2 echo quick; echo $?", "quick\n0\n"),
        ("timeout 2 false; echo $?", "1\n"),
        ("timeout x true", "timeout: invalid time interval 'x'\nTry 'timeout --help' for more information.\n"),
        ("timeout 2 nosuch; echo $?", "timeout: failed to run command 'nosuch': No such file or directory\n127\n"),
    ],
)
def test_timeout_ends_what_takes_too_long(machine: OneMachine, line: str, said: str) -> None:
    assert machine.type(line, wait=3 * SECOND) == said


def test_watch_draws_a_clean_screen_every_time_until_interrupted(machine: OneMachine) -> None:
    shown = machine.type("watch -n 3 date", wait=7 * SECOND)
    screens = shown.split(CLEAR)[1:]
    assert [screen.splitlines()[2] for screen in screens] == [f"Mon Nov 23 09:00:0{second} UTC 2026" for second in (0, 3, 6)]
    assert screens[0].splitlines()[0].startswith("Every 3.0s: date") and len(screens[0].splitlines()[0]) == 80
    machine.key("^C")
    assert machine.type("echo back") == "back\n"
