"""help: the commands that are there, one line each; `help COMMAND` its usage. And what a real machine has and this one has not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.apps.program import Context, Program, Steps
from sim.errors import did_you_mean
from sim.shell.registry import Command, commands

if TYPE_CHECKING:
    from sim.machine.machine import Machine

# Commands that a learner may well try, and that would do something on a server: refused by name, not "not found".
NOT_SIMULATED = (
    "apt awk cd cp ethtool find ifconfig journalctl lsmod mkdir mtr mv nano netstat nmap ps route scp sed service shutdown poweroff "
    "sftp sort systemctl telnet top touch traceroute ufw uname uniq uptime vi vim wget xargs"
).split()


def help(context: Context) -> Steps:
    """The list, or one command's usage."""
    yield from ()
    known = commands()
    for name in context.argv[1:]:
        if name not in known:
            hint = did_you_mean(name, known)
            return context.failed(f"help: no help for '{name}'." + (f" {hint}" if hint else ""), 1)
        context.write(f"{known[name].usage}\n    {known[name].summary}\n")
    if context.argv[1:]:
        return 0
    for command in sorted(known.values(), key=lambda command: command.name):
        if not command.hidden:
            context.write(f"{command.name:17} {command.summary}\n")
    context.write("exit              leave this shell\nhistory           the lines typed so far\n")
    context.write("jobs              what runs behind a line that ended with &\n")
    context.write(
        "Lines may be joined with ; & && || and |, and written to files with > and >>.\n^C interrupts, ^D ends the input.\n"
    )
    return 0


def _refusal(name: str) -> Program:
    def program(context: Context) -> Steps:
        yield from ()
        return context.failed(f"{name}: right, but not simulated here. 'help' lists what is.", 127)

    return program


def _names(machine: Machine, before: list[str], word: str) -> list[str]:
    return sorted(commands())


COMMANDS = [
    Command("help", help, "this list; help COMMAND for its usage", "help [COMMAND]", _names),
    *(Command(name, _refusal(name), "not simulated", name, hidden=True) for name in NOT_SIMULATED),
]
