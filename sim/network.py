"""Network: machines and the links between them. Carries bytes, with delay and loss; names packets; tells the trace what is on its way.

A link is a cable between two interfaces: what goes in at one end comes out at the other, in order, `delay` µs later, unless it is lost.
Chance is the seed's: each link has a stream of its own, so that a change at one changes nothing at another.
Not in here: switches, MAC addresses, ARP.
"""

from __future__ import annotations

from random import Random

import simpy

from sim.errors import UsageError, did_you_mean
from sim.machine import describe
from sim.machine.machine import Machine, Wire
from sim.machine.power import Powered
from sim.packet import Packet
from sim.trace import Event, PacketArrived, PacketLost, PacketSent, Reason, Trace
from sim.units import MILLISECOND, Address

End = tuple[Machine, str]


class Link:
    """A cable. `delay` in µs, `loss` a chance from 0 to 1, `up` False when it is cut; `change` changes them at any time."""

    def __init__(self, network: Network, id: str, ends: tuple[End, End], delay: int, loss: float) -> None:
        self.network, self.id, self.ends = network, id, list(ends)
        self.delay, self.loss, self.up = delay, loss, True
        self._random = Random(f"{network.seed} link {id}")
        self._last = [0, 0]
        self.plug()

    def plug(self) -> None:
        """Put both ends into their machines; `ends` says which. Needed anew once a machine was booted."""
        for side, (machine, dev) in enumerate(self.ends):
            machine.attach(dev, self._wire(side))

    def change(self, delay: int | None = None, loss: float | None = None, up: bool | None = None) -> None:
        """Another delay (µs) or loss; cut (`up` False) or mend. What is on its way arrives as it would have."""
        self.delay = self.delay if delay is None else delay
        self.loss = self.loss if loss is None else loss
        self.up = self.up if up is None else up

    def _wire(self, side: int) -> Wire:
        def wire(via: Address | None, packet: Packet) -> None:
            self._carry(side, packet)

        return wire

    def _carry(self, side: int, packet: Packet) -> None:
        (sender, dev), (receiver, to_dev) = self.ends[side], self.ends[1 - side]
        network = self.network
        reason = self._lost()
        now = int(network.env.now)
        arrives = None if reason else max(now + self.delay, self._last[side])
        network.announce(sender, dev, receiver, to_dev, packet, arrives)
        if arrives is None or reason is not None:
            assert reason is not None
            network.trace.add(sender.name, PacketLost(packet.id, dev, reason))
            return
        self._last[side] = arrives
        event = network.env.timeout(arrives - now)
        assert event.callbacks is not None
        event.callbacks.append(lambda _: self._arrive(side, packet))

    def _lost(self) -> Reason | None:
        if not self.up:
            return Reason("down", f"The link {self.id} is cut.")
        if self.loss and self._random.random() < self.loss:
            return Reason("loss", f"The link {self.id} lost it: it loses {self.loss:.0%} of all packets.", {"loss": self.loss})
        return None

    def _arrive(self, side: int, packet: Packet) -> None:
        machine, dev = self.ends[1 - side]
        if machine.name in self.network.off:
            sender, from_dev = self.ends[side]
            reason = Reason("off", f"{machine.name} has no power: nobody takes it.")
            self.network.trace.add(sender.name, PacketLost(packet.id, from_dev, reason))
            return
        self.network.trace.add(machine.name, PacketArrived(packet.id, dev))
        machine.receive(packet.data, dev, packet.id)


class Network:
    """`machines` and `links` by name; `off`: the machines without power.

    Packet ids count from 1 over the whole network, and stay through forwarding and NAT.
    """

    def __init__(self, env: simpy.Environment, trace: Trace, seed: int = 0) -> None:
        self.env, self.trace, self.seed = env, trace, seed
        self.machines: dict[str, Machine] = {}
        self.links: dict[str, Link] = {}
        self.off: set[str] = set()
        self._boots: dict[str, int] = {}
        self._packets = 0
        self._names: dict[int, tuple[str, int]] = {}

    def add_machine(self, name: str, kind: str = "host") -> Machine:
        """A new machine, with lo. Raises UsageError when there is one of that name."""
        if name in self.machines:
            raise UsageError(f"there is a machine '{name}' already")
        self.machines[name] = self._made(name, kind)
        return self.machines[name]

    def boot(self, name: str) -> Machine:
        """The machine as it comes up: nothing in its memory, the same disk; it is in its place at the links."""
        before = self.machines[name]
        self._boots[name] = self._boots.get(name, 0) + 1
        machine = self.machines[name] = self._made(name, before.kind)
        machine.follow(before)
        for link in self.links.values():
            if any(end is before for end, _ in link.ends):
                link.ends = [(machine if end is before else end, dev) for end, dev in link.ends]
                link.plug()
        self.off.discard(name)
        return machine

    def _made(self, name: str, kind: str) -> Machine:
        seed = f"{self.seed} boot {self._boots[name]}" if name in self._boots else self.seed
        power = Powered(self.env)

        def emit(event: Event) -> None:
            if power.on:  # a program of before the power went may still tidy up as Python forgets it, and nobody must hear of that
                self.trace.add(name, event)

        def announce(dev: str, packet: Packet, arrives: int) -> None:
            if power.on:
                self.announce(machine, dev, machine, dev, packet, arrives)

        def new_id() -> int:
            return self._new_id() if power.on else 0

        machine = Machine(name, power, emit, kind, seed, new_id=new_id, named=self._name, announce=announce)
        return machine

    def connect(
        self, one: Machine, dev: str, other: Machine, other_dev: str, delay: int = 5 * MILLISECOND, loss: float = 0.0, id: str = "",
    ) -> Link:  # fmt: skip
        """A link between two interfaces; its id is "one.dev--other.dev" unless given. Raises UsageError."""
        ends = ((one, dev), (other, other_dev))
        id = id or "--".join(f"{machine.name}.{device}" for machine, device in ends)
        if id in self.links:
            raise UsageError(f"there is a link '{id}' already")
        for machine, device in ends:
            if device not in machine.ip.interfaces:
                hint = did_you_mean(device, machine.ip.interfaces)
                raise UsageError(f"{machine.name} has no interface '{device}'. {hint}".strip())
        link = self.links[id] = Link(self, id, ends, delay, loss)
        return link

    def _new_id(self) -> int:
        self._packets += 1
        return self._packets

    def _name(self, packet_id: int, about: str, again: int) -> None:
        self._names[packet_id] = (about, again)

    def announce(self, sender: Machine, dev: str, receiver: Machine, to_dev: str, packet: Packet, arrives: int | None) -> None:
        """Say that a packet is on its way."""
        name, again = self._names.get(packet.id, ("", 0))
        headers = describe.headers(packet)
        event = PacketSent(
            packet.id, dev, receiver.name, to_dev, arrives, packet.data.hex(), headers, describe.text(packet, headers),
            name or describe.about(packet), again,
        )  # fmt: skip
        self.trace.add(sender.name, event)
