"""A ruleset as the page shows it: plain dicts for RulesLoaded, each rule in its own language and, where there is one, in the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sim.ruleset.model import Chain, Rule, Ruleset, Table

Counters = Callable[[int], tuple[int, int]]
Policies = Callable[[Table, Chain], tuple[int, int]]
Json = Any


def view(ruleset: Ruleset, counters: Counters, policies: Policies | None = None) -> tuple[Mapping[str, Json], ...]:
    """All tables, in the order in which they came into being; `counters` by rule id, `policies` the policies' counters.

    {language, family, name, chains: [{name, type, hook, priority, policy, policy_packets, policy_bytes,
    rules: [{id, number, handle, text, other, sentence, packets, bytes}]}]}; `hook`, `priority` and `policy` are None for a user chain.
    """
    return tuple(_table(table, counters, policies or _zero) for table in ruleset.tables)


def _zero(table: Table, chain: Chain) -> tuple[int, int]:
    return 0, 0


def _table(table: Table, counters: Counters, policies: Policies) -> Mapping[str, Json]:
    chains = [_chain(table, chain, counters, policies) for chain in table.chains]
    return {"language": table.language, "family": table.family, "name": table.name, "chains": chains}


def _chain(table: Table, chain: Chain, counters: Counters, policies: Policies) -> Mapping[str, Json]:
    base = chain.hook is not None
    packets, size = policies(table, chain) if base else (0, 0)
    return {
        "name": chain.name,
        "type": chain.type if base else None,
        "hook": chain.hook.name if chain.hook is not None else None,
        "priority": chain.priority if base else None,
        "policy": chain.policy.upper() if base else None,
        "policy_packets": packets,
        "policy_bytes": size,
        "rules": list(_rules(table, chain, counters)),
    }


def _rules(table: Table, chain: Chain, counters: Counters) -> Iterator[Mapping[str, Json]]:
    from sim.ruleset import explain, translate  # they know both languages, whose printers stand above this module

    for number, rule in enumerate(chain.rules, 1):
        packets, size = counters(rule.id)
        yield {
            "id": rule.id, "number": number, "handle": rule.handle, "text": rule.text, "other": translate.other_text(table, rule),
            "sentence": explain.sentence(rule), "packets": packets, "bytes": size,
        }  # fmt: skip


def rule_line(table: Table, chain: Chain, rule: Rule) -> str:
    """A rule with its chain, as its tool takes it: "-A INPUT -i lo -j ACCEPT"; nft's rules as they are listed."""
    return f"-A {chain.name} {rule.text}".rstrip() if table.language == "iptables" else rule.text
