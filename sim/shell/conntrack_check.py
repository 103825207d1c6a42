"""Whether conntrack's options go together: which a command takes, and needs (generic_opt_check of conntrack-tools 1.4.7)."""

from __future__ import annotations

from collections.abc import Container

from sim.shell.conntrack_options import Request
from sim.shell.conntrack_values import Complaint
from sim.shell.conntrack_words import BARE, LEGAL, LEGAL_EXPECT, OPTIONS


def check(request: Request) -> None:
    """Which options the command takes (generic_opt_check). Raises Complaint."""
    if "j" in request.given and request.given & {"n", "g"}:
        raise Complaint("cannot specify `--src-nat' or `--dst-nat' with `--any-nat'")
    legal = BARE if request.bare else (LEGAL_EXPECT if request.table == "expect" else LEGAL)[request.command]
    _checked(request.given, [(key, names[0]) for key, (names, _) in OPTIONS.items()], legal)
    if "3" in legal and not request.given >= {"s", "d"} and not request.given >= {"r", "q"}:
        reply = not request.given & {"s", "d"} and request.given & {"r", "q"}
        raise Complaint("you have to specify " + ("`--reply-src' and `--reply-dst'" if reply else "`--src' and `--dst'"))
    kind = request.kind
    if kind is None or request.command == "h":
        return
    own = kind.legal[request.key]
    _checked(request.special.keys(), [(names[0], names[0]) for names in kind.options], own)
    first, second = ({names[0] for names in pair} for pair in (kind.options[:2], kind.options[2:4]))
    if "3" in own and not request.special.keys() >= first and not request.special.keys() >= second:
        raise Complaint(kind.pairs[int(not request.special.keys() & first and bool(request.special.keys() & second))])


def _checked(given: Container[str], options: list[tuple[str, str]], legal: str) -> None:
    for (key, name), letter in zip(options, legal, strict=False):
        if key not in given:
            if letter == "1":
                raise Complaint(f"You need to supply the `--{name}' option for this command")
        elif letter == "0":
            raise Complaint(f"Illegal option `--{name}' with this command")


def check_masks(request: Request) -> None:
    """--mask-src is for --src alone. Raises Complaint."""
    for mask, end in (("src", "s"), ("dst", "d")):
        if {"src": "{", "dst": "}"}[mask] in request.given and end not in request.given:
            raise Complaint(f"Can't use --mask-{mask} without --{mask}")
