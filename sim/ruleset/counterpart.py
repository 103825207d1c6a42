"""A whole set of rules in the other language: iptables' tables as an nft file, nft's as iptables-save text of both families.

What has no counterpart is left out of the text and told in `missing`, with the reason. What is written is read again by the language's
own reader before it is given: nothing here can be refused by its tool. Not in here: one rule alone (translate.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sim.netfilter.words import Hook
from sim.ruleset.iptables import chains as iptables_chains
from sim.ruleset.model import Chain, Compare, Reject, Rule, Ruleset, Table, Verdict, VerdictMap
from sim.ruleset.nft import parse
from sim.ruleset.nft.chains import priority_text
from sim.ruleset.spread import spread
from sim.ruleset.translate import iptables_text, nft_text

FAMILIES = {"iptables": "ip", "ip6tables": "ip6"}
_NFPROTO = {"ip": 2, "ip6": 10}
LONGEST_CHAIN = 28


@dataclass(frozen=True, slots=True)
class Missing:
    """A rule, a chain or a table without counterpart: its line in the text it came from (0 where that is not known), itself, and why."""

    line: int
    text: str
    why: str


@dataclass(slots=True)
class Written:
    """A text in the making. `came_from`: for each of its lines (from 1) the line of the rule it stands for."""

    lines: list[str] = field(default_factory=list)
    came_from: dict[int, int] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)

    def add(self, text: str, rule: Rule | None = None) -> None:
        """Another line, which stands for `rule`."""
        self.lines.append(text)
        if rule is not None:
            self.came_from[len(self.lines)] = line_of(rule)

    @property
    def text(self) -> str:
        return "".join(line + "\n" for line in self.lines)


def line_of(rule: Rule) -> int:
    """The line a rule was typed in, 0 where nobody knows."""
    return rule.span.line if rule.span else 0


# ---- iptables to nft -------------------------------------------------------------------------------------------------

_NO_NFT = "nft has no words for this"


def as_nft(ruleset: Ruleset) -> Written:
    """iptables' tables of both families as one nft file."""
    left_out: set[tuple[str, str, int]] = set()
    while True:
        written, places = _nft_file(ruleset, left_out)
        wrong = {places[line] for report in parse.run(written.text, "nft", Ruleset()).reports if (line := _line(report)) in places}
        if wrong <= left_out:
            return written
        left_out |= wrong


def _line(report: object) -> int:
    span = getattr(getattr(report, "error", None), "span", None)
    return span.line if span else 0


def _nft_file(ruleset: Ruleset, left_out: set[tuple[str, str, int]]) -> tuple[Written, dict[int, tuple[str, str, int]]]:
    """The file, and which rule of which chain (number 0: the chain) stands in which line."""
    written, places = Written(), {}
    for table in ruleset.of("iptables"):
        name = f"{table.family} {table.name}"
        written.add(f"table {name} {{")
        for chain in table.chains:
            if (name, chain.name, 0) in left_out:
                written.missing += [Missing(line_of(rule), rule.text, f"nft takes no chain called {chain.name}") for rule in chain.rules]
                continue
            written.add(f"\tchain {chain.name} {{")
            places[len(written.lines)] = (name, chain.name, 0)
            if chain.hook is not None:
                written.add(f"\t\t{_head(table, chain)}")
            for number, rule in enumerate(chain.rules, 1):
                words = None if (name, chain.name, number) in left_out else nft_text(rule, table.family)
                if words is None:
                    written.missing.append(Missing(line_of(rule), rule.text, _NO_NFT))
                else:
                    written.add(f"\t\t{words}", rule)
                    places[len(written.lines)] = (name, chain.name, number)
            written.add("\t}")
        written.add("}")
    return written, places


def _head(table: Table, chain: Chain) -> str:
    assert chain.hook is not None
    kind = "route" if table.name == "mangle" and chain.hook == Hook.OUTPUT else chain.type
    place = priority_text(chain)
    return f"type {kind} hook {chain.hook.name.lower()} priority {place}; policy {chain.policy};"


# ---- nft to iptables -------------------------------------------------------------------------------------------------


def as_iptables(ruleset: Ruleset, family: str) -> Written:
    """nft's rules for one family ("ip" or "ip6") as iptables-save text."""
    plan = _Plan(family)
    for table in ruleset.of("nft"):
        if table.family in (family, "inet"):
            plan.take(table)
    return plan.written()


class _Plan:
    """Which chain goes into which of iptables' tables."""

    def __init__(self, family: str) -> None:
        self._family = family
        self._tables: dict[str, dict[str, tuple[Table, Chain]]] = {}
        self._missing: list[Missing] = []
        self._taken: list[Table] = []
        self._lost: set[int] = set()

    def take(self, table: Table) -> None:
        """Give each base chain of an nft table its place, and with it the chains that it reaches."""
        self._taken.append(table)
        for chain in table.chains:
            if chain.hook is None:
                continue
            name = self._table_for(chain)
            if name is None:
                self._lose(chain, _no_place(chain))
            elif self._put(name, chain.hook.name, table, chain):
                self._follow(name, table, chain)

    def _table_for(self, chain: Chain) -> str | None:
        """The one of iptables' tables that stands at this hook with this priority."""
        for name in iptables_chains.TABLES:
            built_in = iptables_chains.new_table(self._family, name).chains
            place = next((each for each in built_in if each.hook == chain.hook), None)
            if place is not None and place.priority == chain.priority and (name == "nat") == (chain.type == "nat"):
                return name
        return None

    def _put(self, name: str, as_name: str, table: Table, chain: Chain) -> bool:
        """Whether the chain has a place under that name now."""
        there = self._tables.setdefault(name, {}).get(as_name)
        if there is not None and there[1] is not chain:
            self._lose(chain, f"iptables' table {name} has one chain {as_name}, and {there[0].name} {there[1].name} has it")
            return False
        self._tables[name][as_name] = (table, chain)
        return True

    def _follow(self, name: str, table: Table, chain: Chain) -> None:
        for target in dict.fromkeys(_targets(chain)):
            found = table.chain(target)
            built_in = any(each.name == target for each in iptables_chains.new_table(self._family, name).chains)
            if found is None or target in self._tables[name]:
                continue
            if len(target) > LONGEST_CHAIN or built_in:
                self._lose(found, f"iptables cannot have a chain called {target} here")
            elif self._put(name, target, table, found):
                self._follow(name, table, found)

    def _lose(self, chain: Chain, why: str) -> None:
        """The first reason counts."""
        if id(chain) in self._lost:
            return
        self._lost.add(id(chain))
        self._missing += [Missing(line_of(rule), rule.text, why) for rule in chain.rules]

    def written(self) -> Written:
        """The text."""
        placed = {id(chain) for chains in self._tables.values() for _, chain in chains.values()}
        for chain in (chain for table in self._taken for chain in table.chains if chain.hook is None and id(chain) not in placed):
            self._lose(chain, f"no chain that has a counterpart leads to {chain.name}")
        written = Written(missing=list(self._missing))
        for name in iptables_chains.TABLES:
            if name in self._tables:
                self._write(written, name, self._tables[name])
        return written

    def _write(self, written: Written, name: str, chains: dict[str, tuple[Table, Chain]]) -> None:
        built_in = [chain.name for chain in iptables_chains.new_table(self._family, name).chains]
        written.add(f"*{name}")
        for each in built_in:
            policy = chains[each][1].policy.upper() if each in chains else "ACCEPT"
            written.add(f":{each} {policy} [0:0]")
        users = [each for each in chains if each not in built_in]
        for each in users:
            written.add(f":{each} - [0:0]")
        known = {*built_in, *users}
        for each in [*built_in, *users]:
            if each in chains:
                for rule in chains[each][1].rules:
                    self._rule(written, each, rule, known)
        written.add("COMMIT")

    def _rule(self, written: Written, chain: str, rule: Rule, known: set[str]) -> None:
        mine = for_family(rule, self._family)
        if mine is None:
            return
        texts = _texts(mine, self._family)
        gone = next((target for target in _rule_targets(rule) if target not in known), None)
        if texts is None or gone:
            why = f"the chain {gone} has no counterpart" if gone else "iptables has no words for this"
            written.missing.append(Missing(line_of(rule), rule.text, why))
            return
        for text in texts:
            written.add(f"-A {chain} {text}".rstrip(), rule)


def _texts(rule: Rule, family: str) -> list[str] | None:
    """The rule in iptables' words: one, or several that together say it; None where there are none."""
    alone = iptables_text(rule, family)
    texts = [alone] if alone is not None else [iptables_text(each, family) for each in spread(rule)]
    return None if None in texts else [text for text in texts if text is not None]


def _no_place(chain: Chain) -> str:
    assert chain.hook is not None
    hook = chain.hook.name
    return f"none of iptables' tables has a {chain.type} chain at {hook} with priority {chain.priority}"


def _targets(chain: Chain) -> Iterator[str]:
    for rule in chain.rules:
        yield from _rule_targets(rule)


def _rule_targets(rule: Rule) -> Iterator[str]:
    """The chains that a rule jumps or goes to."""
    for part in rule.flat():
        if isinstance(part, Verdict) and part.chain:
            yield part.chain
        elif isinstance(part, VerdictMap) and isinstance(part.entries, tuple):
            yield from (verdict.chain for _, verdict in part.entries if verdict.chain)


def for_family(rule: Rule, family: str) -> Rule | None:
    """A rule of an inet table as it is for one family; None when it is about the other."""
    parts = []
    for part in rule.parts:
        if isinstance(part, Compare) and part.selector == "meta nfproto" and isinstance(part.values, tuple) and part.mask is None:
            if (_NFPROTO[family] in part.values) == (part.op == "!="):
                return None
            continue
        if isinstance(part, Compare) and part.selector.split(" ")[0] in _FOREIGN[family]:
            return None
        if isinstance(part, Reject) and part.family in ("ip", "ip6") and part.family != family and part.kind != "tcp reset":
            return None
        parts.append(replace(part, family=family) if isinstance(part, Reject) and part.family == "inet" else part)
    return replace(rule, parts=tuple(parts))


_FOREIGN = {"ip": ("ip6", "icmpv6"), "ip6": ("ip", "icmp")}
