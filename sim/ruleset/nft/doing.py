"""Statements that change or tell something: `meta mark set`, `ct mark set`, `log`. From what is written to the model's parts."""

from __future__ import annotations

from itertools import pairwise

from sim.ruleset.model import Assign, Log
from sim.ruleset.nft.fields import mask_of
from sim.ruleset.nft.literals import DESCRIPTION
from sim.ruleset.nft.scanner import At, NotSimulated
from sim.ruleset.nft.syntax import Binary, Expression, Field, LogOf, Mistake, Symbol
from sim.ruleset.selectors import SELECTORS, Selector

LEVELS = {"emerg": 0, "alert": 1, "crit": 2, "err": 3, "warn": 4, "notice": 5, "info": 6, "debug": 7}
SOURCES = ("meta mark", "ct mark", "meta random", "meta cpu", "meta length", "tcp sequence", "ct id", "socket mark", "ct zone", "rt mtu")
"""What a mark can be set from, beside numbers that are made (numgen, hashes): what nft holds to be numbers of its width."""
_ALL_LOG_FLAGS = frozenset(("tcp sequence", "tcp options", "ip options", "skuid", "ether"))
_PREFIX_MOST = 127  # NF_LOG_PREFIXLEN - 1


def assignment(row: Selector, value: Expression, statement: At) -> Assign:
    """meta mark set VALUE, meta mark set meta mark & A | B ^ C: all of it is (mark & keep) ^ value."""
    source, keep, flip = _linear(row, value, statement)
    return Assign(row.name, flip, keep, "" if source in ("", row.name) else source)


def _linear(row: Selector, value: Expression, statement: At) -> tuple[str, int, int]:
    every = (1 << row.bits) - 1
    if isinstance(value, Field):
        source = " ".join(value.words)
        if source not in SOURCES:
            raise unfit(row, value, statement)
        return source, every, 0
    if isinstance(value, Symbol):
        return "", 0, mask_of(value, row)
    if not isinstance(value, Binary) or value.op not in ("&", "|", "^"):
        raise NotSimulated("set", value.at)
    source, keep, flip = _linear(row, value.left, statement)
    number = mask_of(value.right, row)
    if value.op == "&":
        return source, keep & number, flip & number
    if value.op == "^":
        return source, keep, flip ^ number
    return source, keep & ~number & every, flip & ~number | number


def source_of(value: Expression) -> Field | None:
    """The field that a mark is set from, if it is one that it can be set from."""
    while isinstance(value, Binary):
        value = value.left
    return value if isinstance(value, Field) and " ".join(value.words) in SOURCES else None


def unfit(row: Selector, value: Field, statement: At) -> Mistake | NotSimulated:
    """Why a field cannot be put into `row`: it is of another type; or it could, and is not simulated."""
    source = SELECTORS.row(" ".join(value.words if value.words[0] != "th" else ("tcp", value.words[1])))
    if source is None or source.type == row.type or (source.type == "integer" and source.bits == row.bits):
        return NotSimulated(value.words[-1], value.at)
    what = f"integer with length {source.bits}" if source.type == "integer" else DESCRIPTION.get(source.type, source.type)
    return Mistake(value.at, f"datatype mismatch: expected {DESCRIPTION[row.type]}, expression has type {what}", statement)


def log_part(log: LogOf) -> Log:
    """A log statement's part. Raises Mistake and NotSimulated."""
    prefix, level, group, snaplen, threshold, flags = "", 4, None, 0, 0, frozenset[str]()
    _in_scope(log)
    for name, value, at in log.arguments:
        match name, value:
            case "prefix", str():
                if len(value.encode()) > _PREFIX_MOST:
                    raise Mistake(log.at, "Could not process rule: Numerical result out of range")
                prefix = value
            case "level", "audit":
                raise NotSimulated("audit", at)
            case "level", str():
                level = LEVELS[value]
            case "group", int():
                group = value & 0xFFFF
            case "snaplen", int():
                snaplen = value
            case "queue-threshold", int():
                threshold = value
            case "flags", tuple():
                flags |= _ALL_LOG_FLAGS if value == ("all",) else frozenset(value)
    if group is not None and flags:
        raise Mistake(log.at, "flags and group are mutually exclusive")
    if group is not None and any(name == "level" for name, _, _ in log.arguments):
        raise Mistake(log.at, "level and group are mutually exclusive")
    prefixed = any(name == "prefix" for name, _, _ in log.arguments)
    return Log(prefix, level, flags, group, snaplen if group is not None else 0, threshold, prefixed)


def _in_scope(log: LogOf) -> None:
    """nft's scanner no longer knows log's words behind `flags tcp ...`: the next one is a symbol to it. Raises Mistake."""
    for before, (name, _, at) in pairwise(log.arguments):
        flags = before[1] if before[0] == "flags" else ()
        if isinstance(flags, tuple) and any(flag.startswith("tcp ") for flag in flags) and name != "flags":
            raise Mistake(At(at.start, at.start + len(name), at.source), "No symbol type information")
