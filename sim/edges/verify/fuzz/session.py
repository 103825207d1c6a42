"""A case: what a firewall is set to, which rules it has, what comes, and how long nothing comes. By seed alone."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

from sim.edges.verify.fuzz import iptables, nft
from sim.edges.verify.fuzz.traffic import MIXES, Traffic
from sim.edges.verify.plan import Case, Load, Plan, Step, Wait

CONNTRACK: Final = "net.netfilter.nf_conntrack_"
SETTINGS: Final[tuple[dict[str, str], ...]] = (
    {}, {}, {}, {"tcp_be_liberal": "1"}, {"tcp_loose": "0"}, {"tcp_ignore_invalid_rst": "1"}, {"tcp_max_retrans": "1"},
    {"tcp_max_retrans": "0"},
    {"checksum": "0"}, {"acct": "1"}, {"tcp_timeout_established": "200", "tcp_timeout_unacknowledged": "50",
    "tcp_timeout_max_retrans": "7"},
    {"checksum": "0", "tcp_be_liberal": "1", "tcp_ignore_invalid_rst": "1"},
    {"tcp_timeout_unacknowledged": "500000", "tcp_timeout_close": "400"},
    {"tcp_timeout_unacknowledged": "100", "tcp_timeout_established": "130"}, {"timestamp": "1"},
)  # fmt: skip
SHORT: Final = (
    "tcp_timeout_syn_sent tcp_timeout_syn_recv tcp_timeout_established tcp_timeout_fin_wait tcp_timeout_close_wait "
    "tcp_timeout_last_ack tcp_timeout_time_wait tcp_timeout_close tcp_timeout_unacknowledged udp_timeout udp_timeout_stream "
    "icmp_timeout icmpv6_timeout generic_timeout gre_timeout gre_timeout_stream sctp_timeout_established "
    "sctp_timeout_cookie_echoed sctp_timeout_cookie_wait sctp_timeout_heartbeat_sent"
).split()
"""Time-outs that a case with pauses makes short."""
NO_RULES: Final = Load()
PAUSES: Final = (0.35, 1.35, 2.2)
"""Seconds: none near a whole one, for a time-out that ends while packets come is nobody's to say."""


def session(seed: int, packets: int, rules: Load = NO_RULES, pauses: bool = False) -> Case:
    """Case number `seed`: about `packets` packets."""
    random = Random(f"session {seed}")
    settings = dict(random.choice(SETTINGS))
    mix = random.choice(MIXES)
    if pauses:
        settings |= {name: random.choice(("1", "2", "3")) for name in SHORT if random.random() < 0.7}
    if any(rules):
        mix = replace(mix, written=False)
    traffic = Traffic(random, mix)
    steps: list[Step] = [traffic.next() for _ in range(packets)]
    if pauses:
        for _ in range(random.choice((1, 2, 3))):
            steps.insert(random.randrange(len(steps)), Wait(random.choice(PAUSES)))
    plan = Plan(rules=rules, sysctls={CONNTRACK + name: value for name, value in settings.items()})
    return Case(f"seed {seed}", plan, tuple(steps))


def with_rules(seed: int, packets: int) -> Case:
    """Case number `seed` with random rules: iptables', ip6tables', nft's, or of several at once."""
    random = Random(f"rules {seed}")
    kind = random.choice(("iptables", "ip6tables", "both", "nft", "nft", "nft", "all"))
    rules = Load(
        iptables.ruleset(random, "ip") if kind in ("iptables", "both", "all") else "",
        iptables.ruleset(random, "ip6") if kind in ("ip6tables", "both") else "",
        nft.ruleset(random, random.choice(("ip", "ip6", "inet", "inet"))) if kind in ("nft", "all") else "",
    )
    case = session(seed, packets, rules)
    return Case(f"rules {seed}", case.plan, case.steps)
