"""What an editor wants to know of rules while they are typed: every mistake at its place, each rule's sentence, the other language's text.

    study({"iptables": "*filter …", "ip6tables": ""}, "iptables") -> Studied

Nothing is loaded anywhere. iptables-restore stops at its first mistake; here the line is set aside and reading goes on, so that all
are told. Not in here: what a machine's rules are now, and making these its own (machine/ruling.py).
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from sim.conntrack.helpers import HELPERS
from sim.errors import LanguageError, Span, Unsupported, did_you_mean
from sim.netfilter.hooks import Hooks
from sim.ruleset import explain
from sim.ruleset.counterpart import FAMILIES, Missing, Written, as_iptables, as_nft, line_of
from sim.ruleset.evaluate import Effects
from sim.ruleset.generate import check
from sim.ruleset.hints import hint
from sim.ruleset.ipset.model import Sets
from sim.ruleset.iptables import save
from sim.ruleset.model import Ruleset
from sim.ruleset.nft import parse
from sim.ruleset.state import RuleState

MOST_MISTAKES = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake: in which text (iptables, ip6tables, nft), from where, how long, what is wrong, what may have been meant."""

    doc: str
    line: int
    column: int
    length: int
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A rule: where it was typed and belongs, its text as the tool lists it, its sentence, and the lines of the other language for it."""

    doc: str
    line: int
    table: str
    chain: str
    text: str
    sentence: str
    twins: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Studied:
    """`others`: the texts of the other language, None while there are mistakes; `missing`: what they cannot say, by text."""

    mistakes: tuple[Finding, ...]
    rules: tuple[Seen, ...]
    others: Mapping[str, str] | None
    missing: tuple[tuple[str, Missing], ...]


def study(
    texts: Mapping[str, str], source: str, sets: Sets | None = None, interfaces: Mapping[str, int] | None = None
) -> Studied:
    """Study the texts of the language `source` ("iptables": both families; or "nft"). `sets`: the machine's IP sets."""
    if source == "nft":
        return _study_nft(texts.get("nft", ""), interfaces)
    return _study_iptables(texts, sets)


# ---- iptables --------------------------------------------------------------------------------------------------------


def _study_iptables(texts: Mapping[str, str], sets: Sets | None) -> Studied:
    mistakes: list[Finding] = []
    rulesets: dict[str, Ruleset] = {}
    for doc, family in FAMILIES.items():
        rulesets[doc], found = read_iptables(texts.get(doc, ""), doc, family, sets)
        mistakes += found
    written = {doc: as_nft(ruleset) for doc, ruleset in rulesets.items()}
    lines, whole = 0, ""
    rules: list[Seen] = []
    for doc, ruleset in rulesets.items():
        rules += _seen(doc, ruleset, {"nft": written[doc]}, lines)
        lines += len(written[doc].lines)
        whole += written[doc].text
    missing = tuple((doc, each) for doc in written for each in written[doc].missing)
    return Studied(tuple(mistakes), tuple(rules), None if mistakes else {"nft": whole}, missing)


def read_iptables(text: str, doc: str, family: str, sets: Sets | None = None) -> tuple[Ruleset, list[Finding]]:
    """iptables-save text, and every mistake in it; what is mistaken is left out of the Ruleset."""
    lines, found = text.splitlines(), list[Finding]()
    while True:
        ruleset, error = _read(lines, doc, family, sets)
        if error is None:
            return ruleset, found
        finding = _finding(error, doc, text)
        at = finding.line - 1
        if 0 <= at < len(lines) and lines[at].strip() == "COMMIT" and (rule := _refused(lines[:at], doc, family, sets)) is not None:
            at = rule
            finding = replace(finding, line=at + 1, column=1, length=len(lines[at]), hint=finding.hint or _helper(lines[at]))
        found.append(finding)
        if len(found) >= MOST_MISTAKES or not 0 <= at < len(lines) or lines[at].strip() in ("", "COMMIT"):
            return ruleset, found
        lines[at] = ""
        if "COMMIT expected" in error.message:
            return ruleset, found


def _read(lines: Sequence[str], doc: str, family: str, sets: Sets | None) -> tuple[Ruleset, LanguageError | None]:
    """What was read, to the end or to the first mistake."""
    state = RuleState(Hooks(), cast(Effects, None))  # no packet ever comes here
    if sets is not None:
        state.ipsets = sets
    try:
        save.load_text("\n".join(lines) + "\n", family, state, doc)
    except LanguageError as error:
        return state.ruleset, error
    return state.ruleset, None


def _refused(lines: Sequence[str], doc: str, family: str, sets: Sets | None) -> int | None:
    """The first rule (the index of its line) with which the kernel refuses the table that ends here. The tool names its COMMIT alone."""
    begin = max((at for at, line in enumerate(lines) if line.startswith("*")), default=0)
    rules = [at for at, line in enumerate(lines) if at > begin and line.startswith(("-", "["))]

    def is_refused(last: int) -> bool:
        return _read([*lines[begin : rules[last] + 1], "COMMIT"], doc, family, sets)[1] is not None

    first = bisect.bisect_left(range(len(rules)), True, key=is_refused)
    return rules[first] if first < len(rules) else None


def _helper(rule: str) -> str:
    """What may have been meant by a helper that is none."""
    named = re.search(r"--helper[ =](\S+)", rule)
    known = {name for name, _ in HELPERS}
    return did_you_mean(named[1], sorted(known)) if named and named[1] not in known else ""


def _finding(error: LanguageError, doc: str, text: str) -> Finding:
    span = error.span or Span(doc, 1, 1)
    lines = text.splitlines()
    line = lines[span.line - 1] if span.line <= len(lines) else ""
    word = line[span.column - 1 : span.column - 1 + span.length]
    meant = error.hint or ("" if isinstance(error, Unsupported) else hint(word, doc))
    return Finding(doc, span.line, span.column, max(1, span.length), error.message.strip(), meant)


# ---- nft -------------------------------------------------------------------------------------------------------------


def _study_nft(text: str, interfaces: Mapping[str, int] | None) -> Studied:
    outcome = parse.run(text + "\n", "nft", Ruleset(), interfaces=interfaces)
    mistakes = [_finding(report.error, "nft", text) for report in outcome.reports]
    ruleset = outcome.ruleset if not mistakes else _without(text, mistakes)
    try:
        for table in ruleset.tables:
            check(table)
    except LanguageError as error:
        mistakes.append(_finding(error, "nft", text))
    mistakes.sort(key=lambda each: (each.line, each.column))
    written = {doc: as_iptables(ruleset, family) for doc, family in FAMILIES.items()}
    rules = tuple(_seen("nft", ruleset, written, 0))
    others = None if mistakes else {doc: each.text for doc, each in written.items()}
    return Studied(tuple(mistakes), rules, others, _once(written))


def _without(text: str, mistakes: list[Finding]) -> Ruleset:
    """The rules of the lines that are right, so that they can be explained meanwhile; none where that is not to be had."""
    wrong = {each.line for each in mistakes}
    lines = ["" if number in wrong else line for number, line in enumerate(text.splitlines(), 1)]
    return parse.run("\n".join(lines) + "\n", "nft", Ruleset()).ruleset


def _once(written: Mapping[str, Written]) -> tuple[tuple[str, Missing], ...]:
    """What is missing in either family, told once."""
    return tuple({(each.line, each.text): ("nft", each) for one in written.values() for each in one.missing}.values())


def _seen(doc: str, ruleset: Ruleset, written: Mapping[str, Written], shift: int) -> list[Seen]:
    """The rules of a text with their twins; `shift`: how many lines of the other text stand before."""
    twins: dict[int, list[tuple[str, int]]] = {}
    for other, each in written.items():
        for line, came_from in each.came_from.items():
            twins.setdefault(came_from, []).append((other, line + shift))
    found = []
    for table, chain, _, rule in ruleset.rules():
        line, place = line_of(rule), f"{table.family} {table.name}"
        found.append(Seen(doc, line, place, chain.name, rule.text, explain.sentence(rule), tuple(twins.get(line, ()))))
    return found


def as_json(studied: Studied) -> dict[str, Any]:
    """What the page is told."""
    return {
        "mistakes": [_plain(each) for each in studied.mistakes],
        "rules": [_plain(each) | {"twins": [{"doc": doc, "line": line} for doc, line in each.twins]} for each in studied.rules],
        "others": studied.others,
        "missing": [{"doc": doc, "line": each.line, "text": each.text, "why": each.why} for doc, each in studied.missing],
    }


def _plain(value: Finding | Seen) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


