"""A typed line -> lists of commands: words with quotes, $variables, ; && || |, > >> and <. bash's grammar, as far as it is simulated.

    line     := pipeline ((';' | '&&' | '||') pipeline)*
    pipeline := command ('|' command)*
    command  := (NAME=VALUE)* word* with redirections

What bash knows and this shell does not (`&`, `$(...)`, subshells, here-documents, loops, globs) is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sim.errors import Span, SyntaxMistake, Unsupported

OPERATORS = ("&&", "||", ">>", "2>&1", "2>", "<<", ";;", ";", "|", ">", "<", "&", "(", ")")
_REFUSED = {
    "&": "running in the background", "(": "subshells", "<<": "here-documents", "`": "command substitution", "$(": "command substitution",
}  # fmt: skip
_VARIABLE = re.compile(r"\$(?:\{(\w+|\?)\}|(\w+|\?|\$))")
_KEYWORDS = ("if", "for", "while", "until", "case", "function", "select", "{")


class Incomplete(Exception):
    """The line goes on in the next: an open quote, or nothing behind `|` or `&&`."""


class Token(NamedTuple):
    """A word (quotes off) or an operator, and the column it begins at (from 0)."""

    text: str
    operator: bool
    start: int
    quoted: bool = False


@dataclass(slots=True)
class Command:
    """One command: its words, where its output goes (`out`, `append`, `errors_too`) and where its input comes from."""

    argv: list[str] = field(default_factory=list)
    source: str | None = None
    out: str | None = None
    append: bool = False
    errors: str | None = None


@dataclass(slots=True)
class Pipeline:
    """Commands joined by `|`, and what joins it to the one before: "" or ";", "&&", "||"."""

    joint: str
    commands: list[Command]


def split(line: str, variables: Mapping[str, str]) -> list[Token]:
    """The words and operators of a line. Raises Incomplete, Unsupported."""
    tokens: list[Token] = []
    at = 0
    while at < len(line):
        if line[at] in " \t\n":
            at += 1
        elif line[at] == "#":
            at = line.find("\n", at) if "\n" in line[at:] else len(line)
        else:
            operator = next((op for op in OPERATORS if line.startswith(op, at)), None)
            token, at = (Token(operator, True, at), at + len(operator)) if operator else _word(line, at, variables)
            if token.operator and token.text in _REFUSED:
                raise _refused(line, token.start, token.text)
            tokens.append(token)
    return tokens


def _refused(line: str, at: int, what: str) -> Unsupported:
    span = Span("bash", 1, at + 1, len(what))
    return Unsupported(f"{_REFUSED[what]} ({what}): right, but not simulated here", span, line)


def _word(line: str, at: int, variables: Mapping[str, str]) -> tuple[Token, int]:
    start, text, quoted = at, "", False
    while at < len(line) and line[at] not in " \t\n;|&<>()":
        letter = line[at]
        if letter == "\\":
            text, at = text + line[at + 1 : at + 2].replace("\n", ""), at + 2
            if at > len(line):
                raise Incomplete
        elif letter in "'\"":
            end = _closing(line, at)
            inside = line[at + 1 : end]
            text += inside if letter == "'" else _expand(line, at, _unescape(inside), variables)
            at, quoted = end + 1, True
        elif letter == "`":
            raise _refused(line, at, "`")
        elif letter == "$":
            match = _VARIABLE.match(line, at)
            if line.startswith("$(", at):
                raise _refused(line, at, "$(")
            text += variables.get(match[1] or match[2], "") if match else "$"
            at = match.end() if match else at + 1
        else:
            text, at = text + letter, at + 1
    return Token(text, False, start, quoted), at


def _closing(line: str, at: int) -> int:
    """Where the quote that opens at `at` closes; in double quotes a backslash protects."""
    end = at + 1
    while end < len(line) and line[end] != line[at]:
        end += 2 if line[end] == "\\" and line[at] == '"' else 1
    if end >= len(line):
        raise Incomplete
    return end


def _unescape(text: str) -> str:
    return re.sub(r'\\(["\\`\n])', lambda match: "" if match[1] == "\n" else match[1], text)


def _expand(line: str, at: int, text: str, variables: Mapping[str, str]) -> str:
    if "$(" in text or "`" in text:
        raise _refused(line, at, "$(" if "$(" in text else "`")
    return _VARIABLE.sub(lambda match: variables.get(match[1] or match[2], ""), text)


def parse(line: str, variables: Mapping[str, str] | None = None) -> list[Pipeline]:
    """The pipelines of a line. Raises Incomplete, SyntaxMistake (str() is what bash says) and Unsupported."""
    pipelines: list[Pipeline] = []
    joint, command = "", Command()
    commands: list[Command] = []
    tokens = split(line, variables or {})
    for index, token in enumerate(tokens):
        if not token.operator:
            _take_word(line, token, command)
        elif token.text in (">", ">>", "<", "2>"):
            _redirect(tokens, index, command)
        elif token.text == "2>&1":
            command.errors = "&1"
        elif token.text == "|" and command.argv:
            commands, command = [*commands, command], Command()
        elif token.text in (";", "&&", "||") and command.argv:
            pipelines.append(Pipeline(joint, [*commands, command]))
            joint, commands, command = token.text, [], Command()
        else:
            raise _unexpected(token.text)
    if command.argv or command.out is not None:
        pipelines.append(Pipeline(joint, [*commands, command]))
    elif commands or joint in ("&&", "||"):
        raise Incomplete
    return pipelines


def _unexpected(text: str) -> SyntaxMistake:
    return SyntaxMistake(f"syntax error near unexpected token `{text}'")


def _take_word(line: str, token: Token, command: Command) -> None:
    if token.text == "\0":  # the file name of a redirection, taken already
        return
    if not command.argv and not token.quoted and token.text in _KEYWORDS:
        raise Unsupported(
            f"{token.text}: right, but not simulated here", Span("bash", 1, token.start + 1, len(token.text)), line
        )
    command.argv.append(token.text)


def _redirect(tokens: list[Token], index: int, command: Command) -> None:
    if index + 1 >= len(tokens):
        raise _unexpected("newline")
    target = tokens[index + 1]
    if target.operator:
        raise _unexpected(target.text)
    tokens[index + 1] = target._replace(text="\0")
    kind = tokens[index].text
    if kind == "<":
        command.source = target.text
    elif kind == "2>":
        command.errors = target.text
    else:
        command.out, command.append = target.text, kind == ">>"
