"""The command ipset: argv in, what the real one prints out (ipset 7.17, protocol 7)."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from sim.ruleset.ipset import show
from sim.ruleset.ipset.entries import Wrong, keys, show_key, syntax
from sim.ruleset.ipset.model import ALIASES, NOT_IN_KERNEL, NOT_SIMULATED, TYPES, Element, IpSet, Key, Sets
from sim.ruleset.ipset.options import Extras, NotSimulated, extras, made
from sim.ruleset.ipset.packets import find
from sim.ruleset.text import Result

VERSION = "ipset v7.17, protocol version: 7\n"
_PREFIX = "ipset v7.17: "
_TRY = "Try `ipset help' for more information.\n"
_NO_SET = "The set with the given name does not exist"
_COMMANDS = {
    "create": ("-N", "new", "--new"), "add": ("-A",), "del": ("-D",), "test": ("-T",), "destroy": ("-X",), "list": ("-L",), "save": ("-S",),
    "restore": ("-R",), "flush": ("-F",), "rename": ("-E",), "swap": ("-W",), "help": ("-h", "-H", "--help"),
    "version": ("-v", "-V", "--version"), "quit": (),
}  # fmt: skip
_BY_WORD = {word: name for name, words in _COMMANDS.items() for word in (name, *words, f"--{name}")}
_FLAGS = {
    "-exist": "exist", "-!": "exist", "--exist": "exist", "-q": "quiet", "-quiet": "quiet", "--quiet": "quiet", "-s": "sorted",
    "-sorted": "sorted", "--sorted": "sorted", "-t": "terse", "-terse": "terse", "--terse": "terse", "-n": "names", "-name": "names",
    "--name": "names", "-r": "resolve", "-resolve": "resolve", "--resolve": "resolve",
}  # fmt: skip
_LETTERS = {"n": "create", "ne": "create", "x": "destroy", "e": "rename", "w": "swap"}
_LEAST = {"create": 2, "add": 2, "del": 2, "test": 2, "rename": 2, "swap": 2}


@dataclass(slots=True)
class _Line:
    """One command: its words without options; `flags` of _FLAGS' values, `output` plain, save or xml."""

    command: str = ""
    words: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    output: str = ""


def run(argv: list[str], sets: Sets, now: int, stdin: str = "") -> Result:
    """Run one command on a machine's sets at `now` (µs)."""
    flags: set[str] = set()
    try:
        line = _read(argv[1:])
        flags = line.flags
        if line.command == "restore":
            return _restore(sets, now, stdin, line)
        return _one(sets, now, line)
    except Wrong as wrong:
        return _failed(wrong.message, wrong.usage, "quiet" in flags)
    except NotSimulated as refused:
        return _failed(f"{refused.what} is right, but not simulated here", False, False)


def _failed(message: str, usage: bool, quiet: bool) -> Result:
    if quiet and not usage:
        return Result("", "", 1)
    return Result("", f"{_PREFIX}{message}\n{_TRY if usage else ''}", 2 if usage else 1)


def _read(words: list[str]) -> _Line:
    line, rest = _Line(), list(words)
    while rest:
        word = rest.pop(0)
        if word in _FLAGS and not (word == "-t" and line.command == "add"):
            line.flags.add(_FLAGS[word])
        elif word in ("-o", "-output", "--output") and rest:
            line.output = _output(rest.pop(0))
        elif word in ("-f", "-file", "--file"):
            raise NotSimulated("option '-f'")
        elif line.command:
            line.words.append(word)
        elif word == "-":
            raise NotSimulated("the interactive mode")
        elif _command(word):
            line.command = _command(word)
        else:
            raise Wrong(f"No command specified: unknown argument {word}", True)
    _complete(line)
    return line


def _command(word: str) -> str:
    """The command that a word is, or starts."""
    if word in _BY_WORD:
        return _BY_WORD[word]
    near = [name for name in _COMMANDS if word and not word.startswith("-") and name.startswith(word)]
    return near[0] if near else _LETTERS.get(word, "")


def _output(word: str) -> str:
    if word not in ("plain", "save", "xml"):
        raise syntax(f"unknown output mode '{word}'")
    return word


def _complete(line: _Line) -> None:
    if not line.command:
        raise Wrong("No command specified.", True)
    least = _LEAST.get(line.command, 0)
    if len(line.words) < least:
        which = "mandatory" if not line.words else "second mandatory"
        raise Wrong(f"Missing {which} argument to command {line.command}", True)
    most = {"rename": 2, "swap": 2, "list": 1, "save": 1, "destroy": 1, "flush": 1}.get(line.command)
    if most is not None and len(line.words) > most:
        raise Wrong(f"Unknown argument {line.words[most]}", True)


def _one(sets: Sets, now: int, line: _Line) -> Result:
    for each in sets:
        each.expire(now)
    return _DO[line.command](sets, now, line)


def _need(sets: Sets, name: str) -> IpSet:
    found = sets.find(name)
    if found is None:
        raise Wrong(_NO_SET)
    return found


# ---- create, destroy, rename, swap -----------------------------------------------------------------------------------


def _create(sets: Sets, now: int, line: _Line) -> Result:
    name, typename, *words = line.words
    if len(name) > 31:
        raise syntax(f"setname '{name}' is longer than 31 characters")
    typename = ALIASES.get(typename, typename)
    if typename in NOT_SIMULATED:
        raise NotSimulated(f"set type '{typename}'")
    if typename in NOT_IN_KERNEL:
        raise Wrong("Kernel error received: set type not supported")
    if typename not in TYPES:
        raise syntax(f"typename '{typename}' is unknown")
    new, old = made(name, TYPES[typename], words), sets.find(name)
    if old is not None:
        if "exist" in line.flags and _alike(old, new):
            return Result()
        raise Wrong("Set cannot be created: set with the same name already exists")
    sets.add(new)
    return Result()


def _alike(old: IpSet, new: IpSet) -> bool:
    """Whether they could be the same set, but for the elements (mtype_same_set)."""
    same = ("type", "family", "timeout", "netmask", "bitmask", "low", "high", "maxelem", "counters", "comment")
    return all(getattr(old, name) == getattr(new, name) for name in same)


def _destroy(sets: Sets, now: int, line: _Line) -> Result:
    chosen = [_need(sets, line.words[0])] if line.words else list(sets)
    if any(sets.references(each.name) for each in chosen):
        raise Wrong("Set cannot be destroyed: it is in use by a kernel component")
    for each in chosen:
        sets.drop(each.name)
    return Result()


def _rename(sets: Sets, now: int, line: _Line) -> Result:
    found = _need(sets, line.words[0])
    if sets.references(found.name):
        raise Wrong("Set cannot be renamed: it is in use by another system")
    if sets.find(line.words[1]) is not None:
        raise Wrong("Set cannot be renamed: a set with the new name already exists")
    if len(line.words[1]) > 31:
        raise syntax(f"setname '{line.words[1]}' is longer than 31 characters")
    found.name = line.words[1]
    return Result()


def _swap(sets: Sets, now: int, line: _Line) -> Result:
    first, second = _need(sets, line.words[0]), sets.find(line.words[1])
    if second is None:
        raise Wrong("Sets cannot be swapped: the second set does not exist")
    if first.type is not second.type or first.family != second.family:
        raise Wrong("The sets cannot be swapped: their type does not match")
    sets.exchange(first, second)
    return Result()


def _flush(sets: Sets, now: int, line: _Line) -> Result:
    for each in [_need(sets, line.words[0])] if line.words else list(sets):
        each.clear()
    return Result()


# ---- add, del, test --------------------------------------------------------------------------------------------------


def _add(sets: Sets, now: int, line: _Line) -> Result:
    ipset = _need(sets, line.words[0])
    if ipset.type.kind == "list":
        return _add_to_list(sets, ipset, line, extras(ipset, line.words[2:], "add"), now)
    found, more = _entry(ipset, line, "add")
    for key in found:
        held = key in ipset.elements
        if held and "exist" not in line.flags:
            raise Wrong("Element cannot be added to the set: it's already added")
        if not held and ipset.type.kind == "hash" and len(ipset.elements) >= ipset.maxelem:
            if not ipset.forceadd:
                raise Wrong("Hash is full, cannot add more elements")
            ipset.remove(next(iter(ipset.elements)))
        ipset.put(_element(ipset, key, more, now))
    return Result()


def _entry(ipset: IpSet, line: _Line, command: str) -> tuple[list[Key], Extras]:
    """The keys and what stands behind them; what ipset's parser finds comes before what the kernel says."""
    try:
        found, refused = keys(ipset, line.words[1], command), None
    except Wrong as wrong:
        if wrong.message.startswith(("Syntax error", "Cannot parse")) or wrong.usage:
            raise
        found, refused = [], wrong
    more = extras(ipset, line.words[2:], command)
    if refused is not None:
        raise refused
    return found, more


def _element(ipset: IpSet, key: Key, more: Extras, now: int) -> Element:
    return Element(key, ipset.life(more.timeout, now), more.packets, more.bytes, more.comment, more.nomatch)


def _add_to_list(sets: Sets, ipset: IpSet, line: _Line, more: Extras, now: int) -> Result:
    name = line.words[1]
    found = sets.find(name)
    if found is None:
        raise Wrong("Set to be added/deleted/tested as element does not exist.")
    if found.type.kind == "list":
        raise Wrong("Sets with list:set type cannot be added to the set.")
    _beside(sets, ipset, more)
    if (name,) in ipset.elements and "exist" not in line.flags:
        raise Wrong("Element cannot be added to the set: it's already added")
    order = [each for each in ipset.elements.values() if each.key != (name,)]
    places = [each.key[0] for each in order]
    at = len(order) if not more.place else places.index(more.beside) + (more.place == "after")
    order.insert(at, _element(ipset, (name,), more, now))
    ipset.elements = {each.key: each for each in order}
    return Result()


def _beside(sets: Sets, ipset: IpSet, more: Extras) -> None:
    if not more.place:
        return
    if sets.find(more.beside) is None:
        raise Wrong("The set to which you referred with 'before' or 'after' does not exist.")
    if (more.beside,) not in ipset.elements:
        raise Wrong("The set to which you referred with 'before' or 'after' is not added to the set.")


def _delete(sets: Sets, now: int, line: _Line) -> Result:
    ipset = _need(sets, line.words[0])
    if ipset.type.kind == "list":
        extras(ipset, line.words[2:], "del")
    if ipset.type.kind == "list" and sets.find(line.words[1]) is None:
        raise Wrong("Set to be added/deleted/tested as element does not exist.")
    for key in [(line.words[1],)] if ipset.type.kind == "list" else _entry(ipset, line, "del")[0]:
        if key not in ipset.elements and "exist" not in line.flags:
            raise Wrong("Element cannot be deleted from the set: it's not added")
        ipset.remove(key)
    return Result()


def _test(sets: Sets, now: int, line: _Line) -> Result:
    ipset = _need(sets, line.words[0])
    text = line.words[1]
    if ipset.type.kind == "list":
        more = extras(ipset, line.words[2:], "test")
        if sets.find(text) is None:
            raise Wrong("Set to be added/deleted/tested as element does not exist.")
        _beside(sets, ipset, more)
        return _tested(ipset, *_in_list(ipset, text, more), line)
    try:
        found, more = _entry(ipset, line, "test")
    except Wrong as wrong:
        if "out of the range" in wrong.message:
            return _tested(ipset, text, False, line)
        raise
    there = _lookup(ipset, found[0], now)
    return _tested(ipset, show_key(ipset, found[0]), there is not None and there.nomatch == more.nomatch, line)


def _lookup(ipset: IpSet, key: Key, now: int) -> Element | None:
    """A whole address is looked for in all networks, a network as it is."""
    if ipset.type.networks and key[ipset.type.dims.index("net")][1] != ipset.bits:
        return ipset.elements.get(key)
    return find(ipset, key, now)


def _in_list(ipset: IpSet, name: str, more: Extras) -> tuple[str, bool]:
    names = [key[0] for key in ipset.elements]
    if not more.place:
        return name, name in names
    order = (name, more.beside) if more.place == "before" else (more.beside, name)
    there = name in names and any(pair == order for pair in pairwise(names))
    return f"{name} after {more.beside}" if more.place == "before" else f"{name} before {more.beside}", there


def _tested(ipset: IpSet, shown: str, there: bool, line: _Line) -> Result:
    if "quiet" in line.flags:
        return Result("", "", 0 if there else 1)
    if there:
        return Result("", f"Warning: {shown} is in set {ipset.name}.\n", 0)
    return Result("", f"{shown} is NOT in set {ipset.name}.\n", 1)


# ---- list, save, restore, the rest -----------------------------------------------------------------------------------


def _list(sets: Sets, now: int, line: _Line) -> Result:
    if "resolve" in line.flags:
        raise NotSimulated("option '-r'")
    chosen = [_need(sets, line.words[0])] if line.words else list(sets)
    sort, terse = "sorted" in line.flags, "terse" in line.flags
    output = line.output or ("save" if line.command == "save" else "plain")
    if output == "xml":
        return Result("<ipsets>\n" + "".join(show.xml(sets, each, now, sort, terse) for each in chosen) + "</ipsets>\n")
    if "names" in line.flags:
        return Result("".join(f"{each.name}\n" for each in chosen))
    if output == "save":
        return Result("".join(show.saved(each, now, sort, terse) for each in chosen))
    return Result("\n".join(show.plain(sets, each, now, sort, terse) for each in chosen))


def _restore(sets: Sets, now: int, text: str, line: _Line) -> Result:
    """Line by line; the first that fails ends it, what was done before stays."""
    out, err = "", ""
    for number, written in enumerate(text.splitlines(), 1):
        words = _split(written)
        if not words or words[0].startswith("#") or words[0] == "COMMIT":
            continue
        if words[0] == "quit":
            break
        try:
            each = _read(words)
            each.flags |= line.flags
            done = _one(sets, now, each)
        except Wrong as wrong:
            where = "" if wrong.usage else f"Error in line {number}: "
            return Result(out, err + _failed(where + wrong.message, wrong.usage, False).err, 2 if wrong.usage else 1)
        out, err = out + done.out, err + done.err
    return Result(out, err)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text, posix=True)
    except ValueError:
        return text.split()


def _help(sets: Sets, now: int, line: _Line) -> Result:
    for word in line.words:
        if ALIASES.get(word, word) not in TYPES:
            raise Wrong(f"Unknown settype: `{word}'", True)
    lines = [f"{name} {usage}" for name, usage in _USAGE.items()]
    types = "\n".join(f"    {name}" for name in TYPES)
    head = "ipset v7.17\n\nUsage: ipset [options] COMMAND\n\nCommands:\n" + "\n".join(lines)
    return Result(f"{head}\n\nSupported set types:\n{types}\n")


_USAGE = {
    "create": "SETNAME TYPENAME [type-specific-options]", "add": "SETNAME ENTRY", "del": "SETNAME ENTRY", "test": "SETNAME ENTRY",
    "destroy": "[SETNAME]", "list": "[SETNAME] [-t] [-n] [-s] [-o plain|save|xml]", "save": "[SETNAME]", "restore": "",
    "flush": "[SETNAME]",    "rename": "FROM-SETNAME TO-SETNAME", "swap": "FROM-SETNAME TO-SETNAME", "help": "", "version": "",
}  # fmt: skip


def _version(sets: Sets, now: int, line: _Line) -> Result:
    return Result(VERSION)


def _nothing(sets: Sets, now: int, line: _Line) -> Result:
    return Result()


_DO: dict[str, Callable[[Sets, int, _Line], Result]] = {
    "create": _create, "add": _add, "del": _delete, "test": _test, "destroy": _destroy, "list": _list, "save": _list, "flush": _flush,
    "rename": _rename, "swap": _swap, "help": _help, "version": _version, "quit": _nothing,
}  # fmt: skip
