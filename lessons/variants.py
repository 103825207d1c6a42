"""Variants: the same text with other names, addresses and ports, drawn by a seed, so that each learner has a challenge of their own.

    vary:
      port: {pick: [8080, 8443, 9000]}       {{port}}
      net: {number: [1, 200]}                {{net}}
      who: {shuffle: [ann, ben, eve]}        {{who.1}} {{who.2}} {{who.3}}

`{{name}}` stands in the lesson and in its scenario. Nothing is computed: what is drawn is put in, before anything is read.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from random import Random
from typing import Annotated, Any

from pydantic import Field, model_validator

from sim.document import MAX_CHARACTERS, Strict
from sim.errors import ScenarioError, Span, did_you_mean

_PLACE = re.compile(r"\{\{([^{}]*)\}\}")
Value = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._:/-]{0,60}$")] | int


class Draw(Strict):
    """How one name is drawn: one of the three."""

    pick: Annotated[list[Value], Field(min_length=1, max_length=50)] | None = None
    shuffle: Annotated[list[Value], Field(min_length=1, max_length=20)] | None = None
    number: tuple[int, int] | None = None

    @model_validator(mode="after")
    def _one(self) -> Draw:
        given = [value for value in (self.pick, self.shuffle, self.number) if value is not None]
        if len(given) != 1:
            raise ValueError("say one of pick: [values], shuffle: [values], number: [least, most]")
        if self.number is not None and not 0 <= self.number[0] <= self.number[1] <= 10**9:
            raise ValueError("number is [least, most], from 0 on")
        return self


def draw(vary: Mapping[str, Draw], name: str, seed: int) -> dict[str, str]:
    """The values of variant `seed`: the same for the same name and seed."""
    found: dict[str, str] = {}
    for key, how in vary.items():
        random = Random(f"{name} {key} {seed}")
        if how.pick is not None:
            found[key] = str(random.choice(how.pick))
        elif how.number is not None:
            found[key] = str(random.randint(*how.number))
        elif how.shuffle is not None:
            order: list[Any] = list(how.shuffle)
            random.shuffle(order)
            found |= {f"{key}.{number}": str(value) for number, value in enumerate(order, 1)}
    return found


MOST_CORNERS = 100


def corners(vary: Mapping[str, Draw], name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """What learners may draw at the edges: one name at its least, its most, or each of its picks, the rest as variant 0 has them.

    Each with words that tell it ("net is 400"); MOST_CORNERS at most. Draws that go wrong only together are not among them.
    """
    usual = draw(vary, name, 0)
    found = ((f"{key} is {value}", usual | {key: str(value)}) for key, how in vary.items() for value in (how.number or how.pick or ()))
    turned = (_turned(usual, key, len(how.shuffle), by) for key, how in vary.items() if how.shuffle for by in range(1, len(how.shuffle)))
    return itertools.islice(itertools.chain(found, turned), MOST_CORNERS)


def _turned(usual: Mapping[str, str], key: str, count: int, by: int) -> tuple[str, dict[str, str]]:
    """A shuffle with everybody moved on by so many places: each once at each place."""
    places = {f"{key}.{place + 1}": usual[f"{key}.{(place + by) % count + 1}"] for place in range(count)}
    return ", ".join(f"{place} is {value}" for place, value in places.items()), {**usual, **places}


def fill(text: str, values: Mapping[str, str], file: str) -> str:
    """`text` with every {{name}} replaced. Raises ScenarioError where a name is none."""
    if not values:
        return text

    for mistake in unknown(text, values, file):
        raise mistake
    length = 0

    def put(match: re.Match[str]) -> str:
        nonlocal length
        length += len(values[match[1].strip()])
        if length > MAX_CHARACTERS:
            raise ScenarioError(f"{file}: with what is drawn it is too large: a file may have {MAX_CHARACTERS} characters")
        return values[match[1].strip()]

    return _PLACE.sub(put, text)


def unknown(text: str, values: Mapping[str, str], file: str) -> list[ScenarioError]:
    """Every {{name}} that is none, where something varies at all."""
    found = ((match, match[1].strip()) for match in _PLACE.finditer(text) if values)
    return [_unknown(text, match, name, values, file) for match, name in found if name not in values]


def _unknown(text: str, match: re.Match[str], name: str, values: Mapping[str, str], file: str) -> ScenarioError:
    before = text[: match.start()]
    line, column = before.count("\n") + 1, match.start() - (before.rfind("\n") + 1) + 1
    source = text.splitlines()[line - 1]
    hint = did_you_mean(name, list(values)) or f"there are {', '.join(values)}"
    return ScenarioError(f"nothing is drawn under the name '{name}'", Span(file, line, column, len(match[0])), source, hint)
