"""iptables' TRACE: the line in the kernel's log for each rule and policy that a traced packet matches.

Source: trace_packet in net/ipv4/netfilter/ip_tables.c, nf_log_trace in net/netfilter/nf_log.c, Linux 6.18.
"""

from __future__ import annotations

from sim.netfilter.skb import Skb
from sim.ruleset.log import log_line
from sim.ruleset.model import Chain, Counter, Log, Rule, Verdict

_DETAILS = frozenset(("tcp sequence", "tcp options", "ip options"))


def rule_line(table: str, chain: Chain, number: int, rule: Rule, skb: Skb) -> str:
    """For a rule. One without any test that ends the chain is called what the chain's own end is called, as the kernel does."""
    ends = any(isinstance(part, Verdict) and not part.chain for part in rule.parts)
    bare = all(isinstance(part, Counter | Verdict) for part in rule.parts)
    return _line(table, chain, _end(chain) if ends and bare else "rule", number, skb)


def end_line(table: str, chain: Chain, skb: Skb) -> str:
    """For a chain's end: its policy, or the way back."""
    return _line(table, chain, _end(chain), len(chain.rules) + 1, skb)


def _end(chain: Chain) -> str:
    return "policy" if chain.hook is not None else "return"


def _line(table: str, chain: Chain, what: str, number: int, skb: Skb) -> str:
    return log_line(Log(f"TRACE: {table}:{chain.name}:{what}:{number} ", flags=_DETAILS), skb)
