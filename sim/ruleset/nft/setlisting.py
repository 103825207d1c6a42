"""How nft lists named sets and maps, their elements and meters."""

from __future__ import annotations

from sim.ruleset.model import Element, NamedSet, Verdict
from sim.ruleset.nft.elements import listed_order
from sim.ruleset.nft.keptprint import data_words, kept_words
from sim.ruleset.nft.printing import Style, element, time
from sim.ruleset.nft.settypes import data_rows, key_rows, type_words
from sim.ruleset.selectors import Selector

# How many elements nft prints in a line (calculate_delim); one of any other type.
_IN_A_LINE = {"inet_service": 5, "mark": 5, "inet_proto": 5, "tcp_flag": 5, "ipv4_addr": 2, "ct_state": 2, "ct_status": 2, "pkt_type": 2}
_NEW_LINE = ",\n\t\t\t     "


def listing(found: NamedSet, style: Style) -> list[str]:
    """The lines of `set name { ... }`, indented for a table's block."""
    kind = "meter" if found.meter else "map" if found.data else "set"
    handle = f" # handle {found.handle}" if style.handles else ""
    lines = [f"\t{kind} {found.name} {{{handle}", f"\t\t{type_words(found)}"]
    lines += [f"\t\tpolicy {found.policy}"] if found.policy else []
    lines += [f"\t\tsize {found.size}"] if found.size else []
    flags = () if found.flags == ("timeout",) and found.timeout else found.flags
    lines += [f"\t\tflags {','.join(flags)}"] if flags else []
    lines += [f"\t\t{' '.join(kept_words(part, style, False) for part in found.parts)}"] if found.parts else []
    lines += [f"\t\ttimeout {time(found.timeout // 1000, style)}"] if found.timeout else []
    lines += [f"\t\tgc-interval {time(found.gc_interval // 1000, style)}"] if found.gc_interval else []
    lines += ["\t\tauto-merge"] if found.auto_merge else []
    lines += [f'\t\tcomment "{found.comment}"'] if found.comment else []
    if found.elements and not style.terse:
        lines.append(f"\t\telements = {{ {_elements(found, style)} }}")
    return [*lines, "\t}"]


def _elements(found: NamedSet, style: Style) -> str:
    rows = key_rows(found)
    data = () if found.data in ("", "verdict") or found.data in ("counter", "quota", "limit") else data_rows(found)
    size = _IN_A_LINE.get(found.types[0], 1) if len(rows) == 1 else 1
    datatype, interval = found.types[0] if len(rows) == 1 else "", "interval" in found.flags
    shown = sorted(found.elements, key=lambda each: listed_order(each.key, datatype, interval)) if found.is_live else found.elements
    texts = [element_words(found, each, rows, data, style) for each in shown]
    return _NEW_LINE.join(", ".join(texts[at : at + size]) for at in range(0, len(texts), size))


def element_words(found: NamedSet, one: Element, rows: tuple[Selector, ...], data: tuple[Selector, ...], style: Style) -> str:
    """One element with all that it keeps."""
    words = [element(rows, one.key, style), *(kept_words(part, style) for part in one.parts)]
    if one.timeout is not None and one.timeout != found.timeout:
        words.append(f"timeout {time(one.timeout // 1000, style)}")
    if one.expires is not None and not style.stateless:
        words.append(f"expires {time(one.expires // 1000, style)}")
    words += [f'comment "{one.comment}"'] if one.comment else []
    if isinstance(one.value, Verdict):
        words.append(f": {one.value.name} {one.value.chain}".rstrip())
    elif found.data:
        words.append(f": {data_words(found.data, data, one.value, style)}")
    return " ".join(words)


def flowtable(found: tuple[str, str, tuple[str, ...], bool, int], style: Style) -> list[str]:
    """The lines of `flowtable name { ... }`, indented for a table's block."""
    name, priority, devices, counter, number = found
    handle = f" # handle {number}" if style.handles else ""
    shown = f"\t\tdevices = {{ {', '.join(devices)} }}"
    lines = [f"\tflowtable {name} {{{handle}", f"\t\thook ingress priority {'filter' if priority == '0' else priority}"]
    return [*lines, *([shown] if devices else []), *(["\t\tcounter"] if counter else []), "\t}"]
