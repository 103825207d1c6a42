"""From rules to Python source: one function a chain, that takes an Skb and answers a verdict.

    def chain_0(skb):                                        # a base chain: DROP 0, ACCEPT 1
        p = skb.packet
        if p.version != 4: return 1
        if p.protonum == 6 and p.complete and p.dport == 22 and CT_STATE_BITS[skb.ctinfo] & 8:
            c3[0] += 1; c3[1] += len(p.data)
            return 1
        v = chain_1(skb)                                     # a user chain: DROP, ACCEPT, or -1 for "nothing decided"
        if v >= 0: return v
        ...

No text of a user's gets into the source: values are constants k0, k1 ... of its name space, numbers are written by repr(int).
What the constants hold and what is called is evaluate.py's. The slow path, which tells each step, is walk.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from sim.errors import MeaningMistake
from sim.ruleset.bucket import Bucket
from sim.ruleset.given import Given
from sim.ruleset.helping import SetHelper, UseTemplate, helper_object
from sim.ruleset.judges import Judging
from sim.ruleset.match import Finder, items_test
from sim.ruleset.model import (
    Action,
    Assign,
    Chain,
    Compare,
    Counter,
    HeaderThere,
    Item,
    Limit,
    Log,
    NamedSet,
    Notrack,
    Reject,
    Rule,
    SetReference,
    Table,
    Test,
    Verdict,
    VerdictMap,
)
from sim.ruleset.parts import Blend, Judged, Nat, Nothing, Rewrite
from sim.ruleset.rewrite import rewrite_needs
from sim.ruleset.selectors import FROM_THE_WIRE, HEADERS_RUN_OUT, NEEDS, parts_of
from sim.ruleset.stateful import LiveVerdicts

Keep = Callable[[Any], str]  # gives a value a name in the source's name space


class Cells(Protocol):
    """Where what changes is kept: counters [packets, bytes] and buckets, the same ones through every reload. `serial` counts parts."""

    def counter(self, rule: Rule, serial: int, part: Counter) -> list[int]: ...
    def policy(self, table: Table, chain: Chain) -> list[int]: ...
    def bucket(self, rule: Rule, serial: int, part: Limit) -> Bucket: ...
    def judge(self, rule: Rule, serial: int, part: Judged) -> Judging: ...
    def live_set(self, rule: Rule, serial: int, part: Compare, table: Table) -> Judging: ...
    def live_map(self, rule: Rule, serial: int, part: VerdictMap, table: Table) -> LiveVerdicts: ...
    def given(self, part: Nat, table: Table) -> Given: ...


_ORDER = ("<", "<=", ">", ">=")
_VERDICT = {"drop": 0, "accept": 1}


def elements(table: Table, values: tuple[Item, ...] | SetReference) -> tuple[Item, ...]:
    """The items that a Compare looks for, a named set's contents for a reference. Raises MeaningMistake when there is no such set."""
    return named(table, values).keys if isinstance(values, SetReference) else values


def is_live(table: Table, part: object) -> bool:
    """Whether a comparison or verdict map looks into a set that changes by packets or by time: then a judge answers (stateful.py)."""
    looked = part.values if isinstance(part, Compare) else part.entries if isinstance(part, VerdictMap) else None
    return isinstance(looked, SetReference) and named(table, looked).is_live


def named(table: Table, reference: SetReference) -> NamedSet:
    """The set that is meant. Raises MeaningMistake when the table has none of that name."""
    found = table.named_set(reference.name)
    if found is None:
        raise MeaningMistake(f"there is no set or map '{reference.name}' in table '{table.family} {table.name}'")
    return found


_NETWORK_OF = {"icmp": "ip", "icmpv6": "ip6"}
"""In an inet table nft tests the network protocol ahead of ICMP's fields; in one of ip or ip6 ICMP is whatever has its number."""


def needs(selector: str, table: Table) -> list[str]:
    """What must hold before the selector can be read in a rule of the table, as source."""
    wanted = [need for row in parts_of(selector) for need in row.needs]
    if table.family == "inet":
        wanted = [each for need in wanted for each in (_NETWORK_OF.get(need, need), need)]
    return [NEEDS[need] for need in dict.fromkeys(wanted)]


def reading(selector: str) -> str:
    """The source that reads the selector; a tuple for a concatenation."""
    rows = parts_of(selector)
    return rows[0].source if len(rows) == 1 else "(" + ", ".join(row.source for row in rows) + ")"


def comparison(compare: Compare, table: Table, keep: Keep) -> str:
    """The source of the comparison itself, once what it needs is there."""
    items = elements(table, compare.values)
    source = reading(compare.selector)
    if compare.mask is not None:
        source, items = _masked(source, compare.mask, items)
    if compare.flip:
        source = f"({source} ^ {compare.flip})"
    if compare.op in ("&", "!&"):
        return f"{'not ' if compare.op == '!&' else ''}{source} & {int(_number(items[0]))}"
    if compare.op in _ORDER:
        return f"{source} {compare.op} {literal(items[0], keep)}"
    return items_test(source, items, compare.op == "!=", keep)


def _masked(source: str, mask: int | bytes, items: tuple[Item, ...]) -> tuple[str, tuple[Item, ...]]:
    if isinstance(mask, int):
        return f"({source} & {mask})", items
    numbers = tuple(int.from_bytes(item) if isinstance(item, bytes) else item for item in items)
    return f"(int.from_bytes({source}) & {int.from_bytes(mask)})", numbers


def _number(item: Item) -> int:
    if not isinstance(item, int):
        raise MeaningMistake(f"{item!r} is not a number of bits")
    return item


def literal(item: Item, keep: Keep) -> str:
    """One value in source: a number as it is, anything else as a named constant."""
    return repr(int(item)) if isinstance(item, int) else keep(item)


class ChainSource:
    """Writes the function of one chain. `arguments` are every such function's; `decided` says of `v` that a called one has decided."""

    arguments = "skb"
    decided = "v >= 0"

    def __init__(self, table: Table, chain: Chain, names: dict[str, str], keep: Keep, cells: Cells) -> None:
        self._table, self._chain, self._names, self._keep, self._cells = table, chain, names, keep, cells
        self.lines = [f"def {names[chain.name]}({self.arguments}):", "    p = skb.packet"]
        self._depth = 1
        self._open = -1  # how many lines there were when the last `if` was opened
        self._facts: set[str] = set()
        self._pending: list[str] = []
        self._serial = 0
        if chain.hook is not None and table.family != "inet":
            self._line(f"if p.version != {4 if table.family == 'ip' else 6}: return 1")
        self._known = {"ip": {NEEDS["ip"]}, "ip6": {NEEDS["ip6"]}}.get(table.family, set())
        for rule in chain.rules:
            self._rule(rule)
        self._depth = 1
        self._end()

    def _line(self, text: str) -> None:
        self.lines.append("    " * self._depth + text)

    def _end(self) -> None:
        """What stands at the chain's end, and where `return` leads: the policy in a base chain, back in a user chain."""
        if self._chain.hook is None:
            self._line("return -1")
            return
        self._count(self._keep(self._cells.policy(self._table, self._chain)))
        self._line(f"return {_VERDICT[self._chain.policy]}")

    def _count(self, cell: str) -> None:
        self._line(f"{cell}[0] += 1; {cell}[1] += len(p.data)")

    def _rule(self, rule: Rule) -> None:
        self._depth, self._facts, self._pending, self._serial = 1, set(self._known), [], 0
        for part in rule.flat():
            self._part(rule, part)
            self._serial += 1
        self._flush()
        if self._open == len(self.lines):
            self._line("pass")

    def _require(self, atoms: Iterable[str]) -> None:
        for atom in atoms:
            if atom not in self._facts:
                self._facts.add(atom)
                self._pending.append(atom)

    def _flush(self) -> None:
        """Open an `if` for the tests that are waiting; what follows in the rule stands inside it."""
        if self._pending:
            self._line(f"if {' and '.join(self._pending)}:")
            self._depth += 1
            self._open = len(self.lines)
            self._pending = []

    def _part(self, rule: Rule, part: Test | Action) -> None:
        match part:
            case Compare() if is_live(self._table, part):
                self._flush()
                self._pending.append(f"{self._keep(self._cells.live_set(rule, self._serial, part, self._table))}.test(skb)")
            case Compare():
                self._compare(part)
            case HeaderThere(options=True):
                self._flush()
                self._line(f"if not {NEEDS['tcp options']}: return 0")
            case HeaderThere(drops=False):
                self._require((NEEDS["20 bytes"],))
            case HeaderThere():
                self._flush()
                attack = " or (p.fragment == 8 and p.version == 4)" if part.tcp else ""
                there = NEEDS["4 bytes"] if part.ports else NEEDS["header"]
                self._line(f"if not ({there} or p.fragment){attack}: return 0")
                self._require((there,))
            case Limit():
                self._pending.append(f"{self._keep(self._cells.bucket(rule, self._serial, part))}.take(skb.now, len(p.data))")
            case VerdictMap() if is_live(self._table, part):
                self._flush()
                finder = self._keep(self._cells.live_map(rule, self._serial, part, self._table))
                self._verdicts(list(dict.fromkeys(verdict for _, verdict in map_entries(self._table, part))), f"{finder}.find(skb)")
            case VerdictMap():
                self._verdict_map(part)
            case Judged():
                self._flush()
                self._line(f"j = {self._keep(self._cells.judge(rule, self._serial, part))}.test(skb)")
                self._line("if j is None: return 0")
                self._pending.append("j")
            case _:
                if isinstance(part, Rewrite):
                    self._require(NEEDS[need] for need in rewrite_needs(part))
                self._flush()
                self._act(rule, part)

    def _compare(self, part: Compare) -> None:
        if part.selector == "meta l4proto" and self._table.language == "iptables":
            self._flush()
            self._line(f"if {HEADERS_RUN_OUT}: return 0")
            self._facts.add(NEEDS["headers"])
        test = comparison(part, self._table, self._keep)
        if part.absent:
            missing = [f"not ({need})" for need in needs(part.selector, self._table) if need not in self._facts]
            self._pending.append("(" + " or ".join([*missing, test]) + ")")
        else:
            self._require((*needs(part.selector, self._table), test))

    def _verdict_map(self, part: VerdictMap) -> None:
        self._require(needs(part.selector, self._table))
        self._flush()
        entries = map_entries(self._table, part)
        verdicts = list(dict.fromkeys(verdict for _, verdict in entries))
        finder = self._keep(Finder([(item, verdicts.index(verdict)) for item, verdict in entries]))
        self._chosen(verdicts, f"{finder}.find({reading(part.selector)})")

    def _verdicts(self, verdicts: list[Verdict], found: str) -> None:
        """By the verdict that a live map finds."""
        numbers = self._keep({verdict: number for number, verdict in enumerate(verdicts)})
        self._chosen(verdicts, f"{numbers}.get({found}, -1)")

    def _chosen(self, verdicts: list[Verdict], found: str) -> None:
        self._line(f"m = {found}")
        for number, verdict in enumerate(verdicts):
            self._line(f"if m == {number}:")
            self._depth += 1
            self._open = len(self.lines)
            self._verdict(verdict)
            self._depth -= 1
        going_on = [str(number) for number, verdict in enumerate(verdicts) if verdict.name == "continue"]
        self._pending.append(f"m in ({', '.join(going_on)},)" if going_on else "False")  # behind a jump comes the next rule

    def _act(self, rule: Rule, part: Action) -> None:
        match part:
            case Counter():
                self._count(self._keep(self._cells.counter(rule, self._serial, part)))
            case Verdict():
                self._verdict(part)
            case Reject():
                self._line(f"reject({self._keep(part)}, skb)")
                self._line("return 0")
            case Log():
                self._line(f"log({self._keep(part)}, skb)")
            case Assign():
                self._assign(part)
            case Notrack():
                self._line("if skb.ctinfo == 6 or (skb.ctinfo is None and skb.template is None): skb.ctinfo = 7")
            case UseTemplate():
                self._line(f"use_template({self._keep(part)}, skb)")
            case SetHelper():
                self._line(f"set_helper({self._keep(helper_object(self._table, part.name))}, skb)")
            case Rewrite():
                self._line(f"if not rewrite({self._keep(part)}, skb): return 0")
            case Blend():
                self._blend(part)
            case Nothing():
                self._line("pass")
            case Nat():
                self._nat(part)

    def _nat(self, part: Nat) -> None:
        """Where a map or a field says where to, a packet without it goes on to the next rule."""
        self._require([NEEDS[part.family]] if part.family else [])
        self._flush()
        if not part.reads:
            self._line(f"return translate({self._keep(part)}, skb)")
            return
        self._line(f"w = {self._keep(self._cells.given(part, self._table))}.read(skb)")
        self._line("if w is not None: return translate(w, skb)")

    def _assign(self, part: Assign) -> None:
        source = part.source or part.selector
        self._require([*needs(part.selector, self._table), *needs(source, self._table)])
        self._flush()
        value = f"({reading(source)} & {part.keep}) ^ {part.value}"
        self._set(part.selector, f"as_it_lies({value})" if source in FROM_THE_WIRE else value)

    def _blend(self, part: Blend) -> None:
        self._require([*needs(part.selector, self._table), *needs(part.source, self._table)])
        self._flush()
        source = f"(({reading(part.source)} & {part.take}) ^ {part.value})"
        shifted = f"({source} << {part.shift} & 0xFFFFFFFF)" if part.shift >= 0 else f"({source} >> {-part.shift})"
        self._set(part.selector, f"({reading(part.selector)} & {part.keep}) ^ {shifted}")

    def _set(self, selector: str, value: str) -> None:
        self._line(f"skb.conn.set_mark({value})" if selector == "ct mark" else f"{reading(selector)} = {value}")

    def _verdict(self, verdict: Verdict) -> None:
        base = self._chain.hook is not None
        if verdict.name in _VERDICT:
            self._line(f"return {_VERDICT[verdict.name]}")
        elif verdict.name == "return":
            self._end()
        elif verdict.name in ("jump", "goto"):
            self._jump(verdict, base)
        else:
            self._line("pass")

    def _jump(self, verdict: Verdict, base: bool) -> None:
        call = f"{self._names[verdict.chain]}({self.arguments})"
        if verdict.name == "goto" and not base:
            self._line(f"return {call}")
            return
        self._line(f"v = {call}")
        self._line(f"if {self.decided}: return v")
        if verdict.name == "goto":
            self._end()


def check(table: Table) -> None:
    """Raises MeaningMistake for a jump to a chain, or a look into a set, that the table does not have."""
    for chain in table.chains:
        for rule in chain.rules:
            for part in rule.flat():
                _check_part(table, part)


def _check_part(table: Table, part: Test | Action) -> None:
    verdicts: list[Verdict] = []
    match part:
        case Compare():
            elements(table, part.values)
        case VerdictMap():
            verdicts = [verdict for _, verdict in map_entries(table, part)]
        case Verdict():
            verdicts = [part]
        case SetHelper() if helper_object(table, part.name) is None:
            raise MeaningMistake(f"there is no ct helper '{part.name}' in table '{table.family} {table.name}'")
    for verdict in verdicts:
        if verdict.chain and table.chain(verdict.chain) is None:
            raise MeaningMistake(f"there is no chain '{verdict.chain}' in table '{table.family} {table.name}'")


def map_entries(table: Table, part: VerdictMap) -> tuple[tuple[Item, Verdict], ...]:
    """The (item, verdict) pairs of a verdict map, a named one's too."""
    if not isinstance(part.entries, SetReference):
        return part.entries
    found = named(table, part.entries)
    return tuple((each.key, each.value) for each in found.elements if isinstance(each.value, Verdict))
