"""ipset, and iptables' `-m set` and `-j SET`: ours against the real tools, output, errors and exit status, command by command."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sim.netfilter.hooks import Hooks
from sim.ruleset.ipset import tool as ipset_tool
from sim.ruleset.iptables import tool
from sim.ruleset.state import RuleState
from tests.kernel.test_iptables_prints_the_same import RUNNER, NoEffects, Said

SESSIONS = Path(__file__).with_name("ipset_sessions.txt")
pytestmark = pytest.mark.skipif(shutil.which("ipset") is None, reason="the program ipset is not here")


def sessions() -> dict[str, list[list[str]]]:
    """Section -> its commands."""
    found: dict[str, list[list[str]]] = {}
    for line in SESSIONS.read_text().splitlines():
        if line.startswith("## "):
            found[line[3:]] = []
        elif line and not line.startswith("#"):
            list(found.values())[-1].append(shlex.split(line))
    return found


def real(commands: list[list[str]]) -> list[Said]:
    asked = [([argv[0].replace("tables", "tables-legacy"), *argv[1:]], "") for argv in commands]
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", RUNNER], input=json.dumps(asked), capture_output=True, text=True, timeout=60, check=True
    )
    return [Said(*json.loads(line)) for line in done.stdout.splitlines()]


def ours(commands: list[list[str]]) -> list[Said]:
    state = RuleState(Hooks(), NoEffects())  # type: ignore[arg-type]
    said = []
    for argv in commands:
        result = ipset_tool.run(argv, state.ipsets, 0) if argv[0] == "ipset" else tool.run(argv, state)
        said.append(Said(result.out, result.err, result.status))
    return said


def comparable(said: Said) -> tuple[list[str], str, int]:
    """Without the kernel's seed, what depends on it (a hash's order and memory), and the seconds that the commands take."""
    text = re.sub(r"initval 0x\w+", "initval SEED", said.out)
    text = re.sub(r"Size in memory: \d+|<memsize>\d+", "MEMORY", text)
    text = re.sub(r"\btimeout (\d+)", lambda found: f"timeout {(int(found[1]) + 5) // 10}0", text)
    return sorted(text.splitlines()), said.err, said.status


@pytest.mark.parametrize("name", sessions())
def test_each_command_prints_what_the_real_tool_prints(name: str) -> None:
    commands = sessions()[name]
    wrong = [
        (shlex.join(argv), theirs, mine)
        for argv, theirs, mine in zip(commands, real(commands), ours(commands), strict=True)
        if comparable(theirs) != comparable(mine)
    ]
    assert not wrong


def test_the_memory_of_a_set_with_few_elements_is_the_kernels() -> None:
    commands = [["ipset", "create", "e", "hash:ip"]] + [
        shlex.split(line)
        for kind, entry in (("hash:ip", "1.1.1.1"), ("hash:net", "10.0.0.0/8"), ("hash:ip,port", "1.1.1.1,80"), ("list:set", "e"))
        for extra in ("", "timeout 100", "counters", "comment", "counters comment timeout 100")
        for line in (f"ipset create s {kind} {extra}", f"ipset add s {entry}", "ipset list s -t", "ipset destroy s")
    ]

    def sizes(answers: list[Said]) -> list[str]:
        return [line for answer in answers for line in answer.out.splitlines() if line.startswith("Size")]

    assert sizes(ours(commands)) == sizes(real(commands))
