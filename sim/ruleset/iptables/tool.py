"""The commands iptables, ip6tables, and through save.py their -save and -restore: argv in, what the real tool prints out."""

from __future__ import annotations

import shlex

from sim.errors import LanguageError
from sim.ruleset.collecting import uncollected
from sim.ruleset.iptables import save
from sim.ruleset.iptables.apply import Changes, open_table, run_command
from sim.ruleset.iptables.chains import TABLES
from sim.ruleset.iptables.command import Command
from sim.ruleset.iptables.errors import VERSION, Mistake, printed
from sim.ruleset.iptables.reading import CommandReader
from sim.ruleset.iptables.usage import usage
from sim.ruleset.state import RuleState
from sim.ruleset.text import Result, words_of

NAMES = tuple(
    f"{tool}{legacy}{what}" for tool in ("iptables", "ip6tables") for legacy in ("", "-legacy") for what in ("", "-save", "-restore")
)


@uncollected
def run(argv: list[str], state: RuleState, stdin: str = "", date: str = "Thu Jan  1 00:00:00 1970") -> Result:
    """Run one command on a machine's rules. argv[0] is one of NAMES; `date` is what -save writes into its comments.

    What fails changes nothing; err and status are the real tool's.
    """
    name = argv[0].rsplit("/", 1)[-1].replace("-legacy", "")
    family = "ip6" if name.startswith("ip6") else "ip"
    if name.endswith("-save"):
        return save.save(argv, family, name, state, date)
    if name.endswith("-restore"):
        return save.restore(argv, family, name, state, stdin)
    return _iptables(argv, family, name, state)


def _iptables(argv: list[str], family: str, program: str, state: RuleState) -> Result:
    source = " ".join(argv[1:])
    reader = CommandReader(words_of(argv[1:]), family, source, sets=state.ipsets, labels=state.label_file())
    try:
        command = reader.read()
        if "h" in command.flags:
            return Result(usage(program))
        if "V" in command.flags:
            return Result(f"{program} {VERSION}\n")
        _need_table(command.table, program)
        return _run(command, state, source, shlex.join(argv), reader.warnings)
    except LanguageError as error:
        err, status = printed(error, program)
        return Result(error.out if isinstance(error, Mistake) else "", reader.warnings + err, status)


def _run(command: Command, state: RuleState, source: str, by: str, warnings: str) -> Result:
    changes = Changes(state, state.ruleset)
    try:
        out = run_command(command, changes, source)
        changes.commit(by)
    except LanguageError:
        open_table(state, family=command.family, name=command.table, by=by)
        raise
    return Result(out, warnings + "".join(changes.remarks))


def _need_table(table: str, program: str) -> None:
    if table not in TABLES:
        message = f"can't initialize {program} table `{table}': Table does not exist (do you need to insmod?)\n"
        raise Mistake(message + f"Perhaps {program} or your kernel needs to be upgraded.", None, "problem", 3)
