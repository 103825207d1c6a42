"""All that is wrong with a scenario's text, also what shows only when it is built: rules and settings that a machine's tools refuse.

Each mistake stands at its line of the file, those in rules at their line of the rules. Not in here: what a scenario may say.
"""

from __future__ import annotations

import re
from pathlib import Path

from sim.assembly import Unbuildable
from sim.document import Document, contents, read
from sim.errors import CtlabError, ScenarioError, Span
from sim.scenario import Scenario
from sim.simulation import Simulation

_NFT = re.compile(r"^/dev/stdin:(\d+):(\d+)(?:-(\d+))?: Error: (.*)$", re.MULTILINE)
_BLOCK = re.compile(r"[|>][-+0-9]*\s*$")
_RESTORE = re.compile(r"(?:at line: |line )(\d+)")


def problems(text: str, file: str = "scenario.yaml") -> list[ScenarioError]:
    """All mistakes; of those that only building shows, the first."""
    found = Scenario.problems(text, file)
    if found:
        return found
    try:
        Simulation(Scenario.from_text(text, file))
    except Unbuildable as error:
        return [_placed(error, read(text, file))]
    except CtlabError as error:
        return [ScenarioError(f"{file}: {error}")]
    return []


def file_problems(path: Path) -> list[ScenarioError]:
    """The same of a file, which may be no file at all."""
    try:
        return problems(contents(path), str(path))
    except ScenarioError as error:
        return [error]


def _placed(error: Unbuildable, document: Document) -> ScenarioError:
    """The mistake at its key, or at the line of a text that stands there as a block."""
    plain = document.mistake(error.message, error.path)
    said, place = _inside(error.message), document.places.get(error.path)
    if said is None or place is None:
        return plain
    row, column, length, message = said
    begins = place.line - document.first_line
    block = document.lines[begins + 1 :]
    if not _BLOCK.search(document.lines[begins]) or row > len(block):
        return plain
    source = block[row - 1]
    first = next((line for line in block if line.strip()), "")
    start = _indent(first) + column - 1 if column else _indent(source)
    span = Span(document.file, place.line + row, start + 1, length or max(1, len(source.strip())))
    return ScenarioError(message, span, source)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _inside(message: str) -> tuple[int, int, int, str] | None:
    """(line, column or 0, length or 0, sentence) of what a tool says about its input, or None."""
    if found := _NFT.search(message):
        first, last = int(found[2]), int(found[3] or found[2])
        return int(found[1]), first, last - first + 1, f"nft: {found[4]}"
    if found := _RESTORE.search(message):
        said = next((line for line in message.splitlines()[1:] if line.strip()), message)
        return int(found[1]), 0, 0, said
    return None
