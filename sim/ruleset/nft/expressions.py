"""What the reductions of expressions do: nodes of syntax.py, one method a rule or alias of nft.lark; and the scopes of variables.

Variables are looked up while reading, as in nft: the scopes are the file, a table's block, a chain's block.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sim.ruleset.headers import OPTIONAL
from sim.ruleset.nft.misspell import nearest
from sim.ruleset.nft.scanner import At, Lexeme, NotSimulated
from sim.ruleset.nft.syntax import (
    Binary,
    Braces,
    Element,
    Everything,
    Expression,
    Field,
    HashOf,
    Joined,
    Listed,
    Mistake,
    Numgen,
    PrefixOf,
    RangeOf,
    SetName,
    Symbol,
)

Children = list[Any]
_ALIASES = {"sack0": "sack", "sack-permitted": "sack-perm", "noop": "nop"}
_TCP_OPTIONS = {str(found.number): name for (kind, name), found in reversed(OPTIONAL.items()) if kind == "tcp option"}
BASES = ("ll", "nh", "th", "ih")
_KINDS = {"STRING": "word", "QUOTED": "quoted", "ASTERISKED": "starred"}

DEEPEST, MOST_ELEMENTS = 128, 1 << 20
"""Operators within one another, and elements in one pair of braces: no rule has more, but a file made to break something."""

META_KEYS = tuple(
    """length protocol priority mark iif oif iifname oifname iiftype oiftype skuid skgid nftrace rtclassid secmark nfproto l4proto ibrname
    obrname pkttype cpu iifgroup oifgroup cgroup random ipsec iifkind oifkind ibrpvid ibrvproto time day hour sdif sdifname""".split()
)


def span(children: Children) -> At:
    """From the first child that has a place to the last."""
    first, last = children[0], children[-1]
    if not (hasattr(first, "at") and hasattr(last, "at")):
        placed = [child for child in children if hasattr(child, "at")]
        first, last = placed[0], placed[-1]
    start, _, source = first.at
    return At(start, last.at[1], source)


def symbol(token: Lexeme) -> Symbol:
    return Symbol(token.value, _KINDS.get(token.type, "word"), token.at)


class Expressions:
    """Expressions, and the scopes of variables."""

    def __init__(self) -> None:
        self.scopes: list[dict[str, Expression]] = [{}]

    def _define(self, c: Children) -> None:
        self.scopes[-1][c[1].value] = c[3]

    def define(self, c: Children) -> None:
        """define name = value"""
        if c[1].value in self.scopes[-1]:
            raise Mistake(c[1].at, f"redefinition of symbol '{c[1].value}'")
        self._define(c)

    def redefine(self, c: Children) -> None:
        """redefine name = value"""
        self._define(c)

    def undefine(self, c: Children) -> None:
        """undefine name"""
        if self.scopes[-1].pop(c[1].value, None) is None:
            raise Mistake(c[1].at, f"undefined symbol '{c[1].value}'")

    def lookup(self, name: str, at: At) -> Expression:
        """The innermost variable of that name. Raises Mistake."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        close = nearest(name, [known for scope in reversed(self.scopes) for known in scope])
        hint = f"; did you mean identifier ‘{close}’?" if close else ""
        raise Mistake(at, f"unknown identifier '{name}'{hint}")

    def variable_expr(self, c: Children) -> Expression:
        """$name"""
        return replace(self.lookup(c[1].value, c[1].at), at=span(c))

    def symbol_expr(self, c: Children) -> Expression:
        """A variable or a word."""
        return symbol(c[0]) if isinstance(c[0], Lexeme) else c[0]

    def integer_expr(self, c: Children) -> Symbol:
        """A number; nft reads 0x and leading 0 as C does."""
        return Symbol(str(number(c[0])), "number", c[0].at)

    def keyword_expr(self, c: Children) -> Symbol:
        """A reserved word that stands for a value."""
        return Symbol(c[0].value, "word", c[0].at)

    def protocol_expr(self, c: Children) -> Symbol:
        """A protocol's reserved word."""
        return Symbol(c[0].value, "protocol", c[0].at)

    def boolean_expr(self, c: Children) -> Symbol:
        """exists, missing"""
        return Symbol(c[0].value, "boolean", c[0].at)

    def negative(self, c: Children) -> Symbol:
        """-5 in a define"""
        return Symbol(f"-{number(c[1])}", "negative", span(c))

    def field(self, c: Children) -> Field:
        """tcp dport, ct original ip saddr, mark"""
        words = tuple(word for child in c for word in ([child.value] if isinstance(child, Lexeme) else child))
        if words == ("ipsec",):
            raise NotSimulated("ipsec", c[0].at)
        if words == ("meta", "secpath"):
            words = ("meta", "ipsec")
        if words[0] == "meta" and c[-1].type == "STRING" and words[1] not in META_KEYS:
            raise Mistake(span(c), f"syntax error, unexpected {words[1]}, known keys are {', '.join(META_KEYS)}")
        return Field(words if len(words) > 1 else ("meta", *words), span(c))

    def fib(self, c: Children) -> Field:
        """fib saddr . iif oif; its flags in nft's order"""
        names = [name for name in ("saddr", "daddr", "mark", "iif", "oif") if name in c[1]]
        if not {"saddr", "daddr"} & set(names):
            raise Mistake(c[1].at, "fib: need either saddr or daddr")
        for pair in (("saddr", "daddr"), ("iif", "oif")):
            if set(pair) <= set(names):
                raise Mistake(c[1].at, f"fib: {pair[0]} and {pair[1]} are mutually exclusive")
        return Field(("fib", " . ".join(names), c[2].value), span(c))

    def fib_tuple(self, c: Children) -> _Words:
        """The flags so far."""
        return _Words((c[0].value,) if len(c) == 1 else (*c[0], c[2].value), span(c))

    def optional(self, c: Children) -> Field:
        """tcp option maxseg size, ip option rr, sctp chunk data tsn"""
        kind, name = f"{c[0].value} {c[1].value}", c[2].value
        found = OPTIONAL.get((kind, name))
        if len(c) > 3 and (found is None or c[3].value not in [field.name for field in found.fields]):
            raise Mistake(c[3].at, f"syntax error, unexpected {c[3].value}")
        return Field(tuple(each.value for each in c), span(c))

    def tcp_option_name(self, c: Children) -> Lexeme:
        """A name, or a number up to 255."""
        if c[0].type == "NUM":
            if number(c[0]) > 255:
                raise Mistake(c[0].at, "value too large")
            name = str(number(c[0]))
            return Lexeme("STRING", _TCP_OPTIONS.get(name, name), c[0].at)
        return _option_name("tcp option", c[0])

    def ip_option_name(self, c: Children) -> Lexeme:
        """lsrr, rr, ssrr, ra"""
        return _option_name("ip option", c[0])

    def chunk_name(self, c: Children) -> Lexeme:
        """data, init ..."""
        return _option_name("sctp chunk", c[0])

    def tcp_option_raw(self, c: Children) -> Field:
        """tcp option @255,8,8"""
        kind, at, size = number(c[3]), number(c[5]), number(c[7])
        if kind > 255:
            raise Mistake(c[3].at, "value too large")
        known = _TCP_OPTIONS.get(str(kind), "")
        for field in OPTIONAL["tcp option", known].fields if known else ():
            if (field.at, field.bits) == (at, size) and field.name != "kind":
                return Field(("tcp", "option", known, field.name), span(c))
        return Field(("tcp", "option", f"@{kind},{at},{size}"), span(c))

    def payload_expr(self, c: Children) -> Field:
        """Bytes by their place."""
        raw: Field = c[0]
        return raw

    def payload_raw(self, c: Children) -> Field:
        """@th,16,16"""
        if c[1].value not in BASES:
            raise Mistake(c[1].at, "unknown raw payload base")
        return Field((f"@{c[1].value},{number(c[3])},{number(c[5])}",), span(c))

    def indexed(self, c: Children) -> Field:
        """srh sid[1]; rt0 addr[1] is the same to nft when it lists"""
        if number(c[3]) != 1:
            raise NotSimulated(c[3].value, c[3].at)
        return Field(("srh", "sid[1]"), span(c))

    def numgen_expr(self, c: Children) -> Numgen:
        """numgen inc mod 2 [offset 5]"""
        return Numgen(c[1].value, number(c[3]), c[4], span(c))

    def jhash(self, c: Children) -> HashOf:
        """jhash FIELDS mod 2 [seed 5] [offset 5]"""
        return HashOf(c[1], number(c[3]), number(c[5]) if len(c) > 5 else None, c[-1], span(c))

    def symhash(self, c: Children) -> HashOf:
        """symhash mod 2 [offset 5]"""
        return HashOf(None, number(c[2]), None, c[3], span(c))

    def offset_opt(self, c: Children) -> int:
        """offset 5"""
        return number(c[1]) if c else 0

    def ct_key_proto_field(self, c: Children) -> tuple[str, ...]:
        """ip saddr behind ct original"""
        return _Words((c[0].value, c[1].value), span(c))

    def binary(self, c: Children) -> Binary:
        """left op right"""
        op = {"AMPERSAND": "&", "BAR": "|", "CARET": "^", "LSHIFT": "<<", "RSHIFT": ">>"}[c[1].type]
        deep = 1 + max(side.deep if isinstance(side, Binary) else 0 for side in (c[0], c[2]))
        if deep > DEEPEST:
            raise Mistake(c[1].at, f"more than {DEEPEST} operators within one another are not simulated here")
        return Binary(op, c[0], c[2], span(c), deep)

    def parens(self, c: Children) -> Expression:
        """( expression )"""
        expression: Expression = c[1]
        return expression

    def concat(self, c: Children) -> Joined:
        """a . b . c"""
        left = c[0].items if isinstance(c[0], Joined) else (c[0],)
        return Joined((*left, c[2]), span(c))

    def prefix(self, c: Children) -> PrefixOf:
        """base/length"""
        return PrefixOf(c[0], number(c[2]), span(c))

    def range_(self, c: Children) -> RangeOf:
        """low-high"""
        return RangeOf(c[0], c[2], span(c))

    def list_rhs_expr(self, c: Children) -> Listed:
        """a,b,c"""
        left = c[0].items if isinstance(c[0], Listed) else (c[0],)
        return Listed((*left, c[2]), span(c))

    list_stmt_expr = list_rhs_expr

    def set_ref_symbol(self, c: Children) -> SetName:
        """@name"""
        return SetName(c[1].value, span(c))

    def set_expr(self, c: Children) -> Braces:
        """{ elements }"""
        return Braces(tuple(c[1]), span(c))

    def empty_set(self, c: Children) -> Braces:
        """{ } in a define"""
        return Braces((), span(c))

    def set_list_expr(self, c: Children) -> list[Element]:
        """Elements so far; a set within the set gives its own."""
        if len(c) == 1:
            return list(c[0])
        found: list[Element] = c[0]
        more = c[2] or ()
        if len(found) + len(more) > MOST_ELEMENTS:
            raise Mistake(c[1].at, f"a set of more than {MOST_ELEMENTS} elements is not simulated here")
        found.extend(more)
        return found

    def set_list_member(self, c: Children) -> list[Element]:
        """One element, or a whole set in its place."""
        if isinstance(c[1], Braces):
            return list(c[1].elements)
        if len(c) == 5:
            return [replace(c[1], value=c[3], at=span(c[1:4]))]
        return _spread(c[1])

    def catchall(self, c: Children) -> Everything:
        """*"""
        return Everything(c[0].at)

    def opt_newline(self, c: Children) -> None:
        """Nothing."""


class _Words(tuple[str, ...]):
    """Words of a field with their place."""

    at: At

    def __new__(cls, words: tuple[str, ...], at: At) -> _Words:
        made = super().__new__(cls, words)
        made.at = at
        return made


def _option_name(kind: str, token: Lexeme) -> Lexeme:
    name = _ALIASES.get(token.value, token.value)
    if (kind, name) not in OPTIONAL:
        raise Mistake(token.at, "syntax error, unexpected string")
    return Lexeme("STRING", name, token.at)


def _spread(element: Element) -> list[Element]:
    """A variable that holds a set stands for its elements."""
    if isinstance(element.key, Braces) and element.value is None:
        return list(element.key.elements)
    return [element]


def number(token: Lexeme) -> int:
    """A NUM's value, as strtoull with base 0 reads it: 0x16, 026, 22."""
    text = token.value
    if text[:2] in ("0x", "0X"):
        return int(text, 16)
    return int(text, 8) if text.startswith("0") and set(text) <= set("01234567") else int(text)
