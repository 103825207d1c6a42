"""What each part of a scenario cannot see alone: names that name nothing, interfaces linked twice, ids that stand twice.

Mistakes come as (path, sentence, hint): a file's Document puts them at their line, a scenario made in Python names the path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sim.apps.services import SERVICES, check_service
from sim.document import Path
from sim.errors import UsageError, did_you_mean
from sim.scenario.traffic import MOST, WANTED, TrafficSpec
from sim.units import parse_address, parse_interface

if TYPE_CHECKING:
    from sim.scenario.model import LinkSpec, MachineSpec, Scenario


class Mistake(NamedTuple):
    """One disagreement, and where it stands."""

    path: Path
    message: str
    hint: str = ""


def disagreements(scenario: Scenario) -> Iterator[Mistake]:
    """All of them, in the order of the file's keys."""
    yield from _named(scenario.firewall, scenario.machines, "machine is called", ("firewall",))
    yield from _links(scenario)
    for index, terminal in enumerate(scenario.terminals):
        yield from _named(terminal.machine, scenario.machines, "machine is called", ("terminals", index, "machine"))
    yield from _twice([t.id for t in scenario.terminals], "terminals", "id")
    for name, spec in scenario.machines.items():
        yield from _machine(name, spec)
        yield from _clients(scenario, name, spec)
    for index, traffic in enumerate(scenario.traffic):
        yield from _traffic(scenario, traffic, index)
    if sum(traffic.times for traffic in scenario.traffic) > MOST:
        yield Mistake(("traffic",), f"this traffic comes to more than {MOST} inputs, which is the most there can be")


def _named(name: str | None, known: Iterable[str], what: str, path: Path) -> Iterator[Mistake]:
    if name is not None and name not in (names := list(known)):
        yield Mistake(path, f"no {what} '{name}'", did_you_mean(name, names) or _there_are(names))


def _there_are(names: Sequence[str]) -> str:
    return f"there are {', '.join(names[:12])}" if names else ""


def _twice(names: Sequence[str], key: str, field: str) -> Iterator[Mistake]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Mistake((key, index, field), f"'{name}' stands here twice")


# ---- machines --------------------------------------------------------------------------------------------------------


def _machine(name: str, spec: MachineSpec) -> Iterator[Mistake]:
    for dev, addresses in spec.interfaces.items():
        for index, address in enumerate(addresses):
            yield from _address(name, dev, index, address)
    for dev in sorted(spec.mtu.keys() - spec.interfaces.keys()):
        yield Mistake(("machines", name, "mtu", dev), f"{name} has no interface '{dev}'", did_you_mean(dev, spec.interfaces))
    taken: set[tuple[int, str]] = set()
    for index, service in enumerate(spec.services):
        path: Path = ("machines", name, "services", index)
        try:
            port = check_service(service.name, service.options)
        except UsageError as error:
            yield Mistake(path, str(error))
            continue
        if (port, SERVICES[service.name].protocol) in taken:
            yield Mistake(path, f"{service.name}: {SERVICES[service.name].protocol} port {port} is taken already")
        taken.add((port, SERVICES[service.name].protocol))


def _clients(scenario: Scenario, name: str, spec: MachineSpec) -> Iterator[Mistake]:
    named = [*scenario.machines, *scenario.hosts]
    for index, client in enumerate(spec.clients):
        try:
            parse_address("0.0.0.0" if client.to in named else client.to)
        except UsageError:
            problem, hint = f"'{client.to}' is no machine and no address", did_you_mean(client.to, named)
            yield Mistake(("machines", name, "clients", index, "to"), problem, hint)


def _address(name: str, dev: str, index: int, address: str) -> Iterator[Mistake]:
    try:
        parse_interface(address)
    except UsageError as error:
        yield Mistake(("machines", name, "interfaces", dev, index), f"{dev}: {error}")


# ---- links and traffic -----------------------------------------------------------------------------------------------


def link_id(link: LinkSpec) -> str:
    """The name of a link: its own, or "one.dev--other.dev"."""
    return link.id or "--".join(link.between)


def _links(scenario: Scenario) -> Iterator[Mistake]:
    linked: set[str] = set()
    for index, link in enumerate(scenario.links):
        for side in (0, 1):
            yield from _link_end(scenario, link.between[side], ("links", index, "between", side), linked)
    yield from _twice([link_id(link) for link in scenario.links], "links", "id")


def _link_end(scenario: Scenario, end: str, path: Path, linked: set[str]) -> Iterator[Mistake]:
    machine, _, dev = end.partition(".")
    spec = scenario.machines.get(machine)
    if spec is None:
        yield from _named(machine, scenario.machines, "machine is called", path)
    elif dev not in spec.interfaces:
        hint = did_you_mean(dev, spec.interfaces) or f"it has {', '.join(spec.interfaces) or 'no interface'}"
        yield Mistake(path, f"{machine} has no interface '{dev}'", hint)
    elif end in linked:
        yield Mistake(path, f"{end} is linked already: an interface has one link")
    linked.add(end)


def _traffic(scenario: Scenario, traffic: TrafficSpec, index: int) -> Iterator[Mistake]:
    path: Path = ("traffic", index)
    kind = traffic.kind()
    if kind is None:
        yield Mistake(path, WANTED)
        return
    links = [link_id(link) for link in scenario.links]
    terminals = [terminal.id for terminal in scenario.terminals]
    yield from _named(traffic.terminal, terminals, "terminal has the id", (*path, "terminal"))
    yield from _named(traffic.machine, scenario.machines, "machine is called", (*path, "machine"))
    yield from _named(traffic.link, links, "link has the id", (*path, "link"))
    try:
        traffic.input()
    except UsageError as error:
        yield Mistake((*path, kind), str(error))
