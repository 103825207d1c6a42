"""Tables the way libiptc edits them, and what the kernel checks before it takes one: jumps, loops, where modules may stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sim.netfilter.words import Hook, Priority
from sim.ruleset.iptables.errors import INVALID, NO_SUCH, kernel
from sim.ruleset.iptables.hashlimited import hashlimit_fits
from sim.ruleset.iptables.matches import limit_fits, module_of
from sim.ruleset.iptables.module import Context
from sim.ruleset.model import Chain, Compare, Counter, Extension, Part, Rule, Ruleset, Table, Verdict

_PRIORITIES = {
    "raw": Priority.RAW, "mangle": Priority.MANGLE, "nat": Priority.DSTNAT, "filter": Priority.FILTER, "security": Priority.SECURITY,
}  # fmt: skip
_HOOKS = {
    "raw": (Hook.PREROUTING, Hook.OUTPUT),
    "mangle": tuple(Hook),
    "nat": (Hook.PREROUTING, Hook.INPUT, Hook.OUTPUT, Hook.POSTROUTING),
    "filter": (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT),
    "security": (Hook.INPUT, Hook.FORWARD, Hook.OUTPUT),
}
TABLES = tuple(_HOOKS)
UNCONDITIONAL = ("accept", "drop", "return")


def new_table(family: str, name: str) -> Table:
    """A table as it comes into being at first use: its built-in chains, empty, ACCEPT."""
    chains = tuple(
        Chain(hook.name, (), "nat" if name == "nat" else "filter", hook, _priority(name, hook), "accept") for hook in _HOOKS[name]
    )
    return Table("iptables", family, name, chains)


def _priority(table: str, hook: Hook) -> int:
    return int(Priority.SRCNAT if table == "nat" and hook in (Hook.INPUT, Hook.POSTROUTING) else _PRIORITIES[table])


def with_table(ruleset: Ruleset, family: str, name: str) -> tuple[Ruleset, Table]:
    """The table, made if it is not there yet. `name` is one of TABLES."""
    table = ruleset.table("iptables", family, name)
    if table is None:
        table = new_table(family, name)
        ruleset = ruleset.with_table(table)
    return ruleset, table


def chain_names(table: Table) -> frozenset[str]:
    """The names of all chains of the table."""
    return frozenset(chain.name for chain in table.chains)


def need_chain(table: Table, name: str, message: str = NO_SUCH) -> Chain:
    """The chain, or the kernel's refusal."""
    chain = table.chain(name)
    if chain is None:
        raise kernel(message)
    return chain


def in_order(table: Table) -> Iterator[Chain]:
    """The chains as they are listed: built-in ones by hook, then the user's by name."""
    yield from (chain for chain in table.chains if chain.hook is not None)
    yield from sorted((chain for chain in table.chains if chain.hook is None), key=lambda chain: chain.name.encode())


def same_rule(rule: Rule, parts: tuple[Part, ...]) -> bool:
    """Whether a rule is the one meant by -D or -C: all but its counters equal."""
    return _bare(rule.parts) == _bare(parts)


def _bare(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple(part for part in parts if not isinstance(part, Counter))


def rename(table: Table, old: str, new: str) -> Table:
    """The table with a chain renamed, and every jump to it."""
    chains = tuple(_renamed(chain, old, new) for chain in table.chains)
    return replace(table, chains=chains)


def _renamed(chain: Chain, old: str, new: str) -> Chain:
    rules = tuple(_redirected(rule, old, new) for rule in chain.rules)
    return replace(chain, name=new if chain.name == old else chain.name, rules=rules)


def _redirected(rule: Rule, old: str, new: str) -> Rule:
    if not any(isinstance(part, Verdict) and part.chain == old for part in rule.parts):
        return rule
    parts = tuple(Verdict(part.name, new) if isinstance(part, Verdict) and part.chain == old else part for part in rule.parts)
    text = rule.text.rsplit(" ", 1)[0] + f" {new}"
    return replace(rule, parts=parts, text=text)


# ---- what the kernel checks ------------------------------------------------------------------------------------------


def check_table(table: Table) -> None:
    """Refuse what the kernel refuses when a table is handed to it (translate_table, net/ipv4/netfilter/ip_tables.c)."""
    builtin = {chain.name for chain in table.chains if chain.hook is not None}
    for chain in table.chains:
        for rule in chain.rules:
            if any(isinstance(part, Verdict) and part.chain in builtin for part in rule.parts):
                raise kernel(INVALID)
    hooks = _reachable(table)
    for chain in table.chains:
        for rule in chain.rules:
            _check_modules(table, rule, hooks[chain.name])


def _context(table: Table, rule: Rule) -> Context:
    for part in rule.parts:
        if isinstance(part, Compare) and part.selector in ("ip protocol", "meta l4proto"):
            return Context(table.family, int(str(part.values[0])), part.op == "!=")  # type: ignore[index]
    return Context(table.family, None, False)


def _check_modules(table: Table, rule: Rule, hooks: set[Hook]) -> None:
    context = _context(table, rule)
    for part in rule.parts:
        if not isinstance(part, Extension):
            continue
        module = module_of(part, table.family)
        wanted = module.protocol
        if wanted is not None and (context.protocol != wanted or context.protocol_negated):
            raise kernel(INVALID)
        if module.tables is not None and table.name not in module.tables:
            raise kernel(INVALID)
        if module.hooks is not None and not hooks <= module.hooks:
            raise kernel(INVALID)
        fits = module.needs(part, context) and module.at_hooks(part, hooks)
        if not fits or not _devices_fit(part, hooks) or not _mss_fits(part, rule, hooks):
            raise kernel(INVALID)
        if (part.name == "limit" and not limit_fits(part)) or (part.name == "hashlimit" and not hashlimit_fits(part)):
            raise kernel("Numerical result out of range")


def _devices_fit(extension: Extension, hooks: set[Hook]) -> bool:
    """addrtype's --limit-iface-in and -out want a hook that has that device (addrtype_mt_checkentry_v1)."""
    names = {option.name for option in extension.options}
    if extension.name == "physdev":
        bridged = any(option.name == "physdev-is-bridged" and not option.negated for option in extension.options)
        return bridged or Hook.OUTPUT not in hooks or not names & {"physdev-out", "physdev-is-out"}
    if extension.name != "addrtype":
        return True
    if "limit-iface-in" in names and hooks & {Hook.POSTROUTING, Hook.OUTPUT}:
        return False
    return not ("limit-iface-out" in names and hooks & {Hook.PREROUTING, Hook.INPUT})


def _mss_fits(extension: Extension, rule: Rule, hooks: set[Hook]) -> bool:
    """TCPMSS wants a test for SYN beside it, and to clamp a hook where the way is known (tcpmss_tg4_check)."""
    if extension.name != "TCPMSS" or not extension.target:
        return True
    if not extension.options[0].value and hooks & {Hook.PREROUTING, Hook.INPUT}:
        return False
    flags = [option for part in rule.parts if isinstance(part, Extension) and part.name == "tcp" for option in part.options]
    return any(option.name == "tcp-flags" and not option.negated and "SYN" in option.value.split(" ")[1] for option in flags)


def _reachable(table: Table) -> dict[str, set[Hook]]:
    """From which hooks each chain can be reached; a loop is refused (mark_source_chains)."""
    hooks: dict[str, set[Hook]] = {chain.name: set() for chain in table.chains}
    for chain in table.chains:
        if chain.hook is not None:
            _walk(table, chain, chain.hook, hooks, ())
    return hooks


def _walk(table: Table, chain: Chain, hook: Hook, hooks: dict[str, set[Hook]], way: tuple[str, ...]) -> None:
    if chain.name in way:
        raise kernel("Too many levels of symbolic links")
    if hook in hooks[chain.name] and chain.hook is None:
        return
    hooks[chain.name].add(hook)
    for rule in chain.rules:
        verdict = next((part for part in rule.parts if isinstance(part, Verdict)), None)
        if verdict is not None and verdict.chain:
            target = table.chain(verdict.chain)
            if target is not None:
                _walk(table, target, hook, hooks, (*way, chain.name))
        if verdict is not None and verdict.name in UNCONDITIONAL and _matches_all(rule):
            return


def _matches_all(rule: Rule) -> bool:
    return all(isinstance(part, Counter | Verdict) for part in rule.parts)
