"""The watch: an nft table of our own in the namespace that tells what conntrack said, and the walls around it.

It changes no packet and no mark. Its chains stand where no rule of the caller's comes between:
- right behind conntrack (priority -199) in prerouting and output: the label;
- last of all in input, even behind conntrack's confirm: tells what was delivered and then drops it, so that the firewall's
  own stack never sees a packet and answers nothing. Confirm has the highest priority there is, and among equals the kernel
  puts the younger hook first (nf_hook_entries_grow, net/netfilter/core.c, 6.18): so this chain must exist *before* the first
  rule that makes conntrack start, and must not be made anew;
- first of all in output: drops the kernel's own MLD reports (no user's socket), which routers send when a device comes up;
- last of all in postrouting: tells which packets were made here (no input device), not forwarded.
For the same reason `flush ruleset` must not take it away: `spare` writes such a flush as deletes of every other table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from sim.edges.kernel.nflog import FIRST_IN, FIRST_OUT, MADE_GROUP, SAID, SELF_GROUP

NAME: Final = "ctlab_watch"
LAST: Final = 2**31 - 1
FIRST: Final = -(2**31)
MLD_REPORTS: Final = "{ mld-listener-report, mld-listener-done, mld2-listener-report }"
AFTER_CONNTRACK: Final = -199

_QUOTED_OR_COMMENT: Final = r'"[^"\n]*"|#[^\n]*'
_FLUSH: Final = re.compile(rf"({_QUOTED_OR_COMMENT})|\bflush\s+ruleset\b(?:\s+(ip6?|inet|arp|bridge|netdev)\b)?")
_HIDDEN: Final = re.compile(rf"^table inet {NAME}\b.*?(?:^\}}\n|\n(?=table )|\Z)", re.MULTILINE | re.DOTALL)
_LISTED: Final = re.compile(r"^table (\S+) (\S+)", re.MULTILINE)


def quiet_part() -> str:
    """The chains that come first, before conntrack has started."""
    return f"""table inet {NAME} {{
 chain delivered {{ type filter hook input priority {LAST}; policy accept; log group {SELF_GROUP}; drop; }}
 chain made {{ type filter hook postrouting priority {LAST}; policy accept; iif 0 log group {MADE_GROUP}; }}
 chain chatter {{
  type filter hook output priority {FIRST}; policy accept;
  icmpv6 type {MLD_REPORTS} meta skuid 0-4294967294 accept
  icmpv6 type {MLD_REPORTS} drop
 }}
}}
"""


def label_part(questions: bool) -> str:
    """The chains that tell the label; these start conntrack. Without `questions` they start it and tell nothing."""
    if not questions:
        return f"table inet {NAME} {{\n chain start {{ ct state new; }}\n}}\n"
    sides = (("prerouting", FIRST_IN), ("output", FIRST_OUT))
    return "\n".join(f"table inet {NAME} {{\n{_labels(hook, first)}\n}}" for hook, first in sides) + "\n"


def _labels(hook: str, first: int) -> str:
    groups = {(label, direction): first + number for number, (label, direction) in enumerate(SAID)}
    lines = [f" chain {hook}_{group} {{ log group {group}; }}" for group in groups.values()]
    lines.append(f" chain {hook} {{ type filter hook {hook} priority {AFTER_CONNTRACK}; policy accept;")
    for direction in ("original", "reply"):
        jumps = _jumps(hook, ((label, group) for (label, d), group in groups.items() if d == direction))
        lines.append(f"  ct direction {direction} ct state vmap {{ {jumps} }}")
    lines.append(f"  ct state vmap {{ {_jumps(hook, ((label, g) for (label, d), g in groups.items() if d is None))} }}\n }}")
    return "\n".join(lines)


def _jumps(hook: str, labels: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{label.lower()} : goto {hook}_{group}" for label, group in labels)


def spare(text: str, listed: str) -> str:
    """`text` for nft with each `flush ruleset` as deletes of the tables in `listed` (nft list tables), ours excepted."""
    others = [(family, name) for family, name in _LISTED.findall(listed) if name != NAME]

    def deletes(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        return " ; ".join(f"delete table {family} {name}" for family, name in others if match[2] in (None, family))

    return _FLUSH.sub(deletes, text)


def hide(listing: str) -> str:
    """An nft listing without our table."""
    return _HIDDEN.sub("", listing)
