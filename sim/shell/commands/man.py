"""man: the manual page of a simulated command, from top to end; -k searches names and summaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.apps.program import Context, Steps
from sim.errors import did_you_mean
from sim.shell import manual
from sim.shell.registry import Command, commands

if TYPE_CHECKING:
    from sim.machine.machine import Machine


def man(context: Context) -> Steps:
    """Prints pages. A section number before the name is taken and means nothing here."""
    yield from ()
    words = context.argv[1:]
    if words[:1] == ["-k"] and len(words) == 2:
        return _apropos(context, words[1])
    if words and words[0].isdigit() and len(words) > 1:
        words = words[1:]
    if not words:
        return context.failed("What manual page do you want?\nFor example, try 'man man'.", 1)
    status = 0
    for name in words:
        if name.startswith("-"):
            return context.failed(f"man: {name}: right, but not simulated here. man NAME, or man -k WORD.", 2)
        text = manual.page(name)
        if text is None:
            hint = did_you_mean(name, manual.subjects())
            context.error(f"No manual entry for {name}\n" + (f"{hint}\n" if hint else ""))
            status = 16
        else:
            context.write(text)
    return status


def _apropos(context: Context, word: str) -> int:
    found = [commands()[name] for name in manual.subjects() if word in name or word in commands()[name].summary]
    for one in found:
        context.write(f"{one.name + ' (8)':<20} - {one.summary}\n")
    return 0 if found else context.failed(f"{word}: nothing appropriate.", 16)


def _names(machine: Machine, before: list[str], word: str) -> list[str]:
    return manual.subjects()


COMMANDS = [Command("man", man, "the manual page of a command: its options here", "man NAME… | man -k WORD", _names)]
