"""Running a command from within another: what sudo, timeout, watch, nohup and at do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from simpy.events import Process

from sim.apps.program import Context, Program, Readable, Steps, start
from sim.shell.registry import commands

if TYPE_CHECKING:
    from sim.apps.tty import Tty
    from sim.machine.machine import Machine


def program(name: str) -> Program | None:
    """The program that a word names, with its directory or without; None: there is none."""
    command = commands().get(name.rsplit("/", 1)[-1] if name.startswith("/") else name)
    return command.program if command is not None else None


def begin(context: Context, argv: list[str], *, stdin: Readable | None = None, out: Callable[[str], None] | None = None) -> Process | None:
    """Start `argv` as a process of its own, with the caller's input and output unless told otherwise; None: no such command."""
    found = program(argv[0])
    if found is None:
        return None
    child = Context(context.machine, argv, tty=context.tty, user=context.user, stdin=stdin or context.stdin, out=out or context.write)
    child.error, child.place = out or context.error, context.place
    return start(found, child)


def line(machine: Machine, tty: Tty, user: str, text: str, out: Callable[[str], None], stdin: Readable) -> Steps:
    """Run a line in a shell without a person (`sh -c`): output and errors go to `out`. Gives the exit status."""
    from sim.shell.shell import Shell

    outer = Context(machine, ["sh"], tty=tty, user=user, stdin=stdin, out=out)
    outer.error = out
    shell = Shell(machine, tty, user, login=False, outer=outer)
    yield from shell.run_line(text)
    return shell.status
