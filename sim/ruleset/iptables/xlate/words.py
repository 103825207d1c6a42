"""What the translator's tables are made of: a function of a module's saved options, and how values, masks and types are worded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sim.ruleset.model import Option

Options = Mapping[str, Option]
Words = Callable[[Options, str], "str | None"]
ALL_BITS = 0xFFFFFFFF


def value(option: Option, between: str = "-") -> str:
    """The value with its negation, a range written with `between`."""
    return ("!= " if option.negated else "") + option.value.replace(":", between)


def masked(selector: str, option: Option) -> str:
    """VALUE or VALUE/MASK of a selector."""
    bits, slash, mask = option.value.partition("/")
    if slash:
        return f"{selector} and {mask} {'!=' if option.negated else '=='} {bits}"
    return f"{selector} {'!= ' if option.negated else ''}{bits}"


def listed(items: list[str]) -> str:
    """One item, or a set of several."""
    return items[0] if len(items) == 1 else "{ " + ", ".join(items) + " }"
