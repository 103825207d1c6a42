"""The shell: reads a line, runs its pipelines in front, prints the prompt. Says what bash 5.2 says.

    open_terminal(machine, id, user, emit) -> LocalTty      a terminal of the scenario, logged in
    login(machine, tty, user, command=None) -> generator    a login shell on any tty; what sshd runs (machine.login)
    complete (complete.py): what Tab offers

exit, logout and history stand here; everything else is in commands/.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy
from simpy.events import Process

from sim.apps.paths import absolute
from sim.apps.program import SIGNALS, Context, Interrupted, Killed, Pipe, Readable, Steps, Text, start
from sim.apps.tty import LocalTty, Tty, kill
from sim.errors import LanguageError, SyntaxMistake
from sim.shell import files
from sim.shell.registry import commands
from sim.shell.words import Command, Incomplete, Pipeline, parse

if TYPE_CHECKING:
    from sim.machine.machine import Machine
    from sim.trace import Emit

NOT_FOUND = 127
STATUS_MARK = "\ue000"  # stands for $? until its command runs: what ran before it in the line decides


class _Exit(Exception):
    """The person typed exit; `status` is the shell's."""

    def __init__(self, status: int) -> None:
        self.status = status


class Shell:
    """One shell on one terminal. `login`: a login shell calls itself "-bash" and says logout."""

    def __init__(self, machine: Machine, tty: Tty, user: str, *, login: bool = True) -> None:
        self.machine = machine
        self.tty = tty
        self.user = user
        self.login = login
        self.status = 0
        self.history: list[str] = []

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
            try:
                line = yield from self._read_line()
                if line is None:
                    self.tty.write("logout\n" if self.login else "exit\n")
                    return self.status
                yield from self.run_line(line)
            except Interrupted as signal:
                if signal.cause != "INT":
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
            self.tty.write(f"{self.name}: {error}\n")
            self.status = 2
            return
        except (LanguageError, Incomplete) as error:
            self.tty.write(f"{error}\n" if str(error) else f"{self.name}: syntax error: unexpected end of file\n")
            self.status = 2
            return
        for pipeline in pipelines:
            if not ((pipeline.joint == "&&" and self.status) or (pipeline.joint == "||" and not self.status)):
                yield from self._pipeline(pipeline)

    def _variables(self) -> dict[str, str]:
        home = "/root" if self.user == "root" else f"/home/{self.user}"
        return {"USER": self.user, "HOME": home, "HOSTNAME": self.machine.name, "PWD": home, "?": STATUS_MARK}

    # ---- pipelines ------------------------------------------------------------------------------------------------

    def _pipeline(self, pipeline: Pipeline) -> Generator[simpy.Event, Any, None]:
        first = pipeline.commands[0]
        if len(pipeline.commands) == 1 and first.argv and first.argv[0] in ("exit", "logout", "history"):
            self._builtin(first.argv)
            return
        processes, ends = self._start(pipeline.commands)
        if processes:
            yield from self._wait(processes, first.argv[0] if first.argv else "")
            self.status = int(processes[-1].value or 0)
            if isinstance(processes[-1].value, Killed) and self.status == 130:
                self.tty.write("\n")
        for end in ends:
            end()

    def _builtin(self, argv: list[str]) -> None:
        if argv[0] == "history":
            self.tty.write("".join(f"{number:5}  {line}\n" for number, line in enumerate(self.history, 1)))
            self.status = 0
            return
        self.tty.write("logout\n" if self.login else "exit\n")
        raise _Exit(int(argv[1]) & 255 if len(argv) > 1 and argv[1].isdigit() else self.status)

    def _start(self, line: list[Command]) -> tuple[list[Process], list[Any]]:
        """Start the commands of a pipeline, left to right. ([], []) when one cannot be: it has said why."""
        found: list[Process] = []
        ends: list[Any] = []
        source: Pipe | None = None
        for index, command in enumerate(line):
            sink = Pipe(self.tty.env) if index + 1 < len(line) else None
            command.argv = [word.replace(STATUS_MARK, str(self.status)) for word in command.argv]
            context, end = self._context(command, source, sink)
            if context is None:
                for process in found:
                    kill(process, "PIPE")
                return [], []
            process = start(_program(self, command.argv), context)
            if end is not None:
                ends.append(end)
            _join(process, source, sink)
            found.append(process)
            source = sink
        return found, ends

    def _context(self, command: Command, source: Pipe | None, sink: Pipe | None) -> tuple[Context | None, Any]:
        stdin: Readable | None = source
        out, end = (sink.write if sink is not None else None), None
        try:
            if command.source is not None:
                text = files.read(self.machine, absolute(command.source, self.user), self.user == "root")
                stdin = Text(self.tty.env, text)
            if command.out is not None:
                out, end = self._redirected(command.out, command.append)
        except OSError as error:
            self.tty.write(f"{self.name}: {command.source or command.out}: {error.strerror}\n")
            self.status = 1
            return None, None
        context = Context(self.machine, command.argv or [""], tty=self.tty, user=self.user, stdin=stdin, out=out)
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
                self.tty.write(f"{self.name}: echo: write error: {error.strerror}\n")
                self.status = 1

        if not root:
            files.write(self.machine, path, "", root, self.user)
        return gathered.append, end

    def _wait(self, processes: list[Process], name: str) -> Generator[simpy.Event, Any, None]:
        """Wait for what runs in front. A hang-up reaches it too."""
        self.tty.front = processes
        self.tty.show("running", name, f"{self.user}@{self.machine.name}")
        try:
            yield self.tty.env.all_of(processes)
        except Interrupted:
            for process in processes:
                kill(process, "HUP")
            raise
        finally:
            me = self.tty.env.active_process
            self.tty.front = [me] if me is not None else []


def _join(process: Process, source: Pipe | None, sink: Pipe | None) -> None:
    """Tie a process to its pipes: what it writes ends with it, and who writes to it learns that it is gone."""
    assert process.callbacks is not None
    if sink is not None:
        sink.writer = process
        process.callbacks.append(lambda _: sink.end())
    if source is not None:
        process.callbacks.append(lambda _: source.stop())


def _program(shell: Shell, argv: list[str]) -> Any:
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


def open_terminal(machine: Machine, id: str, user: str, emit: Emit | None) -> LocalTty:
    """A terminal of the scenario with a login shell on it. When the shell has ended, a line or a key logs in again."""
    tty = LocalTty(machine.env, id, emit)

    def run() -> Steps:
        status = yield from login(machine, tty, user)
        tty.show("closed", "", "")
        return status

    def log_in() -> None:
        machine.run(run())

    tty.on_closed = log_in
    log_in()
    return tty
