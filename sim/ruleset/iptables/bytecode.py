"""iptables' match bpf: a classic BPF program as `nfbpf_compile` writes it, "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0".

What a program does stands in sim/ruleset/bpf.py. Format: libxt_bpf.c, iptables 1.8.9. Programs pinned in a file system (--object-pinned)
are extended BPF, and no machine here has any: refused as where the file is not there.
"""

from __future__ import annotations

import re

from sim.errors import Unsupported
from sim.ruleset import bpf
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Context, Given, Module, Opt, by_name
from sim.ruleset.model import Extension, Option
from sim.ruleset.parts import Judge

_MOST = 64
_HEAD = re.compile(r"\s*([+-]?\d+),")
_INSTRUCTION = re.compile(r"\s*([+-]?\d+)\s+([+-]?\d+)\s+([+-]?\d+)\s+([+-]?\d+)")
_WIDTHS = (0xFFFF, 0xFF, 0xFF, 0xFFFFFFFF)


def _read(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    program = _program(names["bytecode"]) if "bytecode" in names else ()
    if "object-pinned" in names:
        raise Mistake("bpf: failed to get bpf object", names["object-pinned"].span)
    if not program:
        raise Mistake("bpf: one of --bytecode or --pinned is required")
    text = ",".join([str(len(program)), *(" ".join(map(str, instruction)) for instruction in program)])
    return module.extension([Option("bytecode", f'"{text}"')], (Judge("bpf", (("program", program),)),))


def _program(given: Given) -> tuple[bpf.Instruction, ...]:
    head = _HEAD.match(given.value)
    if head is None:
        raise Mistake("bpf: error parsing program length", given.span)
    length = int(head[1]) & 0xFFFF
    if not length:
        raise Mistake("bpf: illegal zero length program", given.span)
    if length > _MOST:
        raise Mistake("bpf: number of instructions exceeds maximum", given.span)
    *words, last = given.value[head.end() :].split(",")
    words += [last] if last else []
    program = tuple(_instruction(word, number, length, given) for number, word in enumerate(words))
    if len(program) != length:
        raise Mistake("bpf: parsed program length is less than the encoded length parameter", given.span)
    asked = next((each for each in program if bpf.asks_elsewhere(each)), None)
    if asked is not None:
        what = f"what a program loads from {asked.k:#x} (beyond the packet)"
        raise Unsupported(f"{what} is right, but not simulated here", given.span)
    return program


def _instruction(word: str, number: int, length: int, given: Given) -> bpf.Instruction:
    if number >= length:
        raise Mistake("bpf: real program length exceeds the encoded length parameter", given.span)
    found = _INSTRUCTION.match(word)
    if found is None:
        raise Mistake(f"bpf: error at instr {number}", given.span)
    code, jt, jf, k = (_scanned(text, width) for text, width in zip(found.groups(), _WIDTHS, strict=True))
    return bpf.Instruction(code, jt, jf, k)


def _scanned(text: str, width: int) -> int:
    """As sscanf reads an unsigned number: of 64 bits, of which the lower ones are kept."""
    value = int(text)
    return min(abs(value), (1 << 64) - 1) * (-1 if value < 0 else 1) & width


def _fits(extension: Extension, context: Context) -> bool:
    part = extension.parts[0]
    assert isinstance(part, Judge)
    return bpf.is_sound(part["program"])


def _show(extension: Extension, numeric: bool, family: str) -> str:
    """bpf_print: without a blank before it, and with the zero that the real one prints behind."""
    return f"match bpf {extension.options[0].value.strip(chr(34)).partition(',')[2]}\0"


BPF = Module("bpf", (Opt("bytecode"), Opt("object-pinned")), _read, _show, needs=_fits)
