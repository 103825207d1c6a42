"""Ways out that are laid before one locks oneself out: at, iptables-apply. And modprobe, less, rm."""

from __future__ import annotations

from datetime import datetime

import pytest

from sim.shell.when import Garbled, moment
from sim.units import SECOND
from tests.shell.one_machine import OneMachine

NOW = datetime(2026, 11, 23, 9, 0, 30)


@pytest.fixture
def machine() -> OneMachine:
    return OneMachine()


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("now", "2026-11-23 09:00"), ("now + 1 minute", "2026-11-23 09:01"), ("now +2 min", "2026-11-23 09:02"),
        ("now+3hours", "2026-11-23 12:00"),
        ("09:30", "2026-11-23 09:30"), ("0930", "2026-11-23 09:30"), ("08:30", "2026-11-24 08:30"), ("noon", "2026-11-23 12:00"),
        ("noon tomorrow", "2026-11-24 12:00"), ("4pm", "2026-11-23 16:00"), ("4:15 pm + 2 days", "2026-11-25 16:15"),
        ("midnight", "2026-11-24 00:00"), ("teatime", "2026-11-23 16:00"), ("now tomorrow", "2026-11-24 09:00"),
        ("12am", "2026-11-24 00:00"),
    ],
)  # fmt: skip
def test_at_understands_times_as_at_does(text: str, when: str) -> None:
    assert moment(text, NOW) == datetime.fromisoformat(when)


@pytest.mark.parametrize("text", ["", "foo", "25:00", "10:75", "now + 5", "now + x minutes", "08:00 today"])
def test_what_is_no_time_is_garbled(text: str) -> None:
    with pytest.raises(Garbled):
        moment(text, NOW)


def test_a_job_runs_at_its_minute_though_nobody_is_there_any_more(machine: OneMachine) -> None:
    machine.type("iptables -P INPUT DROP")
    assert machine.type("echo 'iptables -P INPUT ACCEPT' | at now + 2 minutes") == (
        "warning: commands will be executed using /bin/sh\njob 1 at Mon Nov 23 09:02:00 2026\n"
    )
    machine.tty.interrupt("HUP")
    machine.env.run(until=119 * SECOND)
    assert "-P INPUT DROP" in _rules(machine)
    machine.env.run(until=121 * SECOND)
    assert "-P INPUT ACCEPT" in _rules(machine)


def _rules(machine: OneMachine) -> str:
    other = OneMachine()
    other.ip = machine.ip
    return other.type("iptables -S")


def test_a_person_is_asked_line_by_line(machine: OneMachine) -> None:
    machine.type("at 09:05")
    machine.type("echo one")
    machine.type("echo two")
    assert "job 1 at Mon Nov 23 09:05:00 2026\n" in machine.key("^D")
    assert machine.type("atq") == "1\tMon Nov 23 09:05:00 2026 a root\n"
    machine.env.run(until=301 * SECOND)
    assert machine.files["/var/mail/root"].endswith("one\ntwo\n\n")


def test_a_removed_job_does_not_run(machine: OneMachine) -> None:
    machine.type("echo 'echo ran > /tmp/ran' | at now + 1 minute")
    assert machine.type("atrm 1; atq; atrm 1") == "Cannot find jobid 1\n"
    machine.env.run(until=90 * SECOND)
    assert "/tmp/ran" not in machine.files


@pytest.mark.parametrize(("answer", "kept"), [("y", True), ("n", False), (None, False)])
def test_iptables_apply_keeps_rules_only_when_somebody_says_so(machine: OneMachine, answer: str | None, kept: bool) -> None:
    machine.type("iptables -A INPUT -p tcp --dport 22 -j ACCEPT; iptables-save > /etc/old")
    machine.files["/etc/new"] = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
    machine.type("iptables-apply -t 5 /etc/new")
    assert machine.prompt == "Can you establish NEW connections to the machine? (y/N) "
    if answer is not None:
        machine.type(answer)
    machine.env.run(until=machine.env.now + 6 * SECOND)
    before = "-P INPUT ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"
    assert machine.type("iptables -S INPUT") == ("-P INPUT DROP\n" if kept else before)
    assert ("See you next time." in machine.screen()) is kept


def test_iptables_apply_takes_back_what_does_not_load(machine: OneMachine) -> None:
    machine.type("iptables -A INPUT -j ACCEPT")
    machine.files["/etc/bad"] = "*filter\n-A NOWHERE -j ACCEPT\nCOMMIT\n"
    said = machine.type("iptables-apply /etc/bad")
    assert "failed.\nError: unknown error applying new iptables rules: /etc/bad\nReverting to old iptables rules... done.\n" in said
    assert "-A INPUT -j ACCEPT" in machine.type("iptables -S")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("modprobe nf_conntrack_ftp; echo $?", "0\n"),
        ("modprobe -a nf-conntrack-sip nf_nat; echo $?", "0\n"),
        ("modprobe nosuch; echo $?", "modprobe: FATAL: Module nosuch not found in directory /lib/modules/6.18.0\n1\n"),
        ("iptables -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp; modprobe -r nf_conntrack_ftp; echo $?",
         "modprobe: FATAL: Module nf_conntrack_ftp is in use.\n1\n"),
        ("nft 'add table ip t { ct helper n { type \"sip\" protocol udp; }; }'; modprobe -r nf-conntrack-sip; echo $?",
         "modprobe: FATAL: Module nf_conntrack_sip is in use.\n1\n"),
        ("iptables -t raw -A PREROUTING -p tcp -j CT --helper ftp; iptables -t raw -F; modprobe -r nf_conntrack_ftp; echo $?", "0\n"),
        ("iptables-apply -t x f", "Error: timeout must be a positive number\n"),
        ("iptables-apply nosuch; echo $?", "Error: rulesfile not readable: nosuch\n2\n"),
        ("echo a > f; less f; rm f; ls ~", "a\n"),
        ("rm nosuch", "rm: cannot remove 'nosuch': No such file or directory\n"),
        ("rm -f nosuch; echo $?", "0\n"),
        ("rm /etc/hosts", "rm: cannot remove '/etc/hosts': Operation not permitted\n"),
        ("tcpdump -i wlan9", "tcpdump: wlan9: No such device exists\n(No such device exists)\n"),
        ("tcpdump -n port 99999", "tcpdump: illegal port number 99999 > 65535\n"),
        ("tcpdump -G 5", "tcpdump: -G: right, but not simulated here\n"),
    ],
)
def test_small_commands_say_what_the_real_ones_say(machine: OneMachine, line: str, said: str) -> None:
    assert machine.type(line) == said
