"""The trace: all that a simulation says. One frozen class an event; a Record adds number, time and machine.

Parts of the simulator are given an `emit(event)` when they are built; for a machine's parts it is already bound to that
machine. Nothing else leaves a simulation. The page folds these records (web/ui/src/story.ts has a handler for each kind).

Packets are named by their id, entries by `conn`, rules by `rule`: small ints that stay the same for the whole simulation.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

Json = Any  # what json.dumps takes: dict, list, str, int, float, bool, None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was decided: a stable `code`, a sentence for a learner, the `numbers` it was decided on."""

    code: str
    text: str
    numbers: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events. `kind` is the event's name in JSON."""

    kind: ClassVar[str] = ""


# ---- packets on the way -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PacketSent(Event):
    """A machine put a packet on a link. `headers` are the fields read (protocol, src, dst, sport, flags ...), `text` one line.

    `about` is what a person would call it ("SYN", 'PSH "ls"', "echo request"); `again` how often this was sent before
    (0: the first time). `arrives` is the time it will, None when the link loses it.
    """

    kind: ClassVar[str] = "sent"
    packet: int
    dev: str
    to: str
    to_dev: str
    arrives: int | None
    data: str
    headers: Mapping[str, Json]
    text: str
    about: str
    again: int = 0


@dataclass(frozen=True, slots=True)
class PacketLost(Event):
    """The link lost it. `reason.code`: loss (by chance), down."""

    kind: ClassVar[str] = "lost"
    packet: int
    dev: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class PacketArrived(Event):
    """A packet came out of the link into this machine's interface `dev`."""

    kind: ClassVar[str] = "arrived"
    packet: int
    dev: str


@dataclass(frozen=True, slots=True)
class HookEntered(Event):
    """A packet entered a netfilter hook (PREROUTING INPUT FORWARD OUTPUT POSTROUTING)."""

    kind: ClassVar[str] = "hook"
    packet: int
    hook: str
    indev: str | None
    outdev: str | None


@dataclass(frozen=True, slots=True)
class Routed(Event):
    """The routing decision. `decision`: local, forward, output. `dev` is where it leaves, `via` the next hop or None."""

    kind: ClassVar[str] = "routed"
    packet: int
    decision: str
    dev: str | None
    via: str | None


@dataclass(frozen=True, slots=True)
class Labelled(Event):
    """Conntrack gave the packet its label. `conn` is None for INVALID and UNTRACKED. `direction`: original, reply, None."""

    kind: ClassVar[str] = "label"
    packet: int
    hook: str
    label: str
    direction: str | None
    conn: int | None
    reason: Reason
    kernel_log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Translated(Event):
    """NAT rewrote the packet. `what`: snat or dnat, the translation of its connection that was done, or undone on an answer; payload:
    an address that a helper has read there; seqadj: sequence numbers shifted because of such a change before.

    `before` and `after` are one line each, as PacketSent.text: "TCP 192.168.1.10:51514 > 203.0.113.7:80 S"; for a payload with what
    stood there, in quotes, for seqadj with the numbers.
    """

    kind: ClassVar[str] = "nat"
    packet: int
    hook: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Because:
    """One match of a rule against one packet: `text` as the rule writes it, the packet's `value`, and in `words` why."""

    text: str
    matched: bool
    value: str
    words: str


@dataclass(frozen=True, slots=True)
class RuleTried(Event):
    """A rule was tried. `language`: iptables or nft. `table` e.g. "filter" (iptables) or "ip filter" (nft).

    `because` holds the matches tried, in order, up to the first that failed. `verdict` is None when the rule decided
    nothing (no match, or no verdict in it). `number` is the rule's place in its chain, from 1.
    """

    kind: ClassVar[str] = "rule"
    packet: int
    hook: str
    language: str
    table: str
    chain: str
    rule: int
    number: int
    text: str
    matched: bool
    verdict: str | None
    because: tuple[Because, ...]


@dataclass(frozen=True, slots=True)
class ChainDecided(Event):
    """A base chain's verdict on a packet. `by`: rule or policy; `rule` is the deciding rule's id or None."""

    kind: ClassVar[str] = "verdict"
    packet: int
    hook: str
    language: str
    table: str
    chain: str
    verdict: str
    by: str
    rule: int | None


@dataclass(frozen=True, slots=True)
class Delivered(Event):
    """The packet reached what it was for on this machine: `to` e.g. "tcp 192.168.1.20:22", "icmp"."""

    kind: ClassVar[str] = "delivered"
    packet: int
    to: str


@dataclass(frozen=True, slots=True)
class Dropped(Event):
    """The packet's end. `where`: a hook's name, ip, routing, socket, conntrack. `by` e.g. "filter INPUT policy"."""

    kind: ClassVar[str] = "dropped"
    packet: int
    where: str
    by: str
    reason: Reason


# ---- the connection table -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EntryCreated(Event):
    """An entry was confirmed into the table (conntrack -E: NEW). `entry` is its whole view: see conntrack/show.py.

    `entry` has: family, protocol, protonum, state (or None), original, reply (each src dst sport dport, or for ICMP src
    dst type code id), unreplied, assured, mark, zone, status (list of bits), helper, timeout (µs), expires (µs, absolute),
    line: what `conntrack -L` prints for it at this instant; only the seconds in it change until the next record of the entry.
    """

    kind: ClassVar[str] = "entry-new"
    conn: int
    packet: int | None
    entry: Mapping[str, Json]
    reason: Reason


@dataclass(frozen=True, slots=True)
class EntryUpdated(Event):
    """An entry changed. `changed` names the fields; `told` is whether conntrack -E prints an UPDATE for it.

    A packet that only refreshes the time-out gives changed=("expires",), told=False.
    """

    kind: ClassVar[str] = "entry-update"
    conn: int
    packet: int | None
    entry: Mapping[str, Json]
    changed: tuple[str, ...]
    told: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class EntryExpired(Event):
    """An entry's time-out ran out at this instant; its EntryDestroyed follows."""

    kind: ClassVar[str] = "entry-expired"
    conn: int


@dataclass(frozen=True, slots=True)
class EntryDestroyed(Event):
    """An entry left the table. `reason.code`: expired, deleted, flushed, early_drop, reopened, closed."""

    kind: ClassVar[str] = "entry-destroy"
    conn: int
    packet: int | None
    entry: Mapping[str, Json]
    reason: Reason


@dataclass(frozen=True, slots=True)
class EntryTold(Event):
    """What a `conntrack -E` that has listened from the start prints at this instant. `event`: NEW, UPDATE, DESTROY; `line` whole.

    An update is told once its packet got through (nf_ct_deliver_cached_events): where a rule drops it, with the next that does.
    """

    kind: ClassVar[str] = "entry-told"
    conn: int
    packet: int | None
    event: str
    line: str


@dataclass(frozen=True, slots=True)
class Expectation(Event):
    """An expectation was created, used, expired or removed (`action`) for the master entry `conn`."""

    kind: ClassVar[str] = "expectation"
    action: str
    conn: int
    packet: int | None
    expectation: Mapping[str, Json]
    reason: Reason


# ---- the machine and its user -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Output(Event):
    """Text came out on a terminal (it may end anywhere; "\\n" ends a line, "\\x1b[H\\x1b[2J" clears)."""

    kind: ClassVar[str] = "output"
    terminal: str
    text: str


@dataclass(frozen=True, slots=True)
class TerminalState(Event):
    """What a terminal waits for. `state`: prompt (a shell reads a line), running (a program has it), closed.

    `prompt` is shown before the line that is typed; `program` is what runs in front ("ssh", "nc"), "" at a prompt;
    `user_at` where typing ends up, e.g. "admin@server" inside an ssh session.
    """

    kind: ClassVar[str] = "terminal"
    terminal: str
    state: str
    prompt: str
    program: str
    user_at: str


@dataclass(frozen=True, slots=True)
class SocketChanged(Event):
    """A socket's own belief. `state`: LISTEN, SYN-SENT, ESTAB ... as ss prints; CLOSED when it is gone.

    `unacked` are the bytes sent and not acknowledged (as readable text), `tries` how often they were sent again, `retry_at` when the next
    try comes (µs) or None.
    """

    kind: ClassVar[str] = "socket"
    socket: int
    protocol: str
    local: str
    remote: str
    state: str
    program: str
    unacked: str = ""
    tries: int = 0
    retry_at: int | None = None


@dataclass(frozen=True, slots=True)
class RulesLoaded(Event):
    """A machine's rules are now these. `tables`: see ruleset/show.py `view`: language, family, name, chains, rules. `by` the command."""

    kind: ClassVar[str] = "rules"
    tables: tuple[Mapping[str, Json], ...]
    by: str


@dataclass(frozen=True, slots=True)
class SysctlSet(Event):
    """A kernel setting was changed."""

    kind: ClassVar[str] = "sysctl"
    key: str
    value: str
    old: str


@dataclass(frozen=True, slots=True)
class KernelLogged(Event):
    """A line in the machine's kernel log: LOG rules, "table full, dropping packet"."""

    kind: ClassVar[str] = "kernel-log"
    packet: int | None
    text: str


@dataclass(frozen=True, slots=True)
class InputGiven(Event):
    """What a person did: the input as JSON (see simulation.py). `text` is one line for the timeline."""

    kind: ClassVar[str] = "input"
    text: str
    input: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Reached(Event):
    """What a client that acts by itself found out (sim/apps/clients.py). `what`: probe (a fresh try), talk (one connection), attempt.

    `name` is what people call it, `to` e.g. "tcp 192.168.1.20:22", `began` (µs) when this try did, or for a talk when all was well last;
    `down` the µs for which it could not be reached, all in all. `reason.code`: answered (then `ok`), silence, half, lost, or an errno.
    """

    kind: ClassVar[str] = "reach"
    what: str
    name: str
    to: str
    ok: bool
    began: int
    down: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Noted(Event):
    """A remark of the simulation: `code` e.g. budget, scenario; walk: somebody is on the way to a terminal; there: they have come;
    power-off, power-boots, power-up: how a machine stands from now on."""

    kind: ClassVar[str] = "note"
    code: str
    text: str


EVENTS: dict[str, type[Event]] = {cls.kind: cls for cls in Event.__subclasses__()}
Emit = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the trace: number `n` from 0, `time` in µs, the `machine` ("" for the simulation itself), the event."""

    n: int
    time: int
    machine: str
    event: Event

    def to_json(self) -> dict[str, Json]:
        """A flat dict: n, t, machine, kind, then the event's fields."""
        head: dict[str, Json] = {"n": self.n, "t": self.time, "machine": self.machine, "kind": self.event.kind}
        return head | _fields_of(self.event)


_NAMES: dict[type, tuple[str, ...]] = {}
_PLAIN = (str, int, bool, type(None), float)


def _fields_of(value: Any) -> dict[str, Json]:
    """A dataclass as a dict; what fields a class has is looked up once."""
    names = _NAMES.get(type(value))
    if names is None:
        names = _NAMES[type(value)] = tuple(field.name for field in dataclasses.fields(value))
    return {name: _plain(getattr(value, name)) for name in names}


def _plain(value: Json) -> Json:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value):
        return _fields_of(value)
    return value


RECORD_SIZE = 600  # bytes of memory that a record takes, about, without the packet or text in it


class Trace:
    """The records so far, and the bytes of memory (`size`) that they take, about.

    `clock()` gives the time in µs; `emitter(machine)` the emit that a machine's parts are given.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self.records: list[Record] = []
        self.size = 0
        self._clock = clock

    def add(self, machine: str, event: Event) -> None:
        """Append one event at the present time."""
        self.records.append(Record(len(self.records), self._clock(), machine, event))
        self.size += RECORD_SIZE
        if isinstance(event, PacketSent):
            self.size += len(event.data)
        elif isinstance(event, Output):
            self.size += len(event.text)

    def emitter(self, machine: str) -> Emit:
        """An `emit` bound to `machine`."""
        return lambda event: self.add(machine, event)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def dumps(self) -> str:
        """JSON lines: equal bytes for equal traces."""
        return "".join(json.dumps(r.to_json(), ensure_ascii=False, separators=(",", ":")) + "\n" for r in self.records)
