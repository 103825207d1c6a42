"""Command lines gone wrong, by seed: words of good lines dropped, doubled, swapped, cut, replaced by words of others or by odd ones."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from random import Random

KERNEL = Path(__file__).parent.parent / "kernel"
ODD = (
    "", "!", "-", "--", "-1", "0", "1", "65536", "4294967295", "4294967296", "99999999999999999999", "0x", "0x10", "08", "1:2", "2:1", ":",
    "1-2", ",", "a,b", "é", "a b", "'", '"', "\\", "/", "1/2", "1/0", "10.0.0.1", "10.0.0.0/8", "fd00::1", "::/0", "a" * 40, "x\ty", "%s",
    "{", "}", ";", "@ports", "map", "vmap", "meta", "ct", "0-5", ".",
    "tcp", "all", "any", "-j", "-m", "-p", "-A", "-t", "--dport", "--to-source", "src", "dst,src", "ACCEPT", "NIX", "INPUT", "filter",
)  # fmt: skip


def rules_of_nft() -> list[tuple[str, list[str]]]:
    """(family, words of a rule) of the rules that the comparison with nft has."""
    found = []
    for line in (KERNEL.parent / "ruleset" / "nft" / "rules.txt").read_text("utf-8").splitlines():
        families, semicolon, rule = line.partition(" ; ")
        if semicolon and not line.startswith("#") and "very long prefix" not in rule:
            found += [(family, rule.split()) for family in families.split()]
    return found


def sessions(name: str) -> list[list[str]]:
    """The lines of a file of sessions, as words; standard input left out."""
    found = []
    for line in (KERNEL / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            try:
                found.append(shlex.split(line.partition(" <<< ")[0]))
            except ValueError:
                continue
    return found


def mutated(seeds: list[list[str]], random: Random) -> Iterator[list[str]]:
    """Without end: one of the seeds with up to four things done to it; the program's name stays."""
    words = [word for line in seeds for word in line[1:]]
    while True:
        line = list(random.choice(seeds))
        for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3, 4))):
            _spoil(line, words, random)
        yield line


def _spoil(line: list[str], words: list[str], random: Random) -> None:
    at = random.randrange(1, len(line) + 1)
    kind = random.randrange(7)
    if kind == 0 and at < len(line):
        del line[at]
    elif kind == 1:
        line.insert(at, random.choice(words))
    elif kind == 2:
        line.insert(at, random.choice(ODD))
    elif at < len(line) and kind == 3:
        line[at] = random.choice(words if random.random() < 0.6 else ODD)
    elif at < len(line) and kind == 4 and line[at]:
        cut = random.randrange(len(line[at]))
        line[at] = line[at][:cut] + random.choice(("", random.choice("!-,:/.0a é\"'\\"))) + line[at][cut + 1 :]
    elif at < len(line) and kind == 5:
        other = random.randrange(1, len(line))
        line[at], line[other] = line[other], line[at]
    elif at < len(line):
        line[at:at] = ["!"]
