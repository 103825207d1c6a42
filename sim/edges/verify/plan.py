"""What is to be compared: a firewall (Plan), and what happens to it (steps). Plain values; nothing runs here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

DEVICES: Final[Mapping[str, Sequence[str]]] = {
    "lan": ("192.168.1.1/24", "fd00:1::1/64"),
    "wan": ("203.0.113.2/24", "fd00:2::1/64"),
}
"""The firewall of a fuzzed case, and of a capture for which none is described."""


class Feed(NamedTuple):
    """A packet arrives in `dev`; None: the firewall sends it itself. `number` is its place in a capture, or 0."""

    dev: str | None
    data: bytes
    number: int = 0


class Wait(NamedTuple):
    """Real time passes, in both."""

    seconds: float


class Age(NamedTuple):
    """`us` µs pass without anybody waiting for them: the kernel's entries are made as much older. See Pair."""

    us: int


class Load(NamedTuple):
    """These rules instead of those before."""

    iptables: str = ""
    ip6tables: str = ""
    nft: str = ""


class Sysctl(NamedTuple):
    """A setting, by its dotted name."""

    key: str
    value: str


class Forget(NamedTuple):
    """An entry is deleted, as by `conntrack -D`: (family, protocol number, source, destination, source port, destination port)."""

    source: bytes
    target: bytes
    sport: int
    dport: int
    protonum: int


class Flush(NamedTuple):
    """Every entry and every expectation is deleted, as by `conntrack -F`."""


class Typed(NamedTuple):
    """A line of the conntrack tool that makes or changes entries, or does something to expectations, or of `ip addr`: typed at both."""

    line: str


Step = Feed | Wait | Age | Load | Sysctl | Forget | Flush | Typed


@dataclass(frozen=True)
class Plan:
    """A firewall: its devices with their addresses, rules and settings (dotted names) at the start, and what rules come `later`."""

    addresses: Mapping[str, Sequence[str]] = field(default_factory=lambda: DEVICES)
    rules: Load = field(default_factory=Load)
    sysctls: Mapping[str, str] = field(default_factory=dict)
    later: tuple[Load, ...] = ()

    @property
    def watching(self) -> frozenset[str]:
        """What is to be looked at after every packet besides its own entry: "expected", "table"."""
        text = "".join(part for rules in (self.rules, *self.later) for part in rules)
        return frozenset(what for what, word in (("expected", "helper"), ("table", "zone")) if word in text)


@dataclass(frozen=True)
class Case:
    """A plan and its steps, with a name to find it again by."""

    name: str
    plan: Plan
    steps: tuple[Step, ...]

    @property
    def packets(self) -> int:
        """How many packets it feeds."""
        return sum(isinstance(step, Feed) for step in self.steps)
