"""`nft list ...`: tables, chains and sets as nft 1.0.6 lays them out. Rules are printed by show.py, sets by sets.py."""

from __future__ import annotations

from collections.abc import Callable

from sim.ruleset.model import Chain, NamedSet, Rule, Ruleset, Table
from sim.ruleset.nft import objects
from sim.ruleset.nft.chains import priority_text
from sim.ruleset.nft.printing import Style
from sim.ruleset.nft.scanner import At, Lexeme
from sim.ruleset.nft.setcommands import nearest_object
from sim.ruleset.nft.setlisting import flowtable, listing
from sim.ruleset.nft.show import rule_text
from sim.ruleset.nft.syntax import Mistake
from sim.ruleset.nft.written import Command
from sim.ruleset.objects import KINDS

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

    def meters(self, command: Command) -> str:
        """list meters [family]"""
        return self._all_sets(command, None)

    def _all_sets(self, command: Command, maps: bool | None) -> str:
        tables = [self._found(command)] if command.place.table is not None else self._tables(command)
        blocks = [(table, [listing(each, self._style) for each in table.sets if _kind(each) == maps]) for table in tables]
        return "".join(self._wrapped(table, found, "", False) for table, found in blocks)

    def objects(self, command: Command) -> str:
        """list counters [family], list ct helpers table name"""
        kind = command.thing.removesuffix("s")
        tables = [self._found(command)] if command.place.table is not None else self._tables(command)
        blocks = [(table, [objects.listing(each, self._style) for each in table.objects if each.kind == kind]) for table in tables]
        return "".join(self._wrapped(table, found, "", False) for table, found in blocks)

    def object(self, command: Command) -> str:
        """list counter table name"""
        table, name = self._found(command), command.place.name
        found = table.named_object(command.thing, name.value) if name else None
        if found is None:
            raise Mistake(_at(name), nearest_object(self._ruleset.of("nft"), name.value if name else "") or ENOENT)
        return self._wrapped(table, [objects.listing(found, self._style)], "", False)

    def set(self, command: Command) -> str:
        """list set table name, list map table name"""
        table, name = self._found(command), command.place.name
        found = table.named_set(name.value) if name else None
        if found is None:
            raise Mistake(_at(name), ENOENT)
        return self.one_set(table, found)

    def one_set(self, table: Table, found: NamedSet) -> str:
        """One set in its table's block."""
        return self._wrapped(table, [listing(found, self._style)], "", False)

    def flowtables(self, command: Command) -> str:
        """list flowtables [family], list flowtable table name"""
        tables = [self._found(command)] if command.place.table is not None else self._tables(command)
        name = command.place.name
        blocks = [(table, [flowtable(each, self._style) for each in table.flowtables if name is None or each[0] == name.value])
                  for table in tables]  # fmt: skip
        return "".join(self._wrapped(table, found, "", False) for table, found in blocks)

    def _tables(self, command: Command) -> list[Table]:
        return [table for table in self._ruleset.of("nft") if command.place.family in ("", table.family)]

    def _found(self, command: Command) -> Table:
        name = command.place.table
        table = self._ruleset.table("nft", command.place.family, name.value if name else "")
        if table is None:
            raise Mistake(_at(name), ENOENT)
        return table

    def _table(self, table: Table) -> str:
        blocks = [objects.listing(each, self._style) for each in table.objects]
        blocks += [listing(each, self._style) for each in table.sets if not each.meter]
        blocks += [flowtable(each, self._style) for each in table.flowtables]
        blocks += [self._chain(chain, table, True) for chain in table.chains]
        return self._wrapped(table, blocks, "\n")

    def _wrapped(self, table: Table, blocks: list[list[str]], between: str, handle: bool = True) -> str:
        number = f" # handle {table.handle}" if self._style.handles and handle and between else ""
        head = [f"\tflags {','.join(table.flags)}\n"] if table.flags else []
        head += [f'\tcomment "{table.comment}"\n'] if table.comment else []
        comment = "".join([*head, *(["\n"] if table.flags and blocks else [])]) if between else ""
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


def _kind(found: NamedSet) -> bool | None:
    """None for a meter, else whether it is a map."""
    return None if found.meter else bool(found.data)


def _at(name: Lexeme | None) -> At:
    return name.at if name is not None else At(0, 0)


_LIST: dict[str, Callable[[Listing, Command], str]] = {
    "ruleset": Listing.ruleset, "tables": Listing.tables, "table": Listing.table, "chains": Listing.chains, "chain": Listing.chain,
    **dict.fromkeys(KINDS, Listing.object), **dict.fromkeys((f"{kind}s" for kind in KINDS), Listing.objects),
    "meter": Listing.set, "meters": Listing.meters, "flowtable": Listing.flowtables, "flowtables": Listing.flowtables,
    "sets": Listing.sets, "maps": Listing.maps, "set": Listing.set, "map": Listing.set,
}  # fmt: skip
