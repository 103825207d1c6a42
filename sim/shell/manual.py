"""Manual pages for the simulated commands: what each does and which options this lab has, from the parsers' own tables.

A page is a name, a synopsis (the registry's usage) and sections. Written for this lab: they say what is here, not what the real tool
has besides. Not in here: the command that shows them (commands/man.py).
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable

from sim.conntrack.helpers import HELPERS
from sim.conntrack.settings import BOUNDED, READ_ONLY, TIMEOUTS
from sim.ruleset.ipset.model import TYPES
from sim.ruleset.iptables import matches, targets
from sim.ruleset.iptables.module import Module
from sim.ruleset.nft import words as nft_words
from sim.shell.conntrack_words import OPTIONS, SHORT
from sim.shell.registry import Command, commands

WIDTH = 56  # so many columns a terminal beside everything else has
Section = tuple[str, list[str]]
"""A heading and its lines, unwrapped; a line that begins with a blank stays as it is."""

_RULE = [
    "A command says what to do with a chain (-A append, -I insert, -D delete, -R replace, -C check, -L list, -S print, -F flush, -Z zero,"
    " -N new chain, -X delete chain, -E rename, -P policy), then comes the rule: every match must hold, then -j decides.",
    "Without -t the table is filter. `!' before an option turns it round.",
    "",
    "  -p PROTOCOL   -s ADDRESS[/MASK]   -d ADDRESS[/MASK]",
    "  -i DEVICE   -o DEVICE   -f",
    "  -m MODULE OPTIONS…   -j TARGET|CHAIN   -g CHAIN",
    "  -c PACKETS BYTES",
    "Listing: -n numbers, -v counters and devices, -x exact counters, --line-numbers.",
]
_CONNTRACK = (
    "-L lists the entries, -E tells of them as they come, change and go, -G gets one, -D deletes, -U changes, -I makes one, -F empties"
    " the table, -C counts, -S shows statistics, -R reads commands from a file. The table is conntrack, or expect for what helpers expect."
)
_NFT = (
    "list, add, insert, replace, delete, destroy, create, flush, rename, reset of ruleset, table, chain, rule, set, map, element,"
    " counter, quota, limit and ct objects; -f reads a file whole, or changes nothing; monitor tells of changes and traces."
    " `nft --help` lists the options."
)
_KEY = "net.netfilter.nf_conntrack_"
_SUBJECTS = {"iptables": "ip", "ip6tables": "ip6"}


def _wrapped(text: str, indent: str) -> str:
    if not text or text.startswith(" "):
        return text and indent + text.lstrip()
    hanging = indent + " " * 4 if ": " in text[:24] else indent
    kept = text.replace("[!] ", "[!]\0")  # a `!' stays with its option
    lines = textwrap.fill(kept, WIDTH, initial_indent=indent, subsequent_indent=hanging, break_on_hyphens=False, break_long_words=False)
    return lines.replace("\0", " ")


def _module_line(module: Module) -> str:
    options = " ".join(("[!] " if opt.invert else "") + f"--{opt.name}" for opt in module.options)
    wanted = f"  (needs -p {module.protocol})" if module.protocol is not None else ""
    tables = f"  (only in {', '.join(sorted(module.tables))})" if module.tables else ""
    return f"{module.name}: {options or 'no options'}{wanted}{tables}"


def _of_family(modules: dict[str, Module], family: str) -> list[str]:
    return [_module_line(module) for module in sorted(modules.values(), key=lambda one: one.name) if family in module.families]


def _words(names: Iterable[str]) -> str:
    return " ".join(sorted(names))


def _iptables(command: Command) -> list[Section]:
    family = _SUBJECTS.get(command.name.split("-")[0], "ip")
    return [
        ("DESCRIPTION", _RULE),
        ("MATCHES (-m)", _of_family(matches.MATCHES, family)),
        ("TARGETS (-j)", ["ACCEPT, DROP, RETURN, a chain of your own, and:", *_of_family(targets.TARGETS, family)]),
        ("NOT HERE", ["Right, but not simulated:", f"-m: {_words(matches.NOT_SIMULATED)}", f"-j: {_words(targets.NOT_SIMULATED)}"]),
    ]


def _conntrack(command: Command) -> list[Section]:
    spellings = [
        ("" if key not in SHORT else f"-{key}, ") + ", ".join(f"--{name}" for name in names) + (" VALUE" if values else "")
        for key, (names, values) in OPTIONS.items()
    ]
    return [
        ("DESCRIPTION", [_CONNTRACK]),
        ("OPTIONS", [f"  {line}" for line in spellings]),
        ("OUTPUT (-o)", ["extended, id, timestamp, ktimestamp, xml, save"]),
    ]  # fmt: skip


def _nft(command: Command) -> list[Section]:
    missing = sorted(frozenset().union(*nft_words.NOT_SIMULATED.values()))
    return [
        ("DESCRIPTION", [_NFT]),
        ("NOT HERE", [f"Right, but not simulated where they would mean something: {' '.join(missing)}"]),
    ]  # fmt: skip


def _sysctl(command: Command) -> list[Section]:
    bounded = [f"  {_KEY}{name} = {default} ({low} to {high})" for name, (low, high, default) in sorted(BOUNDED.items())]
    times = [f"  {_KEY}{name} = {seconds} s" for name, seconds in sorted(TIMEOUTS.items())]
    return [
        ("DESCRIPTION", ["sysctl KEY reads, sysctl -w KEY=VALUE writes, sysctl -a lists all. Conntrack's settings and their defaults:"]),
        ("TIME-OUTS", times),
        ("LIMITS AND SWITCHES", [*bounded, *(f"  {_KEY}{name} (read only)" for name in READ_ONLY)]),
        ("HELPERS", [f"A helper is given by a rule, -j CT with --helper: {_words({name for name, _ in HELPERS})}."]),
    ]  # fmt: skip


def _ipset(command: Command) -> list[Section]:
    return [("TYPES", [", ".join(sorted(TYPES))])]


_SECTIONS: dict[str, Callable[[Command], list[Section]]] = {
    "iptables": _iptables, "ip6tables": _iptables, "conntrack": _conntrack, "nft": _nft, "sysctl": _sysctl, "ipset": _ipset,
}  # fmt: skip


def subjects() -> list[str]:
    """The commands that have a page: all that `help` lists."""
    return sorted(name for name, command in commands().items() if not command.hidden or name in _SECTIONS)


def page(name: str) -> str | None:
    """The page, whole; None when there is none."""
    command = commands().get(name)
    if command is None or name not in subjects():
        return None
    parts: list[Section] = [("NAME", [f"{name} - {command.summary}"]), ("SYNOPSIS", [command.usage])]
    special = _SECTIONS.get(name)
    parts += special(command) if special is not None else []
    parts.append(("SEE ALSO", ["help lists every command of this lab; what is not simulated is refused by name, never silently ignored."]))
    title = f"{name.upper()}(8)"
    body = "\n\n".join(f"{heading}\n" + "\n".join(_wrapped(line, " " * 4) for line in lines) for heading, lines in parts)
    return f"{title:<18}{'ctlab manual':^20}{title:>18}\n\n{body}\n"
