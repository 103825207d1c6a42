"""What the reductions of commands do: one method a rule or alias of nft.lark. The finished commands are in `commands`.

`include` is answered by the reader (read.py), which feeds the file's lines in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sim.ruleset.nft.blocks import inside
from sim.ruleset.nft.expressions import Children, number, span
from sim.ruleset.nft.objectblocks import ObjectBlocks
from sim.ruleset.nft.scanner import At, Lexeme, NotSimulated
from sim.ruleset.nft.written import Command, ObjectOf, Place


class Actions(ObjectBlocks):
    """Commands. `include(name, at)` is what `include "name"` does."""

    def __init__(self, include: Callable[[str, At], None]) -> None:
        super().__init__()
        self.commands: list[Command] = []
        self._include = include

    def include(self, c: Children) -> None:
        """include "file" """
        self._include(c[1].value, span(c))

    def input(self, c: Children) -> None:
        """Lines so far."""

    def line(self, c: Children) -> None:
        """One line: a command, when there is one."""
        if len(c) == 2 and isinstance(c[0], Command):
            end = c[0].at.end if c[1].type == "EOF" else c[1].at.end  # nft's place of a command holds its separator
            self.commands.append(replace(c[0], at=c[0].at._replace(end=end)))
        del self.scopes[1:]

    def common_block(self, c: Children) -> None:
        """Variables and includes have acted already."""

    def stmt_separator(self, c: Children) -> Lexeme:
        """A newline or semicolon."""
        separator: Lexeme = c[0]
        return separator

    def refused(self, c: Children) -> None:
        """What begins with this word is not simulated."""
        token = c[-1]
        raise NotSimulated(token.value, token.at)

    def base_cmd(self, c: Children) -> Command:
        """A command without a verb adds."""
        command: Command = c[0]
        return command

    def _verb(self, verb: str, c: Children) -> Command:
        thing, place, body = c[1].thing, c[1].place, c[1].body
        return Command(verb, thing, place, At(c[0].at.start, c[1].at.end, c[0].at.source), body)

    def add(self, c: Children) -> Command:
        """add ..."""
        return self._verb("add", c)

    def create(self, c: Children) -> Command:
        """create ..."""
        return self._verb("create", c)

    def delete(self, c: Children) -> Command:
        """delete ..."""
        return self._verb("delete", c)

    def list_(self, c: Children) -> Command:
        """list ..."""
        return self._verb("list", c)

    def flush(self, c: Children) -> Command:
        """flush ..."""
        return self._verb("flush", c)

    def reset(self, c: Children) -> Command:
        """reset ..."""
        return self._verb("reset", c)

    def get(self, c: Children) -> Command:
        """get element ..."""
        return self._verb("get", c)

    def describe(self, c: Children) -> Command:
        """describe EXPRESSION"""
        return Command("describe", "expression", Place(""), span(c), c[1])

    def insert_rule(self, c: Children) -> Command:
        """insert rule ..."""
        return Command("insert", "rule", c[2], span(_with_places(c)), c[3])

    def replace_rule(self, c: Children) -> Command:
        """replace rule ... handle 5 ..."""
        return Command("replace", "rule", c[2], span(_with_places(c)), c[3])

    def rename_chain(self, c: Children) -> Command:
        """rename chain old new"""
        return Command("rename", "chain", c[2], span(_with_places(c)), c[3])

    def add_table(self, c: Children) -> Command:
        """table name [{ ... }]"""
        if len(c) > 2:
            self.scopes.pop()
        return Command("add", "table", c[1], span(_with_places(c)), c[4] if len(c) > 2 else None)

    def add_chain(self, c: Children) -> Command:
        """chain table name [{ ... }]"""
        if len(c) > 2:
            self.scopes.pop()
        return Command("add", "chain", c[1], span(_with_places(c)), c[4] if len(c) > 2 else None)

    def add_rule(self, c: Children) -> Command:
        """[rule] table chain [position] ..."""
        return Command("add", "rule", c[-2], span(_with_places(c)), c[-1])

    def add_set(self, c: Children) -> Command:
        """set table name { ... }"""
        c[4].at = inside(c[3], c[5])
        return Command("add", "map" if c[4].map else "set", c[1], span(_with_places(c)), c[4])

    def add_map(self, c: Children) -> Command:
        """map table name { ... }"""
        c[4].map = True
        return self.add_set(c)

    def add_ct_helper(self, c: Children) -> Command:
        """ct helper table name { ... }"""
        return Command("add", f"ct {c[1].value}", c[2], span(_with_places(c)), c[5])

    add_ct_timeout = add_ct_expectation = add_ct_helper

    def _add_object(self, c: Children) -> Command:
        body = ObjectOf(c[0].value) if len(c) == 2 else ObjectOf(c[0].value, c[2]) if len(c) == 3 else c[4]
        return Command("add", c[0].value, c[1], span(_with_places(c)), body)

    def add_counter(self, c: Children) -> Command:
        """counter table name [packets 1 bytes 2 | { ... }]"""
        return self._add_object(c)

    add_quota = add_limit = add_counter

    def add_flowtable(self, c: Children) -> Command:
        """flowtable table name { ... }"""
        return Command("add", "flowtable", c[1], span(_with_places(c)), c[4])

    def ct_obj_type(self, c: Children) -> Lexeme:
        """ct helper, ct timeout, ct expectation; also in the plural"""
        return Lexeme("CT", f"ct {c[1].value.removesuffix('s')}", span(c))

    ct_cmd_type = ct_obj_type

    def on_object(self, c: Children) -> Command:
        """counter table name"""
        return self._on(c[0].value, c)

    def on_object_handle(self, c: Children) -> Command:
        """counter table handle 5"""
        return self._by_handle(c[0].value, c)

    def on_objects(self, c: Children) -> Command:
        """counters [family]"""
        return self._on(c[0].value, c)

    def on_objects_of(self, c: Children) -> Command:
        """counters table name; ct helpers table name"""
        return Command("", f"{c[0].value.removesuffix('s')}s", c[2], span(c[:2]))

    def add_elements(self, c: Children) -> Command:
        """element table set { ... }"""
        return Command("add", "elements", c[1], span(_with_places(c)), self.braces(c[2]))

    # -- which thing

    def _on(self, thing: str, c: Children) -> Command:
        place = c[1] if isinstance(c[1], Place) else Place(c[1] or "")
        return Command("", thing, place, span(_with_places(c)))

    def _by_handle(self, thing: str, c: Children) -> Command:
        place = c[1] if isinstance(c[1], Place) else Place(c[1] or "ip")
        place = Place(place.family, place.table, None, ("handle", number(c[3]), c[3].at))
        return Command("", thing, place, span(c))

    def on_table(self, c: Children) -> Command:
        """table name"""
        return self._on("table", c)

    def on_chain(self, c: Children) -> Command:
        """chain table name"""
        return self._on("chain", c)

    def on_rule(self, c: Children) -> Command:
        """rule table chain handle 5"""
        return self._on("rule", c)

    def on_set(self, c: Children) -> Command:
        """set table name"""
        return self._on("set", c)

    def on_map(self, c: Children) -> Command:
        """map table name"""
        return self._on("map", c)

    def on_table_handle(self, c: Children) -> Command:
        """table [family] handle 5"""
        return self._by_handle("table", c)

    def on_chain_handle(self, c: Children) -> Command:
        """chain table handle 5"""
        return self._by_handle("chain", c)

    def on_set_handle(self, c: Children) -> Command:
        """set table handle 5"""
        return self._by_handle("set", c)

    def on_tables(self, c: Children) -> Command:
        """tables [family]"""
        return self._on("tables", c)

    def on_chains(self, c: Children) -> Command:
        """chains [family]"""
        return self._on("chains", c)

    def on_ruleset(self, c: Children) -> Command:
        """ruleset [family]"""
        return self._on("ruleset", c)

    def on_sets(self, c: Children) -> Command:
        """sets [family]"""
        return self._on("sets", c)

    def on_sets_of(self, c: Children) -> Command:
        """sets table name"""
        return Command("", "sets", c[2], span(c[:2]))

    def on_maps_of(self, c: Children) -> Command:
        """maps table name"""
        return Command("", "maps", c[2], span(c[:2]))

    def on_meters(self, c: Children) -> Command:
        """meters [family]"""
        return self._on("meters", c)

    def on_meter(self, c: Children) -> Command:
        """meter table name"""
        return self._on("meter", c)

    def on_flowtable(self, c: Children) -> Command:
        """flowtable table name"""
        return self._on("flowtable", c)

    def on_flowtable_handle(self, c: Children) -> Command:
        """flowtable table handle 5"""
        return self._by_handle("flowtable", c)

    def on_flowtables(self, c: Children) -> Command:
        """flowtables [family]"""
        return self._on("flowtables", c)

    def on_maps(self, c: Children) -> Command:
        """maps [family]"""
        return self._on("maps", c)

    def family_spec(self, c: Children) -> str:
        """ip, when nothing is said"""
        return str(c[0]) if c else "ip"

    def ruleset_spec(self, c: Children) -> str:
        """All families, when nothing is said"""
        return str(c[0]) if c else ""

    def family_spec_explicit(self, c: Children) -> str:
        """ip, ip6, inet; the rest is not simulated"""
        if c[0].type in ("ARP", "BRIDGE", "NETDEV"):
            raise NotSimulated(c[0].value, c[0].at)
        return str(c[0].value)

    def table_spec(self, c: Children) -> Place:
        """[family] table"""
        return Place(c[0], c[1])

    def chain_spec(self, c: Children) -> Place:
        """[family] table chain"""
        return Place(c[0].family, c[0].table, c[1])

    set_spec = chain_spec

    def handle_spec(self, c: Children) -> tuple[str, int, At]:
        """handle 5"""
        return "handle", number(c[1]), c[1].at

    def position_spec(self, c: Children) -> tuple[str, int, At]:
        """position 5"""
        return "position", number(c[1]), span(c)

    def index_spec(self, c: Children) -> tuple[str, int, At]:
        """index 5"""
        return "index", number(c[1]), span(c)

    def rule_position(self, c: Children) -> Place:
        """Where a rule goes."""
        return c[0] if len(c) == 1 else Place(c[0].family, c[0].table, c[0].name, c[1])

    ruleid_spec = rule_position


def _with_places(children: Children) -> Children:
    """Places of things have a place in the text too: that of their last name."""
    flat: Children = []
    for child in children:
        if isinstance(child, Place):
            flat += [part for part in (child.table, child.name) if part is not None]
        else:
            flat.append(child)
    return flat
