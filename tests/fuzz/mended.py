"""Reads and runs mended.yaml: packets through a whole firewall (rules, fragments, options), as `ctlab verify --save` writes them.

Steps are those of tests/conversations, with more words: `in` is a device or own, `verdict`, `out` what leaves ("device bytes", chance
masked); `iptables`, `ip6tables` and `nft` are the rules, `drawn` the ports that NAT drew, `wait` a pause, `sysctl` a setting that changes,
`typed` a line of the conntrack tool, `rules` others than those before.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from sim.conntrack.show import seconds_left
from sim.craft import craft
from sim.edges.replay.console import Console
from sim.edges.replay.outcome import Outcome
from sim.edges.replay.wall import Wall
from sim.edges.verify.masks import masked
from sim.edges.verify.measure import flush, give_rules
from sim.edges.verify.plan import DEVICES, Feed, Flush, Load, Step, Sysctl, Typed, Wait
from sim.ruleset.model import Ruleset
from sim.units import SECOND, parse_time

FILE = Path(__file__).with_name("mended.yaml")


def load() -> list[dict[str, Any]]:
    """Every case."""
    return list(yaml.safe_load(FILE.read_text()))


def rules_of(case: dict[str, Any]) -> Load:
    """Its rules."""
    return Load(case.get("iptables", ""), case.get("ip6tables", ""), case.get("nft", ""))


def sysctls_of(case: dict[str, Any]) -> dict[str, str]:
    """Its settings, by their dotted names."""
    return {f"net.netfilter.{key}": str(value) for key, value in case.get("sysctls", {}).items()}


def step_of(step: dict[str, Any]) -> Step:
    """Its packet, its pause, or what changes."""
    if "wait" in step:
        return Wait(parse_time(step["wait"]) / SECOND)
    if "flush" in step:
        return Flush()
    if "sysctl" in step:
        ((key, value),) = step["sysctl"].items()
        return Sysctl(key if key.startswith("net.") else f"net.netfilter.{key}", str(value))
    if "typed" in step:
        return Typed(step["typed"])
    if "rules" in step:
        return Load(**step["rules"])
    return Feed(None if step["in"] == "own" else step["in"], craft(step["packet"]))


class Run:
    """One firewall, fed step by step."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.wall = Wall(DEVICES)
        for key, value in sysctls_of(case).items():
            self.wall.ip.sysctls.set(key, value)
        self.wall.ip.nat.chooser.dice = self._fall
        self._drawn: Sequence[int | None] = (None, None)
        give_rules(self.wall, rules_of(case))

    def _fall(self, low: int, size: int, manip: int) -> int:
        port = self._drawn[manip]
        return 0 if port is None else (port - low) % size

    def say(self, step: dict[str, Any]) -> dict[str, Any]:
        """What ctlab says, in the step's own words; `words` are all that `expect` may say."""
        self.wall.advance(parse_time(step["at"]))
        one = step_of(step)
        if isinstance(one, Sysctl):
            self.wall.ip.sysctls.set(one.key, one.value)
        if isinstance(one, Flush):
            flush(self.wall)
        if isinstance(one, Typed):
            Console(self.wall).run(one.line)
        if isinstance(one, Load):
            self.wall.ip.rules.load(Ruleset(), by="verify")
            give_rules(self.wall, one)
        if not isinstance(one, Feed):
            return {}
        dev, data, _ = one
        self._drawn = step.get("drawn", (None, None))
        outcome = self.wall.send(data, 1) if dev is None else self.wall.receive(data, dev, 1)
        return {
            "words": self._words(outcome, data), "verdict": outcome.verdict,
            "out": [f"{where} {masked(sent).hex()}" for where, sent in outcome.out],
            "log": outcome.kernel_log[0].strip() if outcome.kernel_log else None,
        }  # fmt: skip

    def _words(self, outcome: Outcome, data: bytes) -> set[str]:
        conn = self.wall.lookup(data)
        words = {str(outcome.label), str(outcome.direction)}
        if conn is None:
            return words | {"gone"}
        words |= {str(conn.state_name()), str(seconds_left(conn, self.wall.now))}
        return words | ({"assured"} if conn.status & 4 else set()) | (set() if conn.status & 2 else {"unreplied"})
