"""From text to tokens, as nft's scanner.l divides it: the longest match wins, and a scoped word is a word only in its place.

A `Lexeme` knows its place as offsets into the text. Whether a scoped word ("state") is a keyword is asked of the parser: only where
its next state has a use for it. In the same way words that ctlab does not simulate are refused where they would begin something.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from sim.ruleset.nft.words import KEYWORDS, NAT_FLAGS, REFUSED_AT, RESERVED, SCOPES, SPELLED


class At(NamedTuple):
    """A stretch of a source text: offsets `start` (included) to `end` (excluded); `source` is its number in Sources."""

    start: int
    end: int
    source: int = 0


class Lexeme(NamedTuple):
    """One token: its `type` in the grammar, the `value` (quotes taken off), and its place."""

    type: str
    value: str
    at: At


_HEX4 = "[0-9a-fA-F]{1,4}"
_IP4 = r"(?:\d{1,3}\.){3}\d{1,3}"
_IP6 = rf"(?:(?:{_HEX4}:){{1,7}}:|::)(?:(?:{_HEX4}:){{0,6}}(?:{_IP4}|{_HEX4}))?|(?:{_HEX4}:){{7}}{_HEX4}"
_MAC = r"(?:[0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}"
_STRING = r"(?:[A-Za-z_]|\.(?=[A-Za-z0-9/\-_.]))[A-Za-z0-9/\-_.]*"
_TIME = r"(?=\d+(?:[dhs]|ms?))(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?"
_TOKEN = re.compile(
    rf"""(?P<blank>(?:[ \t]|\\\n|\#[^\n]*)+)
    |(?P<newline>\n)
    |(?P<address>\[(?:{_IP6})\]|{_IP6}|{_MAC}(?![0-9a-fA-F:])|{_IP4})
    |(?P<classid>[0-9a-fA-F]{{1,4}}:[0-9a-fA-F]{{1,4}}(?=[ \t\n:\-}},]))
    |(?P<quoted>"[^"]*")
    |(?P<starred>{_STRING}(?:\\?\*)|\\\*)
    |(?P<string>{_STRING}|8021ad|8021q)
    |(?P<time>{_TIME})
    |(?P<number>0[xX][0-9a-fA-F]+|0[0-7]*(?!\d)|[1-9]\d*)
    |(?P<digits>\d+)
    |(?P<sign>==|!=|<=|>=|<<|>>|[<>,.:;{{}}\[\]()^&|!/\-*@$=+])
    |(?P<junk>.)""",
    re.VERBOSE,
)
_SIGN = {
    "==": "EQ", "!=": "NEQ", "<=": "LTE", ">=": "GTE", "<<": "LSHIFT", ">>": "RSHIFT", "<": "LT", ">": "GT", ",": "COMMA",
    ".": "DOT", ":": "COLON", ";": "SEMICOLON", "{": "LBRACE", "}": "RBRACE", "[": "LSQUARE", "]": "RSQUARE", "(": "LPAREN",
    ")": "RPAREN", "^": "CARET", "&": "AMPERSAND", "|": "BAR", "!": "NOT", "/": "SLASH", "-": "DASH", "*": "ASTERISK", "@": "AT",
    "$": "DOLLAR", "=": "ASSIGN", "+": "PLUS",
}  # fmt: skip
_SHORT = 17  # a number of so many digits, 0x counted, has room in 64 bits
_LONGEST = 999
_KIND = {"newline": "NEWLINE", "address": "STRING", "classid": "STRING", "time": "STRING", "number": "NUM", "digits": "STRING",
    "starred": "ASTERISKED", "junk": "JUNK"}


class NotSimulated(Exception):
    """A word that nft would take here and ctlab does not simulate; `at` is its place, `word` the word."""

    def __init__(self, word: str, at: At) -> None:
        super().__init__(word)
        self.word, self.at = word, at


def _long(word: str, kind: str) -> str:
    """What a long number is: a string where strtoull has no room for it, and nothing at all where nobody could mean it."""
    if len(word) > _LONGEST:
        return "junk"
    return "digits" if kind == "number" and int(word, 16 if word[:2] in ("0x", "0X") else 10) >> 64 else kind


class Scanner:
    """Reads one text. `next(wanted)` gives the next token; `wanted(type)` says whether the parser could take a token now."""

    def __init__(self, text: str, source: int = 0) -> None:
        self._text, self._at, self._source = text, 0, source
        self._scope = frozenset[str]()

    def next(self, wanted: Callable[[str], bool]) -> Lexeme:
        """The next token; EOF at the end, again and again. Raises NotSimulated."""
        text, start = self._text, self._at
        found = _TOKEN.match(text, start)
        if found is not None and found.lastgroup == "blank":
            start = found.end()
            found = _TOKEN.match(text, start)
        if found is None:
            self._at = start
            return Lexeme("EOF", "", At(start, start, self._source))
        self._at = found.end()
        at = At(start, self._at, self._source)
        word, kind = found.group(), found.lastgroup or "junk"
        if kind == "string":
            return self._word(word, at, wanted)
        if kind == "sign":
            self._refuse(word, at, wanted)
            return Lexeme(_SIGN[word], word, at)
        if kind == "quoted":
            return Lexeme("QUOTED", word[1:-1], at)
        if len(word) > _SHORT and kind in ("number", "digits", "time"):
            kind = _long(word, kind)
        return Lexeme(_KIND[kind], word.strip("[]") if kind == "address" else word, at)

    def _word(self, word: str, at: At, wanted: Callable[[str], bool]) -> Lexeme:
        self._refuse(word, at, wanted)
        if word in SPELLED:
            return Lexeme(SPELLED[word], word, at)
        token = KEYWORDS.get(word)
        self._scope = SCOPES.get(word, self._scope)
        in_scope = word in self._scope and (word in NAT_FLAGS or not wanted("STRING"))
        if token is not None and (word in RESERVED or wanted(token) or in_scope):
            return Lexeme(token, word, at)
        return Lexeme("STRING", word, at)

    @staticmethod
    def _refuse(word: str, at: At, wanted: Callable[[str], bool]) -> None:
        for place in REFUSED_AT.get(word, ()):
            if wanted(place):
                raise NotSimulated(word, at)
