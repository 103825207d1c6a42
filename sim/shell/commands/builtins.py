"""Small commands: sleep, clear, whoami, id, hostname, pwd, date, dmesg, sudo, su, true, false."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sim.apps.options import getopt
from sim.apps.paths import home
from sim.apps.program import Context, Program, Steps, clock
from sim.apps.tty import CLEAR
from sim.shell.registry import Command, commands
from sim.units import SECOND

if TYPE_CHECKING:
    from sim.machine.machine import Machine

_SLEEP_UNITS = {"": SECOND, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86400 * SECOND}


def sleep(context: Context) -> Steps:
    """Waits, in simulated time."""
    total = 0
    if not context.argv[1:]:
        return context.failed("sleep: missing operand\nTry 'sleep --help' for more information.", 1)
    for word in context.argv[1:]:
        match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)([smhd]?)", word)
        if match is None:
            what = f"invalid option -- '{word[1:2]}'" if word.startswith("-") else f"invalid time interval '{word}'"
            return context.failed(f"sleep: {what}\nTry 'sleep --help' for more information.", 1)
        total += round(float(match[1]) * _SLEEP_UNITS[match[2]])
    yield from context.sleep(total)
    return 0


def clear(context: Context) -> Steps:
    """Wipes the terminal."""
    yield from ()
    context.write(CLEAR)
    return 0


def whoami(context: Context) -> Steps:
    """Prints the user."""
    yield from ()
    if context.argv[1:]:
        return context.failed(
            f"whoami: extra operand '{context.argv[1]}'\nTry 'whoami --help' for more information.", 1
        )
    context.write(f"{context.user}\n")
    return 0


def identity(context: Context) -> Steps:
    """Prints user and groups, as id does."""
    yield from ()
    number = 0 if context.root else 1000
    context.write(f"uid={number}({context.user}) gid={number}({context.user}) groups={number}({context.user})\n")
    return 0


def hostname(context: Context) -> Steps:
    """Prints the machine's name; -I its addresses."""
    yield from ()
    options = getopt(context.argv, "IsfA", "")
    if options.problem or options.operands:
        return context.failed(
            "hostname: setting the name: right, but not simulated here"
            if options.operands
            else f"hostname: {options.problem}",
            1,
        )
    if options.has("I"):
        from sim.units import show_address

        own = [
            a
            for interface in context.machine.ip.interfaces.values()
            if not interface.loopback
            for a, _ in interface.addresses
        ]
        context.write("".join(f"{show_address(address)} " for address in own) + "\n")
    else:
        context.write(f"{context.machine.name}\n")
    return 0


def pwd(context: Context) -> Steps:
    """Prints the home directory, where a shell here always is."""
    yield from ()
    context.write(f"{home(context.place)}\n")
    return 0


def date(context: Context) -> Steps:
    """Prints the machine's clock; +FORMAT as strftime has it."""
    yield from ()
    words = context.argv[1:]
    form = words[0][1:] if words and words[0].startswith("+") else "%a %b %e %H:%M:%S UTC %Y"
    if len(words) > 1 or (words and not words[0].startswith("+")):
        return context.failed(f"date: {words[-1]}: right, but not simulated here", 1)
    context.write(clock(context.now, form) + "\n")
    return 0


def dmesg(context: Context) -> Steps:
    """Prints the kernel log; -T with the clock's time, -c and -C clear it."""
    yield from ()
    options = getopt(context.argv, "TcCHxt", "")
    if options.problem or options.operands:
        return context.failed(f"dmesg: {options.problem or 'bad usage'}\nTry 'dmesg --help' for more information.", 1)
    if not context.root:
        return context.failed("dmesg: read kernel buffer failed: Operation not permitted", 1)
    log = context.machine.ip.kernel_log_lines
    if not options.has("C"):
        for time, text in log:
            context.write(_log_line(time, text, options.has("T"), options.has("t")))
    if options.has("c") or options.has("C"):
        log.clear()
    return 0


def _log_line(time: int, text: str, human: bool, bare: bool) -> str:
    if bare:
        return f"{text}\n"
    stamp = clock(time) if human else f"{time // SECOND:5}.{time % SECOND:06}"
    return f"[{stamp}] {text}\n"


def sudo(context: Context) -> Steps:
    """Runs the rest as root; -i, -s and `sudo su` give a root shell. Nobody is asked for a password."""
    words = context.argv[1:]
    user = "root"
    if words[:1] == ["-u"] and len(words) > 1:
        user, words = words[1], words[2:]
    while words[:1] in (["-n"], ["-E"], ["-H"], ["--"]):
        words = words[1:]
    if words[:1] in (["-i"], ["-s"], ["su"]) and words[1:] in ([], ["-"], ["-l"], ["root"]):
        return (yield from _root_shell(context, user, login=words[0] == "-i" or words[1:] == ["-"]))
    if not words or words[0].startswith("-"):
        return context.failed("usage: sudo [-u user] command | sudo -i", 1)
    command = commands().get(words[0].rsplit("/", 1)[-1] if words[0].startswith("/") else words[0])
    if command is None:
        return context.failed(f"sudo: {words[0]}: command not found", 1)
    return (yield from _as(context, user, command.program, words))


def _as(context: Context, user: str, program: Program, argv: list[str]) -> Steps:
    child = Context(context.machine, argv, tty=context.tty, user=user, stdin=context.stdin, out=context.write)
    child.error, child.place = context.error, context.place
    try:
        return (yield from program(child))
    finally:
        child.close()


def su(context: Context) -> Steps:
    """A root shell for root; others need a password that nobody has."""
    if not context.root:
        return context.failed("su: Authentication failure", 1)
    return (yield from _root_shell(context, "root", login="-" in context.argv))


def _root_shell(context: Context, user: str, *, login: bool) -> Steps:
    from sim.shell.shell import Shell

    if context.tty is None:
        return context.failed("sudo: a terminal is required", 1)
    return (yield from Shell(context.machine, context.tty, user, login=login).interactive())


def bash(context: Context) -> Steps:
    """A shell in the shell; -c runs one line."""
    from sim.shell.shell import Shell

    if context.tty is None:
        return context.failed("bash: a terminal is required", 1)
    if context.argv[1:2] == ["-c"] and len(context.argv) > 2:
        shell = Shell(context.machine, context.tty, context.user, login=False, outer=context)
        yield from shell.run_line(context.argv[2])
        return shell.status
    shell = Shell(context.machine, context.tty, context.user, login=False)
    if context.argv[1:]:
        return context.failed(f"bash: {context.argv[1]}: right, but not simulated here", 127)
    return (yield from shell.interactive())


def _status(status: int) -> Program:
    def program(context: Context) -> Steps:
        yield from ()
        return status

    return program


def _sudo_words(machine: Machine, before: list[str], word: str) -> list[str]:
    """Behind sudo a command stands, and then what that command completes."""
    if len(before) == 1:
        return sorted(commands())
    inner = commands().get(before[1])
    return inner.complete(machine, before[1:], word) if inner else []


COMMANDS = [
    Command("sleep", sleep, "wait, in simulated time", "sleep SECONDS"),
    Command("clear", clear, "wipe the terminal", "clear"),
    Command("whoami", whoami, "who you are here", "whoami"),
    Command("id", identity, "user and groups", "id", hidden=True),
    Command("hostname", hostname, "the machine's name", "hostname [-I]"),
    Command("pwd", pwd, "the directory", "pwd", hidden=True),
    Command("date", date, "the machine's clock", "date [+FORMAT]"),
    Command("dmesg", dmesg, "the kernel log (LOG rules write there)", "dmesg [-T] [-c]"),
    Command("sudo", sudo, "run a command as root", "sudo COMMAND… | sudo -i", _sudo_words),
    Command("su", su, "become root", "su [-]", hidden=True),
    Command("bash", bash, "a shell", "bash [-c LINE]", hidden=True),
    Command("sh", bash, "a shell", "sh [-c LINE]", hidden=True),
    Command("true", _status(0), "succeed", "true", hidden=True),
    Command("false", _status(1), "fail", "false", hidden=True),
    Command(":", _status(0), "succeed", ":", hidden=True),
]
