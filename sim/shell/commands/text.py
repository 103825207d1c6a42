"""cat, echo, ls, tee, grep, head, tail, wc: texts and pipes, in coreutils 9.1's and grep 3.8's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from errno import ENOENT
from typing import TYPE_CHECKING, Any

import simpy

from sim.apps.options import Parsed, getopt
from sim.apps.paths import absolute
from sim.apps.program import Context, Readable, Steps, Text
from sim.shell import files
from sim.shell.patterns import longest_line, too_slow
from sim.shell.registry import Command

if TYPE_CHECKING:
    from sim.machine.machine import Machine

_Lines = Generator[simpy.Event, Any, None]


def _open(context: Context, name: str) -> Readable:
    """A file's lines, standard input for "-". Raises OSError."""
    if name == "-":
        return context.stdin
    return Text(context.env, files.read(context.machine, absolute(name, context.place), context.root))


def _wrong(context: Context, problem: str, status: int = 1) -> int:
    name = context.argv[0]
    return context.failed(f"{name}: {problem}\nTry '{name} --help' for more information.", status)


def _each(
    context: Context, names: list[str], take: Callable[[str, Readable], _Lines], failure: str = "{name}: {error}"
) -> Steps:
    """Let `take` read each file in turn; what cannot be opened is named. Exit status 1 when one could not."""
    status = 0
    for name in names or ["-"]:
        try:
            yield from take(name, _open(context, name))
        except OSError as error:
            status = context.failed(f"{context.argv[0]}: " + failure.format(name=name, error=error.strerror), 1)
    return status


def cat(context: Context) -> Steps:
    """Prints files, or standard input line by line."""
    options = getopt(context.argv, "nu", "")
    if options.problem:
        return _wrong(context, options.problem)
    number = 0

    def take(name: str, source: Readable) -> _Lines:
        nonlocal number
        while (line := (yield source.read())) is not None:
            number += 1
            context.write(f"{number:6}\t{line}\n" if options.has("n") else f"{line}\n")

    return (yield from _each(context, options.operands, take))


def echo(context: Context) -> Steps:
    """Prints its words; -n without the newline."""
    yield from ()
    words = context.argv[1:]
    newline = "\n"
    while words and re.fullmatch("-[neE]+", words[0]):
        newline = "" if "n" in words[0] else newline
        words = words[1:]
    context.write(" ".join(words) + newline)
    return 0


def ls(context: Context) -> Steps:
    """Names in a directory, one a line."""
    yield from ()
    options = getopt(context.argv, "1alhA", "")
    if options.problem:
        return _wrong(context, options.problem, 2)
    if options.has("l"):
        return context.failed("ls: -l: right, but not simulated here", 2)
    status = 0
    for name in options.operands or ["~"]:
        path = absolute(name, context.place)
        if files.is_directory(context.machine, path):
            context.write("".join(f"{entry}\n" for entry in files.listing(context.machine, path)))
        elif path in files.all_paths(context.machine):
            context.write(f"{name}\n")
        else:
            status = context.failed(f"ls: cannot access '{name}': No such file or directory", 2)
    return status


def tee(context: Context) -> Steps:
    """Copies standard input to files and to standard output."""
    options = getopt(context.argv, "a", "")
    if options.problem:
        return _wrong(context, options.problem)
    text = ""
    while (line := (yield context.stdin.read())) is not None:
        text += f"{line}\n"
        context.write(f"{line}\n")
    status = 0
    for name in options.operands:
        try:
            files.write(
                context.machine, absolute(name, context.place), text, context.root, context.user, append=options.has("a")
            )
        except OSError as error:
            status = context.failed(f"tee: {name}: {error.strerror}", 1)
    return status


def grep(context: Context) -> Steps:
    """Lines that match. Exit status: 0 some did, 1 none, 2 trouble."""
    options = getopt(context.argv, "EFGivcnqwohHs", "e")
    patterns = [value for name, value in options.given if name == "e"] or options.operands[:1]
    names = options.operands if options.has("e") else options.operands[1:]
    if options.problem or not patterns:
        usage = "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information."
        return context.failed(f"grep: {options.problem}\n{usage}" if options.problem else usage, 2)
    texts = [_pattern(text, options) for text in patterns]
    try:
        wanted = re.compile("|".join(texts), re.IGNORECASE if options.has("i") else 0)
    except (re.error, OverflowError, RecursionError) as error:
        return context.failed(f"grep: {error}", 2)
    if slow := next(filter(None, map(too_slow, texts)), ""):
        return context.failed(f"grep: {slow} is not simulated here", 2)
    longest = min(map(longest_line, texts))
    found = False

    def take(name: str, source: Readable) -> _Lines:
        nonlocal found
        count = number = 0
        prefix = f"{name}:" if len(names) > 1 else ""
        while (line := (yield source.read())) is not None:
            number += 1
            if len(line) > longest:
                context.error(f"grep: line {number} of {name} is too long for what is simulated of such a pattern\n")
                continue
            if bool(wanted.search(line)) != options.has("v"):
                found, count = True, count + 1
                if not (options.has("c") or options.has("q")):
                    context.write(prefix + (f"{number}:" if options.has("n") else "") + f"{line}\n")
        if options.has("c"):
            context.write(f"{prefix}{count}\n")

    return (yield from _each(context, names, take)) * 2 or int(not found)


def _pattern(text: str, options: Parsed) -> str:
    """A basic regular expression as Python's: there \\| \\+ \\? are operators, and | + ? ( ) { } are themselves."""
    if options.has("F"):
        text = re.escape(text)
    elif not options.has("E"):
        text = re.sub(r"\\?[|+?(){}]", lambda m: m[0][1:] if m[0].startswith("\\") else "\\" + m[0], text)
    return rf"\b(?:{text})\b" if options.has("w") else f"(?:{text})"


def _count_option(context: Context) -> tuple[Parsed, int | None]:
    """(options, lines) for head and tail: -n 5, -n5, -5; None when it is no number."""
    argv = [re.sub(r"^-(\d+)$", r"-n\1", word) for word in context.argv]
    options = getopt(argv, "qvf", "n")
    value = options.value("n", "10").lstrip("+-")
    return options, int(value) if value.isdecimal() else None


def head(context: Context) -> Steps:
    """The first lines."""
    options, count = _count_option(context)
    if options.problem:
        return _wrong(context, options.problem)
    if count is None:
        return context.failed(f"head: invalid number of lines: ‘{options.value('n')}’", 1)
    limit = count

    def take(name: str, source: Readable) -> _Lines:
        for _ in range(limit):
            line = yield source.read()
            if line is None:
                return
            context.write(f"{line}\n")

    return (yield from _each(context, options.operands, take, "cannot open '{name}' for reading: {error}"))


def tail(context: Context) -> Steps:
    """The last lines."""
    options, count = _count_option(context)
    if options.problem:
        return _wrong(context, options.problem)
    if count is None:
        return context.failed(f"tail: invalid number of lines: ‘{options.value('n')}’", 1)
    if options.has("f"):
        return context.failed("tail: -f: right, but not simulated here", 1)
    limit = count

    def take(name: str, source: Readable) -> _Lines:
        lines: list[str] = []
        while (line := (yield source.read())) is not None:
            lines.append(line)
        for line in lines[max(0, len(lines) - limit) :]:
            context.write(f"{line}\n")

    return (yield from _each(context, options.operands, take, "cannot open '{name}' for reading: {error}"))


def less(context: Context) -> Steps:
    """Prints a text whole: the terminal's own scroll bar is the pager. Options that only change a pager's look are taken."""
    context.argv = [context.argv[0], *(word for word in context.argv[1:] if not word.startswith(("-", "+")) or word == "-")]
    return (yield from cat(context))


def rm(context: Context) -> Steps:
    """Removes files; -f says nothing of those that are not there."""
    yield from ()
    options, status = getopt(context.argv, "f", ""), 0
    if options.problem or not (options.operands or options.has("f")):
        return _wrong(context, options.problem or "missing operand")
    for name in options.operands:
        try:
            files.remove(context.machine, absolute(name, context.place), context.root, context.user)
        except OSError as error:
            if not (options.has("f") and error.errno == ENOENT):
                status = context.failed(f"rm: cannot remove '{name}': {error.strerror}", 1)
    return status


def wc(context: Context) -> Steps:
    """Counts lines, words and bytes."""
    options = getopt(context.argv, "lwcm", "")
    if options.problem:
        return _wrong(context, options.problem)
    rows: list[tuple[list[int], str]] = []

    def take(name: str, source: Readable) -> _Lines:
        counts = [0, 0, 0]
        while (line := (yield source.read())) is not None:
            counts = [counts[0] + 1, counts[1] + len(line.split()), counts[2] + len(line.encode()) + 1]
        chosen = [count for letter, count in zip("lwc", counts, strict=True) if options.has(letter)] or counts
        rows.append((chosen, "" if name == "-" else f" {name}"))

    status = yield from _each(context, options.operands, take)
    if len(rows) > 1:
        rows.append(([sum(column) for column in zip(*(counts for counts, _ in rows), strict=True)], " total"))
    widest = max((len(str(count)) for counts, _ in rows for count in counts), default=1)
    width = (
        7
        if not options.operands and rows and len(rows[0][0]) > 1
        else widest
        if (rows and len(rows[0][0]) > 1) or len(rows) > 1
        else 1
    )
    for counts, name in rows:
        context.write(" ".join(f"{count:{width}}" for count in counts) + f"{name}\n")
    return status


def _paths(machine: Machine, before: list[str], word: str) -> list[str]:
    return [path for path in files.all_paths(machine) if path.startswith(word)] if word.startswith("/") else []


COMMANDS = [
    Command("cat", cat, "print files", "cat FILE…", _paths),
    Command("echo", echo, "print words", "echo [-n] WORD…"),
    Command("ls", ls, "list files", "ls [DIRECTORY]", _paths),
    Command("tee", tee, "copy input to files", "tee [-a] FILE…", _paths),
    Command("grep", grep, "lines that match", "grep [-i -v -c -E -n -w] PATTERN [FILE…]", _paths),
    Command("head", head, "the first lines", "head [-n LINES] [FILE…]", _paths),
    Command("tail", tail, "the last lines", "tail [-n LINES] [FILE…]", _paths),
    Command("wc", wc, "count lines, words, bytes", "wc [-l -w -c] [FILE…]", _paths),
    Command("less", less, "read a text", "less [FILE…]", _paths),
    Command("more", less, "read a text", "more [FILE…]", _paths, hidden=True),
    Command("rm", rm, "remove files", "rm [-f] FILE…", _paths),
]
