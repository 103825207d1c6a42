"""Programs and what they are given. A program is a generator function `program(context) -> exit status`, run as a SimPy process.

It waits by yielding events (`conn.recv()`, `context.stdin.read()`), and with `context.sleep` and `context.wait`. ^C, a hang-up and
a broken pipe raise `Interrupted` inside it, with the signal's name as `cause`; a program that has nothing to say to that need not catch
it. When it ends, in whatever way, what it opened is closed, as a kernel does.
Not in here: who starts programs (shell, services), and terminals (tty.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

import simpy
from simpy.events import Process

from sim.apps.tty import Tty, kill
from sim.errors import CtlabError
from sim.machine.timer import Timer

if TYPE_CHECKING:
    from sim.machine.machine import Machine

Interrupted = simpy.Interrupt
Steps = Generator[simpy.Event, Any, int]
Waiting = Generator[simpy.Event, Any, None]
SIGNALS = {"HUP": 1, "INT": 2, "PIPE": 13, "TERM": 15}
EPOCH = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)  # what a machine's clock shows at time 0; a Monday


class Killed(int):
    """The exit status of a program that a signal ended; one that caught it and left by itself has a plain int."""


class Readable(Protocol):
    """What standard input is: a Tty, a Pipe or a Text."""

    def read(self) -> simpy.Event:
        """The next line without its newline, or None at the end."""


class Closable(Protocol):
    """A socket, as far as its owner's end matters."""

    def close(self) -> None:
        """Close it."""


class Context:
    """What a program is given. `write` goes to standard output, `error` to standard error (always the terminal).

    `argv[0]` is the name it was called by, `user` who called it. `tty` is None for a service. `place`: in whose home it stands, from
    where paths are read; sudo changes the user and not the place.
    """

    def __init__(
        self, machine: Machine, argv: list[str], *, tty: Tty | None, user: str, stdin: Readable | None = None,
        out: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        self.machine = machine
        self.argv = argv
        self.tty = tty
        self.user = user
        self.place = user
        self.env: simpy.Environment = machine.env
        self.stdin: Readable = stdin or tty or Text(machine.env, "")
        self.error: Callable[[str], None] = tty.write if tty is not None else _nowhere
        self.write: Callable[[str], None] = out or self.error
        self._owned: list[Closable] = []

    @property
    def now(self) -> int:
        """Microseconds since the scenario's start."""
        return int(self.env.now)

    @property
    def root(self) -> bool:
        """Whether this runs with all capabilities."""
        return self.user == "root"

    def sleep(self, time: int) -> Waiting:
        """`yield from context.sleep(time)`: wait `time` µs; called off when the program is interrupted."""
        yield from self.wait(timeout=time)

    def wait(self, *events: simpy.Event | None, timeout: int | None = None) -> Waiting:
        """`yield from context.wait(one, other, timeout=…)`: until one of the events has come, or `timeout` µs have gone by.

        None among the events is passed over. No timer stays behind, so a simulation does not run on to where nothing happens.
        """
        over = self.env.event()
        timer = Timer(self.env, lambda: _ring(over))
        if timeout is not None:
            timer.start(max(0, timeout))
        try:
            yield self.env.any_of([event for event in (*events, over) if event is not None])
        finally:
            timer.stop()

    def own(self, thing: Closable) -> None:
        """Close `thing` when the program ends."""
        self._owned.append(thing)

    def close(self) -> None:
        """What the kernel does when a process ends."""
        for thing in self._owned:
            thing.close()
        self._owned.clear()

    def random(self) -> Random:
        """Chance that is the same in every run: seeded by machine, program and time."""
        return Random(f"{self.machine.name} {' '.join(self.argv)} {self.now}")

    def failed(self, text: str, status: int) -> int:
        """Write a line to standard error; gives `status` back, for `return context.failed(...)`."""
        self.error(f"{text}\n")
        return status


def _ring(event: simpy.Event) -> None:
    event.succeed()


def _nowhere(text: str) -> None:
    """A service has no terminal to complain to."""


Program = Callable[[Context], Steps]


class Text:
    """Standard input from a text: a file, or nothing."""

    def __init__(self, env: simpy.Environment, text: str) -> None:
        self._env = env
        self._lines: deque[str] = deque(text.splitlines())

    def read(self) -> simpy.Event:
        """The next line, or None at the end."""
        return self._env.event().succeed(self._lines.popleft() if self._lines else None)


class Pipe:
    """Standard output of one program, standard input of the next. Writing when nobody reads any more kills with PIPE."""

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self._partial = ""
        self._lines: deque[str] = deque()
        self._ended = False
        self._reader: simpy.Event | None = None
        self.writer: Process | None = None
        self._broken = False

    def write(self, text: str) -> None:
        """Take text from the program on the left."""
        if self._broken:
            self._break()
            return
        *whole, self._partial = (self._partial + text).split("\n")
        self._lines.extend(whole)
        self._wake()

    def _break(self) -> None:
        writer = self.writer
        if writer is not None and writer is self._env.active_process:
            raise Interrupted("PIPE")
        if writer is not None:
            kill(writer, "PIPE")

    def end(self) -> None:
        """The program on the left has ended."""
        if self._partial:
            self._lines.append(self._partial)
            self._partial = ""
        self._ended = True
        self._wake()

    def stop(self) -> None:
        """The program on the right has ended."""
        self._broken = True

    def read(self) -> simpy.Event:
        """The next line, or None once the program on the left has ended."""
        self._reader = self._env.event()
        self._wake()
        return self._reader

    def _wake(self) -> None:
        if self._reader is None or self._reader.triggered:
            return
        if self._lines:
            self._reader.succeed(self._lines.popleft())
        elif self._ended:
            self._reader.succeed(None)


def start(program: Program, context: Context) -> Process:
    """Run `program` as a process of its own; the process's value is the exit status."""
    process: Process = context.machine.run(_run(program, context))
    return process


def _run(program: Program, context: Context) -> Steps:
    """The program with a kernel around it: signals become statuses, what is open gets closed."""
    try:
        return (yield from _as_user(program(context), context)) or 0
    except Interrupted as signal:
        return Killed(128 + SIGNALS[str(signal.cause)])
    except CtlabError as error:
        return context.failed(str(error), 2)
    finally:
        context.close()


def _as_user(steps: Steps, context: Context) -> Steps:
    """The program's steps, while each of which the machine knows whose they are: what it opens and sends then is this user's."""
    ip, value, thrown = context.machine.ip, None, None
    while True:
        before, ip.acting = ip.acting, context.user
        try:
            event = steps.send(value) if thrown is None else steps.throw(thrown)
        except StopIteration as end:
            return end.value or 0
        finally:
            ip.acting = before
        try:
            value, thrown = (yield event), None
        except GeneratorExit:
            steps.close()
            raise
        except Exception as error:
            value, thrown = None, error


def read_all(context: Context) -> Generator[simpy.Event, Any, str]:
    """All of standard input, as text."""
    text = ""
    while (line := (yield context.stdin.read())) is not None:
        text += f"{line}\n"
    return text


def clock(now: int, form: str = "%a %b %e %H:%M:%S %Y") -> str:
    """The wall clock `now` µs after the scenario's start, in strftime's words; UTC, in English."""
    moment = EPOCH + timedelta(microseconds=now)
    return moment.strftime(form.replace("%e", f"{moment.day:2d}"))
