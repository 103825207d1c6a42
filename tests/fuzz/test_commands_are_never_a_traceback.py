"""Mutated commands and rulesets: no exception ever, and iptables and ipset accept and refuse what the real ones do.

CTLAB_COMMANDS sets how many (1,000,000 takes an hour or two); without it, as many as a run of the tests has time for.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from random import Random

import pytest

from sim.netfilter.hooks import Hooks
from sim.ruleset.ipset import tool as ipset_tool
from sim.ruleset.iptables import tool, translator
from sim.ruleset.nft import tool as nft_tool
from sim.ruleset.state import RuleState
from sim.ruleset.text import Result
from tests.fuzz.mutations import mutated, sessions
from tests.kernel.test_iptables_prints_the_same import NoEffects

MANY = int(os.environ.get("CTLAB_COMMANDS", "6000"))
SEED = int(os.environ.get("CTLAB_SEED", "1"))
COMPARED = min(20_000, MANY // 10)
RESET_EVERY = 40
SETS = [["ipset", "create", *words.split(" ")] for words in ("a hash:ip", "b hash:net,port", "c hash:ip family inet6")]
_RUNNER = """
import json, subprocess, sys
for line in sys.stdin:
    argv = json.loads(line)
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=20)
    print(json.dumps([done.returncode, done.stderr]), flush=True)
"""


def fresh() -> RuleState:
    state = RuleState(Hooks(), NoEffects())  # type: ignore[arg-type]
    for argv in SETS:
        ipset_tool.run(argv, state.ipsets, 0)
    return state


def run(argv: list[str], state: RuleState) -> Result:
    if argv[0] == "ipset":
        return ipset_tool.run(argv, state.ipsets, 0)
    if argv[0] == "nft":
        return nft_tool.run(argv, state, "")
    return tool.run(argv, state)


def lines(name: str, many: int, seed: int) -> Iterator[list[str]]:
    return islice(mutated([each for each in sessions(name) if "-h" not in each], Random(seed)), many)


@pytest.mark.parametrize("name", ["iptables_sessions.txt", "ipset_sessions.txt"])
def test_no_mutated_command_ends_in_an_exception(name: str) -> None:
    state = fresh()
    for number, argv in enumerate(lines(name, MANY, SEED)):
        state = fresh() if number % RESET_EVERY == 0 else state
        try:
            result = run(argv, state)
            if argv[0] in ("iptables", "ip6tables"):
                translator.run([f"{argv[0]}-translate", *argv[1:]], state.ipsets)
        except Exception as error:
            raise AssertionError(shlex.join(argv)) from error
        assert result.status == 0 or result.err or result.out or argv[0] == "ipset", shlex.join(argv)


def test_no_mutated_ruleset_ends_in_an_exception() -> None:
    random, good = Random(SEED), [line[1:] for line in sessions("iptables_sessions.txt") if line[0] == "iptables" and line[1:2] == ["-A"]]
    for _ in range(MANY // 20):
        state, text = fresh(), ["*filter", ":INPUT ACCEPT [0:0]", ":web - [0:0]"]
        text += [shlex.join(line) for line in islice(mutated([["", *line] for line in random.choices(good, k=9)], random), 9)]
        whole = "\n".join([*text, "COMMIT", ""])
        at = random.randrange(len(whole))
        whole = whole[:at] + random.choice(("", "\n", '"', "*nat\n", "COMMIT\n", ":x", "[1:2] ", "\\", "\t", "é")) + whole[at + 1 :]
        try:
            tool.run(["iptables-restore", *random.choice(([], ["-c"], ["-n"], ["--test"], ["-v"]))], state, whole)
            translator.run(["iptables-restore-translate"], state.ipsets, whole)
        except Exception as error:
            raise AssertionError(whole) from error


# ---- against the real parsers ----------------------------------------------------------------------------------------


class Real:
    """The real tools in a network namespace, a command at a time."""

    def __init__(self) -> None:
        command = ["unshare", "--net", sys.executable, "-c", _RUNNER]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, argv: list[str]) -> tuple[int, str]:
        assert self._process.stdin is not None and self._process.stdout is not None
        real = [argv[0].replace("tables", "tables-legacy"), *argv[1:]]
        self._process.stdin.write(json.dumps(real) + "\n")
        self._process.stdin.flush()
        status, err = json.loads(self._process.stdout.readline())
        return status, err

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def comparable(argv: list[str]) -> bool:
    """Not what would read a file, speak to a name service, or wait; not what one process cannot be given."""
    if any("\x00" in word for word in argv):
        return False
    return argv[0] in ("iptables", "ip6tables", "ipset") and not any(
        word.startswith(("-h", "--h", "-M", "--mod", "-w", "--wait", "-f", "-file", "-r", "-o")) for word in argv[1:]
    )


@pytest.mark.kernel
@pytest.mark.skipif(shutil.which("ipset") is None, reason="the program ipset is not here")
@pytest.mark.parametrize("name", ["iptables_sessions.txt", "ipset_sessions.txt"])
def test_what_the_real_tool_accepts_is_accepted_or_not_simulated_and_what_it_refuses_is_refused(name: str) -> None:
    real, state, wrong, refused = Real(), fresh(), [], 0
    try:
        for number, argv in enumerate(each for each in lines(name, COMPARED, SEED + 1) if comparable(each)):
            if number % RESET_EVERY == 0:
                state = fresh()
                _reset(real)
            (status, err), mine = real.run(argv), run(argv, state)
            if "not simulated here" in mine.err:
                refused += 1
                state = fresh()
                _reset(real)
            elif (status == 0) != (mine.status == 0):
                wrong.append((shlex.join(argv), status, err, mine.status, mine.err))
                _reset(real)
                state = fresh()
    finally:
        real.close()
    assert not wrong, f"{len(wrong)} of {COMPARED}, {refused} not simulated: {wrong[:20]}"


def _reset(real: Real) -> None:
    """The same empty machine on both sides."""
    for program in ("iptables", "ip6tables"):
        for table in ("filter", "nat", "mangle", "raw", "security"):
            for what in ("-F", "-X"):
                real.run([program, "-t", table, what])
    for each in (["ipset", "flush"], ["ipset", "destroy"], *SETS):
        real.run(each)
