"""timeout, nohup, watch: commands that run another command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sim.apps.options import getopt
from sim.apps.paths import absolute
from sim.apps.program import SIGNALS, Context, Interrupted, Steps, Text, clock
from sim.apps.tty import CLEAR, kill
from sim.shell import files, run
from sim.shell.registry import Command, commands
from sim.units import SECOND

if TYPE_CHECKING:
    from sim.machine.machine import Machine

_UNITS = {"": SECOND, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86400 * SECOND}
WIDTH = 80  # of the terminal that watch draws its title for


def duration(word: str) -> int | None:
    """A time as coreutils takes it ("5", "1.5s", "2m"), in µs; None: no time."""
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)([smhd]?)", word)
    return round(float(match[1]) * _UNITS[match[2]]) if match else None


def timeout(context: Context) -> Steps:
    """Runs a command and ends it when its time is up: then the status is 124 (timeout of coreutils 9.1)."""
    options = getopt(context.argv, "v", "sk", mixed=False)
    if options.problem or len(options.operands) < 2:
        why = f"timeout: {options.problem}\n" if options.problem else "timeout: missing operand\n" * (not options.operands)
        return context.failed(f"{why}Try 'timeout --help' for more information.", 125)
    signal, limit = options.value("s", "TERM").removeprefix("SIG"), duration(options.operands[0])
    if limit is None:
        return context.failed(f"timeout: invalid time interval '{options.operands[0]}'\nTry 'timeout --help' for more information.", 125)
    if signal not in SIGNALS:
        return context.failed(f"timeout: '{signal}': invalid signal\nTry 'timeout --help' for more information.", 125)
    process = run.begin(context, options.operands[1:])
    if process is None:
        return context.failed(f"timeout: failed to run command '{options.operands[1]}': No such file or directory", 127)
    try:
        yield from context.wait(process, timeout=limit or None)
    except Interrupted as by:
        kill(process, str(by.cause))
        raise
    if not process.is_alive:
        return int(process.value or 0)
    kill(process, signal)
    return 124


def nohup(context: Context) -> Steps:
    """Runs a command that a hang-up does not end (nohup of coreutils 9.1)."""
    if not context.argv[1:]:
        return context.failed("nohup: missing operand\nTry 'nohup --help' for more information.", 125)
    context.error(f"nohup: ignoring input and appending output to '{'nohup.out'}'\n")

    def write(text: str) -> None:
        files.write(context.machine, absolute("nohup.out", context.place), text, context.root, context.user, append=True)

    process = run.begin(context, context.argv[1:], stdin=Text(context.env, ""), out=write)
    if process is None:
        return context.failed(f"nohup: failed to run command '{context.argv[1]}': No such file or directory", 127)
    while process.is_alive:
        try:
            yield process
        except Interrupted as by:
            if by.cause != "HUP":
                kill(process, str(by.cause))
                raise
    return int(process.value or 0)


def watch(context: Context) -> Steps:
    """Runs a command again and again, each time on a clean screen (watch of procps 4.0.2)."""
    options = getopt(context.argv, "bcdegtx", "n", mixed=False)
    every = duration(options.value("n", "2"))
    if options.problem or not options.operands or every is None:
        what = f"watch: {options.problem}\n\n" if options.problem else ""
        what = f"watch: failed to parse argument: '{options.value('n')}'\n" if every is None else what
        return context.failed(f"{what}Usage:\n watch [options] command", 1)
    if context.tty is None:
        return context.failed("watch: a terminal is required", 1)
    every, last, line = max(every, SECOND // 10), None, " ".join(options.operands)
    while True:
        gathered: list[str] = []
        status = yield from run.line(context.machine, context.tty, context.user, line, gathered.append, Text(context.env, ""))
        output = "".join(gathered)
        context.write(CLEAR + ("" if options.has("t") else _title(context, every, line)) + output)
        if (options.has("g") and last not in (None, output)) or (options.has("e") and status):
            return 0 if options.has("g") else 8
        last = output
        yield from context.sleep(every)


def _title(context: Context, every: int, line: str) -> str:
    left, right = f"Every {every / SECOND:.1f}s: {line}", f"{context.machine.name}: {clock(context.now)}"
    return f"{left}{right:>{max(len(right) + 1, WIDTH - len(left))}}\n\n"


def _inner_words(machine: Machine, before: list[str], word: str) -> list[str]:
    """Behind the options a command stands, and then what that command completes."""
    at = next((index for index, each in enumerate(before[1:], 1) if each in commands()), None)
    return sorted(commands()) if at is None else commands()[before[at]].complete(machine, before[at:], word)


COMMANDS = [
    Command("timeout", timeout, "run a command and end it after a time", "timeout [-s SIGNAL] SECONDS COMMAND…", _inner_words),
    Command("nohup", nohup, "run a command that outlives the terminal", "nohup COMMAND… &", _inner_words),
    Command("watch", watch, "run a command again and again", "watch [-n SECONDS] [-t] [-g] COMMAND…", _inner_words),
]
