"""A case: what a firewall is set to, which rules it has, what comes, and how long nothing comes. By seed alone."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

from sim.edges.verify.fuzz import assign, iptables, nat, nft
from sim.edges.verify.fuzz.traffic import HELPED_MIXES, MIXES, TRANSLATED_MIXES, Mix, Traffic
from sim.edges.verify.plan import Case, Load, Plan, Step, Sysctl, Wait

CONNTRACK: Final = "net.netfilter.nf_conntrack_"
SWITCHES: Final = {
    "tcp_be_liberal": ("1",), "tcp_loose": ("0",), "tcp_ignore_invalid_rst": ("1",), "tcp_max_retrans": ("0", "1", "2", "5"),
    "checksum": ("0",), "acct": ("1",), "timestamp": ("1",), "log_invalid": ("0", "1", "6", "17", "58", "132"), "events": ("0", "1"),
    "tcp_timeout_established": ("200", "130", "10"), "tcp_timeout_unacknowledged": ("50", "500000", "100"),
    "tcp_timeout_max_retrans": ("7", "400"), "tcp_timeout_close": ("400", "3"), "tcp_timeout_syn_sent": ("60", "500"),
    "tcp_timeout_time_wait": ("5", "700"), "udp_timeout": ("300", "11"), "udp_timeout_stream": ("5", "400"), "icmp_timeout": ("9",),
    "generic_timeout": ("50",), "gre_timeout": ("33",), "gre_timeout_stream": ("22",), "sctp_timeout_established": ("77",),
    "sctp_timeout_closed": ("44",), "icmpv6_timeout": ("8",),
}  # fmt: skip
"""What a case may set otherwise than it is, and to what."""
SHORT: Final = (
    "tcp_timeout_syn_sent tcp_timeout_syn_recv tcp_timeout_established tcp_timeout_fin_wait tcp_timeout_close_wait "
    "tcp_timeout_last_ack tcp_timeout_time_wait tcp_timeout_close tcp_timeout_unacknowledged udp_timeout udp_timeout_stream "
    "icmp_timeout icmpv6_timeout generic_timeout gre_timeout gre_timeout_stream sctp_timeout_established "
    "sctp_timeout_cookie_echoed sctp_timeout_cookie_wait sctp_timeout_heartbeat_sent"
).split()
"""Time-outs that a case with pauses makes short."""
TYPED: Final = (0, 0, 0, 0, 0, 0, 0, 0.02)
"""How often somebody types at the conntrack tool, by packet."""
MAX_DIST: Final = "net.ipv4.ipfrag_max_dist"
LOADED: Final = (0,) * 9 + (1, 2)
"""How often all rules are changed for others in the midst."""
NO_RULES: Final = Load()
LANGUAGES: Final = {
    "any": ("iptables", "ip6tables", "both", "nft", "nft", "nft", "all"), "iptables": ("iptables", "ip6tables", "both"), "nft": ("nft",),
}  # fmt: skip
"""What a random ruleset is made of: both tools of iptables, nft, or all side by side."""
PAUSES: Final = (0.35, 1.35, 2.2)
"""Seconds: none near a whole one, for a time-out that ends while packets come is nobody's to say."""


def settings(random: Random) -> dict[str, str]:
    """A few settings otherwise than they are; none in two cases of five."""
    if random.random() < 0.4:
        return {}
    names = random.sample(sorted(SWITCHES), random.choice((1, 1, 2, 3, 5)))
    return {name: random.choice(SWITCHES[name]) for name in names}


def session(seed: int, packets: int, pauses: bool = False) -> Case:
    """Case number `seed`: about `packets` packets; with rules that help, translate, or divide in more than every other case."""
    random = Random(f"session {seed}")
    kind = random.choice(KINDS)
    rules = RULES[kind](random)
    mix = random.choice(HELPED_MIXES if "helped" in kind else TRANSLATED_MIXES if kind == "translated" else MIXES)
    return _case(f"seed {seed}", random, packets, rules, mix, pauses)


def _case(name: str, random: Random, packets: int, rules: Load, mix: Mix, pauses: bool = False) -> Case:
    chosen = settings(random)
    if pauses:
        chosen |= {name: random.choice(("1", "2", "3")) for name in SHORT if random.random() < 0.7}
    if any(rules):
        mix = replace(mix, written=False)
    sysctls = {CONNTRACK + name: value for name, value in chosen.items()}
    traffic = Traffic(random, mix, rules, sysctls)
    hands = Random(f"typed {name}")
    typing = hands.choice(TYPED)
    steps: list[Step] = []
    for _ in range(packets):
        if typing and hands.random() < typing:
            steps.append(traffic.typed(hands))
        steps.append(traffic.next())
    if random.random() < 0.25:
        for _ in range(random.choice((1, 1, 2, 4))):
            steps.insert(random.randrange(len(steps)), _later(random, pauses))
    if pauses:
        for _ in range(random.choice((1, 2, 3))):
            steps.insert(random.randrange(len(steps)), Wait(random.choice(PAUSES)))
    later = tuple(RULES[hands.choice(KINDS)](hands) for _ in range(hands.choice(LOADED)))
    for load in later:
        steps.insert(hands.randrange(len(steps)), load)
    if hands.random() < 0.1:
        steps.insert(hands.randrange(len(steps)), Sysctl(MAX_DIST, hands.choice(("0", "1", "3"))))
    return Case(name, Plan(rules=rules, sysctls=sysctls, later=later), tuple(steps))


def _later(random: Random, pauses: bool) -> Sysctl:
    """A setting that changes in the middle; where there are pauses, a time-out that becomes short, too."""
    if pauses and random.random() < 0.5:
        return Sysctl(CONNTRACK + random.choice(SHORT), random.choice(("1", "2", "3")))
    key = random.choice(LATER)
    return Sysctl(CONNTRACK + key, random.choice((*SWITCHES[key], *DEFAULTS.get(key, ()))))


def with_rules(seed: int, packets: int, language: str = "any") -> Case:
    """Case number `seed` with random rules: iptables', ip6tables', nft's, or of several at once, some of which translate or help.

    With a `language` (of LANGUAGES) all of them are in that one.
    """
    random = Random(f"rules {seed}" if language == "any" else f"{language} rules {seed}")
    kind = random.choice(LANGUAGES[language])
    rules = Load(
        _with_more(random, iptables.ruleset(random, "ip"), "ip") if kind in ("iptables", "both", "all") else "",
        _with_more(random, iptables.ruleset(random, "ip6"), "ip6") if kind in ("ip6tables", "both") else "",
        _nft(random) if kind in ("nft", "all") else "",
    )
    mix = random.choice(HELPED_MIXES if "helper" in "".join(rules) and random.random() < 0.7 else MIXES)
    return _case(f"rules {seed}" if language == "any" else f"{language} rules {seed}", random, packets, rules, mix)


def _with_more(random: Random, text: str, family: str) -> str:
    """`text` with tables beside it that it has not: translations, helpers, zones or marks."""
    more = ""
    if "*raw" not in text and random.random() < 0.25:
        more += assign.iptables(random, family)
    if random.random() < 0.25:
        more += nat.iptables(random, family)
    if "*mangle" not in text and random.random() < 0.15:
        more += assign.marks(random)
    return text + more


def _nft(random: Random) -> str:
    text = nft.ruleset(random, random.choice(("ip", "ip6", "inet", "inet")))
    text += nat.nft(random) if random.random() < 0.2 else ""
    return text + (assign.nft(random) if random.random() < 0.15 else "")


# ---- what rules a session has ----------------------------------------------------------------------------------------


def _translating(random: Random) -> Load:
    """Of one language or of both."""
    if random.random() < 0.4:
        return Load(nft=nat.nft(random))
    six = nat.iptables(random, "ip6") if random.random() < 0.6 else ""
    return Load(nat.iptables(random, "ip"), six, nat.nft(random) if random.random() < 0.2 else "")


def _helping(random: Random) -> Load:
    if random.random() < 0.4:
        return Load(nft=assign.nft(random))
    return Load(assign.iptables(random, "ip"), assign.iptables(random, "ip6"))


def _both(random: Random) -> Load:
    one, other = _helping(random), _translating(random)
    return Load(*(each + more for each, more in zip(one, other, strict=True)))


def _dividing(random: Random) -> Load:
    more = nat.iptables(random, "ip") if random.random() < 0.3 else ""
    return Load(assign.zones(random, "ip") + more, assign.zones(random, "ip6"))


def _none(random: Random) -> Load:
    return NO_RULES


RULES: Final = {"plain": _none, "translated": _translating, "helped": _helping, "helped, translated": _both, "divided": _dividing}
KINDS: Final = ("plain",) * 6 + ("translated",) * 5 + ("helped",) * 3 + ("helped, translated",) * 5 + ("divided",)
LATER: Final = tuple(sorted(set(SWITCHES) - {"events"}))
"""Settings that may change in the middle, and to what besides: back to what they were."""
DEFAULTS: Final = {
    "tcp_be_liberal": ("0",), "tcp_loose": ("1",), "tcp_ignore_invalid_rst": ("0",), "tcp_max_retrans": ("3",), "checksum": ("1",),
    "acct": ("0",), "timestamp": ("0",), "log_invalid": ("255",), "tcp_timeout_established": ("432000",), "udp_timeout": ("30",),
}  # fmt: skip
