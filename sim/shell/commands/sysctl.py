"""sysctl: reads and sets kernel settings, in the words of procps-ng 4.0.2."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sim.apps.program import Context, Steps
from sim.conntrack.settings import SysctlError
from sim.shell.registry import Command

if TYPE_CHECKING:
    from sim.machine.machine import Machine

USAGE = "sysctl [-n] [-a] [-w] KEY[=VALUE] …"
_FLAGS = {
    "-a": "all", "-A": "all", "-X": "all", "--all": "all", "-n": "values", "--values": "values", "-N": "names", "--names": "names",
    "-w": "write", "--write": "write", "-q": "quiet", "--quiet": "quiet", "-e": "ignore", "--ignore": "ignore", "-o": "", "-x": "",
    "--dry-run": "dry", "-b": "binary", "--binary": "binary",
}  # fmt: skip


class _Sysctl:
    """One run."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.sysctls = context.machine.sysctls
        self.flags: set[str] = set()
        self.words: list[str] = []
        self.pattern = ""

    def run(self) -> int:
        """Print, or set, each word."""
        words = list(self.context.argv[1:])
        while words:
            word = words.pop(0)
            if word in ("-r", "--pattern") and words:
                self.pattern = words.pop(0)
            elif word in ("-p", "-f", "--load", "--system"):
                return self.context.failed(f"sysctl: {word}: right, but not simulated here", 1)
            elif word.startswith("-") and word not in _FLAGS:
                return self.context.failed(f"sysctl: invalid option -- '{word.lstrip('-')[:1]}'", 1)
            elif word.startswith("-"):
                self.flags.add(_FLAGS[word])
            else:
                self.words.append(word)
        if "all" in self.flags:
            return self._all()
        if not self.words:
            return self.context.failed("sysctl: no variables specified\nTry `sysctl --help' for more information.", 1)
        return max(self._one(word) for word in self.words)

    def _all(self) -> int:
        for key in sorted(self.sysctls.keys()):
            if re.search(self.pattern, key):
                self._print(key)
        return 0

    def _one(self, word: str) -> int:
        name, equals, value = word.partition("=")
        if not name:
            return 0  # a lone "=": procps passes over it
        if "write" in self.flags and not equals:
            return self.context.failed("sysctl: command line(0): invalid syntax, continuing...", 1)
        key = name.strip().replace("/", ".")
        known = [known for known in list(self.sysctls.keys()) if known == key or known.startswith(f"{key}.")]
        if not known:
            if "ignore" in self.flags:
                return 0
            return self.context.failed(
                f"sysctl: cannot stat /proc/sys/{key.replace('.', '/')}: No such file or directory", 1
            )
        if equals:
            return self._set(key, value.strip())
        for each in sorted(known):
            self._print(each)
        return 0

    def _set(self, key: str, value: str) -> int:
        if not self.context.root:
            return self.context.failed(f'sysctl: permission denied on key "{key}"', 1)
        if "dry" not in self.flags:
            try:
                self.sysctls.set(key, value)
            except SysctlError as error:
                return self.context.failed(f'sysctl: setting key "{key}": {error}', 1)
        if "quiet" not in self.flags:
            self._print(key, value)
        return 0

    def _print(self, key: str, value: str | None = None) -> None:
        value = value if value is not None else str(self.sysctls.get(key))
        if "names" in self.flags:
            self.context.write(f"{key}\n")
        elif "values" in self.flags or "binary" in self.flags:
            self.context.write(value + ("" if "binary" in self.flags else "\n"))
        else:
            self.context.write(f"{key} = {value}\n")


def sysctl(context: Context) -> Steps:
    """The program."""
    yield from ()
    return _Sysctl(context).run()


def _complete(machine: Machine, before: list[str], word: str) -> list[str]:
    return ["-a", "-n", "-w"] if word.startswith("-") else sorted(machine.sysctls.keys())


COMMANDS = [Command("sysctl", sysctl, "kernel settings: read and set", USAGE, _complete)]
