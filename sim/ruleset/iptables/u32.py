"""iptables' module u32: numbers read out of the packet. Its little language as libxt_u32.c 1.8.9 reads and prints it."""

from __future__ import annotations

from sim.errors import Span
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Context, Given, Module, Opt, required
from sim.ruleset.model import Extension, Option
from sim.ruleset.parts import Judge

_U32, _MOST = 0xFFFFFFFF, 10
_DIGITS = {8: "01234567", 10: "0123456789", 16: "0123456789abcdefABCDEF"}
Location = tuple[tuple[str, int], ...]
Values = tuple[tuple[int, int], ...]


class _Text:
    """The text and how far it is read."""

    def __init__(self, text: str, span: Span) -> None:
        self.text, self.at, self._span = text, 0, span

    def wrong(self, message: str, here: bool = True) -> Mistake:
        return Mistake(f"u32: at char {self.at}: {message}" if here else f"u32: {message}", self._span)

    def blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t\n\v\f\r":
            self.at += 1

    @property
    def rest(self) -> str:
        return self.text[self.at :]

    def number(self) -> int:
        """strtoul: blanks, a sign, 0x for base 16, 0 for base 8."""
        text = self.rest
        skipped = len(text) - len(text.lstrip(" \t\n\v\f\r"))
        text = text[skipped:]
        sign = text[:1] if text[:1] in ("+", "-") and text[:1] else ""
        body = text[len(sign) :]
        base = 16 if body[:2] in ("0x", "0X") and body[2:3] in tuple(_DIGITS[16]) else 8 if body[:1] == "0" else 10
        start = 2 if base == 16 else 0
        end = start
        while end < len(body) and body[end] in _DIGITS[base]:
            end += 1
        value = int(body[start:end], base) if end > start else -1
        if value < 0 or (sign == "-" and value) or value > _U32:
            raise self.wrong("not a number or out of range")
        self.at += skipped + len(sign) + end
        return value


def parse(text: str, span: Span) -> tuple[tuple[Location, Values], ...]:
    """The tests of `--u32 text`."""
    reader = _Text(text, span)
    tests: list[tuple[Location, Values]] = []
    while True:
        location = _location(reader)
        values, more = _values(reader)
        tests.append((location, values))
        if len(tests) > _MOST:
            raise reader.wrong('too many "&&"s')
        if not more:
            return tuple(tests)


def _location(reader: _Text) -> Location:
    found: list[tuple[str, int]] = []
    operator = ""
    while True:
        reader.blanks()
        if not reader.rest:
            raise reader.wrong("abrupt end of input after location specifier", False)
        if found and reader.rest[0] == "=":
            reader.at += 1
            return tuple(found)
        if found:
            operator = _operator(reader)
        found.append((operator, reader.number()))
        if len(found) > _MOST:
            raise reader.wrong("too many operators")


def _operator(reader: _Text) -> str:
    first = reader.rest[0]
    if first not in "&<>@":
        raise reader.wrong("operator expected")
    reader.at += 1
    if first in "<>":
        if reader.rest[:1] != first:
            raise reader.wrong(f"a second '{first}' was expected")
        reader.at += 1
        first *= 2
    reader.blanks()
    return first


def _values(reader: _Text) -> tuple[Values, bool]:
    """The values behind `=`, and whether `&&` follows."""
    found: list[tuple[int, int]] = []
    while True:
        reader.blanks()
        if not reader.rest and not found:
            raise reader.wrong("test ended with no value specified", False)
        low = high = reader.number()
        reader.blanks()
        if reader.rest.startswith(":"):
            reader.at += 1
            high = reader.number()
        found.append((low, high))
        if len(found) > _MOST:
            raise reader.wrong('too many ","s')
        reader.blanks()
        if not reader.rest:
            return tuple(found), False
        if reader.rest[0] == "&":
            reader.at += 1
            if reader.rest[:1] != "&":
                raise reader.wrong("a second '&' was expected")
            reader.at += 1
            return tuple(found), True
        if reader.rest[0] != ",":
            raise reader.wrong('expected "," or "&&"')
        reader.at += 1


def show(tests: tuple[tuple[Location, Values], ...]) -> str:
    """The text as it is printed: everything in hexadecimal."""
    shown = []
    for location, values in tests:
        place = "".join(f"{operator}{number:#x}" for operator, number in location)
        shown.append(place + "=" + ",".join(f"{low:#x}" if low == high else f"{low:#x}:{high:#x}" for low, high in values))
    return "&&".join(shown)


def _read(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    option = required(module, given, "u32")
    tests = parse(option.value, option.span)
    judge = Judge("u32", (("tests", tests), ("negated", option.negated)))
    return module.extension([Option("u32", f'"{show(tests)}"', option.negated)], (judge,))


U32 = Module(
    "u32", (Opt("u32", invert=True),), _read,
    lambda extension, numeric, family: f" u32 {'! ' if extension.options[0].negated else ''}{extension.options[0].value}",
)  # fmt: skip
