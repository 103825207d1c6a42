"""What `ipset list` and `ipset save` print, plainly, as commands, and as XML."""

from __future__ import annotations

from xml.sax.saxutils import escape

from sim.ruleset.ipset.entries import show_key
from sim.ruleset.ipset.model import Element, IpSet, Sets
from sim.units import SECOND, show_address

Header = list[tuple[str, str]]


def header(ipset: IpSet) -> Header:
    """The options that a set was made with, in ipset's order; a value "" for a word alone."""
    found: Header = []
    if ipset.type.kind == "hash":
        found.append(("family", "inet" if ipset.family == "ip" else "inet6"))
        found += [("hashsize", str(ipset.hashsize)), ("maxelem", str(ipset.maxelem))]
    elif ipset.type.kind == "bitmap":
        found.append(("range", f"{_end(ipset, ipset.low)}-{_end(ipset, ipset.high)}"))
    else:
        found.append(("size", str(ipset.size)))
    found += [("netmask", str(ipset.netmask))] if ipset.netmask else []
    found += [("bitmask", show_address(ipset.bitmask))] if ipset.bitmask else []
    found += [("timeout", str(ipset.timeout))] if ipset.timeout is not None else []
    found += [(word, "") for word, there in (("counters", ipset.counters), ("comment", ipset.comment)) if there]
    if ipset.type.kind == "hash":
        found += [("bucketsize", str(ipset.bucketsize)), ("initval", f"0x{ipset.initval:08x}")]
    return found


def _end(ipset: IpSet, value: int) -> str:
    return str(value) if ipset.type.name == "bitmap:port" else show_address(value.to_bytes(4))


def ordered(ipset: IpSet, sort: bool = False) -> list[Element]:
    """The elements: bitmaps and those asked for sorted in order, others as they came."""
    if ipset.type.kind == "bitmap" or (sort and ipset.type.kind == "hash"):
        return sorted(ipset.elements.values(), key=lambda each: each.key)
    return list(ipset.elements.values())


def _extras(ipset: IpSet, element: Element, now: int) -> Header:
    found: Header = [("nomatch", "")] if element.nomatch else []
    if ipset.timeout is not None:
        left = 0 if element.expires is None else max(1, (element.expires - now) // SECOND)
        found.append(("timeout", str(left)))
    if ipset.counters:
        found += [("packets", str(element.packets)), ("bytes", str(element.bytes))]
    return found + ([("comment", f'"{element.comment}"')] if element.comment else [])


def _words(pairs: Header) -> str:
    return "".join(f" {name} {value}" if value else f" {name}" for name, value in pairs)


def member(ipset: IpSet, element: Element, now: int) -> str:
    """One element with what belongs to it."""
    return show_key(ipset, element.key) + _words(_extras(ipset, element, now))


def plain(sets: Sets, ipset: IpSet, now: int, sort: bool, terse: bool) -> str:
    """As `list` shows one set."""
    lines = [
        f"Name: {ipset.name}", f"Type: {ipset.type.name}", f"Revision: {ipset.type.revision}", f"Header:{_words(header(ipset))}",
        f"Size in memory: {ipset.memory}", f"References: {sets.references(ipset.name)}", f"Number of entries: {len(ipset.elements)}",
    ]  # fmt: skip
    if not terse:
        lines += ["Members:", *(member(ipset, each, now) for each in ordered(ipset, sort))]
    return "\n".join(lines) + "\n"


def saved(ipset: IpSet, now: int, sort: bool, terse: bool = False) -> str:
    """As commands that make it again."""
    lines = [f"create {ipset.name} {ipset.type.name}{_words(header(ipset))}"]
    lines += [f"add {ipset.name} {member(ipset, each, now)}" for each in ordered(ipset, sort)] if not terse else []
    return "\n".join(lines) + "\n"


def xml(sets: Sets, ipset: IpSet, now: int, sort: bool, terse: bool) -> str:
    """One set in XML."""
    head = "".join(f"<{name}>{value}</{name}>" if value else f"<{name}/>" for name, value in header(ipset))
    text = f'<ipset name="{escape(ipset.name)}">\n<type>{ipset.type.name}</type>\n'
    text += f"<revision>{ipset.type.revision}</revision>\n<header>{head}\n"
    text += f"<memsize>{ipset.memory}</memsize>\n<references>{sets.references(ipset.name)}</references>\n"
    text += f"<numentries>{len(ipset.elements)}</numentries>\n</header>\n"
    if not terse:
        text += "<members>\n" + "".join(_xml_member(ipset, each, now) for each in ordered(ipset, sort)) + "</members>\n"
    return text + "</ipset>\n"


def _xml_member(ipset: IpSet, element: Element, now: int) -> str:
    more = "".join(f"<{name}>{escape(value)}</{name}>" if value else f"<{name}/>" for name, value in _extras(ipset, element, now))
    return f"<member><elem>{escape(show_key(ipset, element.key))}</elem>{more}</member>\n"
