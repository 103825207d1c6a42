"""modprobe: kernel modules by name. The parts of netfilter are all there; loading one changes nothing.

On a kernel of today a helper must be assigned by a rule, loaded or not (nf_conntrack_helper is gone since Linux 6.0); so loading its
module is harmless and does not help. Removing one that a rule or an object of nft needs is refused; any other comes back by itself when
it is needed, so that nothing changes. Not in here: the parameters of modules, lsmod.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.apps.options import getopt
from sim.apps.program import Context, Steps
from sim.ruleset.helping import CtHelper, UseTemplate
from sim.ruleset.model import Ruleset
from sim.shell.registry import Command

if TYPE_CHECKING:
    from sim.machine.machine import Machine

RELEASE = "6.18.0"
_HELPERS = "amanda ftp h323 irc netbios_ns pptp sane sip snmp tftp".split()
_NAT_HELPERS = "amanda ftp h323 irc pptp sip snmp_basic tftp".split()
_OF = {"snmp_trap": "snmp"}  # the module of a helper that is not called like it
_TABLES = "filter nat mangle raw security".split()
_MATCHES = "conntrack state CT LOG MASQUERADE helper multiport recent limit hashlimit connlimit connmark mark set tcpudp nat".split()
MODULES = frozenset((
    "nf_conntrack", "nf_nat", "nf_tables", "nf_conntrack_netlink", "nf_defrag_ipv4", "nf_defrag_ipv6", "nfnetlink", "x_tables", "ip_tables",
    "ip6_tables", "ip_set", "nft_ct", "nft_nat", "nft_masq", "nft_redir", "nft_limit", "nft_log", "nft_reject", "nft_fib", "br_netfilter",
    *(f"nf_conntrack_{name}" for name in _HELPERS), *(f"nf_nat_{name}" for name in _NAT_HELPERS), *(f"xt_{name}" for name in _MATCHES),
    *(f"ip{six}table_{name}" for six in ("", "6") for name in _TABLES),
))  # fmt: skip


def modprobe(context: Context) -> Steps:
    """Loads modules, -a several; -r removes."""
    yield from ()
    options = getopt(context.argv, "aqrv", "")
    if options.problem or not options.operands:
        return context.failed(f"modprobe: {options.problem or 'ERROR: missing parameters. See -h.'}", 1)
    words = options.operands if options.has("a") or options.has("r") else options.operands[:1]
    return max([_one(context, word, "remove" if options.has("r") else "insert", options.has("q")) for word in words])


def _one(context: Context, word: str, doing: str, quiet: bool) -> int:
    name = word.replace("-", "_")
    if name not in MODULES:
        problem = f"modprobe: FATAL: Module {word} not found in directory /lib/modules/{RELEASE}"
        return 1 if quiet else context.failed(problem, 1)
    if not context.root:
        return context.failed(f"modprobe: ERROR: could not {doing} '{name}': Operation not permitted", 1)
    if doing == "remove" and name in set(_held(context.machine.ip.rules.ruleset)):
        return context.failed(f"modprobe: FATAL: Module {name} is in use.", 1)
    return 0


def _held(ruleset: Ruleset) -> Iterator[str]:
    """The modules of the helpers that rules name: nf_conntrack_helper_try_module_get holds one for each."""
    for table in ruleset.tables:
        names = [each.helper for each in table.objects if isinstance(each, CtHelper)]
        parts = (part for chain in table.chains for rule in chain.rules for part in rule.flat())
        names += [part.helper for part in parts if isinstance(part, UseTemplate) and part.helper]
        yield from (f"nf_conntrack_{_OF.get(name, name.replace('-', '_'))}" for name in names)


def _names(machine: Machine, before: list[str], word: str) -> list[str]:
    return sorted(MODULES)


COMMANDS = [Command("modprobe", modprobe, "load a kernel module", "modprobe [-r] MODULE", _names)]
