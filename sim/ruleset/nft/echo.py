"""What `nft -e` and `nft monitor` tell of a change: each thing that is new, or gone, in nft's own words or as JSON.

Both are told of the difference between two Rulesets, in the kernel's order: tables, chains, objects, sets with their elements, rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sim.ruleset.model import Chain, NamedSet, Rule, Ruleset, Table
from sim.ruleset.nft.chains import priority_text
from sim.ruleset.nft.json_expressions import Json
from sim.ruleset.nft.json_out import chain_object, rule_object, table_object
from sim.ruleset.nft.printing import Style, element
from sim.ruleset.nft.read import Sources, read
from sim.ruleset.nft.settypes import rows_of
from sim.ruleset.nft.show import rule_text
from sim.ruleset.nft.syntax import RuleOf

Counters = Callable[[Rule, int], tuple[int, int]]
Told = tuple[str, str, Json]  # verb, the words behind it, the JSON object


def changes(before: Ruleset, after: Ruleset, style: Style, counters: Counters, inserted: bool = False) -> Iterator[Told]:
    """What `after` has that `before` had not, and what is gone. `inserted`: rules came by `insert`."""
    old = {table.key: table for table in before.of("nft")}
    for table in after.of("nft"):
        known = old.pop(table.key, None)
        if known is table:
            continue
        if known is None or known.handle != table.handle:
            yield "add", f"table {table.family} {table.name}{_handle(table.handle, style)}", table_object(table)
            known = None
        yield from _in_table(known, table, style, counters, inserted)
    for gone in old.values():
        yield "delete", f"table {gone.family} {gone.name}{_handle(gone.handle, style)}", table_object(gone)


def _handle(number: int, style: Style) -> str:
    return f" # handle {number}" if style.handles else ""


def _in_table(known: Table | None, table: Table, style: Style, counters: Counters, inserted: bool) -> Iterator[Told]:
    for chain in table.chains:
        there = known.chain(chain.name) if known is not None else None
        if there is None:
            yield "add", _chain(table, chain, style), chain_object(table, chain)
    for found in table.sets:
        yield from _in_set(table, known.named_set(found.name) if known is not None else None, found)
    for chain in table.chains:
        there = known.chain(chain.name) if known is not None else None
        yield from _rules(table, there, chain, style, counters, inserted)
    for gone in known.chains if known is not None else ():
        if table.chain(gone.name) is None:
            yield "delete", f"chain {table.family} {table.name} {gone.name}", chain_object(table, gone)


def _chain(table: Table, chain: Chain, style: Style) -> str:
    head = f"chain {table.family} {table.name} {chain.name}"
    if chain.hook is None:
        return head + _handle(chain.handle, style)
    hook = f"type {chain.type} hook {chain.hook.name.lower()} priority {priority_text(chain)}"
    return f"{head} {{ {hook}; policy {chain.policy}; }}{_handle(chain.handle, style)}"


def _in_set(table: Table, known: NamedSet | None, found: NamedSet) -> Iterator[Told]:
    kind = "map" if found.data else "set"
    if known is None:
        data = f" : {found.data}" if found.data else ""
        flags = f" flags {','.join(found.flags)};" if found.flags else ""
        head = {"family": table.family, "name": found.name, "table": table.name, "handle": found.handle}
        types = f"{' . '.join(found.types)}{data}"
        yield "add", f"{kind} {table.family} {table.name} {found.name} {{ type {types};{flags} }}", {kind: head}
    there, rows = {each.key for each in known.elements} if known is not None else set(), rows_of(found.types)
    for one in found.elements:
        if one.key not in there:
            text = element(rows, one.key)
            settings = {"family": table.family, "table": table.name, "name": found.name, "elem": {"set": [text]}}
            yield "add", f"element {table.family} {table.name} {found.name} {{ {text} }}", {"element": settings}


def _rules(table: Table, known: Chain | None, chain: Chain, style: Style, counters: Counters, inserted: bool) -> Iterator[Told]:
    there = {rule.handle for rule in known.rules} if known is not None else set()
    for rule in chain.rules:
        if rule.handle in there:
            continue
        text = rule_text(rule, table.family, style, _numbers(rule, counters))
        words = f"rule {table.family} {table.name} {chain.name} {text}{_handle(rule.handle, style)}"
        yield "insert" if inserted else "add", words, _rule(table, chain.name, rule, text, style)
    left = {rule.handle for rule in chain.rules}
    for rule in known.rules if known is not None else ():
        if rule.handle not in left:
            gone = f"rule {table.family} {table.name} {chain.name} handle {rule.handle}"
            yield "delete", gone, _rule(table, chain.name, rule, rule.text, style)


def _numbers(rule: Rule, counters: Counters) -> Callable[[int], tuple[int, int]]:
    return lambda which: counters(rule, which)


def _rule(table: Table, chain: str, rule: Rule, text: str, style: Style) -> Json:
    commands, _ = read(f"add rule {table.family} {table.name} {chain} {text}\n", "rule", Sources(), _no_file)
    body = commands[0].body if commands else None
    return rule_object(table, chain, rule.handle, body, style) if isinstance(body, RuleOf) else {}


def _no_file(name: str) -> str:
    raise FileNotFoundError(name)
