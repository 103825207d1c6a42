"""Random nft rulesets, by seed: what rules can look at (the selectors), compared in every way with values that packets have."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from sim.edges.verify.fuzz import nft_rarer
from sim.errors import LanguageError
from sim.ruleset.nft import parse
from sim.ruleset.selectors import SELECTORS, Selector

ADDRESSES4: Final = (
    "192.168.1.10",
    "192.168.1.0/24",
    "203.0.113.9",
    "198.51.100.0/24",
    "192.168.1.1",
    "192.168.1.5-192.168.1.15",
    "10.0.0.0/8",
)
ADDRESSES6: Final = ("fd00:1::10", "fd00:1::/64", "fd00:2::9", "2001:db8::/32", "fd00:1::1", "fd00:1::5-fd00:1::15")
PORTS: Final = ("22", "53", "80", "443", "1000", "1-1000", "1024-65535", "40000", "0")
VALUES: Final[dict[str, tuple[str, ...]]] = {
    "ipv4_addr": ADDRESSES4, "ipv6_addr": ADDRESSES6, "inet_service": PORTS,
    "inet_proto": ("tcp", "udp", "icmp", "ipv6-icmp", "sctp", "47", "50", "udplite", "253"), "nf_proto": ("ipv4", "ipv6"),
    "ether_type": ("ip", "ip6"), "mark": ("0x0", "0x1", "0x2", "0x1-0x5", "0x8"), "ifname": ('"lan"', '"wan"', '"l*"', '"lo"'),
    "iface_index": ('"lan"', '"wan"'), "pkt_type": ("unicast", "host", "broadcast", "multicast"),
    "dscp": ("cs0", "cs1", "af11", "4", "0x04"), "ecn": ("not-ect", "ect0", "0"),
    "icmp_type": ("echo-request", "echo-reply", "destination-unreachable", "time-exceeded", "13"), "icmp_code": ("0", "1", "3", "13"),
    "icmpv6_type": ("echo-request", "echo-reply", "destination-unreachable", "packet-too-big", "135"), "icmpv6_code": ("0", "1", "4"),
    "ct_state": ("new", "established", "related", "invalid", "untracked"), "ct_dir": ("original", "reply"),
    "ct_status": ("assured", "confirmed", "seen-reply", "expected", "snat"), "time": ("25s", "1m", "1s-40s", "5d", "200s"),
    "fib_addrtype": ("local", "unicast", "broadcast", "multicast"),
    "tcp_flag": ("syn", "ack", "fin", "rst", "psh"),
}  # fmt: skip
MATCHES_OF_FLAGS: Final = (
    "tcp flags & (fin|syn|rst|ack) == syn",
    "tcp flags syn",
    "tcp flags & (syn|ack) != 0",
    "tcp flags & fin != 0",
    "tcp flags != syn",
    "tcp flags == syn|ack",
)
STATES: Final = (
    "ct state established,related", "ct state new", "ct state invalid", "ct state { new, untracked }", "ct state != established",
    "ct state untracked",
    "ct state vmap { established : accept, invalid : drop }", "ct state vmap { new : jump side, related : accept }",
)  # fmt: skip
ACTIONS: Final = (
    "accept", "accept", "drop", "drop", "return", "counter", "counter accept", "counter drop", "jump side", "goto side",
    "jump deep", "continue", "meta mark set 0x1",
    "meta mark set mark or 0x8", "ct mark set 0x2", "ct mark set mark", "meta mark set ct mark",
    "limit rate 1/day burst 5 packets accept", "limit rate over 1/day burst 5 packets drop",
    'log prefix "seen " accept', "reject", "reject with tcp reset", "notrack",
)  # fmt: skip
REJECTS: Final = {
    "ip": (
        "reject with icmp host-unreachable",
        "reject with icmp admin-prohibited",
        "reject with icmp port-unreachable",
    ),
    "ip6": (
        "reject with icmpv6 no-route",
        "reject with icmpv6 admin-prohibited",
        "reject with icmpv6 addr-unreachable",
    ),
    "inet": ("reject with icmpx admin-prohibited", "reject with icmpx no-route", "reject with icmpx host-unreachable"),
}
HOOKS: Final = ("prerouting", "input", "forward", "output", "postrouting")
PRIORITIES: Final = ("raw", "-350", "mangle", "-100", "filter", "filter", "filter", "10", "security", "200")
SKIPPED: Final = (
    "xt ",
    "meta priority",
    "ct helper",
    "ct zone",
    "meta protocol",
    "ip6 flowlabel",
    "tcp checksum",
    "icmp checksum",
    "icmpv6 checksum",
    "udp checksum",
    "ip id",
    "ip checksum",
    "ct original bytes",
    "ct original packets",
    "ct reply bytes",
    "ct reply packets",
    "ct bytes",
    "ct packets",
    "ct avgpkt",
    "ct id",
    "ct label",
    "ct event",
    "ct secmark",
    "meta time",
    "meta day",
    "meta hour",
    "meta random",
    "meta cpu",
    "meta ipsec",
    "rt ",
    "socket ",
    "meta cgroup",
    "meta skuid",
    "meta skgid",
)
"""What the kernel draws by chance for a packet of its own, and what nft has in another way; what knows the judge's own socket."""
FIB: Final = ("fib saddr type", "fib daddr type")
NAMES: Final = (*FIB, *(name for name in SELECTORS if not name.startswith((*SKIPPED, "fib "))))
FAMILY_WORDS: Final = {"ip": "ip6 ", "ip6": "ip "}
"""What a rule of a family's table cannot look at."""
Try = Callable[[str], bool]


def ruleset(random: Random, family: str) -> str:
    """The text of an nft file with one table of this family (ip, ip6 or inet)."""
    return _Maker(random, family).text()


class _Maker:
    def __init__(self, random: Random, family: str) -> None:
        self._random, self._family = random, family

    def text(self) -> str:
        """A table that our own nft takes."""
        r = self._random
        side = self._rules("side", r.randrange(4))
        chains = {"deep": self._rules("deep", r.randrange(3)), "side": side}
        bases = []
        for at, hook in enumerate(r.choice(HOOKS) for _ in range(r.choice((1, 2, 2, 3, 4)))):
            head = f"type filter hook {hook} priority {r.choice(PRIORITIES)}; policy {r.choice(('accept', 'accept', 'accept', 'drop'))};"
            bases.append(self._chain(f"{hook}{at}", [head, *self._rules(hook, r.randrange(7))]))
        user = [self._chain(name, rules) for name, rules in chains.items()]
        return f"table {self._family} fuzz {{\n{self._sets()}{''.join(user + bases)}}}\n"

    def _chain(self, name: str, lines: list[str]) -> str:
        return f" chain {name} {{\n" + "".join(f"  {line}\n" for line in lines) + " }\n"

    def _sets(self) -> str:
        kind, some = (
            ("ipv6_addr", "fd00:1::10, fd00:2::/64")
            if self._family == "ip6"
            else ("ipv4_addr", "192.168.1.10, 203.0.113.0/24")
        )
        return (
            f" set hosts {{ type {kind}; flags interval; elements = {{ {some} }}; }}\n"
            " set ports { type inet_service; elements = { 22, 80, 1000 }; }\n"
            " map doors { type inet_service : verdict; elements = { 80 : accept, 53 : drop, 25 : return }; }\n"
            + nft_rarer.named(self._family)
        )

    def _rules(self, hook: str, count: int) -> list[str]:
        found: list[str] = []
        for _ in range(count * 3):
            if len(found) == count:
                break
            rule = self._rule(hook)
            if self._taken(rule, hook):
                found.append(rule)
        return found

    def _taken(self, rule: str, hook: str) -> bool:
        """Whether ours takes the rule there. What it refuses may be wrong, or not simulated: either way nothing is compared."""
        base = f"type filter hook {hook} priority 0;" if hook in HOOKS else ""
        others = "".join(f" chain {name} {{ }}\n" for name in ("side", "deep") if name != hook)
        try:
            parse.load(
                f"table {self._family} fuzz {{\n{self._sets()}{others} chain {hook} {{ {base}\n {rule}\n }}\n}}\n",
                "fuzz.nft",
            )
        except LanguageError:
            return False
        return True

    def _rule(self, hook: str) -> str:
        r = self._random
        words = [self._match() for _ in range(r.choice((0, 1, 1, 1, 2)))]
        if hook in ("deep", "side"):
            words = [word for word in words if not word.startswith("fib") and "jump" not in word]  # as with reject; no loops
        words = _of_one_mind(words)
        if any("vmap" in word for word in words):
            return words[0] if len(words) == 1 else " ".join(sorted(words, key=lambda word: "vmap" in word)[:2])
        action = self._action()
        if hook == "output" and "reject" in action:
            action = "drop"  # a reset that is refused again is quoted with half a checksum
        if hook in ("deep", "side") and ("reject" in action or action == "notrack"):
            action = "counter"  # nft refuses a jump to it from some hooks
        if hook != "prerouting" and "pkttype set" in action:
            action = "counter"
        if (hook == "deep" and action.endswith(("side", "deep"))) or (hook == "side" and action.endswith("side")):
            action = "counter"
        if action == "reject with tcp reset" and any(
            word.startswith((*_NETWORKS, *_PROTOCOLS, *_TRANSPORTS)) for word in words
        ):
            action = "reject"
        return " ".join([*words, *(["counter"] if r.random() < 0.5 and "counter" not in action else []), action])

    def _action(self) -> str:
        r = self._random
        at = r.random()
        return r.choice(REJECTS[self._family]) if at < 0.1 else nft_rarer.action(r, self._family) if at < 0.25 else r.choice(ACTIONS)

    def _match(self) -> str:
        r = self._random
        if r.random() < 0.25:
            return nft_rarer.match(r, self._family)
        at = r.random()
        if at < 0.25:
            return r.choice(STATES)
        if at < 0.32:
            return r.choice(MATCHES_OF_FLAGS)
        if at < 0.4:
            return r.choice(
                (
                    "tcp dport @ports",
                    "udp dport != @ports",
                    "tcp dport vmap @doors",
                    f"{'ip6' if self._family == 'ip6' else 'ip'} saddr @hosts",
                )
            )
        selector = SELECTORS[r.choice(NAMES)]
        while FAMILY_WORDS.get(self._family, "  ") in f"{selector.name} ":
            selector = SELECTORS[r.choice(NAMES)]
        return f"{selector.name} {self._against(selector)}"

    def _against(self, selector: Selector) -> str:
        r = self._random
        at, value = r.random(), self._value(selector)
        if at < 0.5:
            return value
        if at < 0.7:
            return f"!= {value}"
        if at < 0.85:
            return (
                f"{'!= ' if at < 0.75 else ''}{{ {', '.join(dict.fromkeys(self._value(selector) for _ in range(3)))} }}"
            )
        plain = not any(sign in value for sign in "-/*")
        return f"{r.choice(('<', '>', '<=', '>='))} {value}" if plain else value

    def _value(self, selector: Selector) -> str:
        r = self._random
        values = VALUES.get(selector.type)
        if values is not None:
            return r.choice(values)
        most = (1 << selector.bits) - 1
        number = r.choice((0, 1, 2, 4, 5, 6, 20, 40, 60, 64, 64, 255, 1000, 8192, most))
        return f"{min(number, most)}-{most}" if r.random() < 0.15 and number < most else str(min(number, most))


_NETWORKS: Final = (
    "ip ",
    "ip6 ",
    "icmp ",
    "icmpv6 ",
    "ct original ip ",
    "ct reply ip ",
    "ct original ip6 ",
    "ct reply ip6 ",
)
_PROTOCOLS: Final = (
    "ct protocol",
    "ct original protocol",
    "ct reply protocol",
    "meta l4proto",
    "ip protocol",
    "ip6 nexthdr",
    "meta nfproto",
    "ct l3proto",
)
_TRANSPORTS: Final = (
    "ct original proto-",
    "ct reply proto-",
    "ct proto-",
    "tcp ",
    "udp ",
    "sctp ",
    "dccp ",
    "udplite ",
    "icmp ",
    "icmpv6 ",
    "th ",
)


def _of_one_mind(words: list[str]) -> list[str]:
    """One match where two could contradict each other: nft refuses some such rules that ours takes."""
    said = [sum(word.startswith(starts) for word in words) for starts in (_NETWORKS, _PROTOCOLS, _TRANSPORTS)]
    return words[:1] if said[0] > 1 or (said[1] and said[2]) or said[1] > 1 or said[2] > 1 else words
