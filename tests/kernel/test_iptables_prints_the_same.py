"""iptables, ip6tables, -save and -restore: ours against the real iptables-legacy, output, errors and exit status, command by command."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from sim.netfilter.hooks import Hooks
from sim.netfilter.skb import Skb
from sim.ruleset.iptables import tool
from sim.ruleset.state import RuleState

SESSIONS = Path(__file__).with_name("iptables_sessions.txt")
RUNNER = """
import json, subprocess, sys
for argv, text in json.load(sys.stdin):
    env = {"PATH": "/usr/sbin:/sbin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(argv, input=text, capture_output=True, text=True, env=env)
    print(json.dumps([done.stdout, done.stderr, done.returncode]))
"""
DATES = re.compile(r"^# (Generated|Completed).*\n", re.MULTILINE)


class Said(NamedTuple):
    out: str
    err: str
    status: int


class NoEffects:
    """Nothing is sent or logged here: only the tool is asked."""

    def send(self, data: bytes, skb: Skb) -> None:
        raise AssertionError

    def kernel_log(self, text: str, skb: Skb) -> None:
        raise AssertionError

    def address_type(self, address: bytes, dev: str) -> int:
        return 1

    def source_address(self, to: bytes, indev: str = "") -> bytes | None:
        return None


def sessions() -> dict[str, list[tuple[str, list[str], str]]]:
    """Section -> its lines as (line, argv, standard input)."""
    found: dict[str, list[tuple[str, list[str], str]]] = {}
    for line in SESSIONS.read_text().splitlines():
        if line.startswith("## "):
            found[line[3:]] = []
        elif line and not line.startswith("#"):
            command, _, text = line.partition(" <<< ")
            plain = text.replace("\\\\", "\0").replace("\\n", "\n").replace('\\"', '"').replace("\0", "\\")
            list(found.values())[-1].append((line, shlex.split(command), plain))
    return found


def real(commands: list[tuple[list[str], str]]) -> list[Said]:
    """The same commands with the real tools, in a network namespace of their own."""
    asked = [([argv[0].replace("tables", "tables-legacy"), *argv[1:]], text) for argv, text in commands]
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", RUNNER], input=json.dumps(asked), capture_output=True, text=True, timeout=60, check=True
    )
    return [Said(*json.loads(line)) for line in done.stdout.splitlines()]


def ours(commands: list[tuple[list[str], str]]) -> list[Said]:
    state = RuleState(Hooks(), NoEffects())
    return [Said(*_fields(tool.run(argv, state, text))) for argv, text in commands]


def _fields(result: tool.Result) -> tuple[str, str, int]:
    return result.out, result.err, result.status


@pytest.mark.parametrize("name", sessions())
def test_each_command_prints_what_the_real_tool_prints(name: str) -> None:
    lines = sessions()[name]
    commands = [(argv, text) for _, argv, text in lines]
    wrong = [
        (line, theirs, mine)
        for (line, _, _), theirs, mine in zip(lines, real(commands), ours(commands), strict=True)
        if (DATES.sub("", theirs.out), theirs.err, theirs.status) != (DATES.sub("", mine.out), mine.err, mine.status)
    ]
    assert not wrong


def test_what_is_saved_is_restored_and_saved_the_same_by_both_tools() -> None:
    session = sessions()["every match and target, listed and saved"]
    adds = [(argv, text) for _, argv, text in session if argv[1:2] in (["-A"], ["-t"], ["-N"])]
    state = RuleState(Hooks(), NoEffects())
    for argv, _ in adds:
        tool.run(argv, state)
    saved = tool.run(["iptables-save"], state).out
    theirs = real([(["iptables-restore"], saved), (["iptables-save"], "")])
    again = RuleState(Hooks(), NoEffects())
    assert tool.run(["iptables-restore"], again, saved) == tool.Result()
    assert theirs[0] == Said("", "", 0)
    tables = sorted(DATES.sub("", saved).split("COMMIT\n"))
    assert sorted(DATES.sub("", theirs[1].out).split("COMMIT\n")) == tables
    assert sorted(DATES.sub("", tool.run(["iptables-save"], again).out).split("COMMIT\n")) == tables
