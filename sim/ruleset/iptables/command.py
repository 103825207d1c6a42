"""One iptables command line as understood: which command, on which chain, with which rules. reading.py makes it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.errors import Span
from sim.ruleset.ipset.model import Sets
from sim.ruleset.iptables.addresses import Net, net_compare
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Context, Given, Module, check_together
from sim.ruleset.iptables.words import Taken
from sim.ruleset.model import Compare, Counter, Extension, Item, Part, Verdict, Wildcard

STANDARD = {"ACCEPT": "accept", "DROP": "drop", "RETURN": "return"}


@dataclass(slots=True)
class Loaded:
    """A module that the line named, and the options given to it so far."""

    module: Module
    span: Span
    given: list[Given] = field(default_factory=list)


@dataclass(slots=True)
class Command:
    """A command line as understood. `letter` is the command's; `sources`, `destinations` are lists because -s a,b makes two rules.

    `made` keeps what the modules contributed, once the whole line is read.
    """

    family: str
    letter: str = ""
    also_zero: bool = False
    chain: str = ""
    chain_span: Span | None = None
    number: int | None = None
    new_name: str = ""
    policy: str = ""
    table: str = "filter"
    table_given: bool = False
    flags: set[str] = field(default_factory=set)
    negated: set[str] = field(default_factory=set)
    addresses: list[Taken] = field(default_factory=list)
    sources: list[Net] = field(default_factory=list)
    destinations: list[Net] = field(default_factory=list)
    indev: str = ""
    outdev: str = ""
    protocol: int = 0
    protocol_name: str = ""
    counters: tuple[int, int] | None = None
    loaded: list[Loaded] = field(default_factory=list)
    target: Loaded | None = None
    jump: str | None = None
    jump_span: Span | None = None
    warnings: list[str] = field(default_factory=list)
    made: tuple[list[Extension], Extension | None] | None = None
    sets: Sets | None = None
    labels: str | None = None

    @property
    def context(self) -> Context:
        """What modules are told."""
        return Context(self.family, self.protocol or None, "p" in self.negated, self.sets, self.labels)

    def extensions(self) -> tuple[list[Extension], Extension | None]:
        """The modules' contributions: matches in order, and the target's or None. Raises Mistake for what is missing."""
        if self.made is None:
            context = self.context
            found = [_read(each, context) for each in self.loaded]
            self.made = (found, _read(self.target, context) if self.target else None)
        return self.made

    def rules(self, verdict: Part | None, extensions: list[Extension]) -> list[tuple[Part, ...]]:
        """The parts of each rule the line stands for: one for every pair of source and destination address."""
        packets, size = self.counters or (0, 0)
        tail: tuple[Part, ...] = (*extensions, Counter(packets, size), *((verdict,) if verdict is not None else ()))
        sources: list[Net | None] = [*self.sources] or [None]
        destinations: list[Net | None] = [*self.destinations] or [None]
        pairs = [(source, destination) for source in sources for destination in destinations]
        return [(*self._header(source, destination), *tail) for source, destination in pairs]

    def _header(self, source: Net | None, destination: Net | None) -> list[Part]:
        parts: list[Part] = []
        for letter, name, net in (("s", "saddr", source), ("d", "daddr", destination)):
            if net is not None and (any(net.mask) or letter in self.negated):
                parts.append(net_compare(f"{self.family} {name}", net, letter in self.negated))
        for letter, selector, device in (("i", "meta iifname", self.indev), ("o", "meta oifname", self.outdev)):
            if device:
                item: Item = Wildcard(device[:-1]) if device.endswith("+") else device
                parts.append(Compare(selector, (item,), "!=" if letter in self.negated else "=="))
        if self.protocol:
            selector = "ip protocol" if self.family == "ip" else "meta l4proto"
            parts.append(Compare(selector, (self.protocol,), "!=" if "p" in self.negated else "=="))
        if "f" in self.flags:
            parts.append(Compare("ip frag-off", (0,), "==" if "f" in self.negated else "!=", mask=0x1FFF))
        return parts


def _read(loaded: Loaded, context: Context) -> Extension:
    extension = loaded.module.read(loaded.module, tuple(loaded.given), context)
    check_together(loaded.module, loaded.given)
    return extension


def verdict_of(command: Command, chains: frozenset[str], source: str = "") -> Part | None:
    """What `-j` or `-g` leads to: a Verdict, a target's Extension, or None. `chains`: the chains of the table."""
    name = command.jump
    if name is None:
        return None
    if "g" in command.flags:
        if name not in chains:
            raise Mistake(f"goto '{name}' is not a chain", command.jump_span)
        return Verdict("goto", name)
    if command.target is not None:
        return command.extensions()[1]
    if name in STANDARD:
        return Verdict(STANDARD[name])
    if name not in chains:
        raise Mistake(f"Couldn't load target `{name}':No such file or directory\n", command.jump_span)
    return Verdict("jump", name)
