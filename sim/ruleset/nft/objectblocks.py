"""What the reductions of objects' blocks do: counter, quota, limit, ct helper, ct timeout, ct expectation; and flowtables.

One method a rule or alias of nft.lark. A block is an object that its lines fill. What the objects mean: objects.py.
"""

from __future__ import annotations

from typing import Any

from sim.ruleset.nft.blocks import Blocks
from sim.ruleset.nft.expressions import Children, number, span
from sim.ruleset.nft.scanner import Lexeme
from sim.ruleset.nft.syntax import Braces, CounterOf, LimitOf, Mistake, QuotaOf, Symbol
from sim.ruleset.nft.written import CtExpectationOf, CtHelperOf, CtTimeoutOf, FlowtableOf, ObjectOf, TableOf

HELPER_MOST = 16
TCP_STATES = ("syn_sent", "syn_recv", "established", "fin_wait", "close_wait", "last_ack", "time_wait", "close", "syn_sent2", "retrans",
    "unack")  # fmt: skip
TIMEOUT_STATES = {"tcp": TCP_STATES, "udp": ("unreplied", "replied")}


def once(at: Any, there: object) -> None:
    """Raises Mistake for what was written before."""
    if there:
        raise Mistake(at, "You can only specify this once. This statement is duplicated.")


class ObjectBlocks(Blocks):
    """Blocks of objects."""

    # -- counter, quota, limit

    def _object_block(self, kind: str, c: Children) -> ObjectOf:
        block: ObjectOf = c[0] if c else ObjectOf(kind)
        if len(c) == 2 and isinstance(c[1], Lexeme) and c[1].type == "COMMENT":
            once(c[1].at, block.comment)
            block.comment = c[1].value
        elif len(c) == 2 and isinstance(c[1], CounterOf | QuotaOf | LimitOf):
            block.statement = c[1]
        return block

    def counter_block(self, c: Children) -> ObjectOf:
        """Lines of a counter."""
        return self._object_block("counter", c)

    def quota_block(self, c: Children) -> ObjectOf:
        """Lines of a quota."""
        return self._object_block("quota", c)

    def limit_block(self, c: Children) -> ObjectOf:
        """Lines of a limit."""
        return self._object_block("limit", c)

    def counter_config(self, c: Children) -> CounterOf:
        """packets 1 bytes 2"""
        return CounterOf(number(c[1]), number(c[3]), span(c))

    def quota_config(self, c: Children) -> QuotaOf:
        """over 25 mbytes used 3 bytes"""
        return QuotaOf(number(c[1]) * c[2], c[0], c[3], c[1].at)

    def limit_config(self, c: Children) -> LimitOf:
        """rate over 5/second burst 3 packets"""
        per = self.limit_packets if isinstance(c[2][0], int) and c[2].per == "packets" else self.limit_bytes_
        return per([c[0], c[0], c[1], c[2], c[3]])

    # -- ct timeout, ct expectation, ct helper

    def ct_helper_block(self, c: Children) -> CtHelperOf:
        """Lines of a ct helper object."""
        block: CtHelperOf = c[0] if c else CtHelperOf()
        self._commented(block, c)
        return block

    def ct_timeout_block(self, c: Children) -> CtTimeoutOf:
        """Lines of a ct timeout object."""
        block: CtTimeoutOf = c[0] if c else CtTimeoutOf()
        self._commented(block, c)
        return block

    def ct_expect_block(self, c: Children) -> CtExpectationOf:
        """Lines of a ct expectation object."""
        block: CtExpectationOf = c[0] if c else CtExpectationOf()
        self._commented(block, c)
        return block

    @staticmethod
    def _commented(block: CtHelperOf | CtTimeoutOf | CtExpectationOf, c: Children) -> None:
        if len(c) == 2 and isinstance(c[1], Lexeme) and c[1].type == "COMMENT":
            once(c[1].at, block.comment)
            block.comment = c[1].value

    def ct_helper_type(self, c: Children) -> CtHelperOf:
        """type "ftp" protocol tcp"""
        if len(c[2].value) > HELPER_MOST:
            raise Mistake(c[2].at, f"invalid name '{c[2].value}', max length is {HELPER_MOST}\n")
        c[0].type, c[0].protocol = c[2], c[4].value
        block: CtHelperOf = c[0]
        return block

    def ct_helper_family(self, c: Children) -> Any:
        """l3proto ip"""
        c[0].family = c[2]
        return c[0]

    def ct_protocol(self, c: Children) -> Any:
        """protocol tcp"""
        c[0].protocol = c[2].value
        return c[0]

    def ct_timeout_policy(self, c: Children) -> CtTimeoutOf:
        """policy = { established : 120 }"""
        c[0].policy += tuple(c[4])
        block: CtTimeoutOf = c[0]
        return block

    def timeout_states(self, c: Children) -> list[tuple[Lexeme, int]]:
        """The states so far."""
        return [c[0]] if len(c) == 1 else [*c[0], c[2]]

    def timeout_state(self, c: Children) -> tuple[Lexeme, int]:
        """established : 120"""
        return c[0], number(c[2])

    def ct_expect_dport(self, c: Children) -> CtExpectationOf:
        """dport 5060"""
        c[0].dport = number(c[2])
        block: CtExpectationOf = c[0]
        return block

    def ct_expect_timeout(self, c: Children) -> CtExpectationOf:
        """timeout 2m"""
        c[0].timeout = c[2]
        block: CtExpectationOf = c[0]
        return block

    def ct_expect_size(self, c: Children) -> CtExpectationOf:
        """size 12"""
        c[0].size = number(c[2])
        block: CtExpectationOf = c[0]
        return block

    # -- flowtables

    def flowtable_block(self, c: Children) -> FlowtableOf:
        """Lines of a flowtable."""
        return c[0] if c else FlowtableOf()

    def flowtable_hook(self, c: Children) -> FlowtableOf:
        """hook ingress priority 0"""
        if c[2].value != "ingress":
            raise Mistake(c[2].at, "unknown chain hook")
        c[0].hook, c[0].priority = c[2], c[3]
        block: FlowtableOf = c[0]
        return block

    def flowtable_devices_of(self, c: Children) -> FlowtableOf:
        """devices = { eth0, eth1 }"""
        c[0].devices += tuple(c[3])
        block: FlowtableOf = c[0]
        return block

    def flowtable_counter(self, c: Children) -> FlowtableOf:
        """counter"""
        c[0].counter = True
        block: FlowtableOf = c[0]
        return block

    def flowtable_devices(self, c: Children) -> list[Lexeme]:
        """{ eth0, eth1 }, or a variable that holds it"""
        return list(c[1]) if len(c) == 3 else _devices(c[0])

    def flowtable_list(self, c: Children) -> list[Lexeme]:
        """The devices so far."""
        return list(c[0]) if len(c) == 1 else [*c[0], *(c[2] or ())]

    def flowtable_device(self, c: Children) -> list[Lexeme]:
        """One device, or a variable's"""
        return [c[1]] if isinstance(c[1], Lexeme) else _devices(c[1])

    # -- within a table's block

    def _named(self, c: Children, name: Lexeme, block: Any) -> TableOf:
        table: TableOf = c[0]
        (table.flowtables if isinstance(block, FlowtableOf) else table.objects).append((name, block))
        return table

    def block_counter(self, c: Children) -> TableOf:
        """counter name { ... }"""
        return self._named(c, c[2], c[5])

    block_quota = block_limit = block_flowtable = block_counter

    def block_ct_helper(self, c: Children) -> TableOf:
        """ct helper name { ... }"""
        return self._named(c, c[3], c[6])

    block_ct_timeout = block_ct_expectation = block_ct_helper


def _devices(value: Any) -> list[Lexeme]:
    if isinstance(value, Braces):
        return [device for each in value.elements for device in _devices(each.key)]
    if isinstance(value, Symbol):
        return [Lexeme("STRING", value.text, value.at)]
    raise Mistake(value.at, "invalid expression: a flowtable's devices are names")
