"""iptables-translate, iptables-restore-translate and their kin of IPv6: commands and whole files in nft's words, as 1.8.9 prints them."""

from __future__ import annotations

import re
from dataclasses import replace

from sim.errors import LanguageError
from sim.ruleset.ipset.model import Sets
from sim.ruleset.iptables import chains
from sim.ruleset.iptables.command import Command, verdict_of
from sim.ruleset.iptables.errors import Mistake, printed
from sim.ruleset.iptables.matches import comment_of
from sim.ruleset.iptables.reading import CommandReader
from sim.ruleset.iptables.xlate import rule_words
from sim.ruleset.model import Extension, Part, Rule, Verdict
from sim.ruleset.text import Result, Word, split_words, words_of

NAMES = ("iptables-translate", "ip6tables-translate", "iptables-restore-translate", "ip6tables-restore-translate")
_VERBS = {"A": "add rule", "I": "insert rule"}
_NOT_IMPLEMENTED = "Translation not implemented\n"
_TYPES = {"nat": "nat"}
_PRIORITY = {"raw": -300, "mangle": -150, "filter": 0, "security": 50}


class _Anywhere(frozenset[str]):
    """The chains of a table that nobody has seen: any name may be one."""

    def __contains__(self, name: object) -> bool:
        return True


def run(argv: list[str], sets: Sets, stdin: str = "", date: str = "Thu Jan  1 00:00:00 1970") -> Result:
    """Run one of NAMES."""
    name = argv[0].rsplit("/", 1)[-1]
    family = "ip6" if name.startswith("ip6") else "ip"
    if "restore" in name:
        return _restored(name, family, sets, stdin, date)
    source = " ".join(argv[1:])
    try:
        command = CommandReader(words_of(argv[1:]), family, source, sets=sets).read()
        return _answer(_lines(command, family, source), quoted=True)
    except LanguageError as error:
        err, status = printed(error, name)
        return Result("", err.replace("(legacy)", "(nf_tables)"), status)


def _answer(lines: list[str] | None, quoted: bool) -> Result:
    if lines is None:
        return Result("nft ", _NOT_IMPLEMENTED, 1)
    shown = [line if line.startswith("#") or not _is_rule(line) else f"'{line}'" for line in lines] if quoted else lines
    return Result("".join(f"nft {line}\n" for line in shown))


def _is_rule(line: str) -> bool:
    return line.startswith(("add rule", "insert rule", "add set"))


def _lines(command: Command, family: str, source: str, limits: int = 0) -> list[str] | None:
    """The nft commands for one of iptables; None where there are none. `limits`: how many sets of connlimit were made before."""
    table = f"{family} {command.table}"
    if command.letter in _VERBS:
        return _rules(command, family, source, limits)
    place = f"chain {table} {command.chain}" if command.chain else f"table {table}"
    simple = {"F": f"flush {place}", "L": f"list {place}", "N": f"add chain {table} {command.chain}",
              "X": f"delete chain {table} {command.chain}"}  # fmt: skip
    if command.letter == "X" and not command.chain:
        return None
    return [simple[command.letter]] if command.letter in simple else None


def _one_by_one(parts: tuple[Part, ...]) -> list[tuple[Part, ...]]:
    """A state, or the status that SNAT and DNAT are of: with a verdict that ends the packet's way, one rule each says the same."""
    last = parts[-1]
    both = next((part for part in parts if isinstance(part, Extension) and len(_states_of(part)) == 2), None)
    if both is None or not isinstance(last, Verdict) or last.chain:
        return [parts]
    made = []
    for states in _states_of(both):
        options = tuple(option._replace(value=states) if option.name == "ctstate" else option for option in both.options)
        made.append(tuple(replace(both, options=options) if part is both else part for part in parts))
    return made


def _states_of(part: Extension) -> list[str]:
    """What --ctstate asks for: the states, and what is of the status; nothing where it is negated or not there."""
    given = next((option.value.split(",") for option in part.options if option.name == "ctstate" and not option.negated), [])
    translated = [name for name in given if name in ("SNAT", "DNAT")]
    return [",".join(names) for names in ([name for name in given if name not in translated], translated) if names]


def _rules(command: Command, family: str, source: str, limits: int) -> list[str]:
    extensions, _ = command.extensions()
    verdict = _verdict(command)
    comment = next((comment_of(each) for each in reversed(extensions) if each.name == "comment"), "")
    lines: list[str] = []
    for parts in (each for rule in command.rules(verdict, extensions) for each in _one_by_one(rule)):
        found = rule_words(Rule(parts, comment=comment), family, limits)
        if found is None:
            return ["# " + re.sub("(^| )! ", "\\1 ", source) + " "]  # the translator loses every !
        limits += len(found.sets)
        lines += [f"add set {family} {command.table} {each}" for each in found.sets]
        lines.append(f"{_VERBS[command.letter]} {family} {command.table} {command.chain} {found.rule}")
    return lines


def _verdict(command: Command) -> Part | None:
    return verdict_of(command, _Anywhere())


# ---- files -----------------------------------------------------------------------------------------------------------


def _restored(name: str, family: str, sets: Sets, text: str, date: str) -> Result:
    out = [f"# Translated by {name} v1.8.9 on {date}"]
    try:
        out += translated(text, family, sets)
    except LanguageError as error:
        err, status = printed(error, name)
        return Result("\n".join(out) + "\n", err.replace("(legacy)", "(nf_tables)"), status)
    return Result("\n".join([*out, f"# Completed on {date}"]) + "\n")


def translated(text: str, family: str, sets: Sets | None = None, name: str = "rules") -> list[str]:
    """Text in iptables-save's form as nft commands, a line each. Raises LanguageError."""
    table, lines = "", []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#") or line.rstrip() == "COMMIT":
            continue
        if line.startswith("*"):
            table = line[1:].strip()
            lines.append(f"add table {family} {table}")
        elif line.startswith(":"):
            lines += _chain(line, family, table)
        else:
            limits = sum(each.startswith("add set") for each in lines)
            lines += _rule_line(split_words(line, name, number), line, family, table, sets, limits)
    return lines


def _chain(line: str, family: str, table: str) -> list[str]:
    name, _, rest = line[1:].partition(" ")
    hook = next((each for each in chains.new_table(family, table).chains if each.name == name), None) if table in chains.TABLES else None
    if hook is None or hook.hook is None:
        return [f"add chain {family} {table} {name}"]
    kind = "route" if table == "mangle" and name == "OUTPUT" else _TYPES.get(table, "filter")
    policy = rest.split(" ")[0].lower() or "accept"
    head = f"type {kind} hook {hook.hook.name.lower()} priority {hook.priority}; policy {policy};"
    return [f"add chain {family} {table} {name} {{ {head} }}"]


def _rule_line(words: list[Word], line: str, family: str, table: str, sets: Sets | None, limits: int) -> list[str]:
    rest = words[1:] if words and words[0].text.startswith("[") else words
    command = CommandReader(rest, family, line, restore=True, sets=sets).read()
    command.table = table
    found = _lines(command, family, f"-t {table} " + " ".join(word.text for word in rest), limits)
    if found is None:
        raise Mistake(f"command -{command.letter} has no translation", form="problem", status=1)
    return found

