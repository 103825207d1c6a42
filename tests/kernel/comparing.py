"""The same packets through ctlab's wall and through this machine's kernel, and what differs. Shared by the tests here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sim.edges.capture import Frame
from sim.edges.kernel import Answer, KernelFirewall
from sim.edges.replay.arrival import OWN, Arrivals
from sim.edges.replay.outcome import Outcome
from sim.edges.replay.wall import Wall
from sim.netfilter.fragments import fragment_header

FIELDS = ("label", "direction", "verdict", "out", "kernel_log", "entry")


class Fed(NamedTuple):
    """A frame's packet and where it goes in: a device, or None for one of the firewall's own."""

    number: int
    dev: str | None
    data: bytes


class Difference(NamedTuple):
    """One field on which they differ."""

    number: int
    field: str
    ours: Any
    kernels: Any

    def __str__(self) -> str:
        return f"packet {self.number}: {self.field}: ctlab {self.ours!r}, kernel {self.kernels!r}"


def packets(frames: Iterable[Frame], arrivals: Arrivals) -> Iterator[Fed]:
    """What can be fed of a capture."""
    for frame in frames:
        if frame.data:
            dev = arrivals.device(frame.interface, frame.data)
            yield Fed(frame.number, None if dev == OWN else dev, frame.data)


def compare(fed: Sequence[Fed], wall: Wall, kernel: KernelFirewall, fields: Sequence[str] = FIELDS) -> list[Difference]:
    """Feed both, ours at the moments at which the kernel was fed: its time-outs run, too."""
    answers = kernel.feed_batch([(packet.dev, packet.data) for packet in fed])
    return [difference for packet, answer in zip(fed, answers, strict=True) for difference in _one(packet, answer, wall, fields)]


def _one(packet: Fed, answer: Answer, wall: Wall, fields: Sequence[str]) -> Iterator[Difference]:
    wall.advance(answer.at_us)
    outcome = wall.send(packet.data, packet.number) if packet.dev is None else wall.receive(packet.data, packet.dev, packet.number)
    ours = _shown(outcome, wall.entry(packet.data))
    theirs = _shown(answer, answer.entry)
    for field in fields:
        if ours[field] != theirs[field] and not (field == "entry" and _but_for_the_tick(ours[field], theirs[field])):
            yield Difference(packet.number, field, ours[field], theirs[field])


def _shown(said: Outcome | Answer, entry: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "label": said.label,
        "direction": said.direction,
        "verdict": said.verdict,
        "out": [(dev, _without_chance(data)) for dev, data in said.out],
        "kernel_log": list(said.kernel_log),
        "entry": entry,
    }


def _without_chance(data: bytes) -> str:
    """A packet without what the kernel draws by chance.

    For an ICMP error IPv4's id (and so its checksum) or IPv6's flow label, for a fragment of IPv6 the identification.
    """
    if data[0] >> 4 == 4 and data[9] == 1:
        return (data[:4] + b"\0\0" + data[6:10] + b"\0\0" + data[12:]).hex()
    where = fragment_header(data) if data[0] >> 4 == 6 else None
    if where is not None:
        return (data[: where + 4] + data[where + 8 :]).hex()
    if data[0] >> 4 == 6 and data[6] == 58:
        return (data[:1] + bytes((data[1] & 0xF0, 0, 0)) + data[4:]).hex()
    return data.hex()


def _but_for_the_tick(ours: dict[str, Any] | None, theirs: dict[str, Any] | None) -> bool:
    """Whether entries are the same but for the second that a tick of the kernel's timer takes off (see sim/edges/kernel/ticks.py)."""
    if ours is None or theirs is None:
        return False
    return abs(theirs["timeout"] - ours["timeout"]) == 1 and ours | {"timeout": 0} == theirs | {"timeout": 0}
