"""`ctlab shell [SCENARIO]`: the lab's terminals without a browser. Reads commands from standard input too.

Each line is typed at the present terminal, and time goes on until nothing more happens; where a program is in front that only makes
wait (sleep, curl to nobody), until it ends. `on MACHINE` goes to another machine's terminal, `^C` and `^D` on a line of their own
are those keys, `exit` at a machine's first prompt or the end of input ends it.
Not in here: any command; what is typed goes to the simulated machine's shell (sim/shell).
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from lessons.course import DEFAULT_SCENARIO, HERE, read_course
from lessons.waiting import waiting
from sim.errors import UsageError, did_you_mean
from sim.inputs import Input, Key, Line
from sim.scenario import Scenario, TerminalSpec
from sim.simulation import Simulation
from sim.trace import Output, Record, TerminalState
from sim.units import MINUTE, SECOND

LONGEST = 30 * MINUTE  # simulated time that one line may take: longer than any TCP tries
CHATTER = 10 * SECOND  # and what a program gets of it that never ends by itself, such as ping


@click.command()
@click.argument("scenario", default=DEFAULT_SCENARIO)
@click.option("--seed", type=int, default=None, help="Another seed than the scenario's.")
def shell(scenario: str, seed: int | None) -> None:
    """A scenario's terminals. SCENARIO is the name of one, or a file. `on MACHINE` switches, `help` lists the commands."""
    interactive = sys.stdin.isatty()
    typist = Typist(_with_terminals(_scenario(scenario)), seed, prompting=interactive)
    if interactive:
        click.echo(
            f"{typist.scenario.title}. Machines: {', '.join(typist.scenario.machines)}; `on MACHINE` switches, `help` helps, ^D leaves."
        )
        import readline  # noqa: F401  (history and editing for input())
    typist.show()
    while (line := _read(interactive)) is not None:
        with _keeping_interrupts() as pressed:
            typist.type(line)
        if pressed:
            typist.type("^C")
        if typist.closed:
            break
    click.echo()


@contextmanager
def _keeping_interrupts() -> Iterator[list[int]]:
    """A ^C that comes while the simulation computes is meant for the program in it: it is kept, so that no step is cut in two."""
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _read(interactive: bool) -> str | None:
    try:
        return input() if interactive else (sys.stdin.readline() or None)
    except EOFError:
        return None
    except KeyboardInterrupt:
        click.echo()
        return "^C"


def _scenario(name: str) -> Scenario:
    if name.endswith((".yaml", ".yml")) or "/" in name:
        return Scenario.from_file(Path(name))
    return read_course(HERE).scenario(name)


def _with_terminals(scenario: Scenario) -> Scenario:
    """The same scenario with a root terminal on each machine that has none."""
    have = {terminal.machine for terminal in scenario.terminals}
    more = [TerminalSpec(id=name, machine=name, user="root") for name in scenario.machines if name not in have]
    return scenario.model_copy(update={"terminals": [*scenario.terminals, *more]})


class Typist:
    """Types at a simulation's terminals and shows what the present one prints."""

    def __init__(self, scenario: Scenario, seed: int | None, prompting: bool) -> None:
        self.scenario = scenario
        with waiting():
            self.simulation = Simulation(scenario, seed)
            self.simulation.run_until_quiet(limit=LONGEST)
        self.terminal = self._terminal_of(scenario.firewall)
        self._shown: dict[str, int] = {}
        self._prompting = prompting  # a person sees what they type, and a prompt before it; else the echo shows both

    @property
    def closed(self) -> bool:
        """Whether the present terminal's shell has ended."""
        state = self._state()
        return state is not None and state.state == "closed"

    def type(self, line: str) -> None:
        """Type one line, let time go on until all is quiet, show what came."""
        text = line.rstrip("\r\n")
        words = text.split()
        if len(words) == 2 and words[0] == "on":
            self._switch(words[1])
        elif text in ("^C", "^D"):
            self._give(Key(self.terminal, text))
        else:
            if self._busy():
                self._give(Key(self.terminal, "^C"))
            self._give(Line(self.terminal, text))
        self.show(typed=True)

    def _busy(self) -> bool:
        """Whether a program is in front that reads no input: typing would be lost, so it is interrupted first."""
        state = self._state()
        return (
            state is not None
            and state.state == "running"
            and not self.simulation.world.terminals[self.terminal].reading
        )

    def _give(self, value: Input) -> None:
        try:
            self.simulation.give(self.simulation.now, value)
        except UsageError as error:
            click.echo(str(error), err=True)
            return
        with waiting():
            self.simulation.run_until_quiet(limit=self.simulation.now + CHATTER)
            if self._busy():
                self._wait_for_its_end()
        if self.simulation.ended:
            raise UsageError(self.simulation.ended)

    def _wait_for_its_end(self) -> None:
        """Let the program in front end if it does so by itself; one that would not (conntrack -E, ping) stays where it is."""
        ahead = self.simulation.fork(self.simulation.now)
        limit = ahead.now + LONGEST
        ahead.run(lambda record: record.time > limit or self._is_a_stop(record))
        state = _state(ahead, self.terminal)
        if state is not None and state.state != "running" and ahead.now <= limit:
            ahead.run_until_quiet(limit=ahead.now + CHATTER)
            self.simulation = ahead

    def _is_a_stop(self, record: Record) -> bool:
        event = record.event
        return isinstance(event, TerminalState) and event.terminal == self.terminal and event.state != "running"

    def show(self, typed: bool = False) -> None:
        """Print what the present terminal printed since it was last shown, and its prompt."""
        start = self._shown.get(self.terminal, 0)
        text = "".join(
            record.event.text
            for record in self.simulation.records[start:]
            if isinstance(record.event, Output) and record.event.terminal == self.terminal
        )
        self._shown[self.terminal] = len(self.simulation.records)
        if self._prompting and typed:
            text = text.partition("\n")[2]
        state = self._state()
        prompt = state.prompt if self._prompting and state is not None and state.state == "prompt" else ""
        click.echo(text + prompt, nl=False)

    def _state(self) -> TerminalState | None:
        return _state(self.simulation, self.terminal)

    def _terminal_of(self, machine: str) -> str:
        return next(terminal.id for terminal in self.scenario.terminals if terminal.machine == machine)

    def _switch(self, name: str) -> None:
        ids = {terminal.id for terminal in self.scenario.terminals}
        if name in self.scenario.machines and name not in ids:
            name = self._terminal_of(name)
        if name not in ids:
            known = sorted(ids | set(self.scenario.machines))
            click.echo(
                f"there is no machine '{name}'. {did_you_mean(name, known) or 'There are: ' + ', '.join(known)}",
                err=True,
            )
            return
        self.terminal = name
        click.echo()


def _state(simulation: Simulation, terminal: str) -> TerminalState | None:
    """What was last said of a terminal."""
    for record in reversed(simulation.records):
        if isinstance(record.event, TerminalState) and record.event.terminal == terminal:
            return record.event
    return None
