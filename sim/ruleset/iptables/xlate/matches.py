"""What iptables-translate(8) 1.8.9 says of each match, from its saved options. Those that count or watch the clock: counting.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sim.ruleset.iptables.chunks import CHUNKS
from sim.ruleset.iptables.xlate.counting import COUNTING
from sim.ruleset.iptables.xlate.words import Options, Words, listed, masked, value
from sim.ruleset.model import Compare, Extension, Option
from sim.ruleset.parts import Judge


def _ported(name: str, *more: Callable[[Options], str]) -> Words:
    def words(options: Options, family: str) -> str:
        found = [f"{name} {field} {value(options[field])}" for field in ("sport", "dport") if field in options]
        return " ".join([*found, *(text for each in more if (text := each(options)))])

    return words


def _tcp_flags(options: Options) -> str:
    if "tcp-flags" not in options:
        return ""
    mask, bits = options["tcp-flags"].value.lower().split(" ")
    return f"tcp flags {'!= ' if options['tcp-flags'].negated else ''}{_none(bits)} / {_none(mask)}"


def _none(flags: str) -> str:
    return "0x0" if flags == "none" else flags


def _tcp_option(options: Options) -> str:
    if "tcp-option" not in options:
        return ""
    return f"tcp option {options['tcp-option'].value} {'missing' if options['tcp-option'].negated else 'exists'}"


def _icmp(options: Options, family: str) -> str | None:
    option = options["icmp-type"]
    if option.value == "any":
        return "ip protocol icmp" if not option.negated else None
    return f"icmp type {'!= ' if option.negated else ''}{_ICMP[option.value]}"


_ICMP = {
    "0": "echo-reply", "3": "destination-unreachable", "4": "source-quench", "5": "redirect", "8": "echo-request",
    "9": "router-advertisement", "10": "router-solicitation", "11": "time-exceeded", "12": "parameter-problem", "13": "timestamp-request",
    "14": "timestamp-reply", "17": "address-mask-request", "18": "address-mask-reply",
}  # fmt: skip
_ICMP6 = {
    "1": "destination-unreachable", "2": "packet-too-big", "3": "time-exceeded", "4": "parameter-problem", "128": "echo-request",
    "129": "echo-reply", "133": "nd-router-solicit", "134": "nd-router-advert", "135": "nd-neighbor-solicit", "136": "nd-neighbor-advert",
    "137": "nd-redirect",
}  # fmt: skip


def _icmp6(options: Options, family: str) -> str:
    option = options["icmpv6-type"]
    return f"icmpv6 type {'!= ' if option.negated else ''}{_ICMP6[option.value]}"


def _conntrack(options: Options, family: str) -> str | None:
    way = "reply" if "ctdir" in options and options["ctdir"].value == "REPLY" else "original"
    words = [f"ct direction {way}"] if "ctdir" in options else []
    for name in ("ctproto", "ctstate", "ctstatus", "ctexpire", *_CT_TUPLES):
        if name not in options:
            continue
        option = options[name]
        if name == "ctproto":
            words.append(f"ct {way} protocol {value(option)}")
        elif name == "ctstate":
            states = _states(option)
            if states is None:
                return None
            words.append(states)
        elif name == "ctstatus":
            words.append(_status(option))
        elif name == "ctexpire":
            words.append(f"ct expiration {value(option)}")
        else:
            words.append(f"ct {_CT_TUPLES[name]} {value(option) if 'port' in name else ('!= ' if option.negated else '') + option.value}")
    return " ".join(words)


_CT_TUPLES = {
    "ctorigsrc": "original saddr", "ctorigdst": "original daddr", "ctreplsrc": "reply saddr", "ctrepldst": "reply daddr",
    "ctorigsrcport": "original proto-src", "ctorigdstport": "original proto-dst", "ctreplsrcport": "reply proto-src",
    "ctrepldstport": "reply proto-dst",
}  # fmt: skip
_STATE_ORDER = ("INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED")
_STATUS_ORDER = ("EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED")


def _states(option: Option) -> str | None:
    """SNAT and DNAT are of the status; a state or one of these are two rules in nft, and none of them all is one."""
    given, but = option.value.split(","), "! " if option.negated else ""
    translated = [name.lower() for name in ("SNAT", "DNAT") if name in given]
    states = [name.lower() for name in _STATE_ORDER if name in given]
    if translated and states and not option.negated:
        return None
    words = [f"ct state {but}{','.join(states)}"] if states else []
    return " ".join([*words, f"ct status {but}{','.join(translated)}"] if translated else words)


def _status(option: Option) -> str:
    given = option.value.split(",")
    names = ",".join(name.lower().replace("_", "-") for name in _STATUS_ORDER if name in given)
    return f"ct status {'! ' if option.negated else ''}{names}"


def _multiport(part: Extension) -> str:
    """Its protocol stands in the comparison that it made."""
    test, option = part.parts[-1], part.options[0]
    assert isinstance(test, Compare)
    protocol, items = test.selector.split(" ")[0], option.value.replace(":", "-").split(",")
    if option.name == "ports":
        pairs = [pair for item in items for pair in (f"0-65535 . {item}", f"{item} . 0-65535")]
        return f"{protocol} sport . {protocol} dport {{ {', '.join(pairs)} }}"
    return f"{protocol} {option.name[0]}port {'!= ' if option.negated else ''}{listed(items)}"


def _marked(selector: str) -> Words:
    return lambda options, family: masked(selector, options["mark"])


def _addresses(options: Options, family: str) -> str:
    sides = (("src-range", "saddr"), ("dst-range", "daddr"))
    return " ".join(f"{family} {field} {value(options[name], ':')}" for name, field in sides if name in options)


def _addrtype(options: Options, family: str) -> str | None:
    device = " . iif" if "limit-iface-in" in options else " . oif" if "limit-iface-out" in options else ""
    words = []
    for name, field in (("src-type", "saddr"), ("dst-type", "daddr")):
        if name in options:
            types = options[name].value.lower().split(",")
            words.append(f"fib {field}{device} type {'!= ' if options[name].negated else ''}{listed(types)}")
    return " ".join(words)


def _plain(name: str, selector: str, between: str = "-") -> Words:
    return lambda options, family: f"{selector.format(family)} {value(options[name], between)}"


def _hops(selector: str) -> Words:
    def words(options: Options, family: str) -> str:
        (name, option), = options.items()
        op = {"lt": "lt ", "gt": "gt "}.get(name[-2:], "!= " if option.negated else "")
        return f"{selector} {op}{option.value}"

    return words


def _ecn(options: Options, family: str) -> str:
    """One `!` negates all, and the address family is always IPv4's: the translator's own."""
    negated = "!= " if any(option.negated for option in options.values()) else ""
    words = [f"tcp flags {negated}{flag}" for name, flag in (("ecn-tcp-ece", "ecn"), ("ecn-tcp-cwr", "cwr")) if name in options]
    if "ecn-ip-ect" in options:
        words.append(f"ip ecn {negated}{('not-ect', 'ect1', 'ect0', 'ce')[int(options['ecn-ip-ect'].value)]}")
    return " ".join(words)


def _owner(options: Options, family: str) -> str | None:
    if len(options) != 1 or "socket-exists" in options:
        return None
    (name, option), = options.items()
    return f"sk{name[:3]} {value(option)}"


def _helper(options: Options, family: str) -> str:
    option = options["helper"]
    return f'ct helper {"!= " if option.negated else ""}"{option.value.strip(chr(34))}"'


def _spi(name: str, selector: str) -> Words:
    return lambda options, family: f"{selector} {value(options[name])}" if name in options else ""


def _rpfilter(options: Options, family: str) -> str | None:
    if set(options) - {"loose", "validmark", "invert"}:
        return None
    mark = " . mark" if "validmark" in options else ""
    device = "" if "loose" in options else " . iif"
    return f"fib saddr{mark}{device} oif {'' if 'invert' in options else '!= '}0"


def _realm(options: Options, family: str) -> str:
    return masked("rtclassid", options["realm"])


def _devgroup(options: Options, family: str) -> str:
    """With `!` before the first, the translator negates the second too."""
    sides = (("src-group", "iifgroup"), ("dst-group", "oifgroup"))
    words, negated = [], False
    for name, selector in sides:
        if name in options:
            negated = negated or options[name].negated
            words.append(masked(selector, options[name]._replace(negated=negated)))
    return " ".join(words)


def _header_of(name: str, fields: Mapping[str, str]) -> Words:
    def words(options: Options, family: str) -> str | None:
        if set(options) - set(fields) or (name == "hbh" and not options):
            return None
        found = [f"{name} {text} {value(options[option])}" for option, text in fields.items() if option in options and text]
        return " ".join(found)

    return words


def _frag(options: Options, family: str) -> str:
    words = [f"frag id {value(options['fragid'])}"] if "fragid" in options else []
    said = (("fragres", "reserved 1"), ("fragfirst", "frag-off 0"), ("fragmore", "more-fragments 1"), ("fraglast", "more-fragments 0"))
    return " ".join([*words, *(f"frag {text}" for name, text in said if name in options)])


def _ah(options: Options, family: str) -> str:
    words = [f"ah spi {value(options['ahspi'])}"] if "ahspi" in options else []
    words += [f"ah hdrlength {value(options['ahlen'])}"] if "ahlen" in options else []
    words += ["ah reserved 1"] if "ahres" in options else []
    return " ".join(words) or "meta l4proto ah"


def _mh(options: Options, family: str) -> str:
    """The protocol is always said."""
    more = f" mh type {value(options['mh-type'])}" if "mh-type" in options else ""
    return f"meta l4proto mobility-header{more}"


def _dccp(options: Options, family: str) -> str | None:
    if "dccp-option" in options:
        return None
    ports = _ported("dccp")(options, family) or ""
    if "dccp-types" not in options:
        return ports
    option = options["dccp-types"]
    types = [name.lower().replace("invalid", "10-15") for name in option.value.split(",")]
    return f"{ports} dccp type {'!= ' if option.negated else ''}{listed(types)}".strip()


def _sctp(part: Extension) -> str | None:
    """`any` has no words; `only` names every chunk there is, with what must not be there."""
    words = [_ported("sctp")({option.name: option for option in part.options}, "") or ""]
    test = part.parts[-1] if part.parts else None
    if not part.options or (isinstance(test, Judge) and test["how"] == "any"):
        return None
    return " ".join([word for word in words if word] + (_chunks(test) if isinstance(test, Judge) else []))


def _chunks(test: Judge) -> list[str]:
    flags = {kind: (mask, bits) for kind, mask, bits in test["flags"]}
    found = []
    for name, kind in CHUNKS.items():
        chunk, there = f"sctp chunk {_CHUNK_WORDS.get(name, name.lower().replace('_', '-'))}", kind in test["wanted"]
        if kind in flags and there:
            mask, bits = flags[kind]
            found.append(f"{chunk} flags & {mask:#x} {'!=' if test['negated'] else '=='} {bits:#x}")
        elif there or test["how"] == "only":
            found.append(f"{chunk} {'exists' if there != test['negated'] else 'missing'}")
    return found


_CHUNK_WORDS = {"ECN_ECNE": "ecne", "ECN_CWR": "cwr"}


def _policy(options: Options, family: str) -> str | None:
    if set(options) != {"dir", "pol"} or options["dir"].value != "in":
        return None
    return "meta secpath " + ("missing" if options["pol"].value == "none" else "exists")


def _cgroup(options: Options, family: str) -> str | None:
    return _plain("cgroup", "meta cgroup")(options, family) if "cgroup" in options else None


def _connlabel(options: Options, family: str) -> str:
    label = options["label"].value.strip('"')
    setting = f"ct label set {label} " if "set" in options else ""
    return f"{setting}ct label {f'and {label} != ' if options['label'].negated else ''}{label}"


MATCHES: dict[str, Words] = {
    **COUNTING, "connlabel": _connlabel,
    "tcp": _ported("tcp", _tcp_option, _tcp_flags), "udp": _ported("udp"), "dccp": _dccp,
    "icmp": _icmp, "icmp6": _icmp6, "conntrack": _conntrack, "state": lambda options, family: _states(options["state"]),
    "mark": _marked("mark"), "connmark": _marked("ct mark"), "iprange": _addresses,
    "addrtype": _addrtype, "length": _plain("length", "meta length"), "ttl": _hops("ip ttl"), "hl": _hops("ip6 hoplimit"),
    "dscp": _plain("dscp", "{} dscp"), "ecn": _ecn, "mac": _plain("mac-source", "ether saddr", ":"),
    "pkttype": _plain("pkt-type", "pkttype"),
    "owner": _owner, "cgroup": _cgroup, "helper": _helper,
    "tcpmss": _plain("mss", "tcp option maxseg size"), "cpu": _plain("cpu", "cpu"), "realm": _realm, "devgroup": _devgroup,
    "esp": _spi("espspi", "esp spi"), "ipcomp": _spi("ipcompspi", "comp cpi"), "rpfilter": _rpfilter, "frag": _frag, "policy": _policy,
    "ah": _ah, "mh": _mh, "hbh": _header_of("hbh", {"hbh-len": "hdrlength"}),
    "rt": _header_of("rt", {"rt-type": "type", "rt-segsleft": "seg-left", "rt-len": "hdrlength"}),
}  # fmt: skip
# Those that need more than the options: multiport's protocol stands in its comparison, sctp's chunks in its test.
WHOLE: dict[str, Callable[[Extension], str | None]] = {"multiport": _multiport, "sctp": _sctp}
