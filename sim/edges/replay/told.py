"""Told: a capture through the wall as a whole trace, as a simulation has one, for the page to walk through packet by packet.

    told = tell(read_bytes(data), rules=[("rules.v4", text)], addresses={"lan": ["192.168.1.1/24"], …})    .scenario .records .skipped

Behind each device of the firewall stands one machine, `behind-DEV`: it sends what the capture has, a millisecond ahead of the firewall's
turn, and takes what the firewall lets out. So all of the firewall's times are the capture's and a millisecond. Meant for
captures that a person walks through: limits say so, and nothing beyond them is left out silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from itertools import count, islice
from typing import Final

from sim.edges.capture import Frame
from sim.edges.replay.arrival import OWN
from sim.edges.replay.rules import load_rules
from sim.edges.replay.run import DEFAULT_DEVICES, Replay
from sim.edges.replay.wall import NAME, Wall
from sim.errors import Malformed, UsageError
from sim.machine import describe
from sim.netfilter.skb import Skb
from sim.packet import Packet
from sim.scenario import LinkSpec, MachineSpec, Scenario
from sim.trace import Delivered, Event, Noted, PacketArrived, PacketSent, Record, Trace
from sim.units import MILLISECOND, Address, show_time

MOST_PACKETS: Final = 2_000
LINK: Final = MILLISECOND
MADE_HERE: Final = 1_000_001  # ids of packets that the firewall makes itself; those of the capture are its frame numbers
DEV: Final = "eth0"


@dataclass(frozen=True, slots=True)
class Told:
    """What the page needs: the `scenario` that it draws, the trace, and how many frames were `skipped`, by reason."""

    scenario: Scenario
    records: Sequence[Record]
    skipped: Mapping[str, int]


class _Wall(Wall):
    """The wall, all of whose events go into a trace, and whose devices are links."""

    def __init__(self, addresses: Mapping[str, Sequence[str]]) -> None:
        self.trace = Trace(lambda: self.now)
        self.leaving: list[tuple[int, str, int]] = []
        super().__init__(addresses, told=True)
        self.ip.new_id = partial(next, count(MADE_HERE))

    def _hear(self, event: Event) -> None:
        super()._hear(event)
        self.trace.add(NAME, event)

    def _transmit(self, dev: str, via: Address | None, packet: Packet) -> None:
        super()._transmit(dev, via, packet)
        self.say_sent(NAME, dev, behind(dev), DEV, packet)
        self.leaving.append((self.now + LINK, dev, packet.id))

    def _deliver(self, skb: Skb) -> None:
        super()._deliver(skb)
        self.trace.add(NAME, Delivered(skb.packet.id, "the firewall itself"))

    def say_sent(self, sender: str, dev: str, receiver: str, to_dev: str, packet: Packet) -> None:
        """A packet is put on a link."""
        headers = describe.headers(packet)
        said = headers, describe.text(packet, headers), describe.about(packet)
        self.trace.add(sender, PacketSent(packet.id, dev, receiver, to_dev, self.now + LINK, packet.data.hex(), *said))


def behind(dev: str) -> str:
    """The machine that stands for all that is behind a device."""
    return f"behind-{dev}"


def tell(
    frames: Iterable[Frame], rules: Sequence[tuple[str, str]] = (), addresses: Mapping[str, Sequence[str]] | None = None,
    title: str = "A capture",
) -> Told:  # fmt: skip
    """The frames through a firewall with these rules (name, text) and addresses (device -> "192.168.1.1/24").

    Without addresses it has two devices, lan and wan. Raises UsageError, LanguageError (a mistake in the rules), CaptureError.
    """
    return _Teller(addresses or {}, rules).tell(frames, title)


class _Teller:
    """Time's heap: what a side sends, what the firewall does with it, and what arrives on the other side, in order."""

    def __init__(self, addresses: Mapping[str, Sequence[str]], rules: Sequence[tuple[str, str]]) -> None:
        self._scenario = partial(_scenario, addresses or dict.fromkeys(DEFAULT_DEVICES, ()))
        self._replay = Replay(addresses)
        self._wall = self._replay.wall = _Wall(addresses or dict.fromkeys(DEFAULT_DEVICES, ()))
        self._skipped: dict[str, int] = {}
        self._order = count()
        self._waiting: list[tuple[int, int, partial[None]]] = []
        for name, text in rules:
            load_rules(self._wall.ip.rules, text, name)

    def tell(self, frames: Iterable[Frame], title: str) -> Told:
        found = list(islice(frames, MOST_PACKETS + 1))
        if len(found) > MOST_PACKETS:
            how = f"Cut out what matters: tcpdump -r ALL -c {MOST_PACKETS} -w PART"
            raise UsageError(f"The capture has more than {MOST_PACKETS} packets. {how}")
        if not any(frame.data for frame in found):
            raise UsageError("There is no IP packet in this capture.")
        base, last = next((frame.time_us for frame in found if frame.time_us), 0), 0
        for frame in found:
            last = max(last, frame.time_us - base if frame.time_us else last)
            self._at(last, partial(self._send, frame))
        while self._waiting:
            time, _, act = heappop(self._waiting)
            self._wall.advance(time)
            act()
        if self._skipped:
            told = "; ".join(f"{number} × {reason}" for reason, number in self._skipped.items())
            self._wall.trace.add("", Noted("skipped", f"Frames of the capture that did not go through the firewall: {told}"))
        return Told(self._scenario(title), self._wall.trace.records, self._skipped)

    def _at(self, time: int, act: partial[None]) -> None:
        heappush(self._waiting, (time, next(self._order), act))

    def _send(self, frame: Frame) -> None:
        """What stands behind the device that the packet will arrive in sends it, where it came from outside at all."""
        data = frame.data
        dev = self._replay.arrivals.device(frame.interface, data) if data and not frame.outgoing else OWN
        if data and dev != OWN:
            self._say_sent(frame.number, data, dev)
        self._at(self._wall.now + LINK, partial(self._judge, frame, dev))

    def _say_sent(self, number: int, data: bytes, dev: str) -> None:
        try:
            self._wall.say_sent(behind(dev), DEV, NAME, dev, Packet(data, number))
        except Malformed as error:  # the firewall's IP layer will drop it; all that can be said of it is its size
            text = f"{len(data)} bytes that are no IP packet: {error}"
            event = PacketSent(number, DEV, NAME, dev, self._wall.now + LINK, data.hex(), {}, text, "malformed")
            self._wall.trace.add(behind(dev), event)

    def _judge(self, frame: Frame, dev: str) -> None:
        if dev != OWN:
            self._wall.trace.add(NAME, PacketArrived(frame.number, dev))
        outcome = self._replay.one(frame)
        if outcome.verdict is None:
            self._skip(outcome.reason)
        for time, out, packet in self._wall.leaving:
            self._at(time, partial(self._take, out, packet))
        self._wall.leaving.clear()

    def _take(self, dev: str, packet: int) -> None:
        self._wall.trace.add(behind(dev), PacketArrived(packet, DEV))
        self._wall.trace.add(behind(dev), Delivered(packet, "whom it is for"))

    def _skip(self, reason: str) -> None:
        self._skipped[reason] = self._skipped.get(reason, 0) + 1


def _scenario(addresses: Mapping[str, Sequence[str]], title: str) -> Scenario:
    """The firewall in the middle, its devices' sides to the left and right of it in turn."""
    devices = [dev for dev in addresses if dev != "lo"]
    rows = (len(devices) + 1) // 2
    interfaces = {dev: list(addresses[dev]) for dev in devices}
    machines = {NAME: MachineSpec(kind="firewall", at=(0.5, 0.5), interfaces=interfaces, conntrack="always")}
    for number, dev in enumerate(devices):
        place = (0.1 if number % 2 == 0 else 0.9, (number // 2 + 0.5) / rows)
        machines[behind(dev)] = MachineSpec(at=place, interfaces={DEV: []}, note=f"all that is behind {dev}")
    links = [LinkSpec(between=(f"{behind(dev)}.{DEV}", f"{NAME}.{dev}"), delay=show_time(LINK)) for dev in devices]
    return Scenario(id="capture", title=title, firewall=NAME, machines=machines, links=links)
