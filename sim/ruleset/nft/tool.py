"""The nft command: options and arguments as nft 1.0.6 takes them, over a RuleState. Prints what the real one prints."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from sim.errors import LanguageError
from sim.ruleset.collecting import uncollected
from sim.ruleset.model import Rule, Ruleset
from sim.ruleset.nft.echo import changes
from sim.ruleset.nft.json_in import WrongJson, is_json, text_of
from sim.ruleset.nft.parse import Outcome, as_written, no_file
from sim.ruleset.nft.parse import run as run_text
from sim.ruleset.nft.printing import Style
from sim.ruleset.nft.read import COMMAND_LINE
from sim.ruleset.state import RuleState
from sim.ruleset.text import Result

VERSION = "nftables v1.0.6 (Lester Gooch #5)\n"
# option letter -> (long name, what it sets in the style, or does)
_FLAGS = {
    "n": ("numeric", "numeric"), "y": ("numeric-priority", "priority"), "p": ("numeric-protocol", "protocol"),
    "T": ("numeric-time", "time"), "j": ("json", "json"), "e": ("echo", "echo"),
    "S": ("service", "service"), "s": ("stateless", "stateless"), "a": ("handle", "handles"), "t": ("terse", "terse"),
    "c": ("check", "check"), "h": ("help", "help"), "v": ("version", "version"), "V": ("", "version"),
}  # fmt: skip
_REFUSED = {
    "i": "interactive", "o": "optimize", "d": "debug", "N": "reversedns", "u": "guid",
}  # fmt: skip
_WITH_VALUE = {"f": "file", "D": "define", "I": "includepath"}
_STYLE = frozenset(Style.__dataclass_fields__)


def _searching(paths: Sequence[str], read: Callable[[str], str]) -> Callable[[str], str]:
    """Reads a file as `include` finds it: by its own name, or in one of the directories."""

    def found(name: str) -> str:
        try:
            return read(name)
        except OSError:
            if name.startswith(("/", "./")):
                raise
        for path in paths:
            try:
                return read(f"{path.rstrip('/')}/{name}")
            except OSError:
                continue
        raise FileNotFoundError(name)

    return found


def _without_place(text: str) -> str:
    """A mistake in what came as JSON, which has no lines and columns."""
    return f"internal:0:0-0: {text[text.index('Error: ') :].splitlines()[0]}\n\n"


def _from_json(text: str) -> str:
    try:
        return text_of(text)
    except RecursionError as error:
        raise _Stop(Result("", "internal:0:0-0: Error: maximum parsing depth reached\n\n", 1)) from error
    except (WrongJson, KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
        what = str(error) if isinstance(error, WrongJson) else f"Parsing command array failed: {error}"
        raise _Stop(Result("", f"internal:0:0-0: Error: {what}\n\n", 1)) from error


class _Stop(Exception):
    """The command is over: what it prints and its status."""

    def __init__(self, result: Result) -> None:
        self.result = result


@dataclass(slots=True)
class _Options:
    told: set[str] = field(default_factory=set)
    file: str | None = None
    from_json: bool = False
    defines: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=lambda: ["/etc"])
    words: list[str] = field(default_factory=list)


@uncollected
def run(
    argv: Sequence[str],
    state: RuleState,
    stdin: str = "",
    read: Callable[[str], str] = no_file,
    interfaces: Mapping[str, int] | None = None,
) -> Result:
    """Run `argv` (argv[0] is "nft"). `read` opens a file of the machine; `interfaces` are its interfaces by name with their index."""
    try:
        options = _options(list(argv[1:]))
        text, name = _input(options, stdin, read)
        if "json" in options.told and is_json(text):
            text, options.from_json = _from_json(text), True
        text = "".join("define {} = {}\n".format(*each.split("=", 1)) for each in options.defines) + text
        read = _searching(options.paths, read)
        return _run(options, text, name, state, " ".join(argv), read, interfaces)
    except _Stop as stop:
        return stop.result


def _options(words: list[str]) -> _Options:
    """The options, which stand before the command."""
    options = _Options()
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            _long(word[2:], words, options)
        else:
            _short(word[1:], words, options)
    late = next((word for word in words if word.startswith("-") and len(word) > 1 and not word[1].isdecimal()), None)
    if late is not None and options.file is None and "{" not in " ".join(words[: words.index(late)]):
        line = "nft " + " ".join(words) + " "
        place = " " * (line.index(f" {late} ") + 1)
        marks = f"   ^{place[4:]}{'~' * len(late)}"
        raise _Stop(Result(f"\n{marks}\n", f"Error: syntax error, options must be specified before commands\n{line}", 1))  # as nft does
    options.words = words
    return options


def _short(letters: str, words: list[str], options: _Options) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in _WITH_VALUE:
            value = letters or (words.pop(0) if words else None)
            if value is None:
                raise _Stop(Result("", f"nft: option requires an argument -- '{letter}'\n", 1))
            _take(letter, value, options)
            letters = ""
        else:
            _tell(letter, f"nft: invalid option -- '{letter}'\n", options)


def _long(name: str, words: list[str], options: _Options) -> None:
    name, _, value = name.partition("=")
    with_value = next((letter for letter, long in _WITH_VALUE.items() if long == name), None)
    if with_value is not None:
        _take(with_value, value or (words.pop(0) if words else ""), options)
        return
    letters = {long: letter for letter, (long, _) in _FLAGS.items() if long} | {long: letter for letter, long in _REFUSED.items()}
    _tell(letters.get(name, "?"), f"nft: unrecognized option '--{name}'\n", options)


def _take(letter: str, value: str, options: _Options) -> None:
    """An option with its value."""
    if letter == "f":
        options.file = value
    elif letter == "I":
        options.paths.append(value)
    elif "=" not in value or not value.partition("=")[0]:
        raise _Stop(Result("", f"Error: invalid define: '{value}'\n", 1))
    else:
        options.defines.append(value)


def _tell(letter: str, unknown: str, options: _Options) -> None:
    if letter in _REFUSED:
        raise _Stop(Result("", f"nft: '--{_REFUSED[letter]}' is right, but not simulated here\n", 1))
    if letter not in _FLAGS:
        raise _Stop(Result("", unknown, 1))
    meaning = _FLAGS[letter][1]
    if meaning == "version":
        raise _Stop(Result(VERSION))
    if meaning == "help":
        raise _Stop(Result((files(__package__) / "help.txt").read_text("utf-8")))
    options.told.add(meaning)


def _input(options: _Options, stdin: str, read: Callable[[str], str]) -> tuple[str, str]:
    """The text to read and its name in messages."""
    if options.file is None:
        if not options.words:
            raise _Stop(Result("", "nft: no command specified\n", 1))
        return " ".join(options.words) + "\n", COMMAND_LINE
    if options.file in ("-", "/dev/stdin"):
        return stdin, "/dev/stdin"
    try:
        return read(options.file), options.file
    except OSError as error:
        why = error.strerror or "No such file or directory"
        raise _Stop(Result("", f'internal:0:0-0: Error: Could not open file "{options.file}": {why}\n\n\n', 1)) from error


def _run(
    options: _Options, text: str, name: str, state: RuleState, by: str, read: Callable[[str], str], interfaces: Mapping[str, int] | None
) -> Result:
    style = Style(**dict.fromkeys(options.told & _STYLE, True))

    def counters(rule: Rule, which: int) -> tuple[int, int]:
        return state.counters(rule.id, which)

    outcome = run_text(text, name, state.present(), read, interfaces, style, counters)
    if outcome.reports:
        state.ruleset = outcome.ruleset  # at most, handles were spent
        texts = (_without_place(report.text) if options.from_json else report.text for report in outcome.reports)
        return Result(outcome.out, "".join(texts), 1)
    if "check" in options.told or all(command.verb in ("list", "get", "describe") for command in outcome.commands):
        return Result(outcome.out)
    before = state.ruleset
    done = _load(outcome, state, by)
    return _echoed(done, outcome, before, state, style) if "echo" in options.told and not done.status else done


def _echoed(done: Result, outcome: Outcome, before: Ruleset, state: RuleState, style: Style) -> Result:
    """-e: what has been added, inserted or replaced."""
    inserted = any(command.verb == "insert" for command in outcome.commands)
    told = list(changes(before, state.ruleset, style, as_written, inserted))
    if style.json:
        return Result(done.out + json.dumps({"nftables": [{verb: thing} for verb, _, thing in told if verb != "delete"]}) + "\n")
    lines = "".join(f"{verb} {words}\n" for verb, words, _ in told if verb != "delete")
    return Result(f"{done.out}{lines}# new generation {state.generation} by process {state.process} (nft)\n")


def _load(outcome: Outcome, state: RuleState, by: str) -> Result:
    try:
        state.generation += 1
        state.load(outcome.ruleset, by)
    except LanguageError as error:
        return Result(outcome.out, f"{error}\n", 1)
    return Result(outcome.out)
