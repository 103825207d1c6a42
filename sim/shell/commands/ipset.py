"""ipset: the machine's IP sets, by the tool of sim/ruleset/ipset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.apps.program import Context, Steps, read_all
from sim.ruleset.ipset import tool
from sim.ruleset.ipset.model import TYPES
from sim.shell.registry import Command

if TYPE_CHECKING:
    from sim.machine.machine import Machine

_COMMANDS = "create add del test list save restore flush destroy swap rename help version".split()


def ipset(context: Context) -> Steps:
    """Runs one ipset command; restore reads standard input."""
    argv = context.argv
    if not context.root:
        return context.failed("ipset v7.17: Kernel error received: Operation not permitted", 1)
    stdin = ""
    if any(word in ("restore", "-R", "--restore") for word in argv[1:]):
        stdin = yield from read_all(context)
    result = tool.run(argv, context.machine.ip.rules.ipsets, context.now, stdin)
    if result.out:
        context.write(result.out)
    if result.err:
        context.error(result.err)
    return result.status


def complete(machine: Machine, before: list[str], word: str) -> list[str]:
    """Commands, then sets, then types."""
    words = [each for each in before[1:] if not each.startswith("-")]
    if not words:
        return _COMMANDS
    if len(words) == 1 and words[0] != "create":
        return [each.name for each in machine.ip.rules.ipsets]
    return list(TYPES) if words[0] == "create" and len(words) == 2 else []


COMMANDS = [
    Command(
        "ipset", ipset, "sets of addresses, networks and ports for iptables' -m set",
        "ipset create NAME TYPE… | add NAME ENTRY | del NAME ENTRY | test NAME ENTRY | list [NAME] | save | restore | destroy [NAME]",
        complete,
    ),
]  # fmt: skip
