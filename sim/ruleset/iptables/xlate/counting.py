"""What iptables-translate(8) 1.8.9 says of the matches that count or watch the clock, from their saved options."""

from __future__ import annotations

from collections.abc import Mapping

from sim.ruleset.iptables.xlate.words import Options, Words
from sim.units import show_address


def _limit(options: Options, family: str) -> str:
    rate, _, unit = options["limit"].value.partition("/")
    burst = options["limit-burst"].value if "limit-burst" in options else "5"
    unit = {"sec": "second", "min": "minute"}.get(unit, unit)
    return f"limit rate {rate}/{unit}" + (f" burst {burst} packets" if burst != "0" else "")


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
    size = low if low == high else size
    return f"ct {way}{options['connbytes-mode'].value} {size}"


_KEYS = {"srcip": "{} saddr", "dstip": "{} daddr", "srcport": "tcp sport", "dstport": "tcp dport"}
_SIZES = {"kb": "kbytes", "mb": "mbytes", "b": "bytes"}


def _hashlimit(options: Options, family: str) -> str | None:
    """A meter, in the keys' order of the translator. A measured rate, and one rate for all, have no words."""
    named = {name.removeprefix("hashlimit-"): option.value for name, option in options.items()}
    if "rate-match" in named or "mode" not in named:
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
    if "htable-expire" in named:
        milliseconds = int(named["htable-expire"])
    elif rate.endswith("b/s"):
        milliseconds = 60_000 if "burst" in named else 15_000
    else:
        milliseconds = {"sec": 1, "min": 60, "hour": 3600, "day": 86400}[rate.partition("/")[2]] * 1000
    return f" timeout {milliseconds // 1000}s" if milliseconds != 1000 else ""


def connlimit_set(number: int) -> str:
    """The set in which the rule with that number counts: of IPv4 addresses, whatever the family."""
    return f"connlimit{number} {{ type ipv4_addr; flags dynamic; }}"


def _connlimit(options: Options, family: str) -> str:
    """With a place for the set's number."""
    count = options.get("connlimit-above") or options["connlimit-upto"]
    length, field = options["connlimit-mask"].value, "daddr" if "connlimit-daddr" in options else "saddr"
    whole = length == ("32" if family == "ip" else "128")
    over = "over " if count.name == "connlimit-above" else ""
    return f"add @connlimit{{}} {{{{ {family} {field}{'' if whole else _mask_words(length, family)} ct count {over}{count.value} }}}}"


def _cluster(options: Options, family: str) -> str:
    """One node is worded by its number from 1, several are a set of numbers from 0, and `!` is lost: the translator's own."""
    mask = int(options["cluster-local-nodemask"].value, 16)
    nodes = [str(node) for node in range(32) if mask >> node & 1]
    which = f"eq {mask.bit_length()}" if len(nodes) < 2 else "{ " + ", ".join(nodes) + " }"
    seed = options["cluster-hash-seed"].value
    return f"jhash ct original saddr mod {options['cluster-total-nodes'].value} seed {seed} {which} meta pkttype set host"


def _quota(options: Options, family: str) -> str:
    return f"quota {'over ' if options['quota'].negated else ''}{options['quota'].value} bytes"


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
    dated = "datestart" in named or last != "2038-01-19T03:14:07"
    return ("" if dated or not words else " ") + " ".join(words)  # each but the date brings a blank, told where nothing stands before


_WEEK = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")



COUNTING: dict[str, Words] = {
    "limit": _limit, "statistic": _statistic, "connbytes": _connbytes, "hashlimit": _hashlimit, "quota": _quota, "time": _time,
    "connlimit": _connlimit, "cluster": _cluster,
}  # fmt: skip
