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

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from sim.apps.services import check_service
from sim.craft import craft
from sim.document import Document, Strict, load, problems, read
from sim.errors import ScenarioError, UsageError, did_you_mean
from sim.units import DAY, MILLISECOND, parse_address, parse_interface, parse_time

Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,40}$")]


def _microseconds(value: Any) -> int:
    try:
        return parse_time(value)
    except (UsageError, TypeError) as error:
        raise ValueError(str(error)) from error


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _service(value: Any) -> Any:
    """`ssh` is short for {name: ssh}; {http: {port: 80}} for {name: http, options: {port: 80}}."""
    if isinstance(value, str):
        return {"name": value, "options": {}}
    if isinstance(value, dict) and len(value) == 1:
        name, options = next(iter(value.items()))
        return {"name": name, "options": options or {}}
    return value


FilePath = Annotated[str, Field(pattern=r"^/(etc|home|root|tmp|usr|var)/[A-Za-z0-9._/-]{1,100}$")]
Time = Annotated[int, BeforeValidator(_microseconds)]
Interfaces = Annotated[list[str], BeforeValidator(_as_list)]


class Service(Strict):
    """A service that a machine runs: its name in apps/services.py, and options (port, delay ...)."""

    name: Word
    options: dict[str, Any] = {}


class Rules(Strict):
    """What is loaded at the start: iptables-save text, ip6tables-save text, nft text."""

    iptables: str = ""
    ip6tables: str = ""
    nft: str = ""


class MachineSpec(Strict):
    """One machine. `conntrack: always` is the kernel module's enable_hooks=1: track even when no rule asks for it.

    `files`: texts by their absolute path, which commands on it can read.
    """

    kind: Literal["host", "router", "firewall"] = "host"
    at: tuple[float, float] | None = None
    interfaces: dict[Word, Interfaces] = {}
    routes: dict[str, str] = {}
    services: list[Annotated[Service, BeforeValidator(_service)]] = []
    rules: Rules = Rules()
    sysctls: dict[str, str | int] = {}
    conntrack: Literal["auto", "always"] = "auto"
    user: Word = "admin"
    resolver: str = ""
    files: Annotated[dict[FilePath, Annotated[str, Field(max_length=65536)]], Field(max_length=64)] = {}
    note: str = ""

    @field_validator("interfaces")
    @classmethod
    def _addresses(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        for dev, addresses in value.items():
            for address in addresses:
                _check(parse_interface, address, f"{dev}: ")
        return value

    @field_validator("routes")
    @classmethod
    def _routes(cls, value: dict[str, str]) -> dict[str, str]:
        for prefix, via in value.items():
            if prefix != "default":
                _check(parse_interface, prefix, "")
            _check(parse_address, via, f"{prefix}: ")
        return value


def _check(reader: Any, text: str, where: str) -> None:
    try:
        reader(text)
    except UsageError as error:
        raise ValueError(f"{where}{error}") from error


class LinkSpec(Strict):
    """A link between two interfaces, `machine.device` each. `loss` is a chance from 0 to 1."""

    between: tuple[str, str]
    delay: Time = 5 * MILLISECOND
    loss: Annotated[float, Field(ge=0, le=1)] = 0.0
    id: str = ""


class TerminalSpec(Strict):
    """A terminal: where a person types. `user` logs in there: root may do all, others use sudo."""

    id: Word
    machine: Word
    title: str = ""
    user: Word | None = None


class TrafficSpec(Strict):
    """Something that happens by itself at a time: a line typed at a terminal, or a packet crafted (see craft.py)."""

    at: Time
    terminal: Word | None = None
    type: str | None = None
    machine: Word | None = None
    packet: str | None = None


class Budget(Strict):
    """The limits of one experiment: records in the trace, simulated time, megabytes of memory."""

    records: Annotated[int, Field(ge=1, le=1_000_000)] = 200_000
    time: Time = 40 * DAY
    memory: Annotated[int, Field(ge=1, le=1000)] = 150


class Scenario(Strict):
    """A whole scenario. `hosts` names addresses for all machines (as /etc/hosts); machine names are there by themselves."""

    id: str = ""
    title: str
    summary: str = ""
    firewall: Word
    seed: int = 0
    machines: dict[Word, MachineSpec]
    links: list[LinkSpec]
    terminals: list[TerminalSpec] = []
    hosts: dict[str, str] = {}
    traffic: list[TrafficSpec] = []
    budget: Budget = Budget()

    @classmethod
    def from_text(cls, text: str, file: str = "scenario.yaml") -> Scenario:
        """Read a scenario from YAML. Raises ScenarioError."""
        document = read(text, file)
        scenario = load(cls, document)
        for mistake in _disagreements(scenario, document):
            raise mistake
        return scenario if scenario.id else scenario.model_copy(update={"id": Path(file).stem})

    @classmethod
    def from_file(cls, path: Path | str) -> Scenario:
        """Read a scenario file. Raises ScenarioError, also when there is no such file."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ScenarioError(f"{path}: cannot read this file: {error}") from error
        return cls.from_text(text, str(path))

    @staticmethod
    def problems(text: str, file: str = "scenario.yaml") -> list[ScenarioError]:
        """All mistakes of a scenario text, each at its place."""
        try:
            document = read(text, file)
        except ScenarioError as error:
            return [error]
        found = problems(Scenario, document)
        return found or _disagreements(load(Scenario, document), document)


def _disagreements(scenario: Scenario, document: Document) -> list[ScenarioError]:
    """What each part alone cannot see: names that name nothing, interfaces linked twice, ids that stand twice."""
    found: list[ScenarioError] = []
    machines = list(scenario.machines)

    def must_be(name: str | None, path: tuple[str | int, ...]) -> None:
        if name is not None and name not in machines:
            found.append(document.mistake(f"no machine is called '{name}'", path, did_you_mean(name, machines)))

    must_be(scenario.firewall, ("firewall",))
    linked: set[str] = set()
    for index, link in enumerate(scenario.links):
        for side in (0, 1):
            found += _link_end(scenario, document, link.between[side], ("links", index, "between", side), linked)
    for index, terminal in enumerate(scenario.terminals):
        must_be(terminal.machine, ("terminals", index, "machine"))
    found += _twice(document, [t.id for t in scenario.terminals], "terminals", "id")
    found += _services(scenario, document)
    ids = [t.id for t in scenario.terminals]
    for index, traffic in enumerate(scenario.traffic):
        must_be(traffic.machine, ("traffic", index, "machine"))
        found += _traffic(document, traffic, index, ids)
    return found


def _services(scenario: Scenario, document: Document) -> list[ScenarioError]:
    found = []
    for name, spec in scenario.machines.items():
        for index, service in enumerate(spec.services):
            try:
                check_service(service.name, service.options)
            except UsageError as error:
                found.append(document.mistake(str(error), ("machines", name, "services", index)))
    return found


def _link_end(
    scenario: Scenario, document: Document, end: str, path: tuple[str | int, ...], linked: set[str]
) -> list[ScenarioError]:
    machine, _, dev = end.partition(".")
    spec = scenario.machines.get(machine)
    if spec is None:
        return [document.mistake(f"no machine is called '{machine}'", path, did_you_mean(machine, scenario.machines))]
    if dev not in spec.interfaces:
        hint = did_you_mean(dev, spec.interfaces) or f"it has {', '.join(spec.interfaces) or 'no interface'}"
        return [document.mistake(f"{machine} has no interface '{dev}'", path, hint)]
    if end in linked:
        return [document.mistake(f"{end} is linked already: an interface has one link", path)]
    linked.add(end)
    return []


def _twice(document: Document, names: list[str], key: str, field: str) -> list[ScenarioError]:
    return [
        document.mistake(f"'{name}' stands here twice", (key, index, field))
        for index, name in enumerate(names)
        if name in names[:index]
    ]


def _traffic(document: Document, traffic: TrafficSpec, index: int, terminals: list[str]) -> list[ScenarioError]:
    path = ("traffic", index)
    typed, crafted = traffic.type is not None, traffic.packet is not None
    if typed == crafted:
        return [document.mistake("say either `terminal` and `type`, or `machine` and `packet`", path)]
    if typed and traffic.terminal not in terminals:
        name = str(traffic.terminal)
        return [
            document.mistake(f"no terminal has the id '{name}'", (*path, "terminal"), did_you_mean(name, terminals))
        ]
    if crafted and traffic.machine is None:
        return [document.mistake("`packet` needs the `machine` that sends it", path)]
    try:
        craft(traffic.packet or "hex 00")
    except UsageError as error:
        return [document.mistake(str(error), (*path, "packet"))]
    return []
