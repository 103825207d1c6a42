"""A typed line -> lists of commands: words with quotes, $variables, ; & && || |, ( ), > >> and <. bash's grammar, as far as simulated.

    line     := list ((';' | '&') list)* [';' | '&']
    list     := pipeline (('&&' | '||') pipeline)*
    pipeline := command ('|' command)*
    command  := (NAME=VALUE)* word* with redirections, or '(' line ')'

What bash knows and this shell does not (`$(...)`, here-documents, loops, globs) is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sim.errors import Span, SyntaxMistake, Unsupported

OPERATORS = ("&&", "||", ">>", "2>&1", "2>", "<<", ";;", ";", "|", ">", "<", "&", "(", ")")
_REFUSED = {"<<": "here-documents", "`": "command substitution", "$(": "command substitution"}
_VARIABLE = re.compile(r"\$(?:\{(\w+|[?!])\}|(\w+|[?!$]))")
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
    """One command: its words, where its output goes (`out`, `append`, `errors`) and where its input comes from.

    `inside`: for a subshell the lists between its parentheses; it has no words then. `text`: as it was typed.
    """

    argv: list[str] = field(default_factory=list)
    inside: list[Pipeline] | None = None
    source: str | None = None
    out: str | None = None
    append: bool = False
    errors: str | None = None


@dataclass(slots=True)
class Pipeline:
    """Commands joined by `|`, and what joins it to the one before: "" or ";", "&", "&&", "||".

    `background`: the list that ends here ends with `&`. `text` is how it was typed.
    """

    joint: str
    commands: list[Command]
    background: bool = False
    text: str = ""


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
    reader = _Reader(line, split(line, variables or {}))
    pipelines = reader.line()
    if reader.at < len(reader.tokens):
        raise _unexpected(reader.tokens[reader.at].text)
    return pipelines


class _Reader:
    """Tokens to pipelines, left to right."""

    def __init__(self, line: str, tokens: list[Token]) -> None:
        self.source, self.tokens, self.at = line, tokens, 0

    def _operator(self) -> str:
        """The operator that comes next, or ""."""
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        return token.text if token is not None and token.operator else ""

    def line(self) -> list[Pipeline]:
        """Lists up to the end, or up to the closing parenthesis."""
        found: list[Pipeline] = []
        joint = ""
        while self.at < len(self.tokens) and self._operator() != ")":
            found.append(self._pipeline(joint))
            joint = self._operator()
            if joint not in ("", ")", ";", "&", "&&", "||"):
                raise _unexpected(joint)
            self.at += joint in (";", "&", "&&", "||")
            found[-1].background = joint == "&"
        if joint in ("&&", "||"):
            raise Incomplete if self.at >= len(self.tokens) else _unexpected(")")
        return found

    def _pipeline(self, joint: str) -> Pipeline:
        first = self.at
        commands = [self._command()]
        while self._operator() == "|":
            self.at += 1
            commands.append(self._command())
        end = self.tokens[self.at].start if self.at < len(self.tokens) else len(self.source)
        return Pipeline(joint, commands, text=self.source[self.tokens[first].start : end].strip())

    def _command(self) -> Command:
        command = Command()
        if self._operator() == "(":
            self._subshell(command)
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if not token.operator:
                self._word(command, token)
            elif token.text in (">", ">>", "<", "2>"):
                self._redirect(command, token.text)
            elif token.text == "2>&1":
                command.errors = "&1"
            else:
                break
            self.at += 1
        if command.argv or command.out is not None or command.inside is not None:
            return command
        if self.at >= len(self.tokens):
            raise Incomplete
        raise _unexpected(self.tokens[self.at].text)

    def _subshell(self, command: Command) -> None:
        self.at += 1
        command.inside = self.line()
        if self._operator() != ")":
            raise Incomplete
        if not command.inside:
            raise _unexpected(")")
        self.at += 1

    def _word(self, command: Command, token: Token) -> None:
        if command.inside is not None:
            raise _unexpected(token.text)
        if not command.argv and not token.quoted and token.text in _KEYWORDS:
            span = Span("bash", 1, token.start + 1, len(token.text))
            raise Unsupported(f"{token.text}: right, but not simulated here", span, self.source)
        command.argv.append(token.text)

    def _redirect(self, command: Command, kind: str) -> None:
        self.at += 1
        if self.at >= len(self.tokens):
            raise _unexpected("newline")
        target = self.tokens[self.at]
        if target.operator:
            raise _unexpected(target.text)
        if kind == "<":
            command.source = target.text
        elif kind == "2>":
            command.errors = target.text
        else:
            command.out, command.append = target.text, kind == ">>"


def _unexpected(text: str) -> SyntaxMistake:
    return SyntaxMistake(f"syntax error near unexpected token `{text}'")
