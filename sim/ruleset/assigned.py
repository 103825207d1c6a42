"""What a statement that sets a mark puts into it, in plain words, for the sentence of a rule (explain.py)."""

from __future__ import annotations

import re

from sim.ruleset.model import Assign
from sim.ruleset.selectors import SELECTORS

_MADE = re.compile(r"(numgen inc|numgen random|jhash (?P<of>.+)|symhash) mod (?P<mod>\d+)(?: seed \S+)?(?: offset (?P<offset>\d+))?")


def owned(selector: str) -> str:
    """A field as a sentence names it: "meta mark" is the packet mark."""
    return selector.replace("meta ", "packet ").replace("ct ", "connection ")


def assigned(part: Assign) -> str:
    """What is set: a number, some bits of it, what another field says, or a number that is made."""
    every = (1 << SELECTORS[part.selector].bits) - 1
    if part.keep == 0:
        return f"{part.value:#x}"
    own = part.source in ("", part.selector)
    if own and part.value & part.keep == 0:
        return f"{part.value:#x} in the bits {part.keep ^ every:#x}, the others as they are"
    words = "what it is" if own else _source(part.source)
    if part.value and part.value | part.keep == every and part.value & part.keep == 0:
        return f"{words} with the bits {part.value:#x} set"
    words += "" if part.keep == every else f" under the mask {part.keep:#x}"
    return words + (f" xor {part.value:#x}" if part.value else "")


def _source(selector: str) -> str:
    found = _MADE.fullmatch(selector)
    if found is None:
        return f"its {owned(selector)}"
    low = int(found["offset"] or 0)
    numbers = f"number from {low} to {low + int(found['mod']) - 1}"
    if found["of"]:
        return f"a {numbers} made of its {found['of'].replace('+', ' and ')}"
    kinds = {"numgen inc": f"the next {numbers} in turn", "numgen random": f"a random {numbers}"}
    return kinds.get(found[1], f"a {numbers} made of its connection")
