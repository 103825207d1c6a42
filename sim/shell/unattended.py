"""A command that runs on a machine as root without anybody at a terminal: how a what-if changes one thing at a moment of the past.

What it prints is not shown; where it fails the trace says so in its words. Not in here: jobs for later (commands/at.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.apps.program import Steps
from sim.apps.tty import Tty
from sim.shell.shell import login
from sim.trace import Emit, Noted

if TYPE_CHECKING:
    from sim.machine.machine import Machine


class _Unseen(Tty):
    """A terminal whose text is kept and shown to nobody."""

    text = ""

    def write(self, text: str) -> None:
        self.text += text


def command(machine: Machine, line: str, emit: Emit) -> None:
    """Start `line` in a root shell of its own. A status that is not 0 is told as a Noted record."""
    tty = _Unseen(machine.env)

    def run() -> Steps:
        status = yield from login(machine, tty, "root", line)
        if status:
            emit(Noted("command", f"{machine.name}: {line}: {tty.text.strip() or f'status {status}'}"))
        return status

    machine.run(run())
