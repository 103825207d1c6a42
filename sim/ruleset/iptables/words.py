"""The options of iptables itself, and a reader of command lines that takes words as getopt_long does.

Options may come in any order; `!` and words that belong to nothing come out as plain words; modules add long options while
the line is being read; a long option may be cut short as long as it stays unambiguous.
"""

from __future__ import annotations

from typing import NamedTuple

from sim.errors import Span
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.text import Word

NO_ARG, ARG, OPTIONAL = 0, 1, 2

SHORT = {
    **dict.fromkeys("ACDRINEPpsdjiotmcgM", ARG), **dict.fromkeys("LSFZXhwW", OPTIONAL), **dict.fromkeys("fbvnxV46", NO_ARG),
}  # fmt: skip
LONG = {
    "append": "A", "delete": "D", "check": "C", "insert": "I", "replace": "R", "list": "L", "list-rules": "S", "flush": "F", "zero": "Z",
    "new-chain": "N", "delete-chain": "X", "rename-chain": "E", "policy": "P", "source": "s", "destination": "d", "src": "s", "dst": "d",
    "protocol": "p", "in-interface": "i", "jump": "j", "table": "t", "match": "m", "numeric": "n", "out-interface": "o", "verbose": "v",
    "wait": "w", "wait-interval": "W", "exact": "x", "fragments": "f", "version": "V", "help": "h", "line-numbers": "0", "modprobe": "M",
    "set-counters": "c", "goto": "g", "ipv4": "4", "ipv6": "6",
}  # fmt: skip


class Taken(NamedTuple):
    """One thing read. `key`: an option's letter, "-" for a module's option (number `extra`), or "" for a plain word.

    `typed` is the word that getopt read last: iptables takes addresses, devices, protocol and target from it, so that
    `--source=1.1.1.1` is the host "--source=1.1.1.1" there too.
    """

    key: str
    value: str
    span: Span
    typed: str
    extra: int = -1


class ExtraOption(NamedTuple):
    """A long option that a module added: its name and how many words it takes; `owner` and `main` name what it stands for."""

    name: str
    args: int
    owner: int
    main: str


class Reader:
    """Reads words one option at a time; `extras` may grow meanwhile, what was added later is found first."""

    def __init__(self, words: list[Word], end: Span) -> None:
        self._words = words
        self._at = 0
        self._cluster = ""
        self._end = end
        self.extras: list[ExtraOption] = []

    def next(self) -> Taken | None:
        """The next option or plain word; None at the end. Raises Mistake for unknown options and missing arguments."""
        if self._cluster:
            return self._short(self._words[self._at - 1])
        if self._at >= len(self._words):
            return None
        word = self._words[self._at]
        self._at += 1
        if word.text == "--" and self._at == len(self._words):
            return None
        if word.text == "--":
            raise Mistake("unknown arguments found on commandline", word.span)
        if word.text.startswith("--"):
            return self._long(word)
        if word.text.startswith("-") and len(word.text) > 1:
            self._cluster = word.text[1:]
            return self._short(word)
        return Taken("", word.text, word.span, word.text)

    def peek(self) -> str | None:
        """The next word when it is neither an option nor `!`."""
        if self._cluster or self._at >= len(self._words):
            return None
        text = self._words[self._at].text
        return text if text[:1] not in ("-", "!") else None

    def again(self) -> Word:
        """Step back, so that the word just read comes again; returns it."""
        self._at -= 1
        return self._words[self._at]

    def take(self) -> Word:
        """The next word, whatever it is."""
        if self._at >= len(self._words):
            return Word("", self._end)
        self._at += 1
        return self._words[self._at - 1]

    @property
    def exhausted(self) -> bool:
        """Whether no word is left."""
        return self._at >= len(self._words)

    def _short(self, word: Word) -> Taken:
        letter, self._cluster = self._cluster[0], self._cluster[1:]
        kind = SHORT.get(letter)
        if kind is None:
            raise Mistake(f'unknown option "{word.text}"', word.span)
        if kind == NO_ARG:
            return Taken(letter, "", word.span, f"-{letter}")
        attached, self._cluster = self._cluster, ""
        if attached:
            return Taken(letter, attached, word.span, word.text)
        return self._argument(Taken(letter, "", word.span, f"-{letter}"), kind)

    def _argument(self, taken: Taken, kind: int) -> Taken:
        if kind == OPTIONAL:
            found = self.peek()
            # an empty word is a name too, one that no chain has
            return taken._replace(value=self.take().text or " ") if found is not None else taken
        if self.exhausted:
            raise Mistake(f'option "{taken.typed}" requires an argument', taken.span)
        word = self.take()
        return taken._replace(value=word.text, span=word.span, typed=word.text if taken.key in "psdioj" else taken.typed)

    def _long(self, word: Word) -> Taken:
        name, equals, value = word.text[2:].partition("=")
        found = self._find(name)
        if found is None:
            raise Mistake(f'unknown option "{word.text}"', word.span)
        if isinstance(found, str):
            return self._main(LONG[found], Taken(LONG[found], value, word.span, f"--{name}"), bool(equals))
        taken = Taken("-", value, word.span, f"--{name}", self.extras.index(found))
        return self._argument(taken, ARG) if found.args and not equals else taken

    def _main(self, letter: str, taken: Taken, equals: bool) -> Taken:
        kind = SHORT.get(letter, NO_ARG)
        if kind == NO_ARG:
            return taken
        if equals:
            return taken._replace(typed=f"{taken.typed}={taken.value}")
        return self._argument(taken, kind)

    def _find(self, name: str) -> str | ExtraOption | None:
        """The option that `name` is, or unambiguously starts: one of iptables itself (str) or of a module."""
        extras = self.extras[::-1]
        if name in LONG:
            return name
        for extra in extras:
            if extra.name == name:
                return extra
        near: list[str | ExtraOption] = [long for long in LONG if long.startswith(name)]
        near += [extra for extra in extras if extra.name.startswith(name)]
        meanings = {LONG[each] if isinstance(each, str) else (each.owner, each.main) for each in near}
        return near[0] if len(meanings) == 1 else None
