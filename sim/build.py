"""Builds what a scenario says: the network with its machines and terminals, ready for time 0.

World is what simulation.py gives inputs to. Not in here: what is on one machine (assembly.py), time, what a scenario may say.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import simpy

from sim.apps.clients import Target, start_attempt
from sim.apps.tty import LocalTty
from sim.assembly import boot, clients, furnish, start
from sim.craft import sendable
from sim.errors import UsageError
from sim.inputs import Attempt, Command, Crafted, Input, LinkChange, Power, RulesChange, RulesKept
from sim.machine.machine import Machine
from sim.machine.power import lose
from sim.machine.ruling import Ruling
from sim.network import Network
from sim.scenario import Scenario, TerminalSpec
from sim.shell.complete import complete
from sim.shell.shell import open_terminal
from sim.shell.unattended import command
from sim.trace import Emit, Noted, TerminalState, Trace
from sim.units import SECOND, parse_address, show_address, show_time

BOOT = 20 * SECOND  # from current to services


class World:
    """The machines, links and terminals of a scenario, by name."""

    def __init__(self, scenario: Scenario, network: Network, terminals: dict[str, LocalTty], emitter: Callable[[str], Emit]) -> None:
        self._scenario = scenario
        self._emitter = emitter
        self._boots: dict[str, object] = {}
        self.network = network
        self.machines = network.machines
        self.links = network.links
        self.terminals = terminals
        self.rulings = {name: Ruling(machine) for name, machine in network.machines.items()}
        for machine in network.machines.values():
            machine.restart = partial(self._restart, machine.name)

    def place(self, value: Input) -> tuple[str, str, list[str]]:
        """(kind of place, its name, the names there are) of what an input is for."""
        if isinstance(value, LinkChange):
            return "link", value.link, list(self.links)
        if isinstance(value, Crafted | Attempt | RulesChange | RulesKept | Command | Power):
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
        start_attempt(self.machines[value.machine], self.machines[value.machine].emit, self.target_of(value))

    def change_link(self, value: LinkChange) -> None:
        """Another delay or loss; cut or mend."""
        self.links[value.link].change(delay=value.delay, loss=value.loss, up=value.up)

    def command(self, value: Command) -> None:
        """Begin a command on its machine."""
        machine = self.machines[value.machine]
        command(machine, value.text, machine.emit or self._emitter(value.machine))

    def rule(self, value: RulesChange | RulesKept) -> None:
        """Other rules, or those on trial kept."""
        ruling = self.rulings[value.machine]
        if isinstance(value, RulesChange):
            ruling.replace(value.texts, value.timer)
        else:
            ruling.keep()

    def dark(self, value: Input) -> str:
        """The machine without power that an input is for, or ""."""
        if isinstance(value, LinkChange | Power):
            return ""
        tty = None if isinstance(value, Crafted | Attempt | RulesChange | RulesKept | Command) else self._seat(value.terminal)
        name = tty.machine if tty else self.place(value)[1]
        return name if name in self.network.off else ""

    def _seat(self, terminal: str) -> TerminalSpec:
        return next(spec for spec in self._scenario.terminals if spec.id == terminal)

    def power(self, value: Power) -> None:
        """Take a machine's current, or give it back: then it is up after BOOT µs."""
        name, emit = value.machine, self._emitter(value.machine)
        if value.power == "on" and name not in self.network.off:
            emit(Noted("power", f"{name} is running already."))
            return
        self._boots.pop(name, None)
        if name not in self.network.off:
            self._cut(name, emit)
        if value.power == "off":
            emit(Noted("power-off", f"{name} has no power: what was in its memory is gone, connection table and all."))
            return
        emit(Noted("power-boots", f"{name} boots: it is up in {show_time(BOOT)}."))
        self._boots[name] = boots = object()
        up = self.network.env.timeout(BOOT)
        assert up.callbacks is not None
        up.callbacks.append(lambda _: self._up(name, emit) if self._boots.get(name) is boots else None)

    def _restart(self, name: str) -> None:
        """As soon as what asks for it, which runs on that very machine, has come to its end."""
        soon = self.network.env.timeout(0)
        assert soon.callbacks is not None
        soon.callbacks.append(lambda _: self.power(Power(name, "reset")))

    def _cut(self, name: str, emit: Emit) -> None:
        lose(self.machines[name])
        self.network.off.add(name)
        for spec in self._scenario.terminals:
            if spec.machine == name:
                emit(TerminalState(spec.id, "closed", "", "", ""))

    def _up(self, name: str, emit: Emit) -> None:
        machine = self.network.boot(name)
        boot(self._scenario, machine, emit)
        self.rulings[name] = Ruling(machine)
        machine.restart = partial(self._restart, name)
        for spec in self._scenario.terminals:
            if spec.machine == name:
                self.terminals[spec.id] = _terminal(machine, spec, self.terminals[spec.id].walk)
        clients(machine, self._scenario.machines[name])

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
    for name, spec in scenario.machines.items():
        furnish(network.add_machine(name, kind=spec.kind), spec)
    machines = network.machines
    for link in scenario.links:
        (a, _, dev_a), (b, _, dev_b) = (end.partition(".") for end in link.between)
        cable = network.connect(machines[a], dev_a, machines[b], dev_b, link.delay, link.loss, link.id)
        cable.change(up=link.up)
    for machine in machines.values():
        start(scenario, machine)
    terminals = {spec.id: _terminal(machines[spec.machine], spec, spec.walk) for spec in scenario.terminals}
    for name, machine in machines.items():
        clients(machine, scenario.machines[name])
    return World(scenario, network, terminals, trace.emitter)


def _terminal(machine: Machine, spec: TerminalSpec, walk: int) -> LocalTty:
    return open_terminal(machine, spec.id, spec.user or machine.user, machine.emit, walk)
