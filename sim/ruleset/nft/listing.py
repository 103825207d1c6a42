"""`nft list ...`: tables, chains and sets as nft 1.0.6 lays them out. Rules are printed by show.py, sets by sets.py."""

from __future__ import annotations

from collections.abc import Callable

from sim.ruleset.helping import helper_object
from sim.ruleset.model import Chain, Rule, Ruleset, Table
from sim.ruleset.nft import helpers, sets
from sim.ruleset.nft.chains import priority_text
from sim.ruleset.nft.misspell import nearest
from sim.ruleset.nft.printing import Style
from sim.ruleset.nft.scanner import At, Lexeme
from sim.ruleset.nft.show import rule_text
from sim.ruleset.nft.syntax import Command, Mistake

Counters = Callable[[Rule, int], tuple[int, int]]
ENOENT = "No such file or directory"


class Listing:
    """Answers list commands about one Ruleset; `counters(rule, which)` are the present numbers."""

    def __init__(self, ruleset: Ruleset, style: Style, counters: Counters) -> None:
        self._ruleset, self._style, self._counters = ruleset, style, counters

    def run(self, command: Command) -> str:
        """What a list command prints. Raises Mistake."""
        return _LIST[command.thing](self, command)

    def ruleset(self, command: Command) -> str:
        """list ruleset [family]"""
        return "".join(self._table(table) for table in self._tables(command))

    def tables(self, command: Command) -> str:
        """list tables [family]"""
        return "".join(f"table {table.family} {table.name}\n" for table in self._tables(command))

    def table(self, command: Command) -> str:
        """list table name"""
        return self._table(self._found(command))

    def chains(self, command: Command) -> str:
        """list chains [family]: without their rules"""
        blocks = [(table, [self._chain(chain, table, False) for chain in table.chains]) for table in self._tables(command)]
        return "".join(self._wrapped(table, found, "") for table, found in blocks)

    def chain(self, command: Command) -> str:
        """list chain table name"""
        table = self._found(command)
        name = command.place.name
        chain = table.chain(name.value) if name else None
        if chain is None:
            raise Mistake(_at(name), ENOENT)
        return self._wrapped(table, [self._chain(chain, table, True)], "", False)

    def sets(self, command: Command) -> str:
        """list sets [family], list sets table name"""
        return self._all_sets(command, False)

    def maps(self, command: Command) -> str:
        """list maps [family]"""
        return self._all_sets(command, True)

    def _all_sets(self, command: Command, maps: bool) -> str:
        tables = [self._found(command)] if command.place.table is not None else self._tables(command)
        blocks = [(table, [sets.listing(each, self._style) for each in table.sets if bool(each.data) == maps]) for table in tables]
        return "".join(self._wrapped(table, found, "", False) for table, found in blocks)

    def ct_helpers(self, command: Command) -> str:
        """list ct helpers table name"""
        table = self._found(command)
        return self._wrapped(table, [helpers.listing(each, self._style) for each in table.helpers], "", False)

    def ct_helper(self, command: Command) -> str:
        """list ct helper table name"""
        table, name = self._found(command), command.place.name
        found = helper_object(table, name.value) if name else None
        if found is None:
            raise Mistake(_at(name), self._no_helper(name.value if name else ""))
        return self._wrapped(table, [helpers.listing(found, self._style)], "", False)

    def _no_helper(self, wanted: str) -> str:
        known = {each.name: table for table in self._ruleset.of("nft") for each in table.helpers}
        close = nearest(wanted, list(known))
        if close is None:
            return ENOENT
        return f"{ENOENT}; did you mean obj ‘{close}’ in table {known[close].family} ‘{known[close].name}’?"

    def set(self, command: Command) -> str:
        """list set table name, list map table name"""
        table, name = self._found(command), command.place.name
        found = table.named_set(name.value) if name else None
        if found is None:
            raise Mistake(_at(name), ENOENT)
        return self._wrapped(table, [sets.listing(found, self._style)], "", False)

    def _tables(self, command: Command) -> list[Table]:
        return [table for table in self._ruleset.of("nft") if command.place.family in ("", table.family)]

    def _found(self, command: Command) -> Table:
        name = command.place.table
        table = self._ruleset.table("nft", command.place.family, name.value if name else "")
        if table is None:
            raise Mistake(_at(name), ENOENT)
        return table

    def _table(self, table: Table) -> str:
        blocks = [helpers.listing(each, self._style) for each in table.helpers]
        blocks += [sets.listing(each, self._style) for each in table.sets]
        blocks += [self._chain(chain, table, True) for chain in table.chains]
        return self._wrapped(table, blocks, "\n")

    def _wrapped(self, table: Table, blocks: list[list[str]], between: str, handle: bool = True) -> str:
        number = f" # handle {table.handle}" if self._style.handles and handle and between else ""
        comment = f'\tcomment "{table.comment}"\n' if table.comment and between else ""
        inner = between.join("\n".join(block) + "\n" for block in blocks)
        return f"table {table.family} {table.name} {{{number}\n{comment}{inner}}}\n"

    def _chain(self, chain: Chain, table: Table, rules: bool) -> list[str]:
        style = self._style
        lines = [f"\tchain {chain.name} {{" + (f" # handle {chain.handle}" if style.handles else "")]
        lines += [f'\t\tcomment "{chain.comment}"'] if chain.comment else []
        if chain.hook is not None:
            priority = str(chain.priority) if style.priority or style.numeric else priority_text(chain)
            lines.append(f"\t\ttype {chain.type} hook {chain.hook.name.lower()} priority {priority}; policy {chain.policy};")
        if rules:
            lines += [self.rule(rule, table) for rule in chain.rules]
        return [*lines, "\t}"]

    def rule(self, rule: Rule, table: Table, indent: str = "\t\t") -> str:
        """One rule's line."""
        text = rule_text(rule, table.family, self._style, lambda which: self._counters(rule, which))
        return indent + text + (f" # handle {rule.handle}" if self._style.handles else "")


def _at(name: Lexeme | None) -> At:
    return name.at if name is not None else At(0, 0)


_LIST: dict[str, Callable[[Listing, Command], str]] = {
    "ruleset": Listing.ruleset, "tables": Listing.tables, "table": Listing.table, "chains": Listing.chains, "chain": Listing.chain,
    "ct helper": Listing.ct_helper, "ct helpers": Listing.ct_helpers,
    "sets": Listing.sets, "maps": Listing.maps, "set": Listing.set, "map": Listing.set,
}  # fmt: skip
