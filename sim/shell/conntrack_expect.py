"""conntrack on the table of expectations: list, get, delete, create, flush, watch. As conntrack-tools 1.4.7."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sim.apps.program import EPOCH, Context
from sim.conntrack import show
from sim.conntrack.ctnetlink import Refused, expect, expectation
from sim.conntrack.expect import REMOVED
from sim.conntrack.tuples import GRE, ICMPS, PORTED
from sim.packet import Tuple
from sim.shell.conntrack_entries import HEADER, failed
from sim.shell.conntrack_filter import wanted_tuples
from sim.shell.conntrack_forms import expect_xml
from sim.shell.conntrack_options import Request
from sim.shell.conntrack_words import OUTPUTS
from sim.units import SECOND

if TYPE_CHECKING:
    from sim.conntrack.expect import Expectation

_GARBLED = frozenset((6, 33, 132))
"""Protocols for which the tool takes the upper half of the port it wrote last for the protocol of the expectation: most have no ports."""


class Expectations:
    """One command on expectations. `shown` counts."""

    def __init__(self, context: Context, request: Request) -> None:
        self.context, self.request = context, request
        self.tracker = context.machine.ip.tracker
        self.shown = 0

    def has(self, output: str) -> bool:
        """Whether -o asks for it."""
        return bool(self.request.outputs & OUTPUTS[output])

    def all(self) -> list[Expectation]:
        """Those of the family asked for."""
        size = {4: 4, 6: 16}.get(self.request.family)
        return [one for one in self.tracker.expectations.entries() if size is None or len(one.tuple.dst) == size]

    def dump(self) -> None:
        """-L."""
        for one in self.all():
            self._show(one)
        if self.shown and self.has("xml"):
            self.context.write("</expect>\n")

    def _show(self, one: Expectation, event: str = "", now: int | None = None) -> None:
        at = self.context.now if now is None else now
        stamp = round(EPOCH.timestamp()) * SECOND + at if self.has("timestamp") else None
        if self.has("xml"):
            head = "" if self.shown else f"{HEADER}<expect>\n"
            self.context.write(f"{head}{expect_xml(one, at, event, stamp)}\n")
        elif event:
            self.context.write(show.expect_event_line(event, one, at, stamp) + "\n")
        else:
            self.context.write(f"{show.stamped(stamp)}{show.expect_line(one, at)}\n")
        self.shown += 1

    def get(self) -> None:
        """-G: the one that a tuple meets."""
        self._show(self._found())

    def delete(self) -> None:
        """-D: the same, removed."""
        self.tracker.now = self.context.now
        self.tracker.expectations.remove(self._found(), "removed", REMOVED)
        self.context.machine.ip.settled()

    def _found(self) -> Expectation:
        wanted, _ = wanted_tuples(self.request)
        assert wanted is not None
        try:
            return expectation(self.tracker, wanted)
        except Refused as error:
            raise failed(self.request, error) from error

    def create(self) -> None:
        """-I: expect a connection for one that has a helper."""
        request = self.request
        master, _ = wanted_tuples(request)
        ends, special = request.ends, request.special
        word, protonum = ("key" if request.protonum == GRE else "port"), request.protonum or 0
        ports = special.get(f"tuple-{word}-src", 0), special.get(f"tuple-{word}-dst", 0)
        mask_port = special.get(f"mask-{word}-src", 0)
        assert master is not None
        try:
            if protonum in _GARBLED and (protonum := self._garbled()) not in PORTED:
                if protonum in ICMPS:
                    raise Refused("EINVAL")
                ports, mask_port = (0, 0), 0
            expect(
                self.tracker, master, Tuple(ends["tuple-src"], ends["tuple-dst"], *ports, protonum),
                (ends["mask-src"], mask_port), self.context.now,
            )  # fmt: skip
        except Refused as error:
            raise failed(request, error) from error
        self.context.machine.ip.settled()

    def _garbled(self) -> int:
        return [value for name, value in self.request.special.items() if name.startswith("tuple-port")][-1] >> 8

    def flush(self) -> None:
        """-F."""
        self.tracker.expectations.flush(self.context.now)
        self.context.machine.ip.settled()

    def listener(self) -> Callable[[str, Expectation, int], None]:
        """Who hears of expectations for -E."""

        def heard(event: str, one: Expectation, now: int) -> None:
            self._show(one, event, now)

        return heard
