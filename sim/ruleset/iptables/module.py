"""What a module of iptables is here: its options, how they are read, how they are listed. The modules stand in matches.py and targets.py.

Reading follows libxtables' option parser (xtoptions.c, 1.8.9), with its messages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from sim.errors import Span
from sim.netfilter.words import Hook
from sim.ruleset.ipset.model import Sets
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.model import Extension, Option


class Opt(NamedTuple):
    """An option a module takes. `args`: how many words follow; `invert`: whether `!` may stand before it; `aliases`: other spellings.

    `excludes`: which may not stand beside it, `also`: which must.
    `says(given)` is a warning that the option gives when it is read.
    """

    name: str
    aliases: tuple[str, ...] = ()
    args: int = 1
    invert: bool = False
    excludes: tuple[str, ...] = ()
    also: str = ""
    says: Callable[[Given], str] = lambda given: ""


class Given(NamedTuple):
    """An option as it was typed: by which spelling, with what, and where."""

    opt: Opt
    spelling: str
    value: str
    second: str
    negated: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Context:
    """What a module is told of the rule around it: the family ("ip" or "ip6"), `-p` as a number or None, whether `!` stood before it.

    `sets`: the machine's IP sets; `labels`: the text of its file of conntrack's labels, None where there is none.
    """

    family: str
    protocol: int | None
    protocol_negated: bool
    sets: Sets | None = None
    labels: str | None = None

    @property
    def bits(self) -> int:
        """How long an address is."""
        return 32 if self.family == "ip" else 128


Reader = Callable[["Module", tuple[Given, ...], Context], Extension]
Lister = Callable[[Extension, bool, str], str]


@dataclass(frozen=True, slots=True)
class Module:
    """`read` makes the Extension; `show` gives the text of `iptables -L`, with its leading blank (extension, numeric, family).

    `protocol`: which `-p` it wants (the kernel refuses the rule otherwise); `tables`, `hooks`: where it may stand, None for anywhere;

    `two_words`: its complaint where an option of two words has one. `classic`: it words double options in its own way. `needs`:
    what the kernel checks of the rule around it, `at_hooks` of the hooks from which the rule can be reached.
    """

    name: str
    options: tuple[Opt, ...]
    read: Reader
    show: Lister
    target: bool = False
    protocol: int | None = None
    tables: frozenset[str] | None = None
    hooks: frozenset[Hook] | None = None
    families: tuple[str, ...] = ("ip", "ip6")
    classic: bool = False
    two_words: str = ""
    needs: Callable[[Extension, Context], bool] = field(default=lambda extension, context: True)
    at_hooks: Callable[[Extension, set[Hook]], bool] = field(default=lambda extension, hooks: True)

    def extension(self, options: list[Option], parts: tuple[object, ...]) -> Extension:
        """An Extension of this module."""
        return Extension(self.name, tuple(options), parts, self.target)  # type: ignore[arg-type]


def required(module: Module, given: tuple[Given, ...], name: str) -> Given:
    """The option that must be there."""
    for each in given:
        if each.opt.name == name:
            return each
    raise Mistake(f'{module.name}: option "--{name}" must be specified\n')


def by_name(given: tuple[Given, ...]) -> dict[str, Given]:
    """The options given, by their main name."""
    return {each.opt.name: each for each in given}


def check_given(module: Module, given: Given, before: list[Given]) -> None:
    """Refuse what libxtables refuses: an option twice, two that exclude each other, `!` where it does not belong."""
    if given.negated and not given.opt.invert:
        raise Mistake(f'{module.name}: option "--{given.opt.name}" cannot be inverted.\n', given.span)
    for other in before:
        if other.opt.name == given.opt.name and not module.classic:
            raise Mistake(f'{module.name}: option "--{given.opt.name}" can only be used once.\n', given.span)


def check_together(module: Module, given: list[Given]) -> None:
    """Refuse options that exclude or lack each other, once all are there (xtables_options_fcheck: in the order of the module's table)."""
    there = {each.opt.name for each in given}
    for opt in (each for each in module.options if each.name in there):
        for other in module.options:
            if other.name in there and other.name in opt.excludes:
                raise Mistake(f'{module.name}: option "--{opt.name}" cannot be used together with "--{other.name}".\n', given[-1].span)
        if opt.also and opt.also not in there:
            raise Mistake(f'{module.name}: option "--{opt.name}" also requires "--{opt.also}".\n')


def number(text: str) -> int | None:
    """A number as strtoul(…, 0) reads it: decimal, 0x…, 0…; None for anything else."""
    try:
        if len(text) > 1 and text[0] == "0" and text[1] not in "xX":
            return int(text, 8)
        return int(text, 0) if text and text[0].isdecimal() else None
    except ValueError:
        return None


def integer(module: Module, given: Given, low: int, high: int) -> int:
    """The option's value as a number in the range."""
    value = number(given.value)
    if value is None or not low <= value <= high:
        raise Mistake(f'{module.name}: bad value for option "--{given.opt.name}", or out of range ({low}-{high}).\n', given.span)
    return value


def integer_range(module: Module, given: Given, high: int) -> tuple[int, int]:
    """The option's value as "a", "a:b", ":b" or "a:"."""
    if given.value.count(":") > 1:
        raise Mistake(f'{module.name}: Too many components for option "--{given.opt.name}" (max: 2)\n', given.span)
    low_text, colon, high_text = (given.value or "0").partition(":")
    ends = [(low_text, 0), (high_text, high)] if colon else [(low_text, -1), (low_text, -1)]
    values = []
    for text, default in ends:
        value = default if colon and not text else number(text)
        if value is None or not 0 <= value <= high:
            near = text + (colon + high_text if text == low_text and colon else "")
            message = f'{module.name}: bad value for option "--{given.opt.name}" near "{near}", or out of range (0-{high}).\n'
            raise Mistake(message, given.span)
        values.append(value)
    return values[0], values[1]


def value_and_mask(module: Module, given: Given) -> tuple[int, int]:
    """The option's value as value or value/mask, 32 bits each."""
    text, slash, mask_text = given.value.partition("/")
    value, mask = number(text), number(mask_text) if slash else 0xFFFFFFFF
    if value is None or mask is None or value > 0xFFFFFFFF or mask > 0xFFFFFFFF:
        raise Mistake(f'{module.name}: bad integer value for option "--{given.opt.name}", or out of range.\n', given.span)
    return value, mask


def saved_string(text: str) -> str:
    """A string as iptables-save writes it (xtables_save_string): bare when it is all plain characters, else in quotes."""
    plain = all((c.isalnum() and c.isascii()) or c in "_-0123456789" for c in text)
    if text and plain:
        return text
    return '"' + "".join("\\" + c if c in "\"\\'" else c for c in text) + '"'
