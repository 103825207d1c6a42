"""What the reductions of `queue`, `tproxy` and `dup` do: one method a rule or alias of nft.lark."""

from __future__ import annotations

from sim.ruleset.nft.expressions import Children, span
from sim.ruleset.nft.scanner import Lexeme
from sim.ruleset.nft.statements import Statements
from sim.ruleset.nft.syntax import CopyOf, Expression, ProxyOf, QueueOf


class HandWords(Statements):
    """Statements that hand packets to somebody else."""

    def queue_stmt(self, c: Children) -> QueueOf:
        """queue [num 3 bypass,fanout], queue [flags bypass] to 1-3"""
        told = c[1] if len(c) == 2 else c[1:]
        numbers = [child for child in told if not isinstance(child, Lexeme | frozenset)]
        flags = frozenset(flag for child in told if isinstance(child, frozenset) for flag in child)
        return QueueOf(numbers[-1] if numbers else None, flags, c[0].at)

    def queue_args(self, c: Children) -> Children:
        """Numbers and flags so far, in any order."""
        return [c[0]] if len(c) == 1 else [*c[0], c[1]]

    def queue_number(self, c: Children) -> Expression:
        """num 3, num 1-3"""
        number: Expression = c[1]
        return number

    def queue_flags(self, c: Children) -> frozenset[str]:
        """bypass, fanout"""
        return frozenset((c[0].value,)) if len(c) == 1 else c[0] | {c[2].value}

    def tproxy_stmt(self, c: Children) -> ProxyOf:
        """tproxy [ip] to 10.0.0.1:80"""
        family = c[1].value if c[1].type in ("IP", "IP6") else ""
        colon = next((place for place, child in enumerate(c) if isinstance(child, Lexeme) and child.type == "COLON"), len(c))
        address = next((child for child in c[:colon] if not isinstance(child, Lexeme)), None)
        return ProxyOf(family, address, c[colon + 1] if colon < len(c) else None, span(c))

    def dup_stmt(self, c: Children) -> CopyOf:
        """dup to 10.0.0.1 device eth0"""
        return CopyOf(c[2], c[4] if len(c) > 3 else None, span(c))
