"""nft rules that iptables can only say in several: a set or a verdict map becomes a rule an element, a log before a verdict one of its own.

    spread(rule) -> rules that do the same, one after the other; the rule alone where it need not, or must not, be taken apart

Must not: where a part counts or draws (a limit, a quota), for each of the new rules would do so by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sim.ruleset.model import (
    Action,
    Assign,
    CatchAll,
    Compare,
    Counter,
    Item,
    Log,
    Notrack,
    Range,
    Reject,
    Rule,
    Test,
    Verdict,
    VerdictMap,
)
from sim.ruleset.parts import Nat

MOST = 64  # rules out of one
MULTIPORT = 15  # ports that -m multiport takes
_SIMPLE = Compare | VerdictMap | Counter | Verdict | Reject | Log | Assign | Notrack | Nat
_PORTS = ("tcp sport", "tcp dport", "udp sport", "udp dport")
Parts = tuple[Test | Action, ...]


def spread(rule: Rule) -> list[Rule]:
    """The rules that together do what `rule` does."""
    parts = tuple(_as_range(part) for part in rule.flat() if not isinstance(part, Counter))
    if not all(isinstance(part, _SIMPLE) for part in parts):
        return [rule]
    found = [each for one in _elements(parts) for each in _deeds(one)]
    return [replace(rule, parts=each) for each in found] if len(found) <= MOST else [rule]


def _as_range(part: Test | Action) -> Test | Action:
    """`tcp dport > 1023` as the range 1024-65535: iptables compares ports with ranges only."""
    if not isinstance(part, Compare) or part.selector not in _PORTS or not isinstance(part.values, tuple):
        return part
    value = part.values[0]
    ends = {"<": (0, -1), "<=": (0, 0), ">": (1, 65535), ">=": (0, 65535)}.get(part.op)
    if ends is None or not isinstance(value, int):
        return part
    low, high = (0, value + ends[1]) if part.op[0] == "<" else (value + ends[0], 65535)
    return replace(part, op="==", values=(Range(low, high),)) if low <= high else part


def _elements(parts: Parts) -> Iterator[Parts]:
    """The parts once for each element of the sets and maps in them."""
    for at, part in enumerate(parts):
        choices = _choices(part)
        if choices:
            for choice in choices:
                yield from ((*parts[:at], *choice[:1], *rest) for rest in _elements((*choice[1:], *parts[at + 1 :])))
            return
    yield parts


def _choices(part: Test | Action) -> list[Parts]:
    """What stands in the place of a set or a map, for each of its elements; [] for a part that stays."""
    if isinstance(part, VerdictMap) and isinstance(part.entries, tuple) and " . " not in part.selector:
        return [(*_is(part.selector, item), verdict) for item, verdict in part.entries]
    if not isinstance(part, Compare) or not isinstance(part.values, tuple) or len(part.values) < 2 or part.op != "==":
        return []
    if part.selector == "ct state" or (part.selector in _PORTS and _fit_multiport(part.values)):
        return []
    return [(replace(part, values=(item,), braces=False),) for item in part.values]


def _is(selector: str, item: Item) -> Parts:
    return () if isinstance(item, CatchAll) else (Compare(selector, (item,)),)


def _fit_multiport(values: tuple[Item, ...]) -> bool:
    return sum(2 if isinstance(value, Range) else 1 for value in values) <= MULTIPORT


def _deeds(parts: Parts) -> Iterator[Parts]:
    """A rule for each thing done: iptables has one target a rule. What is set must not be what is looked at."""
    tests = tuple(part for part in parts if isinstance(part, Compare))
    deeds = [part for part in parts if not isinstance(part, Compare)]
    looked = {part.selector for part in tests}
    if len(deeds) < 2 or any(isinstance(part, Assign) and part.selector in looked for part in deeds):
        yield parts
        return
    yield from ((*tests, deed) for deed in deeds)
