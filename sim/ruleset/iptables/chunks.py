"""iptables' modules sctp and dccp: ports, and what is inside: chunks of SCTP, types and options of DCCP."""

from __future__ import annotations

from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Context, Given, Module, Opt, by_name, integer
from sim.ruleset.iptables.names import service_name
from sim.ruleset.iptables.ports import port_option, tcp_range, wrapping_range
from sim.ruleset.model import Extension, HeaderThere, Option, Part
from sim.ruleset.parts import Judge

CHUNKS = {
    "DATA": 0, "INIT": 1, "INIT_ACK": 2, "SACK": 3, "HEARTBEAT": 4, "HEARTBEAT_ACK": 5, "ABORT": 6, "SHUTDOWN": 7, "SHUTDOWN_ACK": 8,
    "ERROR": 9, "COOKIE_ECHO": 10, "COOKIE_ACK": 11, "ECN_ECNE": 12, "ECN_CWR": 13, "SHUTDOWN_COMPLETE": 14, "I_DATA": 64,
    "RE_CONFIG": 130, "PAD": 132, "ASCONF": 193, "ASCONF_ACK": 128, "FORWARD_TSN": 192, "I_FORWARD_TSN": 194,
}  # fmt: skip
_CHUNK_NAMES = {number: name for name, number in CHUNKS.items()}
_CHUNK_FLAGS = {0: "----IUBE", 64: "----IUBE", 6: "-------T", 14: "-------T"}
_DCCP = ("REQUEST", "RESPONSE", "DATA", "ACK", "DATAACK", "CLOSEREQ", "CLOSE", "RESET", "SYNC", "SYNCACK", "INVALID")
Flags = tuple[tuple[int, int, int], ...]


def _ports(module: Module, names: dict[str, Given]) -> tuple[list[Option], list[Part]]:
    options: list[Option] = []
    parts: list[Part] = [HeaderThere()]
    for name in ("source-port", "destination-port"):
        if name in names:
            short = f"{name[0]}port"
            low, high = (tcp_range if module.name == "sctp" else wrapping_range)(names[name], module.name)
            more = port_option(f"{module.name} {short}", short, low, high, names[name].negated)
            options += more[0]
            parts += more[1]
    return options, parts


def _ports_listed(extension: Extension, numeric: bool) -> str:
    text = f" {extension.name}"
    for option in extension.options:
        if option.name in ("sport", "dport"):
            ends = option.value.split(":")
            many = "s" if len(ends) > 1 else ""
            shown = ":".join(end if numeric else service_name(int(end), extension.name) for end in ends)
            text += f" {option.name[0]}pt{many}:{'!' if option.negated else ''}{shown}"
    return text


_PORTED = (Opt("source-port", ("sport",), invert=True), Opt("destination-port", ("dport",), invert=True))

# ---- sctp ------------------------------------------------------------------------------------------------------------


def _read_sctp(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    options, parts = _ports(module, names)
    if "chunk-types" in names:
        option = names["chunk-types"]
        how = option.value.lower()
        if how not in ("all", "any", "only"):
            raise Mistake('Match type has to be one of "ALL", "ANY" or "ONLY"', option.span)
        wanted, flags = _chunk_list(option)
        text = f"{how} {_chunk_text(wanted, flags, False)}"
        options.append(Option("chunk-types", text, option.negated))
        parts.append(Judge("chunks", (("wanted", wanted), ("flags", flags), ("how", how), ("negated", option.negated))))
    return module.extension(options, tuple(parts))


def _chunk_list(given: Given) -> tuple[frozenset[int], Flags]:
    if given.second.lower() in ("all", "none"):
        return frozenset(range(256) if given.second.lower() == "all" else ()), ()
    wanted: list[int] = []
    flags: dict[int, tuple[int, int]] = {}
    for word in given.second.split(","):
        if not word:
            continue
        name, _, letters = word.partition(":")
        kind = CHUNKS.get(name.upper())
        if kind is None:
            raise Mistake(f"Unknown sctp chunk `{name}'", given.span)
        wanted.append(kind)
        if letters:  # the tool keeps them under the name's place in its table: I_DATA's, the 15th of number 64, are looked for in vain
            flags[list(CHUNKS).index(name.upper())] = _chunk_flags(kind, letters, given)
    return frozenset(wanted), tuple((kind, *bits) for kind, bits in flags.items())


def _chunk_flags(kind: int, letters: str, given: Given) -> tuple[int, int]:
    """(mask, bits): a capital letter asks for the flag, a small one for its absence."""
    mask = bits = 0
    known = _CHUNK_FLAGS.get(kind, "")
    for letter in letters:
        place = known.find(letter.upper()) if letter.isalpha() else -1
        if place < 0:
            raise Mistake(f"Invalid flags for chunk type {list(CHUNKS.values()).index(kind)}", given.span)
        bit = 1 << 7 - place
        mask |= bit
        bits = bits | bit if letter.isupper() else bits & ~bit
    return mask, bits


def _chunk_text(wanted: frozenset[int], flags: Flags, numeric: bool) -> str:
    if not wanted or len(wanted) == 256:
        return "ALL" if wanted else "NONE"
    by_kind = {kind: (mask, bits) for kind, mask, bits in flags}
    return ",".join(_chunk_word(kind, by_kind.get(kind), numeric) for kind in sorted(wanted))


def _chunk_word(kind: int, flags: tuple[int, int] | None, numeric: bool) -> str:
    text = f"0x{kind:04X}" if numeric else _CHUNK_NAMES[kind]
    if flags is None:
        return text
    letters = [
        (letter if flags[1] >> 7 - place & 1 else letter.lower())
        for place, letter in enumerate(_CHUNK_FLAGS[kind])
        if flags[0] >> 7 - place & 1
    ]
    return f"{text}:{''.join(letters)}"


def _show_sctp(extension: Extension, numeric: bool, family: str) -> str:
    text = _ports_listed(extension, numeric)
    judge = extension.parts[-1]
    if isinstance(judge, Judge):
        text += f"{' !' if judge['negated'] else ''} {judge['how']} {_chunk_text(judge['wanted'], judge['flags'], numeric)}"
    return text


SCTP = Module(
    "sctp", (*_PORTED, Opt("chunk-types", args=2, invert=True)), _read_sctp, _show_sctp, protocol=132,
    two_words="--chunk-types requires two args",
)  # fmt: skip

# ---- dccp ------------------------------------------------------------------------------------------------------------


def _read_dccp(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    options, parts = _ports(module, names)
    if "dccp-types" in names:
        option = names["dccp-types"]
        types = _dccp_types(option)
        text = ",".join(_dccp_names(types))
        options.append(Option("dccp-types" if text else "dccp-types ", text, option.negated))
        parts.append(Judge("dccp type", (("types", types), ("negated", option.negated))))
    if "dccp-option" in names:
        option = names["dccp-option"]
        value = integer(module, option, 1, 255)
        options.append(Option("dccp-option", str(value), option.negated))
        parts.append(Judge("dccp option", (("option", value), ("negated", option.negated))))
    return module.extension(options, tuple(parts))


def _dccp_types(given: Given) -> frozenset[int]:
    found: set[int] = set()
    for word in given.value.split(","):
        if word.upper() == "INVALID":
            found.update(range(10, 16))
        elif word:
            if word.upper() not in _DCCP:
                raise Mistake(f"Unknown DCCP type `{word}'", given.span)
            found.add(_DCCP.index(word.upper()))
    return frozenset(found)


def _dccp_names(types: frozenset[int]) -> list[str]:
    return [name for number, name in enumerate(_DCCP) if number in types]


def _show_dccp(extension: Extension, numeric: bool, family: str) -> str:
    text = _ports_listed(extension, numeric)
    for part in extension.parts:
        if isinstance(part, Judge) and part.kind == "dccp type":
            shown = ",".join(map(str, sorted(part["types"])) if numeric else _dccp_names(part["types"]))
            text += f" {'! ' if part['negated'] else ''}{shown}"
        elif isinstance(part, Judge):
            text += f" option={'!' if part['negated'] else ''}{part['option']}"
    return text


DCCP = Module("dccp", (*_PORTED, Opt("dccp-types", invert=True), Opt("dccp-option", invert=True)), _read_dccp, _show_dccp, protocol=33)
