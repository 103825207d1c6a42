"""tcpdump, the program: listens at a device until ^C, -c packets, or for ever; or reads a capture file (-r), or writes one (-w).

    tcpdump [-AlnpqSUvXx] [-t…] [-c COUNT] [-i DEVICE] [-Q in|out|inout] [-w FILE] [-r FILE] [FILTER]

It hears what a device receives before any rule sees it, and what it sends after all rules, as on Linux. Addresses are always printed as
numbers. A capture file has raw IP packets, or Linux cooked ones of `any`: no device here has a link layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import simpy

from sim.apps.options import Parsed, getopt
from sim.apps.paths import absolute
from sim.apps.program import EPOCH, Context, Interrupted, Steps, clock
from sim.apps.tcpdump.capture import COOKED, NAMES, RAW, SNAPLEN, CaptureProblem, Frame, frames, head, link_of, record
from sim.apps.tcpdump.expression import FilterError, Test, compile_filter
from sim.apps.tcpdump.text import Printer
from sim.errors import Malformed
from sim.packet import Packet
from sim.units import SECOND

if TYPE_CHECKING:
    from sim.machine.machine import Machine

_START = int(EPOCH.timestamp()) * SECOND
_FLAGS, _VALUED = "AbdDefhHIJKLlNnOpqStuUvxX#", "BcCEFGiMQrsTVwWyzZ"
_SIMULATED = "AlNnpqStUvXxcisQwr"


def tcpdump(context: Context) -> Steps:
    """The program. Exit status: 0, 1 for what cannot be."""
    options = getopt(context.argv, _FLAGS, _VALUED)
    problem = _problem(context, options)
    if problem:
        return context.failed(f"tcpdump: {problem}", 1)
    try:
        test = compile_filter(options.operands)
    except FilterError as error:
        return context.failed(f"tcpdump: {error}", 1)
    listener = _Listener(context, options, test)
    if options.has("r"):
        return listener.read(options.value("r", ""))
    return (yield from listener.run())


def _problem(context: Context, options: Parsed) -> str:
    if options.problem:
        return options.problem
    for name, _ in options.given:
        if name not in _SIMULATED:
            return f"-{name}: right, but not simulated here"
    device, count = options.value("i", "any"), options.value("c", "1")
    if "-" in (options.value("w", ""), options.value("r", "")):
        return "a capture on a pipe (-): right, but not simulated here"
    if not context.root and not options.has("r"):
        return f"{options.value('i', 'any')}: You don't have permission to capture on that device\n(socket: Operation not permitted)"
    if device != "any" and device not in context.machine.ip.interfaces:
        return f"{device}: No such device exists\n(No such device exists)"
    if not count.isdecimal() or not int(count):
        return f"invalid packet count {count}"
    if options.value("Q", "inout") not in ("in", "out", "inout"):
        return f"unknown capture direction `{options.value('Q')}'"
    return ""


class _Listener:
    """One run: lines as packets come, the count at the end."""

    def __init__(self, context: Context, options: Parsed, test: Test) -> None:
        self.context, self.options, self.test = context, options, test
        self.device = options.value("i", _first(context.machine))
        self.left = int(options.value("c", "0")) or None
        self.verbose = options.has("v")
        self.printer = Printer(absolute=options.has("S"), verbose=self.verbose, quick=options.has("q"))
        self.captured = 0
        self.link = COOKED if self.device == "any" else RAW
        self._kept: list[str] = []
        self._last: int | None = None
        self._full = context.env.event()

    def run(self) -> Steps:
        """Listen until ^C or the last packet that was asked for."""
        taps: list[Callable[[str, bool, bytes], None]] = self.context.machine.taps
        self._begin()
        taps.append(self._hear)
        try:
            yield self._full
        except Interrupted as signal:
            if signal.cause != "INT":
                raise
            self.context.error("\n")
        finally:
            taps.remove(self._hear)
        self._end()
        return 0

    def read(self, name: str) -> int:
        """The packets of a capture file, printed as if they came now."""
        text = self.context.machine.files.get(absolute(name, self.context.place))
        if text is None:
            return self.context.failed(f"tcpdump: {name}: No such file or directory", 1)
        try:
            self.link = link_of(text)
            self.context.error(f"reading from file {name}, link-type {NAMES[self.link]}, snapshot length {SNAPLEN}\n")
            if self.link == COOKED:
                self.context.error("Warning: interface names might be incorrect\n")
            for frame in frames(text, self.link):
                if self.left is None or self.captured < self.left:
                    self._again(frame)
        except CaptureProblem as problem:
            return self.context.failed(f"tcpdump: {problem}", 1)
        self._keep()
        return 0

    def _again(self, frame: Frame) -> None:
        names = {interface.index: name for name, interface in self.context.machine.ip.interfaces.items()}
        self.device = "any" if self.link == COOKED else ""
        try:
            packet = Packet(frame.data)
        except Malformed:
            return
        if self.test(packet, frame.inbound):
            self._take(names.get(frame.device, f"if{frame.device}"), frame.inbound, packet, frame.at - _START)

    def _keep(self) -> None:
        """What was captured so far goes into the file that -w names."""
        if self.options.has("w"):
            path = absolute(self.options.value("w", ""), self.context.place)
            self.context.machine.files[path] = "".join([head(self.link), *self._kept])

    def _begin(self) -> None:
        kind = NAMES[self.link]
        self._keep()
        if self.device == "any":
            self.context.error("tcpdump: data link type LINUX_SLL2\n")
        if self.verbose or self.options.has("w"):
            self.context.error("tcpdump: ")
        else:
            self.context.error("tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n")
        self.context.error(f"listening on {self.device}, link-type {kind}, snapshot length 262144 bytes\n")

    def _end(self) -> None:
        self._keep()
        count = self.captured
        noun = "packet" if count == 1 else "packets"
        self.context.error(f"{count} {noun} captured\n{count} {noun} received by filter\n0 packets dropped by kernel\n")

    def _hear(self, dev: str, inbound: bool, data: bytes) -> None:
        """One packet on the wire of `dev`."""
        wanted = self.options.value("Q", "inout")
        if self.device not in ("any", dev) or wanted == ("out" if inbound else "in") or self._full.triggered:
            return
        try:
            packet = Packet(data)
        except Malformed:
            return
        if self.test(packet, inbound):
            self._take(dev, inbound, packet, self.context.now)
        if self.captured == self.left and not self._full.triggered:
            _ring(self._full)

    def _take(self, dev: str, inbound: bool, packet: Packet, now: int) -> None:
        """A packet that the filter lets through: printed, or kept for the file."""
        self.captured += 1
        if self.options.has("w"):
            interface = self.context.machine.ip.interfaces.get(dev)
            index = interface.index if interface is not None else 0
            self._kept.append(record(Frame(_START + now, index, inbound, packet.data), self.link))
        else:
            self._print(dev, inbound, packet, now)

    def _print(self, dev: str, inbound: bool, packet: Packet, now: int) -> None:
        place = f"{dev:<5} {'In' if inbound else 'Out':<3} " if self.device == "any" else ""
        self.context.write(f"{self._time(now)}{place}{self.printer.line(packet)}\n{_bytes(packet.data, self.options)}")

    def _time(self, now: int) -> str:
        last = self._last
        level = sum(name == "t" for name, _ in self.options.given)
        if level in (3, 5):
            self._last = now if level == 3 or last is None else last
            past = now - (now if last is None else last)
            return f" {past // SECOND // 3600:02}:{past // SECOND // 60 % 60:02}:{past // SECOND % 60:02}.{past % SECOND:06} "
        if level == 1:
            return ""
        form = {0: "%H:%M:%S.%f", 2: "%s.%f", 4: "%Y-%m-%d %H:%M:%S.%f"}[level if level in (0, 2, 4) else 0]
        return clock(now, form) + " "


def _ring(event: simpy.Event) -> None:
    event.succeed()


def _first(machine: Machine) -> str:
    """The device that tcpdump takes when told none: the first that is no loopback."""
    return next((name for name, interface in machine.ip.interfaces.items() if not interface.loopback), "lo")


def _bytes(data: bytes, options: Parsed) -> str:
    """The bytes, for -x and -X; the text, for -A."""
    if options.has("A"):
        return "".join(chr(byte) if 32 <= byte < 127 or byte in b"\n\t" else "." for byte in data) + "\n"
    if not (options.has("x") or options.has("X")):
        return ""
    lines = ""
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        pairs = " ".join(row[pair : pair + 2].hex() for pair in range(0, len(row), 2))
        letters = "".join(chr(byte) if 33 <= byte < 127 else "." for byte in row)
        lines += f"\t0x{at:04x}:  {pairs:<39}  {letters}\n" if options.has("X") else f"\t0x{at:04x}:  {pairs}\n"
    return lines
