"""iptables-apply, ip6tables-apply: load rules, and take them back when nobody says that all is well. As the script of iptables 1.8.9.

    iptables-apply [-t SECONDS] [-w SAVEFILE] [RULESFILE]

Not in here: -c (run a script of your own).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import simpy

from sim.apps.paths import absolute
from sim.apps.program import Context, Steps, Text
from sim.shell import files, run
from sim.shell.registry import Command
from sim.units import SECOND

if TYPE_CHECKING:
    from sim.machine.machine import Machine

DEFAULT_TIMEOUT = 10  # seconds
_LONG = {"--timeout": "-t", "--write": "-w", "--command": "-c", "--help": "-h", "--version": "-V"}
_BLURB = "{name} 1.1 -- a safer way to update iptables remotely\n"
_USAGE = "\nUsage:\n  {name} [-hV] [-t timeout] [-w savefile] {{[rulesfile]|-c [runcmd]}}\n"


def apply(context: Context) -> Steps:
    """The script. Exit status: 0 kept, 255 taken back, 1 2 5 8 what was wrong."""
    options, rest, problem = _options(context.argv)
    name = context.argv[0]
    if problem:
        return context.failed(f"{name}: {problem}", 1)
    if "-h" in options or "-V" in options:
        return context.failed((_BLURB + _USAGE * ("-h" in options)).format(name=name).rstrip("\n"), 0)
    if "-c" in options:
        return context.failed(f"{name}: -c: right, but not simulated here", 1)
    seconds = options.get("-t", str(DEFAULT_TIMEOUT))
    if not seconds.isdecimal():
        return context.failed("Error: timeout must be a positive number", 1)
    path = rest[0] if rest else f"/etc/network/{name.removesuffix('-apply')}.up.rules"
    try:
        rules = files.read(context.machine, absolute(path, context.place), context.root)
    except OSError:
        return context.failed(f"Error: rulesfile not readable: {path}", 2)
    return (yield from _Apply(context, name.removesuffix("-apply"), path, rules, options.get("-w", "")).run(int(seconds)))


def _options(argv: list[str]) -> tuple[dict[str, str], list[str], str]:
    """(options with their values, operands, what is wrong)."""
    given: dict[str, str] = {}
    rest: list[str] = []
    words = list(argv[1:])
    while words:
        word = words.pop(0)
        word, _, value = word.partition("=") if word.startswith("--") else (word[:2], "", word[2:]) if word[:1] == "-" else (word, "", "")
        option = _LONG.get(word, word)
        if option in ("-t", "-w"):
            if not value and not words:
                return given, rest, f"option requires an argument -- '{option[1:]}'"
            given[option] = value or words.pop(0)
        elif option in ("-c", "-h", "-V"):
            given[option] = ""
        elif option.startswith("-"):
            return given, rest, f"unrecognized option '{word}'" if word.startswith("--") else f"invalid option -- '{word[1:2]}'"
        else:
            rest.append(word)
    return given, rest, ""


class _Apply:
    """One run over one family's rules."""

    def __init__(self, context: Context, tool: str, path: str, rules: str, save: str) -> None:
        self.context, self.tool, self.path, self.rules, self.save = context, tool, path, rules, save

    def run(self, seconds: int) -> Steps:
        """Apply, ask, and keep or take back."""
        before = yield from self._saved()
        if before is None:
            return 4
        self.context.write(f"Applying new {self.tool} rules from '{self.path}'... ")
        if (yield from self._restore(self.rules)):
            self.context.write("failed.\n")
            self.context.error(f"Error: unknown error applying new {self.tool} rules: {self.path}\n")
            yield from self._revert(before)
            return 5
        self.context.write("done.\nCan you establish NEW connections to the machine? (y/N) ")
        answer = yield from self._answer(seconds)
        if answer is not None and answer[:1] in ("y", "Y"):
            return (yield from self._keep())
        why = "Timeout! Something happened (or did not)." if not answer else "No affirmative response!"
        self.context.write(f"\n{why} Better play it safe...\n")
        yield from self._revert(before)
        return 255

    def _answer(self, seconds: int) -> Generator[simpy.Event, Any, str | None]:
        """What was typed within the time, or None."""
        line = self.context.stdin.read()
        yield from self.context.wait(line, timeout=seconds * SECOND)
        return line.value if line.triggered else None

    def _keep(self) -> Steps:
        self.context.write("\n")
        if self.save:
            self.context.write(f"Writing successfully applied rules to '{self.save}'...\n")
            rules = yield from self._saved()
            try:
                files.write(self.context.machine, absolute(self.save, self.context.place), rules or "", True, self.context.user)
            except OSError:
                return self.context.failed(f"Error: unknown error writing successfully applied rules: {self.save}", 9)
        self.context.write("... then my job is done. See you next time.\n")
        return 0

    def _revert(self, rules: str) -> Generator[simpy.Event, Any, None]:
        self.context.write(f"Reverting to old {self.tool} rules... ")
        if not (yield from self._restore(rules)):
            self.context.write("done.\n")

    def _saved(self) -> Generator[simpy.Event, Any, str | None]:
        gathered: list[str] = []
        process = run.begin(self.context, [f"{self.tool}-save"], out=gathered.append)
        assert process is not None
        yield process
        if process.value:
            self.context.error("".join(gathered))
            return None
        return "".join(gathered)

    def _restore(self, rules: str) -> Steps:
        process = run.begin(self.context, [f"{self.tool}-restore"], stdin=Text(self.context.env, rules), out=self.context.error)
        assert process is not None
        yield process
        return int(process.value or 0)


def _paths(machine: Machine, before: list[str], word: str) -> list[str]:
    return ["-t", "-w"] if word.startswith("-") else [path for path in files.all_paths(machine) if not path.startswith("/proc")]


_USE = "iptables-apply [-t SECONDS] [-w SAVEFILE] RULESFILE"
COMMANDS = [
    Command("iptables-apply", apply, "load rules; take them back unless you say y in time", _USE, _paths),
    Command("ip6tables-apply", apply, "the same for IPv6", "ip6" + _USE.removeprefix("ip"), _paths, hidden=True),
]
