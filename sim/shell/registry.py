"""The commands a shell knows: a row each. Who adds a command writes a file in commands/ with its rows in COMMANDS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from sim.apps.program import Program

if TYPE_CHECKING:
    from sim.machine.machine import Machine

Completer = Callable[["Machine", list[str], str], list[str]]
_FILES = (
    "builtins", "text", "processes", "reboot", "at", "apply", "modules", "conntrack", "firewall", "ipset", "translate",
    "sysctl", "ip", "ss", "network", "help", "man",
)  # fmt: skip


def no_words(machine: Machine, before: list[str], word: str) -> list[str]:
    """The completer of a command without arguments worth completing."""
    return []


@dataclass(frozen=True, slots=True)
class Command:
    """A row: the name it is called by, the program, one line for `help`, the usage, and what may stand at a place of its line.

    `complete(machine, words before, word so far)` gives candidates; `hidden` names do not stand in the list that `help` prints.
    """

    name: str
    program: Program
    summary: str
    usage: str
    complete: Completer = no_words
    hidden: bool = False


@cache
def commands() -> dict[str, Command]:
    """All commands by name."""
    found: dict[str, Command] = {}
    for file in _FILES:
        for command in import_module(f"sim.shell.commands.{file}").COMMANDS:
            found[command.name] = command
    return found
