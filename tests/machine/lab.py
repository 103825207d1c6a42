"""Two simulated machines and a link, and what was seen on it: for tests of the machine's rooms."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from sim.machine.machine import Machine
from sim.network import Network
from sim.trace import Dropped, Event, PacketSent, SocketChanged, Trace
from sim.units import parse_address

LEFT, RIGHT = parse_address("192.168.1.10"), parse_address("192.168.1.20")
MS = 1_000
SECOND = 1_000_000


class Lab:
    """`left` (192.168.1.10) and `right` (192.168.1.20), 5 ms apart unless told."""

    def __init__(self, delay: int = 5 * MS, loss: float = 0.0, seed: int = 1) -> None:
        self.env = simpy.Environment()
        self.trace = Trace(lambda: int(self.env.now))
        self.network = Network(self.env, self.trace, seed)
        self.left, self.right = (self.machine(name, f"192.168.1.{n}/24", f"fd00::{n}/64") for name, n in (("left", 10), ("right", 20)))
        self.link = self.network.connect(self.left, "eth0", self.right, "eth0", delay=delay, loss=loss)

    def machine(self, name: str, *addresses: str, kind: str = "host") -> Machine:
        made = self.network.add_machine(name, kind)
        made.ip.add_interface("eth0", list(addresses))
        return made

    def run(self, *programs: Generator[simpy.Event, Any, Any], until: int | None = None) -> None:
        """Run programs (generators) until nothing happens any more, or to a time in µs."""
        for program in programs:
            self.left.run(program)
        self.env.run(until=until)

    def events(self, kind: type[Event], machine: str = "") -> list[tuple[int, Any]]:
        """(time, event) of one kind."""
        return [(r.time, r.event) for r in self.trace if isinstance(r.event, kind) and machine in ("", r.machine)]

    def sent(self, machine: str = "") -> list[str]:
        """What was sent, by the trace's names."""
        return [event.about for _, event in self.events(PacketSent, machine)]

    def times(self, about: str, machine: str = "") -> list[float]:
        """When (seconds) packets of this name were sent."""
        return [time / SECOND for time, event in self.events(PacketSent, machine) if event.about == about]

    def states(self, machine: str) -> list[str]:
        """The states of TCP sockets, without repetition."""
        found: list[str] = []
        for _, event in self.events(SocketChanged, machine):
            if event.protocol == "tcp" and event.state != "LISTEN" and found[-1:] != [event.state]:
                found.append(event.state)
        return found

    def drops(self, machine: str = "") -> list[str]:
        """The codes of the reasons for which packets were dropped."""
        return [event.reason.code for _, event in self.events(Dropped, machine)]
