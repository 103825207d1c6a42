"""iptables, ip6tables, their -save and -restore (and -legacy names), and nft: the machine's rules, by the tools of sim/ruleset."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from sim.apps.paths import absolute
from sim.apps.program import Context, Interrupted, Steps, clock, read_all
from sim.ruleset.iptables import tool as iptables_tool
from sim.ruleset.iptables.matches import MATCHES
from sim.ruleset.iptables.targets import TARGETS
from sim.ruleset.nft import tool as nft_tool
from sim.ruleset.nft.monitor import Changes, Wanted
from sim.ruleset.nft.monitor import wanted as monitoring
from sim.ruleset.text import Result
from sim.shell import files
from sim.shell.registry import Command

if TYPE_CHECKING:
    from sim.machine.machine import Machine

_HOOK_CHAINS = ["INPUT", "OUTPUT", "FORWARD", "PREROUTING", "POSTROUTING"]
_TABLES = ["filter", "nat", "mangle", "raw", "security"]
_STATES = ["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "ESTABLISHED,RELATED"]


def iptables(context: Context) -> Steps:
    """iptables and its kin, told apart by argv[0]."""
    name = context.argv[0]
    if not context.root:
        return _refuse_iptables(context, name)
    argv, stdin = context.argv, ""
    if "restore" in name:
        path = _restore_file(argv)
        if path is None:
            stdin = yield from read_all(context)
        else:
            try:
                stdin = files.read(context.machine, absolute(path, context.place), root=True)
            except OSError as error:
                return context.failed(f"Can't open {path}: {error.strerror}", 1)
            argv = [word for word in argv if word != path]
    return _answer(context, iptables_tool.run(argv, context.machine.ip.rules, stdin, clock(context.now)))


def _restore_file(argv: list[str]) -> str | None:
    """The file that iptables-restore was told to read; None: standard input."""
    rest = argv[1:]
    while rest:
        word = rest.pop(0)
        if word in ("-T", "--table", "-M", "--modprobe", "-W", "--wait-interval"):
            rest = rest[1:]
        elif not word.startswith("-"):
            return word
    return None


def _refuse_iptables(context: Context, name: str) -> int:
    """Without root: what the lock file says, or the list of tables."""
    if "save" in name:
        table = "ip6_tables_names" if name.startswith("ip6") else "ip_tables_names"
        return context.failed(f"Failed to list table names in /proc/net/{table}: Permission denied", 1)
    return context.failed("Fatal: can't open lock file /run/xtables.lock: Permission denied", 4)


def _monitor(context: Context, asked: Wanted) -> Steps:
    """nft monitor: changes and traced packets, until ^C. Stays in front."""
    rules = context.machine.ip.rules
    told = Changes(asked, rules)

    def changed() -> None:
        context.write(told.lines())

    if asked.trace:
        rules.watchers.append(context.write)
    if asked.thing != "trace":
        rules.on_load.append(changed)
    try:
        yield context.env.event()  # for ever
    except Interrupted as signal:
        if signal.cause not in ("INT", "TERM"):
            raise
    finally:
        if asked.trace:
            rules.watchers.remove(context.write)
        if asked.thing != "trace":
            rules.on_load.remove(changed)
    return 0


def nft(context: Context) -> Steps:
    """nft; `-f -` and `-f FILE` read from standard input or the machine's files."""
    argv = context.argv
    if not context.root:
        return context.failed(
            "Operation not permitted (you must be root)\nnetlink: Error: cache initialization failed: Operation not permitted",
            1,
        )
    asked = monitoring(argv)
    if isinstance(asked, str):
        return context.failed(asked.rstrip("\n"), 1)
    if asked is not None:
        return (yield from _monitor(context, asked))
    stdin = ""
    if "-" in argv or "/dev/stdin" in argv or ("-i" in argv or "--interactive" in argv):
        stdin = yield from read_all(context)

    def read(path: str) -> str:
        return files.read(context.machine, absolute(path, context.place), root=True)

    devices = {name: interface.index for name, interface in context.machine.ip.interfaces.items()}
    return _answer(context, nft_tool.run(argv, context.machine.ip.rules, stdin, read, devices))


def _answer(context: Context, result: Result) -> int:
    if result.out:
        context.write(result.out)
    if result.err:
        context.error(result.err)
    return result.status


# ---- completion ---------------------------------------------------------------------------------------------------


def _complete_iptables(machine: Machine, before: list[str], word: str) -> list[str]:
    last = before[-1] if before else ""
    if last in ("-A", "-I", "-D", "-C", "-R", "-L", "-S", "-F", "-Z", "-P", "-X", "-E", "-g"):
        return _chains(machine, "iptables")
    if last in ("-j", "--jump"):
        return ["ACCEPT", "DROP", "RETURN", *sorted(TARGETS), *_user_chains(machine)]
    table = {
        "-t": _TABLES, "-m": sorted(MATCHES), "-p": ["tcp", "udp", "icmp"],
        "--ctstate": _STATES, "--state": _STATES, "-i": list(machine.ip.interfaces), "-o": list(machine.ip.interfaces),
        "--reject-with": ["icmp-port-unreachable", "icmp-host-prohibited", "icmp-admin-prohibited", "tcp-reset"],
    }  # fmt: skip
    if last in table:
        return table[last]
    if len(before) == 1:
        return ["-A", "-I", "-D", "-L", "-S", "-P", "-F", "-N", "-X", "-Z", "-t", "-h"]
    return [*_OPTIONS, *_module_options(before)]


_OPTIONS = "-p -s -d -i -o -m -j -t -n -v --line-numbers".split()


def _module_options(before: list[str]) -> list[str]:
    """The options of the modules and the target that the line names so far, from the parsers' own tables."""
    named = [word for flag, word in pairwise(before) if flag in ("-m", "-p", "-j")]
    modules = [table[word] for word in named for table in (MATCHES, TARGETS) if word in table]
    return [f"--{option.name}" for module in modules for option in module.options]


def _chains(machine: Machine, language: str) -> list[str]:
    tables = [table for table in machine.ip.rules.ruleset.tables if table.language == language]
    return sorted(
        {chain.name for table in tables for chain in table.chains}
        | set(_HOOK_CHAINS[:3] if language == "iptables" else ())
    )


def _user_chains(machine: Machine) -> list[str]:
    return [name for name in _chains(machine, "iptables") if name not in _HOOK_CHAINS]


def _complete_nft(machine: Machine, before: list[str], word: str) -> list[str]:
    tables = [table for table in machine.ip.rules.ruleset.tables if table.language == "nft"]
    words = [item for item in before[1:] if not item.startswith("-")]
    if not words:
        return ["list", "add", "insert", "delete", "flush", "create", "replace", "rename", "reset", "-a", "-f"]
    if len(words) == 1:
        return {"list": ["ruleset", "tables", "table", "chains", "chain"], "flush": ["ruleset", "table", "chain"]}.get(
            words[0], ["rule", "chain", "table"]
        )
    if len(words) == 2:
        return sorted({table.family for table in tables} | {"ip", "ip6", "inet"})
    if len(words) == 3:
        return sorted({table.name for table in tables if table.family == words[2]})
    if len(words) == 4:
        return sorted({chain.name for table in tables if table.name == words[3] for chain in table.chains})
    return [
        "ct",
        "state",
        "tcp",
        "udp",
        "dport",
        "sport",
        "ip",
        "saddr",
        "daddr",
        "iifname",
        "accept",
        "drop",
        "reject",
        "counter",
        "log",
    ]


_IPTABLES = (
    "iptables -A|-I|-D CHAIN rule… | -L [CHAIN] [-n -v --line-numbers] | -S [CHAIN] | -P CHAIN ACCEPT|DROP | -F [CHAIN]",
    "the iptables rules",
)
_SAVE = ("iptables-save [-c] [-t TABLE]", "print all iptables rules")
_RESTORE = ("iptables-restore [-n] [-c] [--test] < FILE", "load iptables rules, all at once")


def _rows() -> list[Command]:
    rows = []
    for base in ("iptables", "ip6tables"):
        for suffix, (usage, summary) in (("", _IPTABLES), ("-save", _SAVE), ("-restore", _RESTORE)):
            for variant in ("", "-legacy"):
                name = f"{base}{variant}{suffix}"
                text = usage.replace("iptables", name, 1)
                rows.append(
                    Command(
                        name, iptables, summary, text, _complete_iptables, hidden=bool(variant) or base == "ip6tables"
                    )
                )
    return rows


COMMANDS = [
    *_rows(),
    Command(
        "nft", nft, "the nft rules", "nft list ruleset | nft add rule ip filter input … | nft -f FILE", _complete_nft
    ),
]
