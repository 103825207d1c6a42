"""What the reductions of blocks do: tables, chains, sets and maps, filled line by line. One method a rule or alias of nft.lark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.ruleset.nft.expressions import Children, number, span
from sim.ruleset.nft.scanner import At, Lexeme, NotSimulated
from sim.ruleset.nft.setwords import SetWords
from sim.ruleset.nft.syntax import Braces, Expression, Joined, Mistake, RuleOf, Symbol
from sim.ruleset.nft.written import ChainOf, SetOf, TableOf

CHAIN_TYPES = ("filter", "nat", "route")
CHAIN_HOOKS = ("prerouting", "input", "forward", "output", "postrouting", "ingress", "egress")


class Blocks(SetWords):
    """Blocks of tables, chains, sets and maps. A block is an object that its lines fill."""

    def table_open(self, c: Children) -> None:
        """A scope begins."""
        self.scopes.append({})

    chain_open = table_open

    def set_open(self, c: Children) -> None:
        """Sets have no scope of their own."""

    map_open = set_open

    def table_block(self, c: Children) -> TableOf:
        """Lines of a table."""
        block: TableOf = c[0] if c else TableOf()
        if len(c) > 2:
            if isinstance(c[1], tuple) and not isinstance(c[1], Lexeme):
                block.flags += c[1]
            else:
                block.comment = c[1].value
        return block

    def table_flags(self, c: Children) -> tuple[str, ...]:
        """flags dormant"""
        if c[1].value not in ("dormant", "owner"):
            raise Mistake(c[1].at, f"unknown table option {c[1].value}")
        if c[1].value == "owner":
            raise NotSimulated(c[1].value, c[1].at)
        return (str(c[1].value),)

    def block_chain(self, c: Children) -> TableOf:
        """chain name { ... }"""
        self.scopes.pop()
        c[0].chains.append((c[2], c[5]))
        block: TableOf = c[0]
        return block

    def block_set(self, c: Children) -> TableOf:
        """set name { ... }"""
        c[5].at = inside(c[4], c[6])
        c[0].sets.append((c[2], c[5]))
        block: TableOf = c[0]
        return block

    def block_map(self, c: Children) -> TableOf:
        """map name { ... }"""
        c[5].map = True
        return self.block_set(c)

    def chain_block(self, c: Children) -> ChainOf:
        """Lines of a chain."""
        block: ChainOf = c[0] if c else ChainOf()
        if len(c) < 3:
            return block
        if isinstance(c[1], RuleOf):
            block.rules.append(c[1])
        elif isinstance(c[1], Lexeme):
            block.comment = c[1].value
        else:
            c[1](block)
        return block

    def hook_spec(self, c: Children) -> Callable[[ChainOf], None]:
        """type filter hook input priority 0"""
        if c[1].value not in CHAIN_TYPES:
            raise Mistake(c[1].at, "unknown chain type")
        if c[3].value not in CHAIN_HOOKS:
            raise Mistake(c[3].at, "unknown chain hook")

        def fill(block: ChainOf) -> None:
            block.type, block.hook, block.hook_at = c[1].value, c[3].value, c[3].at
            block.device_at, block.priority = c[4], c[5]

        return fill

    def dev_spec(self, c: Children) -> At | None:
        """device lo"""
        return span(c) if c else None

    def prio_spec(self, c: Children) -> tuple[str, int, At]:
        """priority filter + 5: (name or "", number, place)"""
        name, value, at = c[1]
        return name, value, At(c[0].at.start, at.end, at.source)

    def extended_prio_spec(self, c: Children) -> tuple[str, int, At]:
        """A name with an offset, or a number, or a variable with one of them."""
        first = c[0]
        if isinstance(first, Lexeme):
            offset = 0 if len(c) == 1 else number(c[2]) if c[1].type == "PLUS" else -number(c[2])
            return first.value, offset, span(c)
        if isinstance(first, Symbol):
            name, value = ("", int(first.text)) if first.kind in ("number", "negative") else (first.text, 0)
            return name, value, first.at
        value, at = first
        return "", value, at

    def int_num(self, c: Children) -> tuple[int, At]:
        """5 or -5"""
        return (number(c[0]) if len(c) == 1 else -number(c[1])), span(c)

    def policy_spec(self, c: Children) -> Callable[[ChainOf], None]:
        """policy drop"""
        at = span(c)

        def fill(block: ChainOf) -> None:
            if block.policy:
                raise Mistake(at, "you cannot set chain policy twice")
            block.policy, block.policy_at = c[1].value, at

        return fill

    def policy_expr(self, c: Children) -> Lexeme:
        """accept or drop, also by a variable"""
        if isinstance(c[0], Lexeme):
            return c[0]
        if isinstance(c[0], Symbol) and c[0].text in ("accept", "drop"):
            return Lexeme("STRING", c[0].text, c[0].at)
        raise Mistake(c[0].at, "invalid policy expression")

    # -- sets and maps

    def set_block(self, c: Children) -> SetOf:
        """Lines of a set; a third child's comment."""
        block: SetOf = c[0] if c else SetOf()
        if len(c) == 3:
            block.comment = c[1].value
        return block

    map_block = set_block

    def set_type(self, c: Children) -> SetOf:
        """type ipv4_addr . inet_service"""
        c[0].types = c[2]
        block: SetOf = c[0]
        return block

    def map_type(self, c: Children) -> SetOf:
        """type ipv4_addr : verdict"""
        c[0].types, (c[0].data_interval, c[0].data) = c[2], c[4]
        block: SetOf = c[0]
        return block

    def map_data(self, c: Children) -> tuple[bool, tuple[Lexeme, ...]]:
        """[interval] types, or the kind of an object"""
        return len(c) > 1, c[-1] if not isinstance(c[-1], Lexeme) else (c[-1],)

    def set_typeof(self, c: Children) -> SetOf:
        """typeof ip saddr . tcp dport"""
        c[0].typeof = c[2]
        block: SetOf = c[0]
        return block

    def map_typeof(self, c: Children) -> SetOf:
        """typeof ip saddr : meta mark"""
        c[0].typeof, (c[0].data_interval, c[0].data_typeof) = c[2], c[4]
        block: SetOf = c[0]
        return block

    def typeof_data(self, c: Children) -> tuple[bool, Expression]:
        """[interval] expression"""
        return len(c) > 1, c[-1]

    def typeof_expr(self, c: Children) -> Expression:
        """The fields so far."""
        if len(c) == 1:
            only: Expression = c[0]
            return only
        left = c[0].items if isinstance(c[0], Joined) else (c[0],)
        return Joined((*left, c[2]), span(c))

    def set_timeout(self, c: Children) -> SetOf:
        """timeout 30s"""
        c[0].timeout = c[2]
        block: SetOf = c[0]
        return block

    def set_gc_interval(self, c: Children) -> SetOf:
        """gc-interval 10s"""
        c[0].gc_interval = c[2]
        block: SetOf = c[0]
        return block

    def set_stateful(self, c: Children) -> SetOf:
        """counter quota 10 mbytes: what each element keeps"""
        c[0].statements += tuple(c[1])
        block: SetOf = c[0]
        return block

    def data_type_expr(self, c: Children) -> Any:
        """The types so far."""
        return (c[0],) if len(c) == 1 else (*c[0], c[2])

    def data_type(self, c: Children) -> Lexeme:
        """A type's name."""
        name: Lexeme = c[0]
        return name

    def set_flags_of(self, c: Children) -> SetOf:
        """flags interval"""
        c[0].flags = tuple(c[2])
        block: SetOf = c[0]
        return block

    def set_flags(self, c: Children) -> list[str]:
        """The flags so far."""
        return [c[0]] if len(c) == 1 else [*c[0], c[2]]

    def set_flag(self, c: Children) -> str:
        """constant, interval, dynamic, timeout"""
        flag: str = c[0].value
        return flag

    def set_elements(self, c: Children) -> SetOf:
        """elements = { ... }"""
        c[0].elements = self.braces(c[3])
        block: SetOf = c[0]
        return block

    def set_auto_merge(self, c: Children) -> SetOf:
        """auto-merge"""
        c[0].auto_merge = True
        block: SetOf = c[0]
        return block

    def set_policy_of(self, c: Children) -> SetOf:
        """policy memory"""
        c[0].policy = c[2]
        block: SetOf = c[0]
        return block

    def set_policy(self, c: Children) -> str:
        """performance or memory"""
        policy: str = c[0].value
        return policy

    def set_size(self, c: Children) -> SetOf:
        """size 100"""
        c[0].size = number(c[2])
        block: SetOf = c[0]
        return block

    @staticmethod
    def braces(value: Any) -> Braces:
        """A set in braces, also by a variable. Raises Mistake."""
        if not isinstance(value, Braces):
            raise Mistake(value.at, "invalid expression: a set's elements stand in braces")
        return value


def inside(opened: Lexeme, closed: Lexeme) -> At:
    """A block's place as nft has it: from its brace to its last line's end."""
    return At(opened.at.start, max(opened.at.end, closed.at.start - 1), opened.at.source)
