"""Random traffic and random rulesets through ctlab and through this machine's kernel: not one packet may differ.

Every commit draws a seed of its own and prints it, so that it fails again where it failed; CTLAB_SEED=fresh draws another, and
CTLAB_SEED=S runs that one, as does `ctlab verify --fuzz 20000 --rulesets 100 --seed S`, which shrinks what differs and, with
--save, writes it down. Time is the kernel's own: where a difference does not come
again at once, the case is counted as unsure, and two of those are allowed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import Any

import pytest

from sim.compiled import state
from sim.craft import craft
from sim.edges.verify.answers import Difference
from sim.edges.verify.fuzz.corners import corners
from sim.edges.verify.fuzz.session import session, with_rules
from sim.edges.verify.hunt import Hunt
from sim.edges.verify.keep import conversation
from sim.edges.verify.measure import Measure
from sim.edges.verify.pair import Pair
from sim.edges.verify.plan import Age, Case, Feed, Load, Plan
from sim.edges.verify.storm import storm
from tests.conntrack import conversation as spoken
from tests.fuzz import mended

PACKETS, CASES, RULESETS, A_RULESET, SPOILT, TRACED = 20_000, 50, 100, 150, 100_000, 180
MEASURED = 5000
"""The seed of the traffic by which branches are counted: always the same, for what is said to be out of reach must stay so."""


def first_seed() -> int:
    """What CTLAB_SEED says, or the commit's own."""
    chosen = os.environ.get("CTLAB_SEED") or of_commit()
    seed = SystemRandom().randrange(10**6) * 1000 if chosen == "fresh" else int(chosen)
    print(f"\nseed {seed}")
    return seed


def of_commit() -> str:
    """A seed from the id of the commit that is checked out; "fresh" where there is none."""
    with suppress(OSError):
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True)
        if found.returncode == 0:
            return str(int(found.stdout, 16) % 10**6 * 1000)
    return "fresh"


def shown(hunt: Hunt) -> str:
    return "\n".join(
        f"{found.case.name} {dict(found.case.plan.sysctls)}:\n"
        + "".join(f"  {step.dev} {step.data.hex()}\n" for step in found.least.steps if isinstance(step, Feed))
        + "".join(f"  {difference}\n" for difference in found.differences)
        for found in hunt.found
    )


def hunted(cases: Iterator[Case]) -> Hunt:
    hunt = Hunt()
    hunt.run(cases)
    print(f"{hunt.cases} cases, {hunt.packets} packets, {len(hunt.found)} differ, {hunt.unsure} unsure, {hunt.refused} rulesets refused")
    return hunt


def test_fresh_traffic_of_every_protocol_gone_wrong_is_judged_as_the_kernel_judges_it() -> None:
    seed = first_seed()
    hunt = hunted(session(seed + number, PACKETS // CASES, pauses=number % 20 == 19) for number in range(CASES))
    assert not hunt.found, shown(hunt)
    assert hunt.packets == PACKETS and hunt.unsure <= 2


def test_cases_with_a_purpose_are_judged_as_the_kernel_judges_them() -> None:
    hunt = hunted(corners())
    assert not hunt.found, shown(hunt)
    assert not hunt.unsure


def test_packets_through_fresh_random_rulesets_meet_the_rules_that_they_meet_in_the_kernel() -> None:
    seed = first_seed()
    hunt = hunted(with_rules(seed + number, A_RULESET) for number in range(RULESETS))
    assert not hunt.found, shown(hunt)
    assert hunt.refused < RULESETS / 5


@pytest.mark.skipif(state().startswith("compiled"), reason="compiled modules have no byte code to count")
def test_traffic_takes_every_branch_of_conntrack_and_nat() -> None:
    seed, measure = MEASURED, Measure()
    measure.run(corners())
    measure.run(session(seed + number, 100, pauses=number % 10 == 9) for number in range(TRACED))
    measure.run(with_rules(seed + number, 60) for number in range(TRACED // 10))
    branches = measure.branches
    print(next(line for line in measure.lines() if line.startswith("branches")))
    assert branches.mistaken() == [], "sim/edges/verify/unreachable.py"
    assert branches.never() == [], "\n".join(map(str, branches.never()))


def test_no_bytes_whatever_break_the_firewall_of_the_replay() -> None:
    assert [f"{broken.case.name}: {broken.data.hex()}: {broken.error}" for broken in storm(SPOILT, first_seed())] == []


@pytest.mark.parametrize("case", mended.load(), ids=lambda case: str(case["name"]))
def test_what_was_once_found_is_still_what_the_kernel_says(case: dict[str, Any]) -> None:
    with Pair(Plan(rules=mended.rules_of(case), sysctls=mended.sysctls_of(case))) as pair:
        assert [str(each) for each in pair.run([mended.step_of(step) for step in case["steps"]])] == []


ASK = craft("udp 192.168.1.10:1000 > 203.0.113.9:53 data ask")
ANSWER = craft("udp 203.0.113.9:53 > 192.168.1.10:1000 data answer")


def test_time_that_nobody_waits_for_passes_for_both() -> None:
    steps = [Feed("lan", ASK), Feed("wan", ANSWER), Age(25_000_000), Feed("lan", ASK), Age(119_000_000), Feed("wan", ANSWER)]
    with Pair(Plan(), keep=True) as pair:
        assert list(pair.run([*steps, Age(121_000_000), Feed("wan", ANSWER)])) == []
        told = [(answer.label, answer.entry["timeout"] if answer.entry else None) for _, answer in pair.heard]
    assert [label for label, _ in told] == ["NEW", "ESTABLISHED", "ESTABLISHED", "ESTABLISHED", "NEW"]
    assert [left for _, left in told[1:4]] in ([30, 120, 120], [30, 120, 119], [30, 119, 119])


def test_an_engine_that_is_wrong_is_found_shrunk_and_written_down(tmp_path: Path) -> None:
    steps = tuple(Feed("lan", craft(f"tcp 192.168.1.10:{1000 + number} > 203.0.113.9:80 S seq 1")) for number in range(40))
    wrong = Plan(rules=Load(iptables="*filter\n-A FORWARD -p tcp -m tcp --dport 80 -j DROP\nCOMMIT\n"))

    class Wrong(Hunt):
        """Ours forgets the rules for one port."""

        def _compare(self, case: Case, some: object) -> tuple[Difference, ...]:
            bad = [step for step in some if isinstance(step, Feed) and step.data[20:22] == (1033).to_bytes(2)]  # type: ignore[attr-defined]
            return (Difference(list(some).index(bad[0]) + 1, "verdict", "ACCEPT", "DROP"),) if bad else ()  # type: ignore[call-overload]

    hunt = Wrong()
    hunt.run(iter([Case("seed 1", wrong, steps)]))
    (found,) = hunt.found
    assert found.least.packets == 1
    file = tmp_path / "kept.yaml"
    file.write_text(conversation(Case("a SYN", Plan(), found.least.steps)))
    (kept,) = spoken.yaml.safe_load(file.read_text())
    run = spoken.Conversation(kept.get("sysctls", {}))
    (step,) = kept["steps"]
    assert spoken.wanted(step) <= run.say(step)[0]
    assert step["expect"].startswith("NEW original SYN_SENT")
