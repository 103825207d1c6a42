"""The parse table of nft.lark: made by lark, which takes a second, or read from where build_modules.py has put it, which takes a blink.

What was put there is used only while it is of the very grammar that lies here. Not in here: walking the table (engine.py).
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from sim.compiled import FOLDERS

KEPT = "nft_table.z"
"""The file in one of compiled.FOLDERS."""


class Reduction(NamedTuple):
    """A rule of the grammar: what it makes, of how many, and by which action ("" when its one child is passed on)."""

    origin: str
    size: int
    action: str


Row = dict[str, int | Reduction]


class Table(NamedTuple):
    """`rows[state]`: token -> state to shift to, or the Reduction. `gotos[state]`: what was made -> next state.

    `settled[state]`: the one reduction of a state that has no other step: bison does not wait for the next token there.
    """

    rows: dict[int, Row]
    gotos: dict[int, dict[str, int]]
    settled: dict[int, Reduction]
    start: int


@cache
def table() -> Table:
    """The table, shared by all."""
    return kept(FOLDERS) or make()


def grammar() -> str:
    """nft.lark's text."""
    return (files(__package__) / "nft.lark").read_text("utf-8")


def kept(folders: Sequence[Path]) -> Table | None:
    """What one of the folders keeps of this grammar, or None."""
    wanted = sha256(grammar().encode()).hexdigest()
    for folder in folders:
        try:
            found = json.loads(zlib.decompress((folder / KEPT).read_bytes()))
        except (OSError, ValueError, zlib.error):
            continue
        if isinstance(found, dict) and found.get("grammar") == wanted:
            return _loaded(found)
    return None


def packed(made: Table) -> bytes:
    """A table as it is kept: equal rows once, a reduction as a list."""
    rows = {json.dumps(row): number for number, row in reversed(list(enumerate(made.rows.values())))}
    different = list(rows)
    places = {row: place for place, row in enumerate(different)}
    states = [[state, places[json.dumps(row)], made.gotos[state]] for state, row in made.rows.items()]
    kept = {
        "grammar": sha256(grammar().encode()).hexdigest(), "start": made.start, "states": states,
        "rows": [json.loads(row) for row in different],
    }  # fmt: skip
    return zlib.compress(json.dumps(kept).encode())


def _loaded(found: dict[str, Any]) -> Table:
    reductions: dict[tuple[str, int, str], Reduction] = {}

    def step(kept: Any) -> int | Reduction:
        if isinstance(kept, int):
            return kept
        origin, size, action = kept
        return reductions.setdefault((origin, size, action), Reduction(origin, size, action))

    different: list[Row] = [{token: step(kept) for token, kept in row.items()} for row in found["rows"]]
    rows = {state: different[place] for state, place, _ in found["states"]}
    return Table(rows, {state: gotos for state, _, gotos in found["states"]}, _settled(rows), found["start"])


# ---- by lark ---------------------------------------------------------------------------------------------------------


def make() -> Table:
    """The table, made of the grammar."""
    from lark import Lark, Token
    from lark.lexer import Lexer

    class NoLexer(Lexer):
        """Tokens come from scanner.py."""

        def __init__(self, conf: object) -> None:
            """Nothing to prepare."""

        def lex(self, *args: object) -> Iterator[Token]:
            """Never asked."""
            return iter(())

    text = grammar()
    tokens = set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", re.sub(r"//.*", "", text)))
    text += "\n%declare " + " ".join(sorted(tokens))
    lark = Lark(text, parser="lalr", lexer=NoLexer, start="start", keep_all_tokens=True)
    made = lark.parser.parser._parse_table
    rows: dict[int, Row] = {}
    gotos: dict[int, dict[str, int]] = {}
    reductions: dict[int, Reduction] = {}
    for state, actions in made.states.items():
        rows[state], gotos[state] = {}, {}
        for name, (action, argument) in actions.items():
            if name in tokens or name == "$END":
                rows[state][str(name)] = argument if action.name == "Shift" else reductions.setdefault(id(argument), _reduction(argument))
            else:
                gotos[state][str(name)] = argument
    return Table(rows, gotos, _settled(rows), made.start_states["start"])


def _settled(rows: dict[int, Row]) -> dict[int, Reduction]:
    found: dict[int, Reduction] = {}
    for state, row in rows.items():
        steps = set(row.values())
        if len(steps) == 1 and isinstance(step := steps.pop(), Reduction) and step.origin != "start":
            found[state] = step
    return found


def _reduction(rule: Any) -> Reduction:
    name = str(rule.alias or rule.origin.name)
    passed_on = rule.options.expand1 and not rule.alias and len(rule.expansion) == 1
    return Reduction(str(rule.origin.name), len(rule.expansion), "" if passed_on else name)
