"""The shell: reads a line, runs its pipelines in front, prints the prompt. Says what bash 5.2 says.

    open_terminal(machine, id, user, emit) -> LocalTty      a terminal of the scenario, logged in
    login(machine, tty, user, command=None) -> generator    a login shell on any tty; what sshd runs (machine.login)
    complete (complete.py): what Tab offers

exit, logout and history stand here, jobs and its kin in jobs.py; everything else is in commands/.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import simpy
from simpy.events import Process

from sim.apps.paths import absolute, home
from sim.apps.program import SIGNALS, Context, Interrupted, Killed, Pipe, Program, Readable, Steps, Text, start
from sim.apps.tty import LocalTty, Tty, kill
from sim.errors import LanguageError, SyntaxMistake
from sim.ruleset.text import endless
from sim.shell import files, jobs
from sim.shell.registry import commands
from sim.shell.words import Command, Incomplete, Pipeline, parse

if TYPE_CHECKING:
    from sim.machine.machine import Machine
    from sim.trace import Emit

NOT_FOUND = 127
STATUS_MARK, JOB_MARK = "\ue000", "\ue001"  # stand for $? and $! until their command runs: what ran before it in the line decides


class _Exit(Exception):
    """The person typed exit; `status` is the shell's."""

    def __init__(self, status: int) -> None:
        self.status = status


class Shell:
    """One shell on one terminal. `login`: a login shell calls itself "-bash" and says logout.

    `outer`: what a shell that another program runs (a subshell, a job, `bash -c`) is given to read and write, and it leaves the terminal
    alone: signals come from outside. None: the terminal is its own.
    """

    def __init__(self, machine: Machine, tty: Tty, user: str, *, login: bool = True, outer: Context | None = None) -> None:
        self.machine = machine
        self.tty = tty
        self.user = user
        self.login = login
        self.status = 0
        self.last = ""
        self.history: list[str] = []
        self.jobs = jobs.Jobs(self)
        self._outer = outer

    @property
    def write(self) -> Callable[[str], None]:
        """Where the shell's own output goes."""
        return self.tty.write if self._outer is None else self._outer.write

    def complain(self, text: str) -> None:
        """A line of the shell's own on standard error."""
        (self.tty.write if self._outer is None else self._outer.error)(f"{self.name}: {text}\n")

    @property
    def name(self) -> str:
        """What stands before the shell's own complaints."""
        return "-bash" if self.login else "bash"

    @property
    def prompt(self) -> str:
        """As Debian's PS1 has it: user@host:~$, or # for root."""
        return f"{self.user}@{self.machine.name}:~{'#' if self.user == 'root' else '$'} "

    # ---- lines ----------------------------------------------------------------------------------------------------

    def interactive(self) -> Steps:
        """Read and run lines until exit, ^D or a hang-up. Exit status: that of the last command."""
        me = self.tty.env.active_process
        while True:
            self.tty.front = [me] if me is not None else []
            self.tty.write(self.jobs.ended())
            try:
                line = yield from self._read_line()
                if line is None:
                    self.tty.write("logout\n" if self.login else "exit\n")
                    return self.status
                yield from self.run_line(line)
            except Interrupted as signal:
                if signal.cause != "INT":
                    self.jobs.hang_up()
                    return 128 + SIGNALS[str(signal.cause)]
                self.tty.write("\n")
                self.status = 130
            except _Exit as ended:
                return ended.status

    def _read_line(self) -> Generator[simpy.Event, Any, str | None]:
        """A whole line: goes on behind `> ` while a quote is open."""
        prompt, line = self.prompt, ""
        while True:
            self.tty.write(prompt)
            self.tty.show("prompt", "", f"{self.user}@{self.machine.name}")
            more = yield self.tty.read_at_prompt()
            self.tty.show("running", "bash", f"{self.user}@{self.machine.name}")
            if more is None:
                return None if not line else self._unfinished()
            line += str(more)
            try:
                parse(line)
            except Incomplete:
                prompt, line = "> ", line + "\n"
            except LanguageError:
                return line
            else:
                return line

    def _unfinished(self) -> str:
        self.tty.write(f"\n{self.name}: syntax error: unexpected end of file\n")
        self.status = 2
        return ""

    def run_line(self, line: str) -> Generator[simpy.Event, Any, None]:
        """Run one line; its status is `self.status` then."""
        if line.strip():
            self.history.append(line)
        try:
            pipelines = parse(line, self._variables())
        except SyntaxMistake as error:
            self.complain(str(error))
            self.status = 2
            return
        except (LanguageError, Incomplete) as error:
            self.tty.write(f"{error}\n" if str(error) else f"{self.name}: syntax error: unexpected end of file\n")
            self.status = 2
            return
        yield from self.run(pipelines)

    def run(self, pipelines: list[Pipeline]) -> Generator[simpy.Event, Any, None]:
        """Run lists one after the other, and those that end with & beside the rest."""
        for list_ in lists(pipelines):
            if list_[-1].background:
                self._behind_us(list_)
                continue
            for pipeline in list_:
                if not ((pipeline.joint == "&&" and self.status) or (pipeline.joint == "||" and not self.status)):
                    yield from self._pipeline(pipeline)

    def _behind_us(self, pipelines: list[Pipeline]) -> None:
        """Start a list in the background; an interactive shell says its number."""
        last = replace(pipelines[-1], background=False)
        context = Context(self.machine, ["bash"], tty=self.tty, user=self.user, stdin=Text(self.tty.env, ""), out=self.write)
        process = start(_lists_program(self, [*pipelines[:-1], last]), context)
        text = " ".join(f"{each.joint} {each.text}" if index else each.text for index, each in enumerate(pipelines))
        job = self.jobs.add(text, process)
        self.last, self.status = str(job.pid), 0
        if self._outer is None:
            self.tty.write(f"[{job.number}] {job.pid}\n")

    def _variables(self) -> dict[str, str]:
        where = home(self.user)
        return {"USER": self.user, "HOME": where, "HOSTNAME": self.machine.name, "PWD": where, "?": STATUS_MARK, "!": JOB_MARK}

    # ---- pipelines ------------------------------------------------------------------------------------------------

    def _pipeline(self, pipeline: Pipeline) -> Generator[simpy.Event, Any, None]:
        first = pipeline.commands[0]
        if any(endless(word) for command in pipeline.commands for word in self._filled(command.argv)):
            self.complain(f"{first.argv[0] if first.argv else 'line'}: a number of 300 digits is not simulated here")
            self.status = 2
            return
        if len(pipeline.commands) == 1 and first.argv:
            if first.argv[0] in ("exit", "logout", "history"):
                self._builtin(first.argv)
                return
            if first.argv[0] in jobs.NAMES:
                self.status = yield from self.jobs.run(self._filled(first.argv))
                return
        processes, ends = self._start(pipeline.commands)
        if processes:
            yield from self.front(processes, first.argv[0] if first.argv else "")
            self.status = int(processes[-1].value or 0)
            if isinstance(processes[-1].value, Killed) and self.status == 130:
                self.tty.write("\n")
        for end in ends:
            end()

    def _filled(self, argv: list[str]) -> list[str]:
        return [word.replace(STATUS_MARK, str(self.status)).replace(JOB_MARK, self.last) for word in argv]

    def _builtin(self, argv: list[str]) -> None:
        if argv[0] == "history":
            self.write("".join(f"{number:5}  {line}\n" for number, line in enumerate(self.history, 1)))
            self.status = 0
            return
        if self._outer is None:
            self.tty.write("logout\n" if self.login else "exit\n")
        raise _Exit(int(argv[1]) & 255 if len(argv) > 1 and argv[1].isdecimal() else self.status)

    def _start(self, line: list[Command]) -> tuple[list[Process], list[Any]]:
        """Start the commands of a pipeline, left to right. ([], []) when one cannot be: it has said why."""
        found: list[Process] = []
        ends: list[Any] = []
        source: Pipe | None = None
        for index, command in enumerate(line):
            sink = Pipe(self.tty.env) if index + 1 < len(line) else None
            command.argv = self._filled(command.argv)
            context, end = self._context(command, source, sink)
            if context is None:
                for process in found:
                    kill(process, "PIPE")
                return [], []
            process = start(self._what(command), context)
            if end is not None:
                ends.append(end)
            _join(process, source, sink)
            found.append(process)
            source = sink
        return found, ends

    def _what(self, command: Command) -> Program:
        if command.inside is not None:
            return _lists_program(self, command.inside)
        return _program(self, command.argv)

    def _context(self, command: Command, source: Pipe | None, sink: Pipe | None) -> tuple[Context | None, Any]:
        stdin: Readable | None = source or (self._outer.stdin if self._outer is not None else None)
        out, end = (sink.write if sink is not None else self.write), None
        try:
            if command.source is not None:
                text = files.read(self.machine, absolute(command.source, self.user), self.user == "root")
                stdin = Text(self.tty.env, text)
            if command.out is not None:
                out, end = self._redirected(command.out, command.append)
        except OSError as error:
            self.complain(f"{command.source or command.out}: {error.strerror}")
            self.status = 1
            return None, None
        context = Context(self.machine, command.argv or [""], tty=self.tty, user=self.user, stdin=stdin, out=out)
        if self._outer is not None:
            context.error = self._outer.error
        if command.errors == "&1":
            context.error = context.write
        elif command.errors is not None:
            context.error = self._redirected(command.errors, append=False)[0]
        return context, end

    def _redirected(self, name: str, append: bool) -> tuple[Any, Any]:
        """(write, end) for output into a file: sysctl files take the whole text at once, at the end."""
        path, root = absolute(name, self.user), self.user == "root"
        if not path.startswith(files.SYSCTLS):
            files.write(self.machine, path, "", root, self.user, append=append)
            return (lambda text: files.write(self.machine, path, text, root, self.user, append=True)), None
        gathered: list[str] = []

        def end() -> None:
            try:
                files.write(self.machine, path, "".join(gathered), root, self.user)
            except OSError as error:
                self.complain(f"echo: write error: {error.strerror}")
                self.status = 1

        if not root:
            files.write(self.machine, path, "", root, self.user)
        return gathered.append, end

    def front(self, processes: list[Process], name: str) -> Generator[simpy.Event, Any, None]:
        """Wait for what runs in front. A signal for the shell reaches it too."""
        if self._outer is None:
            self.tty.front = processes
            self.tty.show("running", name, f"{self.user}@{self.machine.name}")
        try:
            yield self.tty.env.all_of(processes)
        except Interrupted as signal:
            for process in processes:
                kill(process, str(signal.cause))
            raise
        finally:
            me = self.tty.env.active_process
            if self._outer is None:
                self.tty.front = [me] if me is not None else []


def lists(pipelines: list[Pipeline]) -> list[list[Pipeline]]:
    """Pipelines by the lists that they stand in: those that && and || join are one."""
    found: list[list[Pipeline]] = []
    for pipeline in pipelines:
        if pipeline.joint in ("&&", "||"):
            found[-1].append(pipeline)
        else:
            found.append([pipeline])
    return found


def _lists_program(shell: Shell, pipelines: list[Pipeline]) -> Program:
    """Lists as a program of their own: a subshell, or what runs in the background."""

    def program(context: Context) -> Steps:
        inner = Shell(shell.machine, shell.tty, shell.user, login=False, outer=context)
        inner.status = shell.status
        try:
            yield from inner.run(pipelines)
        except _Exit as ended:
            return ended.status
        return inner.status

    return program


def _join(process: Process, source: Pipe | None, sink: Pipe | None) -> None:
    """Tie a process to its pipes: what it writes ends with it, and who writes to it learns that it is gone."""
    assert process.callbacks is not None
    if sink is not None:
        sink.writer = process
        process.callbacks.append(lambda _: sink.end())
    if source is not None:
        process.callbacks.append(lambda _: source.stop())


def _program(shell: Shell, argv: list[str]) -> Program:
    """The program that `argv` names, or one that says that there is none."""
    if not argv:
        return lambda context: _nothing()
    name = argv[0].rsplit("/", 1)[-1] if argv[0].startswith(("/usr/", "/bin/", "/sbin/")) else argv[0]
    command = commands().get(name)
    if command is not None:
        return command.program
    return lambda context: _not_found(context, shell.name)


def _nothing() -> Steps:
    yield from ()
    return 0


def _not_found(context: Context, shell: str) -> Steps:
    yield from ()
    return context.failed(f"{shell}: {context.argv[0]}: command not found", NOT_FOUND)


def login(machine: Machine, tty: Tty, user: str, command: str | None = None) -> Steps:
    """A login shell on `tty`, or `command` in a shell. The generator's value is the exit status."""
    shell = Shell(machine, tty, user, login=command is None)
    if command is None:
        return (yield from shell.interactive())
    try:
        yield from shell.run_line(command)
    except _Exit as ended:
        return ended.status
    except Interrupted as signal:
        return 128 + SIGNALS[str(signal.cause)]
    return shell.status


def open_terminal(machine: Machine, id: str, user: str, emit: Emit | None, walk: int = 0) -> LocalTty:
    """A terminal of the scenario with a login shell on it, `walk` µs away. When the shell has ended, a line or a key logs in again."""
    tty = LocalTty(machine.env, id, emit, walk)

    def run() -> Steps:
        status = yield from login(machine, tty, user)
        tty.show("closed", "", "")
        return status

    def log_in() -> None:
        machine.run(run())

    tty.on_closed = log_in
    log_in()
    return tty
