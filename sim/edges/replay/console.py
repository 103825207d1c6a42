"""Console: a root shell on the firewall of a replay, for the commands that are to run at a moment or at the end.

The same shell and tools as everywhere in ctlab, on a machine whose IP layer is the wall's. SimPy stands still between two
commands: packets never wait for it. There are no sockets here: programs that talk over the network are refused.
"""

from __future__ import annotations

from typing import Final

import simpy

from sim.apps.tty import Tty
from sim.edges.replay.wall import NAME, Wall
from sim.errors import LanguageError, UsageError
from sim.machine.machine import Machine
from sim.shell.shell import login
from sim.shell.words import Incomplete, parse

TALKERS: Final = frozenset("ssh curl dig nc ping".split())


class _Screen(Tty):
    """A terminal that keeps what is written to it."""

    def __init__(self, env: simpy.Environment) -> None:
        super().__init__(env)
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text


class _Host(Machine):
    """The wall as programs see it. Entries expire by the wall's own clock, not by a timer of the machine's."""

    def settle(self) -> None:
        """Nothing to keep."""


class Console:
    """Runs command lines on `wall`'s machine at the wall's present moment."""

    def __init__(self, wall: Wall) -> None:
        self._wall = wall
        self._env = simpy.Environment()
        self._machine = _Host(NAME, self._env)
        self._machine.ip = wall.ip

    def run(self, line: str) -> str:
        """What the line prints, errors included. A command that takes time (sleep) moves the wall's clock.

        A command that would wait for ever (conntrack -E) is interrupted as by ^C. Raises UsageError for one that cannot run here.
        """
        check(line)
        wall, env = self._wall, self._env
        if wall.now > env.now:
            env.run(until=wall.now)
        screen = _Screen(env)
        process = self._machine.run(login(self._machine, screen, "root", line))
        screen.front = [process]
        while process.is_alive:
            at = env.peek()
            if at == float("inf"):
                screen.interrupt("INT")
                at = env.peek()
            wall.advance(int(at))
            env.step()
        return screen.text


def check(line: str) -> None:
    """Raises UsageError for a line that is no command, or whose programs need the network."""
    try:
        pipelines = parse(line)
    except (LanguageError, Incomplete) as error:
        raise UsageError(f"'{line}' is no command: {str(error) or 'something is missing at its end'}") from error
    names = {command.argv[0] for pipeline in pipelines for command in pipeline.commands if command.argv}
    talkers = sorted(names & TALKERS)
    if talkers:
        raise UsageError(f"'{line}': the firewall of a replay has no sockets, so {talkers[0]} cannot run there")
