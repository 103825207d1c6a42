"""Text in nft's language to a Ruleset, in one transaction; for the page's editor, for replay, and for the tool.

`run` gives everything at once (the new Ruleset, what list commands print, the mistakes); `load` gives the Ruleset or raises the
first mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sim.errors import Unsupported
from sim.ruleset.model import Counter, Rule, Ruleset
from sim.ruleset.nft.describe import describe
from sim.ruleset.nft.elements import Interfaces
from sim.ruleset.nft.json_out import document
from sim.ruleset.nft.json_out import listing as json_listing
from sim.ruleset.nft.listing import Counters, Listing
from sim.ruleset.nft.printing import PLAIN, Style
from sim.ruleset.nft.read import ReadFile, Report, Sources, not_simulated, read
from sim.ruleset.nft.refusals import ENOENT, KernelRefused
from sim.ruleset.nft.scanner import NotSimulated
from sim.ruleset.nft.syntax import Mistake
from sim.ruleset.nft.transaction import Transaction
from sim.ruleset.nft.written import Command

ASKING = ("list", "get", "reset", "describe")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a text did: the `ruleset` afterwards (the old one when there are `reports`), what was listed, and which commands.

    A transaction that the kernel gave up has spent the handles it had given: then they are missing in `ruleset` too.
    """

    ruleset: Ruleset
    out: str
    reports: tuple[Report, ...]
    commands: tuple[Command, ...]


def no_file(name: str) -> str:
    """For texts that may not include anything."""
    raise FileNotFoundError(name)


def as_written(rule: Rule, which: int) -> tuple[int, int]:
    """The numbers that a rule's counters start with."""
    counters = [part for part in rule.flat() if isinstance(part, Counter)]
    return (counters[which].packets, counters[which].bytes) if which < len(counters) else (0, 0)


def run(
    text: str,
    name: str,
    ruleset: Ruleset,
    read_file: ReadFile = no_file,
    interfaces: Interfaces = None,
    style: Style = PLAIN,
    counters: Callable[[Rule, int], tuple[int, int]] = as_written,
) -> Outcome:
    """Read and do a whole text. `interfaces`: name -> index, where it is known which there are."""
    sources = Sources()
    commands, reports = read(text, name, sources, read_file)
    if any(isinstance(report.error, Unsupported) for report in reports):
        return Outcome(ruleset, "", tuple(reports), tuple(commands))
    draft = Transaction(ruleset, interfaces, sources.span)
    printed = _do(commands, draft, style, _present(counters))
    if not draft.mistakes and not draft.valid():  # as the kernel does: once more, and each rule is checked when it comes
        draft = Transaction(ruleset, interfaces, sources.span)
        draft.strict = True
        printed = _do(commands, draft, style, _present(counters))
    told = [(isinstance(stop, KernelRefused), _report(sources, stop)) for stop in draft.mistakes]
    reports += [report for by_kernel, report in told if not by_kernel]
    kernel = [report for by_kernel, report in told if by_kernel]
    after = ruleset if reports else spent(ruleset, draft.ruleset) if kernel else draft.ruleset
    return Outcome(after, "".join(printed), tuple(reports or kernel), tuple(commands))


def _do(commands: list[Command], draft: Transaction, style: Style, counters: Counters) -> list[str]:
    """Apply the commands to the draft; what is printed."""
    printed: list[str] = []
    for command in commands:
        if command.verb not in ASKING:
            draft.apply(command)
            continue
        try:
            printed.append(_answer(command, draft, style, counters))
        except Mistake as stop:
            draft.mistakes.append(stop)
    return printed


def _answer(command: Command, draft: Transaction, style: Style, counters: Counters) -> str:
    """What list, get and reset print; reset then sets to nothing what it listed. Raises Mistake."""
    if command.verb == "describe":
        return describe(command.body)  # type: ignore[arg-type]  # the grammar gives an expression
    if command.verb == "get":
        found = draft.get_elements(command)
        table = draft.found(command.place, ENOENT)
        return Listing(draft.ruleset, style, counters).one_set(table, found)
    text = Listing(draft.ruleset, style, counters).run(command)
    if style.json:
        text = document(json_listing(text, command, draft.ruleset, style))
    if command.verb == "reset":
        draft.reset(command)
    return text


def _report(sources: Sources, stop: Mistake | NotSimulated) -> Report:
    if isinstance(stop, NotSimulated):
        return not_simulated(sources, stop)
    return sources.report(stop.at, stop.message, stop.others)


def spent(ruleset: Ruleset, draft: Ruleset) -> Ruleset:
    """`ruleset` with the handles gone that `draft` has given."""
    for table in ruleset.tables:
        tried = draft.table(*table.key)
        if tried is not None and tried.handles > table.handles:
            ruleset = ruleset.with_table(replace(table, handles=tried.handles))
    return replace(ruleset, handles=max(ruleset.handles, draft.handles))


def _present(counters: Counters) -> Counters:
    """Rules that this text itself adds have no counters at work yet."""
    return lambda rule, which: counters(rule, which) if rule.id else as_written(rule, which)


def load(text: str, name: str = "rules.nft", ruleset: Ruleset | None = None, read_file: ReadFile = no_file) -> Ruleset:
    """The Ruleset that a text makes of `ruleset` (of nothing, unless given). Raises the first mistake as a LanguageError."""
    outcome = run(text, name, ruleset if ruleset is not None else Ruleset(), read_file)
    if outcome.reports:
        raise outcome.reports[0].error
    return outcome.ruleset
