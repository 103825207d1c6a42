"""One machine with an IP layer and no stacks, and a line typed on it: for commands that need no network."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from sim.apps.tty import LocalTty
from sim.machine.ip import IpLayer
from sim.shell.shell import Shell
from sim.trace import Event, Output, TerminalState
from sim.units import SECOND


class OneMachine:
    """What commands use of a machine. `type` gives all that the line printed, the echo of the line left out."""

    def __init__(self, user: str = "root", interfaces: dict[str, list[str]] | None = None) -> None:
        self.env = simpy.Environment()
        self.pids = 1200
        self.at_jobs: dict[int, Any] = {}
        self.at_number = 0
        self.name = "server"
        self.hosts = {"laptop": "192.168.1.10", "server": "192.168.1.20"}
        self.resolver = "192.168.1.1"
        self.files: dict[str, str] = {}
        self.services: list[Any] = []
        self.conntrack_did: list[Any] = []
        self.events: list[Event] = []
        self.ip = IpLayer("server", lambda: int(self.env.now), lambda *_: None, lambda _: None)
        self.ip.track_always = True
        self.ip.arrange_conntrack()
        for dev, addresses in (
            interfaces or {"lo": ["127.0.0.1/8", "::1/128"], "eth0": ["192.168.1.20/24", "fd00::20/64"]}
        ).items():
            self.ip.add_interface(dev, addresses)
        self.sysctls = self.ip.sysctls
        self.tty = LocalTty(self.env, "console", self.events.append)
        self.shell = Shell(self, self.tty, user)  # type: ignore[arg-type]
        self.env.process(self.shell.interactive())
        self.env.run(until=1)

    def new_pid(self) -> int:
        self.pids += 7
        return self.pids

    def run(self, program: Generator[Any, Any, Any]) -> simpy.Process:
        return self.env.process(program)

    @property
    def prompt(self) -> str:
        states = [event for event in self.events if isinstance(event, TerminalState)]
        return states[-1].prompt

    def screen(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Output))

    def receive(self, data: bytes, dev: str = "eth0") -> None:
        self.ip.receive(data, dev, 0)

    def type(self, line: str, wait: int = SECOND // 10) -> str:
        before = len(self.screen())
        self.tty.line(line)
        self.env.run(until=self.env.now + wait)
        return self.screen()[before:].split("\n", 1)[1]

    def key(self, key: str, wait: int = SECOND // 10) -> str:
        before = len(self.screen())
        self.tty.key(key)
        self.env.run(until=self.env.now + wait)
        return self.screen()[before:]
