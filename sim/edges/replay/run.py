"""Replay: the packets of a capture through a wall, in their order and at their times, with commands in between. A stream.

    replay = Replay({"lan": ["192.168.1.1/24"], "wan": ["203.0.113.2/24"]})
    load_rules(replay.wall.ip.rules, text, "rules.v4")
    for happened in replay.run(read_capture(path), [At(5_000_000, "conntrack -F")], ["conntrack -L"]): ...

Time is the packet's own, from the first frame on; a capture whose clock goes back stands still for as long. Commands of a
moment run ahead of its packets. What the capturing firewall itself sent on (Linux cooked capture tells) has been here
already, when it arrived; and what its rules made it send, the wall's rules have made, too: neither is fed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from sim.conntrack.settings import SysctlError
from sim.edges.frames import Frame, stream
from sim.edges.replay.arrival import OWN, Arrivals, ByAddress, BySides
from sim.edges.replay.console import Console, check
from sim.edges.replay.lines import NEVER, Lines
from sim.edges.replay.outcome import Made, Outcome, Printed
from sim.edges.replay.page import Page
from sim.edges.replay.wall import Wall
from sim.errors import CtlabError, UsageError, did_you_mean

DEFAULT_DEVICES: Final = ("lan", "wan")
REMEMBERED: Final = 256
"""How many of the packets that the wall made are kept, to know them again in the capture."""
FORWARDED: Final = "Recorded on its way out: it was judged when it came in."
EMPTY: Final = "There is no packet in this frame."


class At(NamedTuple):
    """A command at a moment: µs since the first packet."""

    time_us: int
    command: str


class Replay:
    """A wall and the packets on their way to it. `addresses` {}: two devices, lan and wan, and who speaks first is behind lan.

    Raises UsageError for wrong addresses.
    """

    def __init__(self, addresses: Mapping[str, Sequence[str]], told: bool = False) -> None:
        self.wall = Wall(addresses or dict.fromkeys(DEFAULT_DEVICES, ()), told)
        self.arrivals: Arrivals = ByAddress(addresses) if addresses else BySides(DEFAULT_DEVICES)
        self._console: Console | None = None
        self._made: dict[bytes, tuple[int, Made]] = {}

    def run(self, frames: Iterable[Frame], at: Sequence[At] = (), then: Sequence[str] = ()) -> Iterator[Outcome | Printed]:
        """Every frame's outcome, and what commands printed, in their order. `wall.entry` answers until the next is asked for.

        Raises UsageError for a command that cannot run, CaptureError from the frames.
        """
        waiting = _checked(at, then)
        base: int | None = None
        wall = self.wall
        for frame in frames:
            if base is None:
                base = frame.time_us
            time_us = frame.time_us - base if frame.time_us else wall.now
            while waiting and waiting[0].time_us <= time_us:
                yield self._command(waiting.pop(0))
            if time_us > wall.now:
                wall.now = time_us
            yield self.one(frame)
        for item in waiting:
            yield self._command(item)
        for command in then:
            yield self._print(command, last=True)

    def lines(
        self, frames: Iterable[Frame], at: Sequence[At] = (), then: Sequence[str] = (), trace: bool = False
    ) -> Iterator[bytes | Printed]:
        """The same in lines of JSON, many at once; `trace`: with every rule tried. Plain packets take the quick way.

        Raises as `run` does; what came ahead of the mistake is given ahead of it.
        """
        waiting, page = _checked(at, then), Page()
        lines = Lines(self, page, trace)
        source = stream(frames)
        mistake: CtlabError | None = None
        more = True
        while more:
            try:
                more = lines.some(source, waiting[0].time_us if waiting else NEVER)
            except CtlabError as error:
                mistake, more = error, False
            yield page.take()
            if mistake is not None:
                raise mistake
            while more and waiting and waiting[0].time_us <= lines.next_us:
                yield self._command(waiting.pop(0))
                lines.lane.forget()
        for item in waiting:
            yield self._command(item)
        for command in then:
            yield self._print(command, last=True)

    # ---- frames ------------------------------------------------------------------------------------------------------

    def one(self, frame: Frame) -> Outcome:
        """What becomes of a frame."""
        data = frame.data
        if not data:
            return self._unfed(frame, frame.note or EMPTY)
        dev = self.arrivals.device(frame.interface, data)
        if dev == OWN or frame.outgoing:
            return self.leaving(frame, data, dev)
        outcome = self.wall.receive(data, dev, frame.number)
        self.remember(outcome)
        return outcome

    def leaving(self, frame: Frame, data: bytes, dev: str) -> Outcome:
        """A packet that the capturing firewall sent: made by rules, forwarded, or its own."""
        again = self._made.pop(_without_chance(data), None)
        if again is not None:
            cause, (_, label, direction) = again
            why = f"The firewall's own answer to packet {cause}."
            return Outcome(frame.number, self.wall.now, None, data, label, direction, "ACCEPT", (), (), why)
        if dev != OWN:
            return self._unfed(frame, FORWARDED)
        outcome = self.wall.send(data, frame.number)
        self.remember(outcome)
        return outcome

    def _unfed(self, frame: Frame, why: str) -> Outcome:
        return Outcome(frame.number, self.wall.now, None, frame.data, None, None, None, (), (), why)

    def remember(self, outcome: Outcome) -> None:
        """What it made the firewall send will be known again in the capture."""
        if not outcome.made:
            return
        for made in outcome.made:
            self._made[_without_chance(made[0])] = (outcome.number, made)
        while len(self._made) > REMEMBERED:
            del self._made[next(iter(self._made))]

    # ---- commands ----------------------------------------------------------------------------------------------------

    def _command(self, item: At) -> Printed:
        self.wall.advance(item.time_us)
        return self._print(item.command, last=False)

    def _print(self, command: str, last: bool) -> Printed:
        if self._console is None:
            self._console = Console(self.wall)
        begun = self.wall.now
        return Printed(begun, command, self._console.run(command), last)

    def set_sysctl(self, text: str) -> None:
        """KEY=VALUE. Raises UsageError."""
        key, equals, value = text.partition("=")
        key = key.strip().replace("/", ".")
        if not equals:
            raise UsageError(f"--sysctl {text}: write KEY=VALUE, for example net.netfilter.nf_conntrack_tcp_loose=0")
        sysctls = self.wall.ip.sysctls
        if key not in set(sysctls.keys()):
            raise UsageError(f"--sysctl {text}: there is no such setting here. {did_you_mean(key, sysctls.keys())}".strip())
        try:
            sysctls.set(key, value.strip())
        except SysctlError as error:
            raise UsageError(f"--sysctl {text}: {error}") from error


def _checked(at: Sequence[At], then: Sequence[str]) -> list[At]:
    """The commands of moments in their order, when all can run. Raises UsageError."""
    for command in (*(item.command for item in at), *then):
        check(command)
    return sorted(at, key=lambda item: item.time_us)


def _without_chance(data: bytes) -> bytes:
    """A packet without what each kernel draws anew: IPv4's id and with it the checksum, IPv6's flow label."""
    if data[0] >> 4 == 4:
        return data[:4] + data[6:10] + data[12:]
    return data[4:]


def read_at(text: str) -> At:
    """'SECONDS COMMAND'. Raises UsageError."""
    seconds, _, command = text.strip().partition(" ")
    try:
        time_us = round(float(seconds) * 1_000_000)
    except (ValueError, OverflowError):
        time_us = -1
    if time_us < 0 or not command.strip():
        raise UsageError(f"--at '{text}': write 'SECONDS COMMAND', for example --at '2.5 conntrack -F'")
    return At(time_us, command.strip())
