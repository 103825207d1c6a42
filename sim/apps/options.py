"""Command-line options in getopt's way, for the programs that use it: what each name takes, and getopt's own complaints."""

from __future__ import annotations

from typing import NamedTuple


class Parsed(NamedTuple):
    """`given`: (name, value) in order, flags with value ""; `operands` the rest; `problem` getopt's complaint, "" when all is well."""

    given: list[tuple[str, str]]
    operands: list[str]
    problem: str

    def has(self, name: str) -> bool:
        """Whether the option stands there."""
        return any(option == name for option, _ in self.given)

    def value(self, name: str, default: str = "") -> str:
        """The option's last value."""
        values = [value for option, value in self.given if option == name]
        return values[-1] if values else default


def getopt(argv: list[str], flags: str, valued: str, *, mixed: bool = True) -> Parsed:
    """Single-letter options of `argv[1:]`: `flags` take nothing, `valued` take a value. `mixed`: options may follow operands (GNU)."""
    given: list[tuple[str, str]] = []
    operands: list[str] = []
    words = list(argv[1:])
    while words:
        word = words.pop(0)
        if word == "--":
            return Parsed(given, operands + words, "")
        if len(word) < 2 or word[0] != "-" or (operands and not mixed):
            operands.append(word)
            continue
        problem = _cluster(word[1:], words, flags, valued, given)
        if problem:
            return Parsed(given, operands, problem)
    return Parsed(given, operands, "")


def _cluster(letters: str, words: list[str], flags: str, valued: str, given: list[tuple[str, str]]) -> str:
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in valued:
            if not letters and not words:
                return f"option requires an argument -- '{letter}'"
            given.append((letter, letters or words.pop(0)))
            return ""
        if letter not in flags:
            return f"invalid option -- '{letter}'"
        given.append((letter, ""))
    return ""
