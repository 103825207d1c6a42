"""Two machines on a link, and lines typed at their terminals: for programs that talk."""

from __future__ import annotations

import re
from typing import Any

import simpy

from sim.apps.services import start_service
from sim.apps.tty import LocalTty
from sim.machine.machine import Machine
from sim.network import Link, Network
from sim.shell.shell import login, open_terminal
from sim.trace import Output, PacketSent, TerminalState, Trace
from sim.units import MILLISECOND, SECOND


class Lab:
    """laptop (192.168.1.10, admin) and server (192.168.1.20, root), 5 ms apart. Services by name, with their options."""

    def __init__(self, *, seed: int = 0, **services: dict[str, Any]) -> None:
        self.env = simpy.Environment()
        self.trace = Trace(lambda: int(self.env.now))
        self.network = Network(self.env, self.trace, seed)
        self.machines: dict[str, Machine] = {}
        self.terminals: dict[str, LocalTty] = {}
        for number, name in ((10, "laptop"), (20, "server")):
            self.machines[name] = self._machine(name, number)
        server = self.machines["server"]
        self.link: Link = self.network.connect(self.machines["laptop"], "eth0", server, "eth0", delay=5 * MILLISECOND)
        for name, options in services.items():
            start_service(server, name.replace("_", "-"), options)
        for name, user in (("laptop", "admin"), ("server", "root")):
            self.terminals[name] = open_terminal(self.machines[name], name, user, self.trace.emitter(name))
        self.run(1)

    def _machine(self, name: str, number: int) -> Machine:
        machine = self.network.add_machine(name)
        machine.login = login
        machine.ip.add_interface("eth0", [f"192.168.1.{number}/24", f"fd00::{number}/64"])
        machine.hosts.update({"laptop": "192.168.1.10", "server": "192.168.1.20"})
        machine.resolver = "192.168.1.20"
        return machine

    @property
    def now(self) -> int:
        return int(self.env.now)

    def run(self, time: int) -> None:
        self.env.run(until=self.now + time)

    def screen(self, terminal: str = "laptop") -> str:
        """All that came out, and the unfinished line."""
        return "".join(r.event.text for r in self.trace if isinstance(r.event, Output) and r.event.terminal == terminal)

    def state(self, terminal: str = "laptop") -> TerminalState:
        return [r.event for r in self.trace if isinstance(r.event, TerminalState) and r.event.terminal == terminal][-1]

    def type(self, line: str, wait: int = SECOND, terminal: str = "laptop") -> str:
        """What came out within `wait` µs of typing a line, the echoed line left out."""
        before = len(self.screen(terminal))
        self.terminals[terminal].line(line)
        self.run(wait)
        return re.sub(r"\A[^\n]*\n", "", self.screen(terminal)[before:])

    def root(self, line: str) -> str:
        """Type on the server's console."""
        return self.type(line, MILLISECOND, "server")

    def key(self, key: str, wait: int = SECOND, terminal: str = "laptop") -> str:
        before = len(self.screen(terminal))
        self.terminals[terminal].key(key)
        self.run(wait)
        return self.screen(terminal)[before:]

    def sent(self) -> list[PacketSent]:
        return [record.event for record in self.trace if isinstance(record.event, PacketSent)]

    def labels(self) -> list[str]:
        """What each packet is called, with its sender's first letter."""
        return [f"{r.machine[0]} {r.event.about}" for r in self.trace if isinstance(r.event, PacketSent)]
