"""What `iptables -h` prints here: shorter than the real one's, and only what is simulated."""

from __future__ import annotations

import textwrap

from sim.ruleset.iptables.matches import MATCHES
from sim.ruleset.iptables.targets import TARGETS

_USAGE = """{program} v1.8.9 (legacy)

Usage: {program} [-t table] -{A|C|D} chain rule
       {program} [-t table] -I chain [number] rule
       {program} [-t table] -R chain number rule
       {program} [-t table] -D chain number
       {program} [-t table] -{L|S} [chain [number]] [-n] [-v] [-x] [--line-numbers]
       {program} [-t table] -{F|Z} [chain]
       {program} [-t table] -{N|X} chain
       {program} [-t table] -E old-name new-name
       {program} [-t table] -P chain ACCEPT|DROP

A rule is any of these, `!' before one turns it round:
  -p protocol   -s address[/mask]   -d address[/mask]   -i interface   -o interface   -f
  -m module ...   -j target|chain   -g chain   -c packets bytes
Modules: {modules}
Targets: ACCEPT DROP RETURN {targets}, or a chain of your own
`man {program}' has the options of each.
"""


def usage(program: str) -> str:
    """The text for iptables or ip6tables, with the modules of its family."""
    family = "ip6" if program.startswith("ip6") else "ip"
    names = [sorted(one.name for one in table.values() if family in one.families) for table in (MATCHES, TARGETS)]
    modules, targets = (textwrap.fill(" ".join(part), 76, subsequent_indent=" " * 9).strip() for part in names)
    return _USAGE.replace("{program}", program).replace("{modules}", modules).replace("{targets}", targets)
