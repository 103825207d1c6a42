"""Jobs: what a shell runs in the background, and the builtins that speak of it: jobs, wait, fg, kill, disown. In bash 5.2's words.

A job is a list that ended with `&`. It has no terminal to read from, ^C does not reach it, and a hang-up of the shell ends it unless it was
disowned (or started by nohup). That it ended is told ahead of the next prompt. Not in here: stopping (^Z, bg), process groups.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import simpy
from simpy.events import Process

from sim.apps.program import SIGNALS, Killed
from sim.apps.tty import kill

if TYPE_CHECKING:
    from sim.shell.shell import Shell

NAMES = ("jobs", "wait", "fg", "kill", "disown")
_ENDED = {"HUP": "Hangup", "INT": "Interrupt", "PIPE": "Broken pipe", "TERM": "Terminated", "KILL": "Killed"}
_NUMBERS = {str(number): name for name, number in SIGNALS.items()}
Waiting = Generator[simpy.Event, Any, int]


@dataclass(slots=True)
class Job:
    """One job: its number and process id, what was typed, and the process."""

    number: int
    pid: int
    text: str
    process: Process

    @property
    def state(self) -> str:
        """As `jobs` prints it: Running, Done, Exit 1, Terminated."""
        if self.process.is_alive:
            return "Running"
        status = self.process.value
        if isinstance(status, Killed):
            return next((_ENDED[name] for name, number in SIGNALS.items() if status == 128 + number), f"Exit {int(status)}")
        return f"Exit {status}" if status else "Done"


class Jobs:
    """The jobs of one shell."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._jobs: list[Job] = []

    def add(self, text: str, process: Process) -> Job:
        """A new job; tells its number and process id."""
        job = Job(max((each.number for each in self._jobs), default=0) + 1, self._shell.machine.new_pid(), text, process)
        self._jobs.append(job)
        return job

    def hang_up(self) -> None:
        """The terminal is gone."""
        for job in self._jobs:
            kill(job.process, "HUP")

    def ended(self) -> str:
        """The notices of jobs that have ended since the last time; these are forgotten."""
        text = "".join(self._line(job) for job in self._jobs if not job.process.is_alive)
        self._jobs = [job for job in self._jobs if job.process.is_alive]
        return text

    def _line(self, job: Job, long: bool = False) -> str:
        order = [each.number for each in self._jobs[-2:]]
        mark = "+" if order[-1:] == [job.number] else "-" if job.number in order else " "
        state, running = job.state, " &" if job.process.is_alive else ""
        return f"[{job.number}]{mark} {f'{job.pid:5} ' if long else ' '}{state:<24}{job.text}{running}\n"

    # ---- builtins --------------------------------------------------------------------------------------------------------

    def run(self, argv: list[str]) -> Waiting:
        """One of NAMES. Gives the exit status."""
        builtins = {"jobs": self._list, "wait": self._wait, "fg": self._fg, "kill": self._kill, "disown": self._disown}
        return (yield from builtins[argv[0]](argv))

    def _list(self, argv: list[str]) -> Waiting:
        yield from ()
        self._shell.write("".join(f"{job.pid}\n" if "-p" in argv else self._line(job, "-l" in argv) for job in self._jobs))
        self._jobs = [job for job in self._jobs if job.process.is_alive]
        return 0

    def _find(self, word: str) -> Job | None:
        if word in ("%", "%%", "%+"):
            return self._jobs[-1] if self._jobs else None
        number = word.lstrip("%")
        return next((job for job in self._jobs if number == str(job.number if word.startswith("%") else job.pid)), None)

    def _wait(self, argv: list[str]) -> Waiting:
        status = 0
        for word in argv[1:] or [f"%{job.number}" for job in self._jobs]:
            job = self._find(word)
            if job is None:
                why = "no such job" if word.startswith("%") else f"pid {word} is not a child of this shell"
                self._shell.complain(f"wait: {word}: {why}" if word.startswith("%") else f"wait: {why}")
                status = 127
                continue
            yield job.process
            status = int(job.process.value or 0) if argv[1:] else 0
        return status

    def _fg(self, argv: list[str]) -> Waiting:
        word = argv[1] if argv[1:] else "%%"
        job = self._find(word if word.startswith("%") else f"%{word}")
        if job is None:
            self._shell.complain(f"fg: {word if argv[1:] else 'current'}: no such job")
            return 1
        self._shell.write(f"{job.text}\n")
        self._jobs.remove(job)
        yield from self._shell.front([job.process], job.text.split()[0])
        return int(job.process.value or 0)

    def _kill(self, argv: list[str]) -> Waiting:
        yield from ()
        words, signal = argv[1:], "TERM"
        if words and words[0].startswith("-") and words[0] != "--":
            name = words.pop(0)[1:].removeprefix("SIG")
            signal = _NUMBERS.get(name, name)
        if signal not in _ENDED:
            return self._failed(f"kill: {signal}: invalid signal specification")
        if not words:
            return self._failed("kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]", 2)
        return max([self._send(word, signal) for word in words])

    def _send(self, word: str, signal: str) -> int:
        job = self._find(word)
        if job is not None:
            kill(job.process, signal)
            return 0
        if word.startswith("%"):
            return self._failed(f"kill: {word}: no such job")
        if not word.isdecimal():
            return self._failed(f"kill: {word}: arguments must be process or job IDs")
        return self._failed(f"kill: ({word}) - No such process")

    def _disown(self, argv: list[str]) -> Waiting:
        yield from ()
        for word in argv[1:] or ["%%"]:
            job = self._find(word)
            if job is None:
                return self._failed(f"disown: {word if argv[1:] else 'current'}: no such job")
            self._jobs.remove(job)
        return 0

    def _failed(self, text: str, status: int = 1) -> int:
        self._shell.complain(text)
        return status
