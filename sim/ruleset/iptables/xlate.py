"""A rule of iptables in nft's words, as iptables-translate(8) 1.8.9 words it. None where that has no words.

Written from the options as they are saved, not from the parts: the translator knows nothing of what a rule does.
`flags fin,syn / fin,syn`: its own spelling; newer versions have others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sim.ruleset.iptables.addresses import compare_net, mask_length, show_net
from sim.ruleset.iptables.names import protocol_text
from sim.ruleset.model import Compare, Extension, Option, Rule, Verdict, Wildcard
from sim.units import show_address

Options = Mapping[str, Option]
Words = Callable[[Options, str], "str | None"]
_ALL = 0xFFFFFFFF


def rule_words(rule: Rule, family: str) -> str | None:
    """The rule without its chain, or None."""
    try:
        return " ".join([*_header(rule, family), *_matches(rule, family), "counter", *_target(rule, family), *_comment(rule)])
    except KeyError:
        return None


# ---- the header ------------------------------------------------------------------------------------------------------


def _header(rule: Rule, family: str) -> list[str]:
    header = {part.selector: part for part in rule.parts if isinstance(part, Compare)}
    words = [_device(header[name], name[5:]) for name in ("meta iifname", "meta oifname") if name in header]
    if "ip frag-off" in header:
        words.append("ip frag-off & 0x1fff " + ("!= 0" if header["ip frag-off"].op == "!=" else "0"))
    protocol = header.get("ip protocol") or header.get("meta l4proto")
    if protocol is not None and not _said(rule, int(str(protocol.values[0]))):  # type: ignore[index]
        words.append(_protocol(protocol, family))
    for name in ("saddr", "daddr"):
        if f"{family} {name}" in header:
            words.append(f"{family} {name} {_address(header[f'{family} {name}'])}")
    return [word for word in words if word]


def _not(part: Compare) -> str:
    return "!= " if part.op == "!=" else ""


def _device(part: Compare, name: str) -> str:
    item = part.values[0]  # type: ignore[index]
    if item == Wildcard(""):
        return f'{name} "INVAL/D"' if part.op == "!=" else ""
    text = f"{item.start}*" if isinstance(item, Wildcard) else str(item)
    return f'{name} {_not(part)}"{text}"'


def _said(rule: Rule, protocol: int) -> bool:
    """Whether a module of the protocol's name says it."""
    names = {part.name for part in rule.parts if isinstance(part, Extension) and not part.target}
    return protocol_text(protocol) in names or (protocol == 135 and "mh" in names)


def _protocol(part: Compare, family: str) -> str:
    number = int(str(part.values[0]))  # type: ignore[index]
    selector = "ip protocol" if family == "ip" else "meta l4proto"
    return f"{selector} {_not(part)}{protocol_text(number)}"


def _address(part: Compare) -> str:
    net = compare_net(part)
    if mask_length(net.mask) is None:
        return f"& {show_address(net.mask)} {'!=' if part.op == '!=' else '=='} {show_address(net.address)}"
    return _not(part) + show_net(net, False)


def _comment(rule: Rule) -> list[str]:
    there = any(isinstance(part, Extension) and part.name == "comment" for part in rule.parts)
    return [f'comment "{rule.comment}"'] if there else []


# ---- matches ---------------------------------------------------------------------------------------------------------


def _matches(rule: Rule, family: str) -> list[str]:
    found = []
    for part in rule.parts:
        if isinstance(part, Extension) and not part.target and part.name != "comment":
            named = {option.name: option for option in part.options}
            words = _multiport(part) if part.name == "multiport" else MATCHES[part.name](named, family)
            if words is None:
                raise KeyError(part.name)
            found.append(words)
    return [words for words in found if words]


def _value(option: Option, between: str = "-") -> str:
    return ("!= " if option.negated else "") + option.value.replace(":", between)


def _ported(name: str, *more: Callable[[Options], str]) -> Words:
    def words(options: Options, family: str) -> str:
        found = [f"{name} {field} {_value(options[field])}" for field in ("sport", "dport") if field in options]
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
            words.append(f"ct {way} protocol {_value(option)}")
        elif name == "ctstate":
            words.append(_states(option))
        elif name == "ctstatus":
            words.append(_status(option))
        elif name == "ctexpire":
            words.append(f"ct expiration {_value(option)}")
        else:
            words.append(f"ct {_CT_TUPLES[name]} {_value(option) if 'port' in name else ('!= ' if option.negated else '') + option.value}")
    return " ".join(words)


_CT_TUPLES = {
    "ctorigsrc": "original saddr", "ctorigdst": "original daddr", "ctreplsrc": "reply saddr", "ctrepldst": "reply daddr",
    "ctorigsrcport": "original proto-src", "ctorigdstport": "original proto-dst", "ctreplsrcport": "reply proto-src",
    "ctrepldstport": "reply proto-dst",
}  # fmt: skip
_STATE_ORDER = ("INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED")
_STATUS_ORDER = ("EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED")


def _states(option: Option) -> str:
    given = option.value.split(",")
    if "SNAT" in given or "DNAT" in given:
        states = [name.lower() for name in ("SNAT", "DNAT") if name in given]
        return "ct status " + ("! " if option.negated else "") + ",".join(states)
    return "ct state " + ("! " if option.negated else "") + ",".join(name.lower() for name in _STATE_ORDER if name in given)


def _status(option: Option) -> str:
    given = option.value.split(",")
    names = ",".join(name.lower().replace("_", "-") for name in _STATUS_ORDER if name in given)
    return f"ct status {'! ' if option.negated else ''}{names}"


def _limit(options: Options, family: str) -> str:
    rate, _, unit = options["limit"].value.partition("/")
    burst = options["limit-burst"].value if "limit-burst" in options else "5"
    unit = {"sec": "second", "min": "minute"}.get(unit, unit)
    return f"limit rate {rate}/{unit}" + (f" burst {burst} packets" if burst != "0" else "")


def _multiport(part: Extension) -> str:
    """Its protocol stands in the comparison that it made."""
    test, option = part.parts[-1], part.options[0]
    assert isinstance(test, Compare)
    protocol, items = test.selector.split(" ")[0], option.value.replace(":", "-").split(",")
    if option.name == "ports":
        pairs = [pair for item in items for pair in (f"0-65535 . {item}", f"{item} . 0-65535")]
        return f"{protocol} sport . {protocol} dport {{ {', '.join(pairs)} }}"
    listed = "{ " + ", ".join(items) + " }" if len(items) > 1 else items[0]
    return f"{protocol} {option.name[0]}port {'!= ' if option.negated else ''}{listed}"


def _marked(selector: str) -> Words:
    def words(options: Options, family: str) -> str:
        option = options["mark"]
        value, slash, mask = option.value.partition("/")
        if slash:
            return f"{selector} and {mask} {'!=' if option.negated else '=='} {value}"
        return f"{selector} {'!= ' if option.negated else ''}{value}"

    return words


def _addresses(options: Options, family: str) -> str:
    sides = (("src-range", "saddr"), ("dst-range", "daddr"))
    return " ".join(f"{family} {field} {_value(options[name], ':')}" for name, field in sides if name in options)


def _addrtype(options: Options, family: str) -> str | None:
    device = " . iif" if "limit-iface-in" in options else " . oif" if "limit-iface-out" in options else ""
    words = []
    for name, field in (("src-type", "saddr"), ("dst-type", "daddr")):
        if name in options:
            types = options[name].value.lower().split(",")
            listed = types[0] if len(types) == 1 else "{ " + ", ".join(types) + " }"
            words.append(f"fib {field}{device} type {'!= ' if options[name].negated else ''}{listed}")
    return " ".join(words)


def _plain(name: str, selector: str, between: str = "-") -> Words:
    return lambda options, family: f"{selector.format(family)} {_value(options[name], between)}"


def _hops(selector: str) -> Words:
    def words(options: Options, family: str) -> str:
        (name, option), = options.items()
        op = {"lt": "lt ", "gt": "gt "}.get(name[-2:], "!= " if option.negated else "")
        return f"{selector} {op}{option.value}"

    return words


def _ecn(options: Options, family: str) -> str:
    words = []
    for name, flag in (("ecn-tcp-ece", "ecn"), ("ecn-tcp-cwr", "cwr")):
        if name in options:
            words.append(f"tcp flags {'!= ' if options[name].negated else ''}{flag}")
    if "ecn-ip-ect" in options:
        ect = {"0": "not-ect", "1": "ect1", "2": "ect0", "3": "ce"}[options["ecn-ip-ect"].value]
        words.append(f"{family} ecn {'!= ' if options['ecn-ip-ect'].negated else ''}{ect}")
    return " ".join(words)


def _owner(options: Options, family: str) -> str | None:
    if len(options) != 1 or "socket-exists" in options:
        return None
    (name, option), = options.items()
    return f"sk{name[:3]} {_value(option)}"


def _helper(options: Options, family: str) -> str:
    option = options["helper"]
    return f'ct helper {"!= " if option.negated else ""}"{option.value.strip(chr(34))}"'


def _statistic(options: Options, family: str) -> str:
    if "probability" in options:
        option = options["probability"]
        return f"meta random & 2147483647 {'>=' if option.negated else '<'} {round(float(option.value) * 0x80000000)}"
    return f"numgen inc mod {options['every'].value} {'!= ' if options['every'].negated else ''}{options['packet'].value}"


def _connbytes(options: Options, family: str) -> str:
    way = {"both": "", "original": "original ", "reply": "reply "}[options["connbytes-dir"].value]
    low, colon, high = options["connbytes"].value.partition(":")
    negated = options["connbytes"].negated
    size = f"{'!= ' if negated else ''}{low}-{high}" if colon else f"{'lt' if negated else 'ge'} {low}"
    return f"ct {way}{options['connbytes-mode'].value} {size}"


def _time(options: Options, family: str) -> str | None:
    named = {name.strip(): option.value for name, option in options.items()}
    if "monthdays" in named:
        return None
    words, last = [], named.get("datestop", "2038-01-19T03:14:07")
    if "datestart" in named or last != "2038-01-19T03:14:07":
        first = named.get("datestart", "1970-01-01T00:00:00")
        words.append(f'meta time "{first.replace("T", " ")}"-"{last.replace("T", " ")}"')
    if "timestart" in named:
        words.append(f'meta hour "{named["timestart"]}"-"{named["timestop"]}"')
    if "weekdays" in named:
        days = [str(_WEEK.index(day)) for day in named["weekdays"].split(",") if day]
        listed = [day for day in ("1", "2", "3", "4", "5", "6", "0") if day in days]
        words.append("meta day" if not listed else "meta day " + (listed[0] if len(listed) == 1 else "{ " + ", ".join(listed) + " }"))
    return " ".join(words)


_WEEK = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


def _spi(name: str, selector: str) -> Words:
    return lambda options, family: f"{selector} {_value(options[name])}" if name in options else ""


def _rpfilter(options: Options, family: str) -> str | None:
    if set(options) - {"loose", "validmark", "invert"}:
        return None
    mark = " . mark" if "validmark" in options else ""
    device = "" if "loose" in options else " . iif"
    return f"fib saddr{mark}{device} oif {'' if 'invert' in options else '!= '}0"


def _realm(options: Options, family: str) -> str:
    return _masked("rtclassid", options["realm"])


def _masked(selector: str, option: Option) -> str:
    value, slash, mask = option.value.partition("/")
    if slash:
        return f"{selector} and {mask} {'!=' if option.negated else '=='} {value}"
    return f"{selector} {'!= ' if option.negated else ''}{value}"


def _devgroup(options: Options, family: str) -> str:
    sides = (("src-group", "iifgroup"), ("dst-group", "oifgroup"))
    return " ".join(_masked(selector, options[name]) for name, selector in sides if name in options)


def _header_of(name: str, fields: Mapping[str, str]) -> Words:
    def words(options: Options, family: str) -> str | None:
        if set(options) - set(fields) or (name == "hbh" and not options):
            return None
        found = [f"{name} {text} {_value(options[option])}" for option, text in fields.items() if option in options and text]
        return " ".join(found)

    return words


def _frag(options: Options, family: str) -> str:
    words = [f"frag id {_value(options['fragid'])}"] if "fragid" in options else []
    said = (("fragres", "reserved 1"), ("fragfirst", "frag-off 0"), ("fragmore", "more-fragments 1"), ("fraglast", "more-fragments 0"))
    return " ".join([*words, *(f"frag {text}" for name, text in said if name in options)])


def _ah(options: Options, family: str) -> str:
    words = [f"ah spi {_value(options['ahspi'])}"] if "ahspi" in options else []
    words += [f"ah hdrlength {_value(options['ahlen'])}"] if "ahlen" in options else []
    words += ["ah reserved 1"] if "ahres" in options else []
    return " ".join(words) or "meta l4proto ah"


def _mh(options: Options, family: str) -> str:
    """The protocol is always said."""
    more = f" mh type {_value(options['mh-type'])}" if "mh-type" in options else ""
    return f"meta l4proto mobility-header{more}"


_KEYS = {"srcip": "{} saddr", "dstip": "{} daddr", "srcport": "tcp sport", "dstport": "tcp dport"}
_SIZES = {"kb": "kbytes", "mb": "mbytes", "b": "bytes"}


def _hashlimit(options: Options, family: str) -> str | None:
    """A meter, in the keys' order of the translator. A measured rate, and one rate for all, have no words."""
    named = {name.removeprefix("hashlimit-"): option.value for name, option in options.items()}
    if "rate-match" in named or "mode" not in named or "htable-expire" in named:
        return None
    modes = named["mode"].split(",")
    masks = {"srcip": named.get("srcmask"), "dstip": named.get("dstmask")}
    order = [mode for mode in ("dstip", "dstport", "srcip", "srcport") if mode in modes]
    keys = [_KEYS[mode].format(family) + _mask_words(masks.get(mode), family) for mode in order]
    above = "above" in named
    rate = _rate(named["above"] if above else named["upto"])
    burst = named.get("burst", "5")
    shown = "" if burst == "5" else f" burst {_sized(burst)}"
    return f"meter {named['name']} {{ {' . '.join(keys)}{_idle(named)} limit rate {'over ' if above else ''}{rate}{shown} }}"


def _mask_words(length: str | None, family: str) -> str:
    if length is None:
        return ""
    size = 32 if family == "ip" else 128
    return f" and {show_address(((1 << size) - (1 << size - int(length))).to_bytes(size // 8))}"


def _rate(text: str) -> str:
    amount, _, unit = text.partition("/")
    if amount.endswith("b"):
        return f"{_sized(amount)}/second"
    return f"{amount}/{ {'sec': 'second', 'min': 'minute'}.get(unit, unit)}"


def _sized(text: str) -> str:
    suffix = next((each for each in _SIZES if text.endswith(each)), "")
    return f"{text.removesuffix(suffix)} {_SIZES[suffix]}" if suffix else f"{text} packets"


def _idle(named: Mapping[str, str]) -> str:
    """How long an idle element stays, where it is not a second."""
    rate = named.get("above") or named["upto"]
    if rate.endswith("b/s"):
        return " timeout 60s" if "burst" in named else " timeout 15s"
    seconds = {"sec": 1, "min": 60, "hour": 3600, "day": 86400}[rate.partition("/")[2]]
    return f" timeout {seconds}s" if seconds != 1 else ""


def _dccp(options: Options, family: str) -> str | None:
    if "dccp-option" in options:
        return None
    ports = _ported("dccp")(options, family) or ""
    if "dccp-types" not in options:
        return ports
    option = options["dccp-types"]
    types = [name.lower().replace("invalid", "10-15") for name in option.value.split(",")]
    listed = types[0] if len(types) == 1 else "{ " + ", ".join(types) + " }"
    return f"{ports} dccp type {'!= ' if option.negated else ''}{listed}".strip()


def _sctp(options: Options, family: str) -> str | None:
    return None if "chunk-types" in options or not options else _ported("sctp")(options, family)


def _policy(options: Options, family: str) -> str | None:
    if set(options) != {"dir", "pol"} or options["dir"].value != "in":
        return None
    return "meta secpath " + ("missing" if options["pol"].value == "none" else "exists")


def _quota(options: Options, family: str) -> str:
    return f"quota {'over ' if options['quota'].negated else ''}{options['quota'].value} bytes"


MATCHES: dict[str, Words] = {
    "tcp": _ported("tcp", _tcp_option, _tcp_flags), "udp": _ported("udp"), "sctp": _sctp, "dccp": _dccp,
    "icmp": _icmp, "icmp6": _icmp6, "conntrack": _conntrack, "state": lambda options, family: _states(options["state"]),
    "limit": _limit, "mark": _marked("mark"), "connmark": _marked("ct mark"), "iprange": _addresses,
    "addrtype": _addrtype, "length": _plain("length", "meta length"), "ttl": _hops("ip ttl"), "hl": _hops("ip6 hoplimit"),
    "dscp": _plain("dscp", "{} dscp"), "ecn": _ecn, "mac": _plain("mac-source", "ether saddr", ":"),
    "pkttype": _plain("pkt-type", "pkttype"),
    "owner": _owner, "helper": _helper, "statistic": _statistic, "connbytes": _connbytes, "time": _time, "quota": _quota,
    "tcpmss": _plain("mss", "tcp option maxseg size"), "cpu": _plain("cpu", "cpu"), "realm": _realm, "devgroup": _devgroup,
    "esp": _spi("espspi", "esp spi"), "ipcomp": _spi("ipcompspi", "comp cpi"), "rpfilter": _rpfilter, "frag": _frag, "policy": _policy,
    "ah": _ah, "mh": _mh, "hbh": _header_of("hbh", {"hbh-len": "hdrlength"}), "hashlimit": _hashlimit,
    "rt": _header_of("rt", {"rt-type": "type", "rt-segsleft": "seg-left", "rt-len": "hdrlength"}),
}  # fmt: skip

# ---- targets ---------------------------------------------------------------------------------------------------------


def _target(rule: Rule, family: str) -> list[str]:
    for part in rule.parts:
        if isinstance(part, Verdict):
            return [part.name if not part.chain else f"{part.name} {part.chain}"]
        if isinstance(part, Extension) and part.target:
            words = TARGETS[part.name]({option.name: option for option in part.options}, family)
            if words is None:
                raise KeyError(part.name)
            return [words]
    return []


def _reject(options: Options, family: str) -> str:
    kind = options["reject-with"].value
    if kind in ("icmp-port-unreachable", "icmp6-port-unreachable"):
        return "reject"
    if kind == "tcp-reset":
        return "reject with tcp reset"
    name = kind.removeprefix("icmp6-").removeprefix("icmp-").replace("adm-prohibited", "admin-prohibited").replace("proto-", "prot-")
    return f"reject with {'icmp' if family == 'ip' else 'icmpv6'} type {name.replace('addr-unreachable', 'addr-unreachable')}"


_LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
_LOG_FLAGS = {"log-tcp-sequence": "sequence", "log-tcp-options": "options", "log-ip-options": "ip options", "log-uid": "skuid",
              "log-macdecode": "ether"}  # fmt: skip


def _log(options: Options, family: str) -> str:
    words = ["log"]
    if "log-prefix" in options:
        words.append(f'prefix "{_bare(options["log-prefix"].value)}"')
    if "log-level" in options:
        words.append(f"level {_LEVELS[int(options['log-level'].value)]}")
    flags = [name for name in _LOG_FLAGS if name in options]
    if len(flags) == len(_LOG_FLAGS):
        return " ".join([*words, "flags all"])
    tcp = ",".join(_LOG_FLAGS[name] for name in flags[:2] if name.startswith("log-tcp"))
    words += [f"flags tcp {tcp}"] if tcp else []
    return " ".join([*words, *(f"flags {_LOG_FLAGS[name]}" for name in flags if not name.startswith("log-tcp"))])


def _bare(text: str) -> str:
    return text[1:-1] if text.startswith('"') else text


def _nflog(options: Options, family: str) -> str:
    words = ["log"]
    words += [f'prefix "{_bare(options["nflog-prefix"].value)}"'] if "nflog-prefix" in options else []
    words += [f"snaplen {options['nflog-size'].value}"] if "nflog-size" in options else []
    words += [f"queue-threshold {options['nflog-threshold'].value}"] if "nflog-threshold" in options else []
    return " ".join([*words, f"group {options['nflog-group'].value if 'nflog-group' in options else 0}"])


def _mark(options: Options, family: str) -> str:
    value, mask = (int(text, 16) for text in options["set-xmark"].value.split("/"))
    return _marking("meta mark set", "mark", value, mask, f"mark and {mask ^ _ALL:#x} xor {value:#x}")


def _marking(head: str, selector: str, value: int, mask: int, mixed: str) -> str:
    if mask == _ALL:
        return f"{head} {value:#x}"
    if not value:
        return f"{head} {selector} and {mask ^ _ALL:#x}"
    if value == mask:
        return f"{head} {selector} or {value:#x}"
    return f"{head} {selector} xor {value:#x}" if not mask else f"{head} {mixed}"


def _connmark(options: Options, family: str) -> str | None:
    if "set-xmark" in options:
        value, mask = (int(text, 16) for text in options["set-xmark"].value.split("/"))
        return _marking("ct mark set", "ct mark", value, mask, f"ct mark xor {value:#x} and {mask ^ _ALL:#x}")
    nfmask, ctmask = (int(options[name].value, 16) for name in ("nfmask", "ctmask"))
    if nfmask != ctmask:
        return None
    text = "ct mark set mark" if "save-mark" in options else "meta mark set ct mark"
    return text + (f" and {nfmask:#x}" if nfmask != _ALL else "")


_NAT_FLAGS = {"random": "random", "random-fully": "fully-random", "persistent": "persistent"}


def _nat(kind: str, to: str) -> Words:
    def words(options: Options, family: str) -> str | None:
        where = options[to].value if to in options else ""
        if "/" in where:
            return None
        where = f":{where}" if where and to == "to-ports" else where
        flags = ",".join(said for name, said in _NAT_FLAGS.items() if name in options)
        return " ".join([kind, *([f"to {where}"] if where else []), *([flags] if flags else [])])

    return words


def _mss(options: Options, family: str) -> str:
    return f"tcp option maxseg size set {options['set-mss'].value if 'set-mss' in options else 'rt mtu'}"


def _classify(options: Options, family: str) -> str:
    major, minor = (int(text, 16) for text in options["set-class"].value.split(":"))
    return f"meta priority set {major:x}:{minor:x}"


def _tee(options: Options, family: str) -> str:
    return f"dup to {options['gateway'].value}" + (f" device {options['oif'].value}" if "oif" in options else "")


def _tos(options: Options, family: str) -> str | None:
    value, mask = (int(text, 16) for text in options["set-tos"].value.split("/"))
    return f"{family} dscp set 0x{value >> 2:02x}" if mask in (0xFF, 0x3F) and not value & 3 else None


TARGETS: dict[str, Words] = {
    "REJECT": _reject, "LOG": _log, "NFLOG": _nflog, "MARK": _mark, "CONNMARK": _connmark, "TCPMSS": _mss, "CLASSIFY": _classify,
    "CT": lambda options, family: "notrack" if "notrack" in options else None, "NOTRACK": lambda options, family: "notrack",
    "SNAT": _nat("snat", "to-source"), "DNAT": _nat("dnat", "to-destination"), "MASQUERADE": _nat("masquerade", "to-ports"),
    "REDIRECT": _nat("redirect", "to-ports"), "DSCP": lambda options, family: f"{family} dscp set {options['set-dscp'].value}",
    "TRACE": lambda options, family: "nftrace set 1", "TEE": _tee, "AUDIT": lambda options, family: "log level audit", "TOS": _tos,
}  # fmt: skip
