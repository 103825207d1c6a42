"""A draft of the rules: finds the things that commands name, and says what nft and the kernel say when there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from sim.errors import Span
from sim.ruleset.model import Chain, NamedSet, Ruleset, Table
from sim.ruleset.nft.elements import Interfaces
from sim.ruleset.nft.misspell import distance, nearest
from sim.ruleset.nft.refusals import ENOENT, KernelRefused, process
from sim.ruleset.nft.scanner import At, Lexeme, NotSimulated
from sim.ruleset.nft.sets import SetDraft, put
from sim.ruleset.nft.syntax import Mistake
from sim.ruleset.nft.written import Place


class Draft:
    """`ruleset` is the draft. `span_of` turns a place into a Span for the rules' own places; `mistakes` is what was wrong so far."""

    def __init__(self, ruleset: Ruleset, interfaces: Interfaces, span_of: Callable[[At], Span]) -> None:
        self._ruleset = ruleset
        self._open: dict[tuple[str, str], SetDraft] = {}
        self.interfaces, self.span_of = interfaces, span_of
        self.mistakes: list[Mistake | NotSimulated] = []

    @property
    def ruleset(self) -> Ruleset:
        """The draft; what was done to its sets is in it."""
        if self._open:
            self._close_sets()
        return self._ruleset

    @ruleset.setter
    def ruleset(self, ruleset: Ruleset) -> None:
        self._open.clear()
        self._ruleset = ruleset

    def _close_sets(self) -> None:
        for (family, name), draft in self._open.items():
            table = self._ruleset.table("nft", family, name.split("\0")[0])
            if table is not None:
                frozen = draft.frozen()
                self._ruleset = self._ruleset.with_table(put(table, frozen))
        self._open.clear()

    def open_set(self, place: Place, message: str) -> SetDraft:
        """The draft of the set or map that a command is about, kept open for the next one. Raises KernelRefused with `message`."""
        key = (place.family, f"{text_of(place.table)}\0{text_of(place.name)}")
        known = self._open.get(key)
        if known is None:
            known = self._open[key] = SetDraft(self.named(place, message)[1])
        return known

    def named(self, place: Place, message: str) -> tuple[Table, NamedSet]:
        """The set or map, with its table."""
        table = self.found(place, message)
        found = table.named_set(text_of(place.name))
        if found is None:
            raise KernelRefused(place_of(place.name), message)
        return table, found

    def table(self, place: Place) -> Table | None:
        """The table that a command is about, or None."""
        return self.ruleset.table("nft", place.family, text_of(place.table))

    def tables(self, family: str = "") -> list[Table]:
        """nft's tables, of one family or of all."""
        return [table for table in self.ruleset.of("nft") if family in ("", table.family)]

    def found(self, place: Place, message: str, suggest: bool = False) -> Table:
        """The table, or the refusal: `message`, or with `suggest` the kernel's with the nearest name."""
        found = self.table(place)
        if found is None:
            at = place_of(place.table)
            if suggest:
                self._no_table(place, at)
            raise KernelRefused(at, message)
        return found

    def _no_table(self, place: Place, at: At) -> NoReturn:
        tables = self.tables()
        name = nearest(text_of(place.table), [table.name for table in tables])
        if name is None:
            process(at, ENOENT)
        family = next(table.family for table in tables if table.name == name)
        raise KernelRefused(at, f"{ENOENT}; did you mean table ‘{name}’ in family {family}?")

    def no_chain(self, place: Place, at: At) -> NoReturn:
        """ENOENT about something in a chain: nft suggests by the chain's name, whatever is missing."""
        wanted = text_of(place.name)
        known = [(table, chain.name) for table in self.tables() for chain in table.chains if distance(chain.name, wanted)]
        name = nearest(wanted, [name for _, name in known])
        if name is None or name == wanted:
            process(at, ENOENT)
        table = next(table for table, each in known if each == name)
        raise KernelRefused(at, f"{ENOENT}; did you mean chain ‘{name}’ in table {table.family} ‘{table.name}’?")

    def chain(self, place: Place) -> tuple[Table, Chain]:
        """The chain of a rule's command, of delete and rename."""
        table = self.found(place, "", suggest=True)
        chain = table.chain(text_of(place.name))
        if chain is None:
            self.no_chain(place, place_of(place.name))
        return table, chain

    def put(self, table: Table) -> None:
        """Take the changed table into the draft."""
        self.ruleset = self.ruleset.with_table(table)


def text_of(name: Lexeme | None) -> str:
    """A name's text, "" for none."""
    return name.value if name is not None else ""


def place_of(name: Lexeme | None) -> At:
    """Where a name stands."""
    return name.at if name is not None else At(0, 0)
