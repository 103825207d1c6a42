"""Builds what a scenario says: the network with its machines, services, rules and terminals, ready for time 0.

World is what simulation.py gives inputs to. Not in here: time, inputs, what a scenario may say.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import simpy

from sim.apps.clients import Target, Times, start_attempt, start_client
from sim.apps.services import start_service
from sim.apps.tty import LocalTty
from sim.conntrack.settings import SysctlError
from sim.craft import sendable
from sim.document import Path
from sim.errors import ScenarioError, UsageError
from sim.inputs import Attempt, Command, Crafted, Input, LinkChange, RulesChange, RulesKept
from sim.machine.errors import SocketError
from sim.machine.machine import Machine
from sim.machine.routes import Route
from sim.machine.ruling import Ruling
from sim.network import Network
from sim.patience import check_patience
from sim.ruleset.iptables import tool as iptables_tool
from sim.ruleset.nft import tool as nft_tool
from sim.ruleset.text import Result
from sim.scenario import MachineSpec, Scenario
from sim.shell.complete import complete
from sim.shell.shell import login, open_terminal
from sim.shell.unattended import command
from sim.trace import Emit, Trace
from sim.units import parse_address, show_address


class Unbuildable(ScenarioError):
    """A machine's own tools refuse what the scenario gives them; `path` says where in the scenario, as a Document's paths do."""

    def __init__(self, message: str, path: Path) -> None:
        super().__init__(message)
        self.path = path


class World:
    """The machines, links and terminals of a scenario, by name."""

    def __init__(self, network: Network, terminals: dict[str, LocalTty], emitter: Callable[[str], Emit]) -> None:
        self._emitter = emitter
        self.network = network
        self.machines = network.machines
        self.links = network.links
        self.terminals = terminals
        self.rulings = {name: Ruling(machine) for name, machine in network.machines.items()}

    def place(self, value: Input) -> tuple[str, str, list[str]]:
        """(kind of place, its name, the names there are) of what an input is for."""
        if isinstance(value, LinkChange):
            return "link", value.link, list(self.links)
        if isinstance(value, Crafted | Attempt | RulesChange | RulesKept | Command):
            return "machine", value.machine, list(self.machines)
        return "terminal", value.terminal, list(self.terminals)

    def bytes_of(self, value: Crafted) -> bytes:
        """The packet's bytes. Raises UsageError."""
        return sendable(value.packet)

    def send(self, value: Crafted) -> None:
        """Send a crafted packet from its machine."""
        self.machines[value.machine].send_crafted(self.bytes_of(value))

    def target_of(self, value: Attempt) -> Target:
        """What an attempt is for. Raises UsageError."""
        parse_address(self.machines[value.machine].hosts.get(value.to, value.to))
        return Target(value.say(), value.to, value.protocol, value.port)

    def attempt(self, value: Attempt) -> None:
        """Begin an attempt."""
        start_attempt(self.machines[value.machine], self._emitter(value.machine), self.target_of(value))

    def change_link(self, value: LinkChange) -> None:
        """Another delay or loss; cut or mend."""
        self.links[value.link].change(delay=value.delay, loss=value.loss, up=value.up)

    def command(self, value: Command) -> None:
        """Begin a command on its machine."""
        command(self.machines[value.machine], value.text, self._emitter(value.machine))

    def rule(self, value: RulesChange | RulesKept) -> None:
        """Other rules, or those on trial kept."""
        ruling = self.rulings[value.machine]
        if isinstance(value, RulesChange):
            ruling.replace(value.texts, value.timer)
        else:
            ruling.keep()

    def complete(self, terminal: str, line: str, cursor: int) -> tuple[int, list[str]]:
        """What Tab offers at a terminal, on the machine where its typing ends up. Raises UsageError."""
        if terminal not in self.terminals:
            raise UsageError(f"there is no terminal '{terminal}'")
        host = self.terminals[terminal].user_at.rpartition("@")[2]
        machine = self.machines.get(host) or self._at_address(host)
        return complete(machine, line, cursor) if machine is not None else (cursor, [])

    def _at_address(self, text: str) -> Machine | None:
        """The machine that has this address."""
        for machine in self.machines.values():
            own = (
                address for dev in machine.ip.interfaces.values() for address, _ in dev.addresses if not dev.loopback
            )
            if any(show_address(address) == text for address in own):
                return machine
        return None


def build(scenario: Scenario, seed: int, env: simpy.Environment, trace: Trace) -> World:
    """The world at time 0. Raises Unbuildable for rules or settings that the machine's own tools refuse."""
    network = Network(env, trace, seed)
    machines = {name: _machine(network, name, spec) for name, spec in scenario.machines.items()}
    for link in scenario.links:
        (a, _, dev_a), (b, _, dev_b) = (end.partition(".") for end in link.between)
        cable = network.connect(machines[a], dev_a, machines[b], dev_b, link.delay, link.loss, link.id)
        cable.change(up=link.up)
    for name, machine in machines.items():
        _finish(scenario, machine, scenario.machines[name])
    terminals = {
        spec.id: open_terminal(
            machines[spec.machine], spec.id, spec.user or machines[spec.machine].user, trace.emitter(spec.machine), spec.walk
        )
        for spec in scenario.terminals
    }
    for name, machine in machines.items():
        _clients(machine, scenario.machines[name], trace.emitter(name))
    return World(network, terminals, trace.emitter)


def _machine(network: Network, name: str, spec: MachineSpec) -> Machine:
    machine = network.add_machine(name, kind=spec.kind)
    machine.login = login
    for dev, addresses in spec.interfaces.items():
        machine.ip.add_interface(dev, addresses, mtu=spec.mtu.get(dev, 1500))
    for prefix, via in spec.routes.items():
        _must(name, ("routes", prefix), partial(_add_route, machine, prefix, via))
    return machine


def _add_route(machine: Machine, prefix: str, via: str) -> None:
    machine.ip.routes.add(Route.through(prefix, via))


def _finish(scenario: Scenario, machine: Machine, spec: MachineSpec) -> None:
    """Names, settings, rules and services: they may speak of every other machine. Raises BudgetExceeded when nobody waits any longer."""
    check_patience()
    machine.hosts.update(_hosts(scenario))
    machine.resolver, machine.user = spec.resolver, spec.user
    machine.files.update(spec.files)
    for key, value in spec.sysctls.items():
        _must(machine.name, ("sysctls", key), partial(machine.ip.sysctls.set, key, str(value)))
    machine.ip.track_always = spec.conntrack == "always"
    _load_rules(machine, spec)
    machine.ip.arrange_conntrack()
    for service in spec.services:
        start_service(machine, service.name, service.options)


def _clients(machine: Machine, spec: MachineSpec, emit: Emit) -> None:
    for index, one in enumerate(spec.clients):
        target = Target(one.name or f"{one.protocol} {one.port}", one.to, one.protocol, one.port)
        _must(machine.name, ("clients", index), partial(parse_address, machine.hosts.get(one.to, one.to)))
        start_client(machine, emit, one.does, target, Times(one.at, one.every, one.until, one.patience))


def _hosts(scenario: Scenario) -> dict[str, str]:
    """/etc/hosts: each machine by its first address, then what the scenario names."""
    found = {}
    for name, spec in scenario.machines.items():
        addresses = [address for dev in spec.interfaces.values() for address in dev]
        if addresses:
            found[name] = addresses[0].split("/")[0]
    return found | dict(scenario.hosts)


def _load_rules(machine: Machine, spec: MachineSpec) -> None:
    rules = machine.ip.rules
    for tool, text in (("iptables", spec.rules.iptables), ("ip6tables", spec.rules.ip6tables)):
        if text:
            _accepted(machine, tool, iptables_tool.run([f"{tool}-restore"], rules, stdin=text))
    if spec.rules.nft:
        _accepted(machine, "nft", nft_tool.run(["nft", "-f", "-"], rules, stdin=spec.rules.nft))


def _accepted(machine: Machine, tool: str, result: Result) -> None:
    if result.status:
        path = ("machines", machine.name, "rules", tool)
        raise Unbuildable(f"{machine.name}: {tool} refuses the rules:\n{result.err.rstrip()}", path)


def _must(machine: str, where: Path, action: Callable[[], object]) -> None:
    try:
        action()
    except (SocketError, SysctlError, UsageError) as error:
        raise Unbuildable(f"{machine}: {': '.join(map(str, where))}: {error}", ("machines", machine, *where)) from error
