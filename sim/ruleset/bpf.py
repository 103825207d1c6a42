"""Classic BPF: whether a program is sound, and what it answers for a packet. A pure function of the packet's bytes and its mark.

`run` is what the kernel's interpreter does, seen from the network header, as iptables' bpf calls it; a load beyond the packet answers 0.
Sources: bpf_check_classic, bpf_convert_filter (net/core/filter.c), Linux 6.18. Not here: extended BPF, extensions that ask for hashes,
random numbers, queues and VLANs.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import NamedTuple

from sim.netfilter.skb import Skb

_M = 0xFFFFFFFF
_LD, _LDX, _ST, _STX, _ALU, _JMP, _RET, _MISC = range(8)
_SIZES = {0x00: 4, 0x08: 2, 0x10: 1}
_IMM, _ABS, _IND, _MEM, _LEN = 0x00, 0x20, 0x40, 0x60, 0x80
_MSH = 0xB1
_DIV, _MOD, _LSH, _RSH, _NEG = 0x30, 0x90, 0x60, 0x70, 0x80
_ALUS: dict[int, Callable[[int, int], int]] = {
    0x00: operator.add, 0x10: operator.sub, 0x20: operator.mul, _DIV: operator.floordiv, 0x40: operator.or_, 0x50: operator.and_,
    _LSH: lambda a, b: a << (b & 31), _RSH: lambda a, b: a >> (b & 31), _MOD: operator.mod, 0xA0: operator.xor,
}  # fmt: skip
_JUMPS: dict[int, Callable[[int, int], bool | int]] = {0x10: operator.eq, 0x20: operator.gt, 0x30: operator.ge, 0x40: operator.and_}
_BEYOND, _NETWORK, _LINK = 0xFFFFF000, 0xFFF00000, 0xFFE00000  # SKF_AD_OFF, SKF_NET_OFF, SKF_LL_OFF
_PROTOCOL, _MARK, _CPU = 0, 20, 36
_EXTENSIONS = range(0, 64 + 1, 4)
_CELLS = 16


class Instruction(NamedTuple):
    """struct sock_filter: `code`, how far to jump when true and when false, and a number."""

    code: int
    jt: int
    jf: int
    k: int


Program = tuple[Instruction, ...]


def asks_elsewhere(each: Instruction) -> bool:
    """Whether it loads what is not in the packet and not known here (the extensions beyond SKF_AD_OFF)."""
    loads = each.code & 7 == _LD and each.code & 0xE0 == _ABS
    return loads and each.k - _BEYOND in _EXTENSIONS and each.k - _BEYOND not in (_PROTOCOL, _MARK, _CPU)


# ---- whether it is sound ---------------------------------------------------------------------------------------------


def is_sound(program: Program) -> bool:
    """bpf_check_classic: known instructions, jumps forward within the program, a return at the end, no cell read before it is written."""
    last = program[-1].code
    if last not in (0x06, 0x16) or not all(_is_known(each, len(program) - at - 1) for at, each in enumerate(program)):
        return False
    return _cells_are_written(program)


def _is_known(each: Instruction, behind: int) -> bool:
    """`behind`: how many instructions follow."""
    code, kind = each.code, each.code & 7
    if code > 0xFF:
        return False
    if kind in (_LD, _LDX):
        return _is_known_load(each)
    if kind in (_ST, _STX):
        return code in (0x02, 0x03) and each.k < _CELLS
    if kind == _ALU:
        return _is_known_alu(each)
    if kind == _JMP:
        return each.k < behind if code == 0x05 else code & 0xF0 in _JUMPS and each.jt < behind and each.jf < behind
    return code in ((0x06, 0x16) if kind == _RET else (0x07, 0x87))


def _is_known_load(each: Instruction) -> bool:
    code, mode = each.code, each.code & 0xE0
    if code in (0x60, 0x61):
        return each.k < _CELLS
    if code in (0x00, 0x01, 0x80, 0x81, _MSH):
        return True
    known = code & 7 == _LD and mode in (_ABS, _IND) and code & 0x18 in _SIZES
    return known and not (mode == _ABS and each.k >= _BEYOND and each.k - _BEYOND not in _EXTENSIONS)


def _is_known_alu(each: Instruction) -> bool:
    kind, by_x = each.code & 0xF0, each.code & 8
    if kind == _NEG:
        return not by_x
    if kind not in _ALUS:
        return False
    if by_x:
        return True
    return each.k != 0 if kind in (_DIV, _MOD) else each.k < 32 if kind in (_LSH, _RSH) else True


def _cells_are_written(program: Program) -> bool:
    """check_load_and_stores: on every way that leads to a load from a cell, somebody has stored there."""
    known = [(1 << _CELLS) - 1] * len(program)
    written = 0
    for at, each in enumerate(program):
        written &= known[at]
        if each.code in (0x02, 0x03):
            written |= 1 << each.k
        elif each.code in (0x60, 0x61) and not written >> each.k & 1:
            return False
        elif each.code & 7 == _JMP:
            for leap in (each.k,) if each.code == 0x05 else (each.jt, each.jf):
                known[at + 1 + leap] &= written
            written = (1 << _CELLS) - 1
    return True


# ---- what it answers -------------------------------------------------------------------------------------------------


class _Machine:
    """The two registers and the cells, over one packet."""

    def __init__(self, skb: Skb) -> None:
        self._skb, self._data = skb, skb.packet.data
        self._a = self._x = 0
        self._cells = [0] * _CELLS

    def run(self, program: Program) -> int:
        at = 0
        while True:
            each = program[at]
            at += 1
            kind = each.code & 7
            if kind == _RET:
                return each.k if each.code == 0x06 else self._a
            if kind == _JMP:
                at += self._leap(each)
            elif not self._step(each, kind):
                return 0

    def _leap(self, each: Instruction) -> int:
        if each.code == 0x05:
            return each.k
        return each.jt if _JUMPS[each.code & 0xF0](self._a, self._x if each.code & 8 else each.k) else each.jf

    def _step(self, each: Instruction, kind: int) -> bool:
        """One instruction that is no jump; False where it ends the program with 0."""
        if kind == _ALU:
            return self._calculate(each)
        if kind in (_ST, _STX):
            self._cells[each.k] = self._a if kind == _ST else self._x
        elif kind == _MISC:
            self._a, self._x = (self._x, self._x) if each.code & 0x80 else (self._a, self._a)
        else:
            value = self._loaded(each)
            if value is None:
                return False
            self._a, self._x = (value, self._x) if kind == _LD else (self._a, value)
        return True

    def _calculate(self, each: Instruction) -> bool:
        kind, other = each.code & 0xF0, self._x if each.code & 8 else each.k
        if kind == _NEG:
            self._a = -self._a & _M
        elif kind in (_DIV, _MOD) and not other:
            return False
        else:
            self._a = _ALUS[kind](self._a, other) & _M
        return True

    def _loaded(self, each: Instruction) -> int | None:
        mode = each.code & 0xE0
        if each.code == _MSH:
            byte = self._bytes(each.k, 1)
            return None if byte is None else (byte & 15) * 4
        if mode == _IMM:
            return each.k
        if mode == _MEM:
            return self._cells[each.k]
        if mode == _LEN:
            return len(self._data)
        if mode == _ABS and each.k >= _BEYOND:
            return {_PROTOCOL: 0x0800 if self._skb.packet.version == 4 else 0x86DD, _MARK: self._skb.mark, _CPU: 0}[each.k - _BEYOND]
        return self._bytes((each.k + (self._x if mode == _IND else 0)) & _M, _SIZES[each.code & 0x18])

    def _bytes(self, at: int, size: int) -> int | None:
        """Big-endian; None beyond the packet. From SKF_NET_OFF on, too, counted from the network header; no link layer is here."""
        at = at - _NETWORK if at >= _NETWORK else at
        return int.from_bytes(self._data[at : at + size]) if at + size <= len(self._data) else None


def run(program: Program, skb: Skb) -> int:
    """What the program answers for the packet."""
    return _Machine(skb).run(program)
