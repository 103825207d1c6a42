"""`ctlab shell` from standard input: what is typed, how long time goes on for it, and where it stops."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from click.testing import CliRunner

from web import cli


def typed(*lines: str) -> str:
    result = CliRunner().invoke(cli.cli, ["shell"], input="".join(f"{line}\n" for line in lines))
    assert result.exit_code == 0, result.output
    return result.output


def test_sleep_takes_its_simulated_time_before_the_next_line_is_typed() -> None:
    output = typed("sleep 40", "date", "sleep 1m; date")
    assert "^C" not in output
    assert [line for line in output.splitlines() if "UTC" in line] == ["Mon Nov 23 09:00:40 UTC 2026", "Mon Nov 23 09:01:40 UTC 2026"]


def test_curl_to_nobody_waits_until_it_says_that_it_failed() -> None:
    output = typed("on laptop", "curl http://192.168.1.99/", "date")
    assert "curl: (28) Failed to connect to 192.168.1.99 port 80 after 131000 ms" in output
    assert "09:02:11 UTC" in output


def test_a_program_that_never_ends_does_not_take_half_an_hour() -> None:
    output = typed("on laptop", "ping 192.168.1.20", "^C", "date")
    assert "time 10000ms" in output
    assert "09:00:10 UTC" in output


def test_a_watch_stays_in_front_while_another_machine_works_and_no_time_is_lost() -> None:
    output = typed("conntrack -E", "on laptop", "curl -s http://192.168.1.20/", "on server", "^C", "date")
    assert output.count("[UPDATE]") == 5
    assert "6 flow events have been shown" in output
    assert "09:00:00 UTC" in output


def test_an_interrupt_while_time_is_computed_goes_to_the_program_and_not_to_the_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    from web.commands.shell import Typist

    real, done = Typist.type, threading.Event()

    def interrupted(self: Typist, line: str) -> None:
        if line.startswith("ping") and not done.is_set():
            done.set()
            os.kill(os.getpid(), signal.SIGINT)
        real(self, line)

    monkeypatch.setattr(Typist, "type", interrupted)
    output = typed("on laptop", "ping 192.168.1.20", "date")
    assert "packets transmitted" in output
    assert "UTC 2026" in output
