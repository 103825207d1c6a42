"""What Tab offers: commands, and behind a command what its row in the registry completes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sim.shell.registry import commands

if TYPE_CHECKING:
    from sim.machine.machine import Machine

_BREAKS = re.compile(r"\|\||&&|[;|]")


def complete(machine: Machine, line: str, cursor: int) -> tuple[int, list[str]]:
    """(start, words): `words` may replace what stands from `start` up to `cursor`; [] when nothing fits."""
    text = line[:cursor]
    begin = max((match.end() for match in _BREAKS.finditer(text)), default=0)
    before = text[begin:].split()
    word = "" if not before or text[-1:].isspace() else before.pop()
    start = cursor - len(word)
    if word.startswith(("'", '"')):
        return start, []
    if not before:
        return start, [name for name in _visible() if name.startswith(word)]
    command = commands().get(before[0])
    offered = command.complete(machine, before, word) if command is not None else []
    return start, list(dict.fromkeys(item for item in offered if item.startswith(word)))


def _visible() -> list[str]:
    """The commands that help lists, and the shell's own."""
    return sorted([name for name, command in commands().items() if not command.hidden] + ["exit", "history"])
