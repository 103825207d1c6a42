"""What would have been: the least time-out with which an entry that expired would have met its conversation's next packet.

Nothing is estimated: each candidate is a whole run of the same scenario and inputs with the one setting changed, until that packet
comes. Not in here: the session that a person forks (session.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sim.conntrack.settings import LONGEST, SCTP_TIMEOUTS, TCP_TIMEOUTS, Settings
from sim.conntrack.words import SCTP_STATE_NAMES, TCP_STATE_NAMES
from sim.errors import UsageError
from sim.inputs import Command, Input
from sim.scenario import Scenario
from sim.simulation import Simulation
from sim.trace import EntryCreated, EntryDestroyed, EntryUpdated, Labelled, PacketSent, Record
from sim.units import SECOND

Timed = tuple[int, Input]
PREFIX = "net.netfilter.nf_conntrack_"
OTHERS = {
    "udp": ("udp_timeout_stream", "udp_timeout"), "udplite": ("udp_timeout_stream", "udp_timeout"), "icmp": ("icmp_timeout",),
    "icmpv6": ("icmpv6_timeout",), "gre": ("gre_timeout_stream", "gre_timeout"),
}  # fmt: skip
"""The settings that an entry's time-out may come from, the likelier first; what is not here has generic_timeout."""


@dataclass(frozen=True, slots=True)
class Survival:
    """`key` at `least` seconds instead of `now` would have done. `at`: where to set it (µs); `packet`: whom it would have met; `runs`: what
    was tried, [seconds, whether it survived]."""

    key: str
    now: int
    least: int
    at: int
    packet: int
    runs: list[tuple[int, bool]]

    def message(self) -> dict[str, Any]:
        """`Survival` of README.md."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class _Death:
    """The entry's last view and when it was last refreshed, when it expired, and the packet that came too late."""

    born: int
    refreshed: int
    view: dict[str, Any]
    at: int
    packet: int
    late: int


def survival(scenario: Scenario, inputs: Sequence[Timed], records: Sequence[Record], machine: str, conn: int) -> Survival:
    """Search for the least time-out, by running. Raises UsageError where nothing was missed, or no time-out helps."""
    death = _death(records, machine, conn)
    key, now = _setting(scenario, inputs, machine, death)
    at = max(0, death.born - 1)
    runs: dict[int, bool] = {}

    def survives(seconds: int) -> bool:
        if seconds not in runs:
            runs[seconds] = _run(scenario, inputs, (at, Command(machine, f"sysctl -w {PREFIX}{key}={seconds}")), machine, conn, death)
        return runs[seconds]

    high = min(LONGEST, (death.late - death.refreshed) // SECOND + 1)
    while not survives(high):
        if high >= LONGEST:
            raise UsageError(f"No value of {PREFIX}{key} would have kept this entry.")
        high = min(LONGEST, high * 4)
    low = high - 1 if high - 1 > now and not survives(high - 1) else now
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if survives(middle) else (middle, high)
    return Survival(PREFIX + key, now, high, at, death.packet, sorted(runs.items()))


def _death(records: Sequence[Record], machine: str, conn: int) -> _Death:
    told = (EntryCreated, EntryUpdated, EntryDestroyed)
    mine = [r for r in records if r.machine == machine and isinstance(r.event, told) and r.event.conn == conn]
    last = mine[-1].event if mine else None
    if not isinstance(last, EntryDestroyed) or last.reason.code != "expired":
        raise UsageError(f"entry {conn} of {machine} has not run out of time")
    sent = {r.event.packet: r.event.headers for r in reversed(records) if isinstance(r.event, PacketSent)}
    for record in records[mine[-1].n :]:
        event = record.event
        if isinstance(event, Labelled) and record.machine == machine and _belongs(sent.get(event.packet), last.entry):
            return _Death(mine[0].time, mine[-2].time, dict(last.entry), mine[-1].time, event.packet, record.time)
    raise UsageError("nobody went on with this conversation after its entry had expired")


def _belongs(headers: Any, entry: Any) -> bool:
    """Whether a packet, as it was first sent, has one of the entry's tuples."""
    if headers is None or headers.get("protocol") != entry["protocol"] or "sport" not in entry["original"]:
        return False
    ends = {name: headers.get(name) for name in ("src", "dst", "sport", "dport")}
    return ends in (entry["original"], entry["reply"])


def _setting(scenario: Scenario, inputs: Sequence[Timed], machine: str, death: _Death) -> tuple[str, int]:
    """The sysctl that the last time-out came from, and its seconds: asked of the machine as it was just before the end."""
    before = Simulation(scenario, inputs=[pair for pair in inputs if pair[0] < death.at])
    before.run(death.at - 1)
    settings: Settings = before.world.machines[machine].ip.tracker.settings
    timeout = death.view["expires"] - death.refreshed
    names = _candidates(death.view)
    key = next((name for name in names if settings.values[name] == timeout), names[0])
    return key, settings.values[key] // SECOND


def _candidates(view: dict[str, Any]) -> tuple[str, ...]:
    protocol, state = view["protocol"], view["state"]
    if protocol == "tcp":
        return f"tcp_timeout_{TCP_TIMEOUTS[TCP_STATE_NAMES.index(state)]}", "tcp_timeout_unacknowledged", "tcp_timeout_max_retrans"
    if protocol == "sctp":
        return (f"sctp_timeout_{SCTP_TIMEOUTS[SCTP_STATE_NAMES.index(state)]}",)
    return OTHERS.get(protocol, ("generic_timeout",))


def _run(scenario: Scenario, inputs: Sequence[Timed], change: Timed, machine: str, conn: int, death: _Death) -> bool:
    """One run with the setting changed: does the entry still stand when the packet comes?"""
    later = [pair for pair in inputs if pair[0] <= death.late]
    run = Simulation(scenario, inputs=sorted([change, *later], key=lambda pair: pair[0]))
    run.run(death.late)
    if run.ended:
        raise UsageError(run.ended)
    ended = (r.event for r in run.records if isinstance(r.event, EntryDestroyed) and r.machine == machine)
    return not any(event.conn == conn and event.reason.code == "expired" for event in ended)

