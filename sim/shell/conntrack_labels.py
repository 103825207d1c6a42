"""The names of conntrack's labels: /etc/xtables/connlabel.conf, as libnetfilter_conntrack 1.0.9 reads it.

A line is a number below 1024 and a name of letters, digits, spaces and hyphens; the first line of a number, and of a name, counts.
Entries themselves bear no labels here: in Linux they do only while a rule with `-m connlabel` or `ct label` is there, and these are
refused. So -l finds nothing, and --label-add meets ENOSPC, as on a machine without such a rule.
"""

from __future__ import annotations

import re

from sim.shell.conntrack_values import number

FILE = "/etc/xtables/connlabel.conf"
_LINE = re.compile(r"\s*(0[xX][0-9a-fA-F]+|[0-9]+)(.*)")
_NAME = re.compile(r"[A-Za-z0-9 -]+")


def names(text: str) -> dict[str, int]:
    """name -> bit."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if line.startswith("#") or match is None:
            continue
        digits, name = match[1], match[2].strip(" \f\r\t\v")
        bit = number(digits)
        if bit < 1024 and _NAME.fullmatch(name) and name not in found and bit not in found.values():
            found[name] = bit
    return found
