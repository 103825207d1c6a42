"""iptables' modules that look at ports: tcp, udp, multiport."""

from __future__ import annotations

from sim.ruleset.iptables.addresses import parse_port
from sim.ruleset.iptables.errors import Mistake
from sim.ruleset.iptables.module import Context, Given, Module, Opt, by_name
from sim.ruleset.iptables.names import service_name, service_port
from sim.ruleset.model import Compare, Extension, HeaderThere, Item, Option, Part, Range

_FLAG_BITS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32}
_MULTIPORT = {6: "tcp", 17: "udp", 136: "udplite", 132: "sctp", 33: "dccp"}


def _range_text(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}:{high}"


def port_option(selector: str, name: str, low: int, high: int, negated: bool) -> tuple[list[Option], list[Part]]:
    """The option and its comparison; nothing for the whole range, which iptables does not print either."""
    if (low, high) == (0, 65535) and not negated:
        return [], []
    item: Item = low if low == high else Range(low, high)
    return [Option(name, _range_text(low, high), negated)], [Compare(selector, (item,), "!=" if negated else "==")]


def tcp_range(given: Given, protocol: str) -> tuple[int, int]:
    """The older port range: low must not be above high."""
    low_text, colon, high_text = given.value.partition(":")
    low = parse_port(low_text, protocol, given.span) if low_text or not colon else 0
    high = (parse_port(high_text, protocol, given.span) if high_text else 65535) if colon else low
    if low > high:
        raise Mistake("invalid portrange (min > max)", given.span)
    return low, high


def wrapping_range(given: Given, protocol: str) -> tuple[int, int]:
    """xtoptions' port range: numbers wrap at 65536, low may be above high (then it never matches)."""
    low_text, colon, high_text = given.value.partition(":")
    low = wrapped_port(low_text, protocol, given) if low_text or not colon else 0
    high = (wrapped_port(high_text, protocol, given) if high_text else 65535) if colon else low
    return low, high


def wrapped_port(text: str, protocol: str | None, given: Given) -> int:
    """A port as xtoptions reads it: numbers wrap at 65536, names are services'."""
    if text.isdecimal() and text.isascii():
        return int(text) % 65536
    named = service_port(text, protocol)
    if named is None:
        raise Mistake(f'Port "{text}" does not resolve to anything.\n', given.span)
    return named


def _classic_once(given: tuple[Given, ...]) -> None:
    """tcp's own words for options given twice."""
    seen: list[str] = []
    for each in given:
        group = "tcp-flags" if each.opt.name == "syn" else each.opt.name
        if group in seen:
            one = "of `--syn' or `--tcp-flags' " if group == "tcp-flags" else f"`--{_LONG.get(group, group)}'"
            raise Mistake(f"Only one {one} allowed", each.span)
        seen.append(group)


_LONG = {"sport": "source-port", "dport": "destination-port"}


def _read_tcp(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    _classic_once(given)
    names = by_name(given)
    options: list[Option] = []
    parts: list[Part] = [HeaderThere(tcp=True)]
    for name in ("sport", "dport"):
        if name in names:
            more = port_option(f"tcp {name}", name, *tcp_range(names[name], "tcp"), names[name].negated)
            options += more[0]
            parts += more[1]
    if "tcp-option" in names:
        _tcp_option(names["tcp-option"], options, parts)
    flags = names.get("tcp-flags") or names.get("syn")
    if flags is not None:
        _tcp_flags(flags, options, parts)
    if "tcp-option" in names:
        parts.append(HeaderThere(options=True))
    return module.extension(options, tuple(parts))


def _tcp_option(given: Given, options: list[Option], parts: list[Part]) -> None:
    value = int(given.value) if given.value.isdecimal() else 0
    if not 1 <= value <= 255:
        raise Mistake(f'Bad TCP option "{given.value}"', given.span)
    options.append(Option("tcp-option", str(value), given.negated))
    # options cut short pass here and are dropped behind the flags, which Linux looks at first
    parts.append(Compare("xt tcp-option", (1 << value,), "!&" if given.negated else "&", absent=True))


def _tcp_flags(given: Given, options: list[Option], parts: list[Part]) -> None:
    if given.opt.name == "syn":
        mask, bits = 23, 2
    else:
        mask, bits = _flag_bits(given.value, given), _flag_bits(given.second, given)
    if not mask and not bits and not given.negated:
        return
    options.append(Option("tcp-flags", f"{_flag_names(mask)} {_flag_names(bits)}", given.negated))
    parts.append(Compare("tcp flags", (bits,), "!=" if given.negated else "==", mask=mask))


def _flag_bits(text: str, given: Given) -> int:
    bits = 0
    for word in text.split(","):
        upper = word.upper()
        if upper == "ALL":
            bits |= 63
        elif upper != "NONE":
            if upper not in _FLAG_BITS:
                raise Mistake(f"Unknown TCP flag `{word}'", given.span)
            bits |= _FLAG_BITS[upper]
    return bits


def _flag_names(bits: int) -> str:
    return ",".join(name for name, bit in _FLAG_BITS.items() if bits & bit) or "NONE"


def _show_ports(extension: Extension, numeric: bool, protocol: str) -> str:
    text = f" {protocol}"
    for option in extension.options:
        if option.name in ("sport", "dport"):
            ends = option.value.split(":")
            shown = ":".join(end if numeric else service_name(int(end), protocol) for end in ends)
            text += f" {option.name[0]}pt{'s' if len(ends) > 1 else ''}:{'!' if option.negated else ''}{shown}"
        elif option.name == "tcp-option":
            text += f" option={'!' if option.negated else ''}{option.value}"
        else:
            mask, bits = option.value.split(" ")
            shown = f"{mask}/{bits}" if not numeric else f"0x{_bits(mask):02X}/0x{_bits(bits):02X}"
            text += f" flags:{'!' if option.negated else ''}{shown}"
    return text


def _bits(names: str) -> int:
    return sum(_FLAG_BITS.get(name, 0) for name in names.split(","))


def _read_udp(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    names = by_name(given)
    options: list[Option] = []
    parts: list[Part] = [HeaderThere()]
    for name in ("source-port", "destination-port"):
        if name in names:
            short = f"{name[0]}port"
            more = port_option(f"udp {short}", short, *wrapping_range(names[name], "udp"), names[name].negated)
            options += more[0]
            parts += more[1]
    return module.extension(options, tuple(parts))


def _read_multiport(module: Module, given: tuple[Given, ...], context: Context) -> Extension:
    if not given:
        raise Mistake("multiport expection an option")
    if context.protocol is None:
        raise Mistake("multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'", given[0].span)
    if context.protocol not in _MULTIPORT or context.protocol_negated:
        raise Mistake("multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP", given[0].span)
    option, protocol = given[0], _MULTIPORT[context.protocol]
    items = _port_list(option, protocol)
    text = ",".join(_range_text(item.low, item.high) if isinstance(item, Range) else str(item) for item in items)  # type: ignore[arg-type]
    name = {"source-ports": "sports", "destination-ports": "dports", "ports": "ports"}[option.opt.name]
    op = "!=" if option.negated else "=="
    if name == "ports":
        every = Range(0, 65535)
        pairs: tuple[Item, ...] = tuple(pair for item in items for pair in ((every, item), (item, every)))
        test = Compare(f"{protocol} sport . {protocol} dport", pairs, op, braces=True)
    else:
        test = Compare(f"{protocol} {name[0]}port", items, op, braces=len(items) > 1)
    return module.extension([Option(name, text, option.negated)], (HeaderThere(ports=True), test))


def _port_list(option: Given, protocol: str) -> tuple[Item, ...]:
    items: list[Item] = []
    room = 15
    for word in option.value.split(","):
        low_text, colon, high_text = word.partition(":")
        low = parse_port(low_text, protocol, option.span)
        room -= 2 if colon else 1
        if room < 0:
            raise Mistake("too many ports specified", option.span)
        if not colon:
            items.append(low)
            continue
        high = parse_port(high_text, protocol, option.span)
        if low >= high:
            raise Mistake("invalid portrange specified", option.span)
        items.append(Range(low, high))
    return tuple(items)


def _show_multiport(extension: Extension, numeric: bool, family: str) -> str:
    option = extension.options[0]
    test = extension.parts[1]
    protocol = test.selector.split(" ")[0] if isinstance(test, Compare) else "tcp"
    words = [":".join(end if numeric else service_name(int(end), protocol) for end in word.split(":")) for word in option.value.split(",")]
    return f" multiport {option.name} {' !' if option.negated else ''}{','.join(words)}"


TCP = Module(
    "tcp",
    (
        Opt("sport", ("source-port",), invert=True), Opt("dport", ("destination-port",), invert=True), Opt("syn", args=0, invert=True),
        Opt("tcp-flags", args=2, invert=True), Opt("tcp-option", invert=True),
    ),
    _read_tcp, lambda extension, numeric, family: _show_ports(extension, numeric, "tcp"), protocol=6, classic=True,
)  # fmt: skip
UDP = Module(
    "udp", (Opt("source-port", ("sport",), invert=True), Opt("destination-port", ("dport",), invert=True)),
    _read_udp, lambda extension, numeric, family: _show_ports(extension, numeric, "udp"), protocol=17,
)  # fmt: skip
_ALL = ("source-ports", "destination-ports", "ports")
MULTIPORT = Module(
    "multiport",
    (
        Opt("source-ports", ("sports",), invert=True, excludes=_ALL[1:]),
        Opt("destination-ports", ("dports",), invert=True, excludes=(_ALL[0], _ALL[2])),
        Opt("ports", invert=True, excludes=_ALL[:2]),
    ),
    _read_multiport, _show_multiport,
)  # fmt: skip
