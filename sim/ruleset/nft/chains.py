"""Chains as written to chains of the model: types, hooks, priorities by name; and what the kernel checks of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache

from sim.netfilter.words import Hook
from sim.ruleset.model import Chain, Compare, Part, Reject, Rule, SetReference, Table, Verdict, VerdictMap
from sim.ruleset.nft.scanner import At, NotSimulated
from sim.ruleset.nft.sets import set_targets
from sim.ruleset.nft.syntax import Mistake
from sim.ruleset.nft.written import ChainOf
from sim.ruleset.parts import Act, Nat, Rewrite
from sim.ruleset.selectors import parts_of

PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
_ONLY_AT = {"dstnat": "prerouting", "srcnat": "postrouting"}  # std_prios: these two have a meaning at one hook
_NEAR = 10  # a priority this close to a named one is listed as name + offset
_HOOKS = {
    "filter": ("prerouting", "input", "forward", "output", "postrouting"),
    "nat": ("prerouting", "input", "output", "postrouting"),
    "route": ("output",),
}
_NAT_AFTER = -200  # nat chains stand behind conntrack
_REJECT_HOOKS = (Hook.PREROUTING, Hook.INPUT, Hook.FORWARD, Hook.OUTPUT)
EEXIST, EOPNOTSUPP = "File exists", "Operation not supported"


def chain_of(name: str, body: ChainOf, family: str, at: At) -> Chain:
    """The chain that a block describes, without its rules. Raises Mistake and NotSimulated."""
    if not body.hook or body.priority is None or body.hook_at is None:
        return Chain(name, policy=body.policy or "accept", comment=body.comment)  # whether a policy may be: policy_fits
    if body.hook in ("ingress", "egress"):
        if family == "inet" and body.hook == "ingress":
            raise NotSimulated(body.hook, body.hook_at)
        raise Mistake(body.hook_at, f"The {family} family does not support this hook")
    if body.device_at is not None:
        raise Mistake(body.device_at, "This chain type cannot be bound to device")
    number = _priority(body.priority, body.hook)
    if body.hook not in _HOOKS[body.type] or (body.type == "nat" and number <= _NAT_AFTER):
        raise Mistake(at, f"Could not process rule: {EOPNOTSUPP}")
    return Chain(name, (), body.type, Hook[body.hook.upper()], number, body.policy or "accept", comment=body.comment)


def policy_fits(there: Chain, body: ChainOf) -> None:
    """A policy is for base chains alone. Raises Mistake."""
    if body.policy and there.hook is None:
        raise Mistake(body.policy_at or At(0, 0), f"Could not process rule: {EOPNOTSUPP}")


def _priority(written: tuple[str, int, At], hook: str) -> int:
    name, offset, at = written
    if not name:
        return offset
    if name not in PRIORITIES or _ONLY_AT.get(name, hook) != hook:
        raise Mistake(at, "invalid priority expression value in this context.")
    return PRIORITIES[name] + offset


def priority_text(chain: Chain) -> str:
    """A base chain's priority as it is listed: filter, mangle + 5, 39."""
    hook = chain.hook.name.lower() if chain.hook is not None else ""
    for name, number in PRIORITIES.items():
        offset = chain.priority - number
        if abs(offset) <= _NEAR and _ONLY_AT.get(name, hook) == hook:
            return name if not offset else f"{name} {'+' if offset > 0 else '-'} {abs(offset)}"
    return str(chain.priority)


def clash(there: Chain, body: ChainOf, made: Chain) -> str | None:
    """Why the kernel refuses to add a chain that is there already, or None."""
    if there.hook is None:
        return EEXIST if made.hook is not None else None
    if made.hook is None:
        return None
    if there.type != made.type:
        return EEXIST
    return EOPNOTSUPP if (there.hook, there.priority) != (made.hook, made.priority) else None


def renamed(table: Table, chain: Chain, name: str) -> Table:
    """The table with the chain under its new name, and everything that goes there."""

    def verdict(old: Verdict) -> Verdict:
        return replace(old, chain=name) if old.chain == chain.name else old

    def part(old: Part) -> Part:
        if isinstance(old, Verdict):
            return verdict(old)
        if isinstance(old, VerdictMap) and not isinstance(old.entries, SetReference):
            return replace(old, entries=tuple((key, verdict(value)) for key, value in old.entries))
        return old

    def rule(old: Rule) -> Rule:
        parts = tuple(part(each) for each in old.parts)
        return old if parts == old.parts else replace(old, parts=parts)

    table = table.with_chain(replace(chain, name=name), instead_of=chain.name)
    return replace(table, chains=tuple(each.with_rules(tuple(rule(old) for old in each.rules)) for each in table.chains))


def map_targets(table: Table, part: VerdictMap) -> Iterator[str]:
    """The chains that a verdict map goes to."""
    if not isinstance(part.entries, SetReference):
        yield from (verdict.chain for _, verdict in part.entries if verdict.chain)
        return
    found = table.named_set(part.entries.name)
    if found is not None:
        yield from set_targets(found)


def _next(table: Table, chain: Chain) -> set[str]:
    return {name for rule in chain.rules for name in _rule_targets(table, rule)}


def _rule_targets(table: Table, rule: Rule) -> set[str]:
    found: set[str] = set()
    for part in rule.flat():
        if isinstance(part, Verdict) and part.chain:
            found.add(part.chain)
        elif isinstance(part, VerdictMap):
            found.update(map_targets(table, part))
    return found


def loops(table: Table, base: Chain) -> bool:
    """Whether jumps from this base chain lead round in a circle."""

    def walk(chain: Chain, path: tuple[str, ...]) -> bool:
        for name in _next(table, chain):
            target = table.chain(name)
            if name in path or (target is not None and walk(target, (*path, name))):
                return True
        return False

    return bool(base.rules) and walk(base, (base.name,))


_NAT_HOOKS = {
    "snat": (Hook.POSTROUTING, Hook.INPUT), "masquerade": (Hook.POSTROUTING,), "dnat": (Hook.PREROUTING, Hook.OUTPUT),
    "redirect": (Hook.PREROUTING, Hook.OUTPUT),
}  # fmt: skip


def valid(table: Table) -> bool:
    """Whether no base chain leads round in a circle, and to no Reject or Nat at a wrong hook."""
    for base in (chain for chain in table.chains if chain.hook is not None):
        if loops(table, base):
            return False
        for name in {base.name, *_reached(table, _next(table, base))}:
            for rule in _rules(table, name):
                if _nat_misplaced(base, rule) or _is_misplaced(rule, base):
                    return False
    return True


def _nat_misplaced(base: Chain, rule: Rule) -> bool:
    parts = [part for part in rule.flat() if isinstance(part, Nat)]
    return any(base.type != "nat" or base.hook not in _NAT_HOOKS[part.kind] for part in parts)


def translates_wrongly(table: Table, base: Chain, rule: Rule) -> bool:
    """Whether this rule brings a translation to a base chain that is no place for it: itself, or through the chains it goes to."""
    return _brings(table, base, rule, lambda each: _nat_misplaced(base, each))


def stands_wrongly(table: Table, base: Chain, rule: Rule) -> bool:
    """The same of other parts that a base chain may reach at some hooks alone: Reject, a look for sockets."""
    return _brings(table, base, rule, lambda each: _is_misplaced(each, base))


def _brings(table: Table, base: Chain, rule: Rule, misplaced: Callable[[Rule], bool]) -> bool:
    beyond = _reached(table, _rule_targets(table, rule))
    if not misplaced(rule) and not any(misplaced(other) for name in beyond for other in _rules(table, name)):
        return False
    reached = (base.name, *_reached(table, _next(table, base)))
    return any(each.handle == rule.handle for name in reached for each in _rules(table, name))


def _rules(table: Table, name: str) -> tuple[Rule, ...]:
    chain = table.chain(name)
    return chain.rules if chain is not None else ()


def _reached(table: Table, names: set[str]) -> set[str]:
    """These chains and all that they lead to."""
    waiting, seen = list(names), set(names)
    while waiting:
        chain = table.chain(waiting.pop())
        for name in _next(table, chain) - seen if chain is not None else ():
            seen.add(name)
            waiting.append(name)
    return seen


_ALL_HOOKS = tuple(Hook)
_CAME_HOOKS = (Hook.PREROUTING, Hook.INPUT, Hook.FORWARD)
_SOCKET_HOOKS = (Hook.PREROUTING, Hook.INPUT, Hook.OUTPUT)
_ROUTED_HOOKS = (Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING)


def _hooks_of(part: object) -> tuple[Hook, ...]:
    """At which hooks a part of a rule may stand (the validate of nft_reject, nft_tproxy, nft_meta, nft_socket, nft_fib and nft_rt)."""
    if isinstance(part, Reject):
        return _REJECT_HOOKS
    if isinstance(part, Act) and part.kind in ("proxy", "set pkttype"):
        return (Hook.PREROUTING,)
    if isinstance(part, Rewrite) and part.field == "maxseg rt":
        return _ROUTED_HOOKS
    return _hooks_of_selector(part.selector) if isinstance(part, Compare | VerdictMap) else _ALL_HOOKS


@lru_cache(1024)
def _hooks_of_selector(selector: str) -> tuple[Hook, ...]:
    names = [row.name for row in parts_of(selector)]
    return tuple(hook for hook in Hook if all(hook in _hooks_of_field(name) for name in names))


def _hooks_of_field(name: str) -> tuple[Hook, ...]:
    if name.startswith("socket "):
        return _SOCKET_HOOKS
    if name.startswith("fib ") and (not name.endswith(" type") or ". iif" in name):
        return _CAME_HOOKS
    return _ROUTED_HOOKS if name == "rt mtu" or (name.startswith("fib ") and ". oif" in name) else _ALL_HOOKS


def _is_misplaced(rule: Rule, base: Chain) -> bool:
    return any(base.hook not in _hooks_of(part) for part in rule.flat())
