"""Mutated nft rules and conntrack commands: no exception ever, and each is taken or refused as the real tool does, what it lists included.

CTLAB_COMMANDS sets how many; without it, as many as a run of the tests has time for.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from random import Random

import pytest

from sim.netfilter.hooks import Hooks
from sim.ruleset.nft.tool import run
from sim.ruleset.state import RuleState
from sim.ruleset.text import Result
from tests.fuzz.mutations import mutated, rules_of_nft
from tests.kernel.conntrack_sessions import SESSIONS
from tests.kernel.test_conntrack_tool_prints_the_same import COMMANDS, masked
from tests.kernel.test_iptables_prints_the_same import NoEffects
from tests.kernel.test_nft_prints_the_same import TABLE
from tests.shell.one_machine import OneMachine

MANY = int(os.environ.get("CTLAB_COMMANDS", "1500"))
SEED = int(os.environ.get("CTLAB_SEED", "1"))
COMPARED = min(20_000, MANY // 10)
RESET_EVERY = 60
_RUNNER = """
import json, subprocess, sys
def said(argv, text=None):
    done = subprocess.run(argv, input=text, stdin=None if text else subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    return done.returncode, done.stdout, done.stderr
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
for line in sys.stdin:
    print(json.dumps([said(*call) for call in json.loads(line)]), flush=True)
"""
Said = tuple[int, str, str]


class Real:
    """The real tools in a network namespace, a list of calls (words, standard input) at a time."""

    def __init__(self) -> None:
        command = ["unshare", "--net", sys.executable, "-c", _RUNNER]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Real:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def ask(self, *calls: tuple[list[str], str | None]) -> list[Said]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(calls) + "\n")
        self._process.stdin.flush()
        return [tuple(said) for said in json.loads(self._process.stdout.readline())]


# ---- nft -------------------------------------------------------------------------------------------------------------


def rules(many: int, seed: int) -> Iterator[tuple[str, str]]:
    """(family, a rule gone wrong)."""
    random, seeds = Random(seed), rules_of_nft()
    wrong = mutated([["nft", *words] for _, words in seeds], random)
    for words in islice(wrong, many):
        yield random.choice(("ip", "ip6", "inet")), " ".join(words[1:])


class Ours:
    """Our nft with the table that the rules are added to, made anew after each that was taken: it may have changed a set."""

    def __init__(self) -> None:
        self._states: dict[str, RuleState] = {}

    def add(self, family: str, rule: str) -> tuple[Result, str]:
        """What nft says of the rule, and how the chain is listed after it."""
        state = self._states.pop(family, None) or self._table(family)
        said = run(["nft", f"add rule {family} t c {rule}"], state, "")
        listed = run(["nft", "list", "chain", family, "t", "c"], state, "").out
        if said.status:
            self._states[family] = state
        return said, listed

    def _table(self, family: str) -> RuleState:
        state = RuleState(Hooks(), NoEffects())
        assert run(["nft", "-f", "-"], state, TABLE.format(family=family)).status == 0
        return state


def test_no_mutated_rule_of_nft_ends_in_an_exception() -> None:
    mine = Ours()
    for family, rule in rules(MANY, SEED):
        try:
            said, _ = mine.add(family, rule)
        except Exception as error:
            raise AssertionError(f"{family}: {rule}") from error
        assert said.status == 0 or said.err, f"{family}: {rule}"


# Where nft 1.0.6 has ways of its own: two ports of one header are moved together or shown as one number, a byte that spans fields as
# the fields, an empty prefix as none; ports of a connection are of an [invalid type], or refused; devices are the machine's own.
_ODD = ("th dport", "th sport", "tcp dport", "tcp sport", "@nh", "@th", "@ll", "log prefix", "proto-src", "proto-dst", "oif ", "iif ")


@pytest.mark.kernel
def test_nft_takes_lists_and_refuses_mutated_rules_as_the_real_one_does() -> None:
    wrong, refused, nft = [], 0, Ours()
    with Real() as real:
        for family, rule in (each for each in rules(COMPARED, SEED + 1) if "include" not in each[1] and "\x00" not in each[1]):
            calls = (["nft", "-f", "-"], TABLE.format(family=family)), (["nft", f"add rule {family} t c {rule}"], None)
            _, (status, _, err), (_, listed, _) = real.ask(*calls, (["nft", "list", "chain", family, "t", "c"], None))
            said, mine = nft.add(family, rule)
            if "not simulated here" in said.err:
                refused += 1
            elif ((status == 0) != (said.status == 0) or listed != mine) and not any(odd in rule for odd in _ODD):
                wrong.append((family, rule, status, err + listed, said.err + mine))
    assert not wrong, f"{len(wrong)} of {COMPARED}, {refused} not simulated: {wrong[:20]}"


# ---- conntrack -------------------------------------------------------------------------------------------------------


def commands(many: int, seed: int) -> Iterator[list[str]]:
    """Commands gone wrong, but those that wait for events, read files, or print the tool's own help."""
    lines = [*COMMANDS, *(line for text in SESSIONS.values() for line in text.strip().splitlines())]
    waits = ("-E", "--e", "-R", "--load", "-b", "-h", "--h", "-S", "--st")
    good = (
        argv
        for argv in mutated([line.split() for line in lines], Random(seed))
        if not any(word.startswith(waits) or (word[:1] == "-" and "E" in word[:6]) or "\x00" in word for word in argv[1:])
    )
    return islice(good, many)


def machine() -> OneMachine:
    return OneMachine(interfaces={"lo": ["127.0.0.1/8"]})


def test_no_mutated_command_of_conntrack_ends_in_an_exception() -> None:
    mine = machine()
    for number, argv in enumerate(commands(MANY, SEED)):
        mine = machine() if number % RESET_EVERY == 0 else mine
        try:
            mine.type(shlex.join(argv))
        except Exception as error:
            raise AssertionError(shlex.join(argv)) from error


@pytest.mark.kernel
def test_conntrack_takes_and_refuses_mutated_commands_as_the_real_one_does() -> None:
    wrong, refused, mine = [], 0, machine()
    with Real() as real:
        for number, argv in enumerate(commands(COMPARED, SEED + 1)):
            (status, out, err), = real.ask((["/usr/sbin/conntrack", *argv[1:]], None))
            printed = mine.type(shlex.join(argv))
            odd = not all(word.isascii() for word in argv) or "SECONDS" in "".join(masked(printed))
            if "not simulated here" in printed:
                refused += 1
            elif status != mine.shell.status or (masked(out + err) != masked(printed) and not odd):
                wrong.append((shlex.join(argv), status, out + err, mine.shell.status, printed))
            if number % RESET_EVERY == 0 or status != mine.shell.status or "not simulated here" in printed:
                real.ask((["conntrack", "-F"], None), (["conntrack", "-F", "expect"], None))
                mine = machine()
    assert not wrong, f"{len(wrong)} of {COMPARED}, {refused} not simulated: {wrong[:20]}"
