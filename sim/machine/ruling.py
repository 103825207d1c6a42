"""A machine's rules as a whole: what they are as text, and others in their place, for good or on trial as iptables-apply has it.

    ruling = Ruling(machine);  ruling.texts() -> {"iptables": …, "ip6tables": …, "nft": …};  ruling.replace({"nft": …}, timer=30 * SECOND)

The machine's own tools do it: iptables-restore, ip6tables-restore, nft -f. What a text does not name goes. Not in here: typing (shell/).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from typing import Any

import simpy

from sim.errors import UsageError
from sim.machine.machine import Machine
from sim.ruleset.iptables import chains
from sim.ruleset.iptables import tool as iptables_tool
from sim.ruleset.nft import tool as nft_tool
from sim.ruleset.study import Studied, as_json, study
from sim.ruleset.text import Result
from sim.trace import Noted
from sim.units import show_time

FAMILIES = {"iptables": "ip", "ip6tables": "ip6"}
LANGUAGES = ("iptables", "ip6tables", "nft")
_COUNTERS = re.compile(r"^(:\S+ \S+) \[\d+:\d+\]$", re.MULTILINE)


class Ruling:
    """The rules of one machine. While a trial lasts, `_before` is what comes back when nobody keeps the new ones."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._before: dict[str, str] | None = None
        self._trial: object = None

    def texts(self) -> dict[str, str]:
        """What iptables-save, ip6tables-save and `nft -s list ruleset` print now, without comments and counters."""
        found = {tool: self._saved(tool) for tool in FAMILIES}
        found["nft"] = nft_tool.run(["nft", "-s", "list", "ruleset"], self._machine.ip.rules).out
        return found

    def _saved(self, tool: str) -> str:
        text = iptables_tool.run([f"{tool}-save"], self._machine.ip.rules).out
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        return _COUNTERS.sub(r"\1 [0:0]", "".join(line + "\n" for line in lines))

    def check(self, texts: Mapping[str, str]) -> None:
        """Raises UsageError with the first mistake and its place."""
        for source in ("iptables", "nft"):
            mine = {name: text for name, text in texts.items() if (name == "nft") == (source == "nft")}
            for mistake in self._studied(mine, source).mistakes[:1]:
                raise UsageError(f"{mistake.doc}:{mistake.line}:{mistake.column}: {mistake.message} {mistake.hint}".rstrip())

    def study(self, texts: Mapping[Any, str], source: str) -> dict[str, Any]:
        """What an editor is told of texts that are being typed for this machine (ruleset/study.py)."""
        return as_json(self._studied(texts, source))

    def _studied(self, texts: Mapping[str, str], source: str) -> Studied:
        return study(texts, source, self._machine.ip.rules.ipsets, self._devices())

    def _devices(self) -> dict[str, int]:
        return {name: interface.index for name, interface in self._machine.ip.interfaces.items()}

    def replace(self, texts: Mapping[str, str], timer: int | None = None) -> None:
        """Load these in the place of what is there; languages that are not named stay. `timer` (µs): take them back then, unless kept.

        A trial within a trial begins it anew: what comes back is what was there before the first.
        """
        before = {name: text for name, text in self.texts().items() if name in texts} | (self._before or {})
        problem = self._load(texts)
        if problem:
            self._load(before)
            self._say(problem)
        self._before, self._trial = None, None
        if timer is not None and not problem:
            self._before, self._trial = before, object()
            self._machine.run(self._wait(timer, self._trial))

    def keep(self) -> None:
        """The trial is over: the new rules stay."""
        if self._trial is None:
            self._say("There was nothing to keep: no rules are on trial.")
        self._before, self._trial = None, None

    def _wait(self, timer: int, trial: object) -> Generator[simpy.Event, Any, None]:
        yield self._machine.env.timeout(timer)
        if self._trial is trial and self._before is not None:
            self._load(self._before)
            self._before, self._trial = None, None
            self._say(f"Nobody kept the new rules within {show_time(timer)}: the old ones are back.")

    def _say(self, text: str) -> None:
        if self._machine.emit is not None:
            self._machine.emit(Noted("rules", f"{self._machine.name}: {text}"))

    def _load(self, texts: Mapping[str, str]) -> str:
        """What the first tool that refuses its text says, or ""."""
        for name in LANGUAGES:
            if name in texts:
                result = self._loaded(name, texts[name])
                if result.status:
                    return result.err.rstrip()
        return ""

    def _loaded(self, name: str, text: str) -> Result:
        rules = self._machine.ip.rules
        if name == "nft":
            return nft_tool.run(["nft", "-f", "-"], rules, f"flush ruleset\n{text}\n", interfaces=self._devices())
        whole = text + self._emptied(FAMILIES[name], text)
        return iptables_tool.run([f"{name}-restore"], rules, whole) if whole.strip() else Result()

    def _emptied(self, family: str, text: str) -> str:
        """Tables that are there and that the text does not name, without rules."""
        named = {line[1:].strip() for line in text.splitlines() if line.startswith("*")}
        gone = [table.name for table in self._machine.ip.rules.ruleset.of("iptables") if table.family == family and table.name not in named]
        return "".join(_empty(family, name) for name in gone)


def _empty(family: str, name: str) -> str:
    heads = "".join(f":{chain.name} ACCEPT [0:0]\n" for chain in chains.new_table(family, name).chains)
    return f"*{name}\n{heads}COMMIT\n"
