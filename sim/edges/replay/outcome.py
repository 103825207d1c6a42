"""What became of one packet of a replay, and its form as a line of JSON. Plain values; decides nothing."""

from __future__ import annotations

import json
from typing import Final, NamedTuple

from sim.trace import Json
from sim.units import SECOND

SELF: Final = "self"
"""The device name of what INPUT accepted."""
NONE: Final = ""
Made = tuple[bytes, str, "str | None"]
"""(packet, label, direction) of what the firewall made because of a packet."""


class Step(NamedTuple):
    """A rule that was tried; `verdict` is None where it decided nothing."""

    table: str
    chain: str
    rule: str
    verdict: str | None


class Rewritten(NamedTuple):
    """NAT changed the packet: at which hook, by which translation of its connection (snat, dnat), and how it read before and after."""

    hook: str
    what: str
    before: str
    after: str


class Outcome(NamedTuple):
    """What became of one packet.

    number     its place in the capture, from 1;  time_us: since the first packet;  dev: where it arrived, None for the
               firewall's own and for what was not fed (`verdict` None: `reason` says why)
    label      NEW ... or None for what never reached conntrack;  direction: original, reply or None
    out        what left because of it, in order: (device, bytes), what INPUT accepted last with the device "self"
    kernel_log what the kernel would log with nf_conntrack_log_invalid=255
    reason     why that label, or why none;  dropped: by what it was dropped, where the trace was asked for
    trace      every rule tried, and what NAT changed in between;  made: what the firewall made because of it
    """

    number: int
    time_us: int
    dev: str | None
    data: bytes | None
    label: str | None
    direction: str | None
    verdict: str | None
    out: tuple[tuple[str, bytes], ...]
    kernel_log: tuple[str, ...]
    reason: str
    dropped: str = ""
    trace: tuple[Step | Rewritten, ...] = ()
    made: tuple[Made, ...] = ()


class Printed(NamedTuple):
    """What a command printed. `last`: one of those that run behind the last packet."""

    time_us: int
    command: str
    output: str
    last: bool


def to_json(outcome: Outcome, entry: dict[str, Json] | None, trace: bool) -> dict[str, Json]:
    """The line of one packet, as a dict; with `trace` also "trace", the rules tried, and "nat" where NAT changed it."""
    line: dict[str, Json] = {
        "packet": outcome.number,
        "time": outcome.time_us / SECOND,
        "in": outcome.dev,
        "label": outcome.label,
        "direction": outcome.direction,
        "verdict": outcome.verdict,
        "out": [{"dev": dev, "bytes": data.hex()} for dev, data in outcome.out],
        "kernel_log": list(outcome.kernel_log),
        "reason": outcome.reason,
        "entry": entry,
    }
    return line | traced(outcome) if trace else line


def traced(outcome: Outcome) -> dict[str, Json]:
    """What --trace adds to the line."""
    steps = [step._asdict() for step in outcome.trace if isinstance(step, Step)]
    rewritten = [step._asdict() for step in outcome.trace if isinstance(step, Rewritten)]
    return {"trace": steps} | ({"nat": rewritten} if rewritten else {})


def dumps(line: dict[str, Json]) -> str:
    """One line of JSON, without its end."""
    return json.dumps(line, ensure_ascii=False)
