"""What a drill or a challenge asks at its end: who may talk, who may not, which live connections go on or are cut, and how things stand.

    - may: {from: ann, to: server, tcp: 22}           also udp: PORT, or ping: yes
    - may-not: {from: eve, to: server, tcp: 22}
    - lives: {from: ann, name: backup}                the connection of a client that talks (a scenario's `clients`)
    - cut: {from: eve, name: exfiltration}
    - holds: {policy: {machine: server, chain: INPUT, is: DROP}}      a check of expect.py; `says:` beside it tells it in a sentence

Not in here: asking (judge.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lessons.expect import Check, Each, at_once, read_checks
from sim.document import Document, Path
from sim.errors import did_you_mean
from sim.inputs import Attempt
from sim.scenario import Scenario

KINDS = ("may", "may-not", "lives", "cut", "holds")
_PROTOCOLS = ("tcp", "udp", "ping")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. `attempt` for may and may-not; `machine` and `name` of the talk for lives and cut; `checks` for holds."""

    kind: str
    text: str
    machine: str = ""
    name: str = ""
    attempt: Attempt | None = None
    checks: tuple[Check, ...] = ()


def read_tests(document: Document, scenario: Scenario, each: Each = at_once) -> tuple[Asked, ...]:
    """Tests from YAML. Raises ScenarioError at the word that is wrong."""
    if not isinstance(document.data, list) or not document.data:
        raise document.mistake("a list of tests is wanted, each like `- may: {from: ann, to: server, tcp: 22}`")
    return tuple(each(_Item(document, scenario, index).test for index in range(len(document.data))))


class _Item:
    """One test being read."""

    def __init__(self, document: Document, scenario: Scenario, index: int) -> None:
        self.document, self.scenario, self.path = document, scenario, (index,)
        self.item = document.data[index]

    def test(self) -> Asked:
        if not isinstance(self.item, dict) or len(self.item) != 1:
            raise self.document.mistake("a test has one kind: `- may: {from: ann, to: server, tcp: 22}`", self.path)
        kind, said = next(iter(self.item.items()))
        self._known(kind, KINDS, "kind of test", "<key>")
        if kind == "holds":
            return self._holds(said)
        if not isinstance(said, dict):
            raise self.document.mistake("fields are wanted: {from: ann, to: server, tcp: 22}", (*self.path, kind))
        machine = self._field(kind, said, "from")
        self._known(machine, self.scenario.machines, "machine", "from")
        return self._try(kind, said, machine) if kind.startswith("may") else self._talk(kind, said, machine)

    def _holds(self, said: Any) -> Asked:
        """A check, and under `says` what it means to a learner."""
        check, says = said, ""
        if isinstance(said, dict) and "says" in said:
            check, says = {name: value for name, value in said.items() if name != "says"}, said["says"]
            if not isinstance(says, str) or not says.strip():
                raise self.document.mistake("`says` is a sentence: what is to hold", (*self.path, "holds", "says"))
        checks = read_checks([check], self.document, (*self.path, "holds"), places={"machine": list(self.scenario.machines)})
        return Asked("holds", says or checks[0].text, checks=checks)

    def _known(self, name: Any, known: Any, what: str, key: str) -> None:
        if name not in known:
            kind = next(iter(self.item))
            path: Path = (*self.path, kind, key)
            raise self.document.mistake(f"there is no {what} '{name}'", path, did_you_mean(str(name), list(known)))

    def _field(self, kind: str, said: dict[str, Any], name: str) -> str:
        value = said.get(name)
        if not isinstance(value, str) or not value:
            raise self.document.mistake(f"`{kind}` needs `{name}:`", (*self.path, kind, name))
        return value

    def _only(self, kind: str, said: dict[str, Any], known: Sequence[str]) -> None:
        for name in said:
            if name not in known:
                hint = f"it has {', '.join(known)}" if name == "port" else did_you_mean(name, known) or f"it has {', '.join(known)}"
                raise self.document.mistake(f"`{kind}` has no field '{name}'", (*self.path, kind, name, "<key>"), hint)

    def _try(self, kind: str, said: dict[str, Any], machine: str) -> Asked:
        self._only(kind, said, ("from", "to", *_PROTOCOLS))
        to, given = self._field(kind, said, "to"), [name for name in _PROTOCOLS if name in said]
        if len(given) != 1:
            raise self.document.mistake("say one of tcp: PORT, udp: PORT, ping: yes", (*self.path, kind))
        protocol = given[0]
        port = 0 if protocol == "ping" else said[protocol]
        if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 65535 or (port == 0) != (protocol == "ping"):
            raise self.document.mistake("a port from 1 to 65535 is wanted", (*self.path, kind, protocol))
        what = f"ping {to}" if protocol == "ping" else f"reach {protocol} port {port} of {to}"
        verb = "can" if kind == "may" else "cannot"
        return Asked(kind, f"{machine} {verb} {what}", machine, attempt=Attempt(machine, to, protocol, port))

    def _talk(self, kind: str, said: dict[str, Any], machine: str) -> Asked:
        self._only(kind, said, ("from", "name"))
        name = self._field(kind, said, "name")
        talks = [client.name for client in self.scenario.machines[machine].clients if client.does == "talk"]
        self._known(name, talks, f"talk of {machine}", "name")
        said_so = "is still alive" if kind == "lives" else "has been cut"
        return Asked(kind, f"the connection '{name}' of {machine} {said_so}", machine, name)
