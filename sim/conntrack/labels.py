"""The names of conntrack's labels: /etc/xtables/connlabel.conf, as libnetfilter_conntrack 1.0.9 reads it.

A line is a number below 1024 and a name of letters, digits, spaces and hyphens; the first line of a number, and of a name, counts.
An entry has room for labels (128 of them) only if a rule with `-m connlabel` was there when it was made; else --label-add meets
ENOSPC (net/netfilter/nf_conntrack_labels.c, Linux 6.18).
"""

from __future__ import annotations

import re

FILE = "/etc/xtables/connlabel.conf"
_LINE = re.compile(r"\s*(0[xX][0-9a-fA-F]+|[0-9]+)(.*)")
MOST = 128
_NAME = re.compile(r"[A-Za-z0-9 -]+")


def names(text: str) -> dict[str, int]:
    """The file's text -> bit by name."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if line.startswith("#") or match is None:
            continue
        digits, name = match[1], match[2].strip(" \f\r\t\v")
        bit = int(digits, 16 if digits[:2] in ("0x", "0X") else 8 if digits[:1] == "0" else 10)
        if bit < 1024 and _NAME.fullmatch(name) and name not in found and bit not in found.values():
            found[name] = bit
    return found


def bits_of(labels: int, known: dict[str, int]) -> list[str]:
    """The names of an entry's labels; those without one go unsaid."""
    return [name for bit, name in sorted((bit, name) for name, bit in known.items()) if labels >> bit & 1]


def mask_of(wanted: list[str], known: dict[str, int]) -> int:
    """The bits of some names; of those past the 128th nothing is left."""
    return sum(1 << known[name] for name in set(wanted) if known[name] < MOST)
