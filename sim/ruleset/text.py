"""What the languages' front ends share: the Result of a command, words of a line with their spans, and telling the languages apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from sim.errors import Span


@dataclass(frozen=True, slots=True)
class Result:
    """What a command printed (`out`, `err`) and its exit `status`."""

    out: str = ""
    err: str = ""
    status: int = 0


class Word(NamedTuple):
    """One word of a line, quotes taken off, and where it stands."""

    text: str
    span: Span


_PLAIN_WORD = re.compile(r"[^ \t\n]+")


def split_words(line: str, file: str, number: int) -> list[Word]:
    """The words of an iptables-save line, as add_param_to_argv in iptables 1.8.9 (xshared.c) splits them.

    Double quotes hold blanks together, a backslash inside them takes the next character as it is, and a closing quote
    ends the word. A quote that is not closed takes the rest of the line, its end included.
    """
    if '"' not in line and "\\" not in line:
        return [Word(found[0], Span(file, number, found.start() + 1, len(found[0]))) for found in _PLAIN_WORD.finditer(line)]
    words: list[Word] = []
    text, start, quoted = "", 0, False
    at, whole = 0, line + "\n"
    while at < len(whole):
        char = whole[at]
        at += 1
        if quoted and char == "\\":
            text += whole[at : at + 1]
            at += 1
        elif quoted and char != '"':
            text += char
        elif not quoted and char == '"':
            start, quoted = (start if text else at - 1), True
        elif quoted or char in " \t\n":
            if text or quoted:
                words.append(Word(text, Span(file, number, start + 1, at - start - (not quoted))))
            text, quoted = "", False
        else:
            start = start if text else at - 1
            text += char
    return [*words, Word(text, Span(file, number, start + 1, len(line) - start))] if text else words


def words_of(argv: list[str], file: str = "command line") -> list[Word]:
    """Words that a shell has already split, with their places in the line joined by blanks."""
    words, column = [], 1
    for text in argv:
        words.append(Word(text, Span(file, 1, column, max(1, len(text)))))
        column += len(text) + 1
    return words


_NFT_START = re.compile(r"\s*(table|add|create|insert|delete|flush|define|include|list|replace|reset|destroy|#!.*\bnft\b)\b")
_IPTABLES_START = re.compile(r"\s*(\*\w+\s*$|:\S+ |(\[\d+:\d+\] )?-\w |(sudo )?ip6?tables)")


_ENDLESS = re.compile(r"\d{300}")


def endless(text: str) -> bool:
    """Whether there is a number so long that nobody means it; Python would make none of it (4,300 digits) and no float (309)."""
    return _ENDLESS.search(text) is not None


def looks_like(text: str) -> str:
    """ "iptables" or "nft": in which language a file of rules is written. Decided by the first line that says so; nft if none does."""
    for line in text.splitlines():
        if line.startswith("#!") and "nft" in line:
            return "nft"
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if _IPTABLES_START.match(line):
            return "iptables"
        if _NFT_START.match(line):
            return "nft"
    return "nft"
