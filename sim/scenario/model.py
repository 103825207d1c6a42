"""Scenario: machines, links, addresses, services, rules and traffic, as a file or a Python value says.

A scenario is data. Nothing runs here: simulation.py builds and runs it. Mistakes are ScenarioErrors at file, line, column.

    title: A laptop and its server
    firewall: server                      # whose table and rules the page shows
    machines:
      laptop: {interfaces: {eth0: 192.168.1.10/24}}
      server:
        interfaces: {eth0: 192.168.1.20/24}
        services: [ssh, {http: {port: 80}}]
        rules: {iptables: "*filter ..."}
    links:
      - {between: [laptop.eth0, server.eth0], delay: 5ms}
    terminals:
      - {id: laptop, machine: laptop}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from sim.document import Document, Strict, contents, load, misfit, problems, read
from sim.errors import ScenarioError
from sim.inputs import LONGEST_DELAY, Input
from sim.scenario.agree import disagreements
from sim.scenario.clients import ClientSpec
from sim.scenario.traffic import TrafficSpec
from sim.scenario.words import Address, FilePath, FileText, Interfaces, Routed, RulesText, ServiceForm, Text, Time, Word
from sim.units import DAY, MILLISECOND

Place = Annotated[float, Field(ge=0, le=1)]


class Service(Strict):
    """A service that a machine runs: its name in apps/services.py, and options (port, delay ...)."""

    name: Word
    options: Annotated[dict[Text, Any], Field(max_length=32)] = {}


class Rules(Strict):
    """What is loaded at the start: iptables-save text, ip6tables-save text, nft text."""

    iptables: RulesText = ""
    ip6tables: RulesText = ""
    nft: RulesText = ""


class MachineSpec(Strict):
    """One machine. `conntrack: always` is the kernel module's enable_hooks=1: track even when no rule asks for it.

    `files`: texts by their absolute path, which commands on it can read. `mtu`: of the interfaces whose MTU is not 1500, in bytes.
    """

    kind: Literal["host", "router", "firewall"] = "host"
    at: tuple[Place, Place] | None = None
    interfaces: Annotated[dict[Word, Interfaces], Field(max_length=64)] = {}
    mtu: Annotated[dict[Word, Annotated[int, Field(ge=68, le=65535)]], Field(max_length=64)] = {}
    routes: Annotated[dict[Routed, Address], Field(max_length=256)] = {}
    services: Annotated[list[Annotated[Service, ServiceForm]], Field(max_length=64)] = []
    clients: Annotated[list[ClientSpec], Field(max_length=16)] = []
    rules: Rules = Rules()
    sysctls: Annotated[dict[Text, Text | int], Field(max_length=256)] = {}
    conntrack: Literal["auto", "always"] = "auto"
    user: Word = "admin"
    resolver: Text = ""
    files: Annotated[dict[FilePath, FileText], Field(max_length=64)] = {}
    note: Text = ""


class LinkSpec(Strict):
    """A link between two interfaces, `machine.device` each. `loss` is a chance from 0 to 1; `up: false` is a cable that is cut."""

    between: tuple[Text, Text]
    delay: Annotated[Time, Field(le=LONGEST_DELAY)] = 5 * MILLISECOND
    loss: Annotated[float, Field(ge=0, le=1)] = 0.0
    up: bool = True
    id: Text = ""


class TerminalSpec(Strict):
    """A terminal: where a person types. `user` logs in there: root may do all, others use sudo.

    `walk` is the way there: so long after it what is typed first arrives.
    """

    id: Word
    machine: Word
    title: Text = ""
    user: Word | None = None
    walk: Time = 0


class Budget(Strict):
    """The limits of one experiment: records in the trace, simulated time, megabytes of memory."""

    records: Annotated[int, Field(ge=1, le=1_000_000)] = 200_000
    time: Time = 40 * DAY
    memory: Annotated[int, Field(ge=1, le=1000)] = 150


class Scenario(Strict):
    """A whole scenario. `hosts` names addresses for all machines (as /etc/hosts); machine names are there by themselves."""

    id: Text = ""
    title: Text
    summary: Text = ""
    firewall: Word
    seed: Annotated[int, Field(ge=0, le=2**63)] = 0
    machines: Annotated[dict[Word, MachineSpec], Field(min_length=1, max_length=64)]
    links: Annotated[list[LinkSpec], Field(max_length=256)] = []
    terminals: Annotated[list[TerminalSpec], Field(max_length=64)] = []
    hosts: Annotated[dict[Text, Address], Field(max_length=1000)] = {}
    traffic: Annotated[list[TrafficSpec], Field(max_length=1000)] = []
    budget: Budget = Budget()

    @classmethod
    def from_text(cls, text: str, file: str = "scenario.yaml") -> Scenario:
        """Read a scenario from YAML. Raises ScenarioError."""
        document = read(text, file)
        scenario = load(cls, document)
        for mistake in _located(scenario, document):
            raise mistake
        return scenario if scenario.id else scenario.model_copy(update={"id": Path(file).stem})

    @classmethod
    def from_file(cls, path: Path | str) -> Scenario:
        """Read a scenario file. Raises ScenarioError, also when there is no such file."""
        return cls.from_text(contents(Path(path)), str(path))

    @staticmethod
    def problems(text: str, file: str = "scenario.yaml") -> list[ScenarioError]:
        """All mistakes of a scenario text, each at its place."""
        try:
            document = read(text, file)
        except ScenarioError as error:
            return [error]
        found = problems(Scenario, document)
        return found or _located(load(Scenario, document), document)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Scenario:
        """A scenario from a Python mapping that says what a file would. Raises ScenarioError naming the key that is wrong."""
        if not isinstance(said, Mapping):
            raise ScenarioError(f"a mapping is wanted, not {type(said).__name__}: from_text and from_file read texts and files")
        try:
            scenario = cls.model_validate(said)
        except ValidationError as error:
            first = misfit(cls, said, error)
            raise ScenarioError(f"{_dotted(first.path)}: {first.message}", hint=first.hint) from None
        for mistake in disagreements(scenario):
            raise ScenarioError(f"{_dotted(mistake.path)}: {mistake.message}", hint=mistake.hint)
        return scenario

    def scheduled(self) -> list[tuple[int, Input]]:
        """What happens by itself: (µs, input), in order of time."""
        given = [(at, traffic.input()) for traffic in self.traffic for at in traffic.times_of()]
        return sorted(given, key=lambda pair: pair[0])


def _located(scenario: Scenario, document: Document) -> list[ScenarioError]:
    return [document.mistake(found.message, found.path, found.hint) for found in disagreements(scenario)]


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(map(str, path)) or "scenario"
