"""Random iptables rulesets, by seed: every module that is simulated, chains of chains, all verdicts, the tables raw, mangle and filter."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from sim.edges.verify.fuzz import iptables_rarer

PORTS: Final = ("22", "53", "80", "1000", "1:1000", "1000:65535", "40000", "0:100")
FLAGS: Final = (
    "SYN,RST,ACK,FIN SYN",
    "ALL NONE",
    "SYN,FIN SYN,FIN",
    "ACK ACK",
    "RST RST",
    "ALL SYN,ACK",
    "FIN,ACK FIN",
    "PSH PSH",
)
ADDRESSES: Final = {
    "ip": ("192.168.1.10", "192.168.0.0/16", "203.0.113.0/24", "0.0.0.10/0.0.0.255", "198.51.100.0/25", "192.168.1.1", "10.0.0.0/8"),
    "ip6": ("fd00:1::10", "fd00:1::/64", "2001:db8::/32", "fd00::/8", "fd00:2::9", "::/0"),
}  # fmt: skip
ICMP4: Final = ("8", "0", "3/3", "3", "any", "11", "5/1", "12", "13", "40")
ICMP6: Final = ("128", "129", "1/4", "1", "2", "3", "135", "137", "100", "4/1")
TYPES: Final = ("LOCAL", "UNICAST", "LOCAL,MULTICAST", "BROADCAST", "ANYCAST", "UNICAST,BROADCAST")
TYPES6: Final = ("LOCAL", "UNICAST", "LOCAL,MULTICAST", "ANYCAST")
STATES: Final = (
    "NEW",
    "ESTABLISHED",
    "RELATED",
    "ESTABLISHED,RELATED",
    "INVALID",
    "UNTRACKED",
    "UNTRACKED,NEW",
    "SNAT",
    "DNAT,NEW",
)
STATUSES: Final = ("SEEN_REPLY", "CONFIRMED", "NONE", "ASSURED", "EXPECTED", "ASSURED,CONFIRMED")
PROTOCOLS: Final = ("tcp", "udp", "gre", "sctp", "udplite", "esp", "50", "all", "253")
REJECT: Final = {
    "ip": "net-unreachable host-unreachable proto-unreachable port-unreachable net-prohibited host-prohibited admin-prohibited".split(),
    "ip6": "no-route adm-prohibited addr-unreachable port-unreachable policy-fail reject-route".split(),
}
RAW: Final = ("CT --notrack", "NOTRACK", "ACCEPT", "DROP", "RETURN", "MARK --set-mark 0x2")
MANGLE: Final = (
    "MARK --set-xmark 0x1/0xff",
    "MARK --set-mark 0x3",
    "MARK --or-mark 0x8",
    "MARK --and-mark 0x7",
    "MARK --xor-mark 0x5",
    "ACCEPT",
    "RETURN",
    "DROP",
)
Match = Callable[[Random, str], str]


def _not(r: Random) -> str:
    return "! " if r.random() < 0.3 else ""


def _icmp(r: Random, family: str) -> str:
    if family == "ip":
        return f"-p icmp -m icmp {_not(r)}--icmp-type {r.choice(ICMP4)}"
    return f"-p ipv6-icmp -m icmp6 {_not(r)}--icmpv6-type {r.choice(ICMP6)}"


def _tcp(r: Random, family: str) -> str:
    what = r.choice(("dport", "sport", "flags", "syn", "option", "both"))
    words = {
        "dport": f"{_not(r)}--dport {r.choice(PORTS)}", "sport": f"{_not(r)}--sport {r.choice(PORTS)}",
        "flags": f"{_not(r)}--tcp-flags {r.choice(FLAGS)}", "syn": f"{_not(r)}--syn",
        "option": f"{_not(r)}--tcp-option {r.choice((2, 3, 4, 5, 8))}",
        "both": f"--sport {r.choice(PORTS)} {_not(r)}--dport {r.choice(PORTS)} --tcp-flags ACK ACK",
    }  # fmt: skip
    return f"-p tcp -m tcp {words[what]}"


def _conntrack(r: Random, family: str) -> str:
    address = r.choice([each for each in ADDRESSES[family] if "/0.0" not in each])
    words = (
        f"{_not(r)}--ctstate {r.choice(STATES)}", f"{_not(r)}--ctstate {r.choice(STATES)}", f"{_not(r)}--ctstatus {r.choice(STATUSES)}",
        f"{_not(r)}--ctproto {r.choice(('6', '17', '1', '58', '132'))}", f"--ctdir {r.choice(('ORIGINAL', 'REPLY'))}",
        f"{_not(r)}--ctorigsrc {address}", f"{_not(r)}--ctorigdst {address}", f"{_not(r)}--ctreplsrc {address}",
        f"{_not(r)}--ctrepldst {address}",
        f"{_not(r)}--ctorigsrcport {r.choice(PORTS)}", f"{_not(r)}--ctorigdstport {r.choice(PORTS)}",
        f"{_not(r)}--ctreplsrcport {r.choice(PORTS)}", f"{_not(r)}--ctrepldstport {r.choice(PORTS)}",
        f"{_not(r)}--ctexpire {r.choice(('5:115', '125:1000', '100000:500000'))}",
    )  # fmt: skip
    chosen = {word.split("--")[1].split()[0]: word for word in r.sample(words, r.choice((1, 1, 2)))}
    return "-m conntrack " + " ".join(chosen.values())


def _iprange(r: Random, family: str) -> str:
    low, high = ("192.168.1.5", "192.168.1.15") if family == "ip" else ("fd00:1::5", "fd00:1::15")
    return f"-m iprange {_not(r)}--{r.choice(('src', 'dst'))}-range {low}-{high}"


MATCHES: Final[dict[str, Match]] = {
    "tcp": _tcp, "icmp": _icmp, "conntrack": _conntrack, "state": lambda r, f: f"-m state {_not(r)}--state {r.choice(STATES[:6])}",
    "iprange": _iprange,
    "udp": lambda r, f: f"-p udp -m udp {_not(r)}--{r.choice(('dport', 'sport'))} {r.choice(PORTS)}",
    "multiport": lambda r, f: (
        f"-p {r.choice(('tcp', 'udp', 'sctp', 'udplite'))} -m multiport {_not(r)}"
        f"--{r.choice(('sports', 'dports', 'ports'))} 22,53,1000:2000"
    ),
    "protocol": lambda r, f: f"{_not(r)}-p {r.choice(PROTOCOLS[:7])}",
    "source": lambda r, f: f"{_not(r)}-{r.choice('sd')} {r.choice(ADDRESSES[f])}",
    "length": lambda r, f: f"-m length {_not(r)}--length {r.choice(('40', '41:80', '0:60', '100:65535'))}",
    "ttl": lambda r, f: f"-m {'ttl --ttl' if f == 'ip' else 'hl --hl'}-{r.choice(('eq', 'lt', 'gt'))} {r.choice((2, 63, 64, 254))}",
    "mark": lambda r, f: f"-m mark {_not(r)}--mark {r.choice(('0', '1', '3/1', '0x8/0x8', '0x3'))}",
    "addrtype": lambda r, f: f"-m addrtype {_not(r)}--{r.choice(('src', 'dst'))}-type {r.choice(TYPES if f == 'ip' else TYPES6)}",
    "pkttype": lambda r, f: f"-m pkttype {_not(r)}--pkt-type {r.choice(('unicast', 'multicast', 'broadcast'))}",
    "limit": lambda r, f: f"-m limit --limit 1/hour --limit-burst {r.choice((1, 5, 20))}",
    "comment": lambda r, f: '-m comment --comment "as it was"',
    **iptables_rarer.MATCHES,
}  # fmt: skip
DEVICES: Final = {
    "INPUT": "i",
    "FORWARD": "io",
    "OUTPUT": "o",
    "PREROUTING": "i",
    "POSTROUTING": "o",
    "web": "",
    "deep": "",
}
VERDICTS: Final = ("ACCEPT", "ACCEPT", "DROP", "RETURN", "", "", "")


def ruleset(random: Random, family: str) -> str:
    """An iptables-save text (family "ip") or ip6tables-save text ("ip6")."""
    return _Maker(random, family).text()


class _Maker:
    def __init__(self, random: Random, family: str) -> None:
        self._random, self._family = random, family

    def text(self) -> str:
        """All tables."""
        r = self._random
        tables = []
        if r.random() < 0.3:
            tables.append(self._table("raw", ("PREROUTING", "OUTPUT"), RAW, 3))
        if r.random() < 0.4:
            chains = r.sample(("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"), 2)
            tables.append(self._table("mangle", tuple(chains), MANGLE, 3))
        return "".join([*tables, self._filter()])

    def _table(self, name: str, chains: tuple[str, ...], targets: tuple[str, ...], most: int) -> str:
        lines = [f":{chain} ACCEPT [0:0]" for chain in chains]
        for chain in chains:
            if name == "mangle" and self._random.random() < 0.4:
                lines.append(f"-A {chain} {self._matches(bare=True)} {iptables_rarer.rewriting(self._random, self._family, chain)}")
            # what a packet of the firewall's own answers to an untracked one is, NOTRACK does not touch: ctlab's does
            allowed = [target for target in targets if chain != "OUTPUT" or "track" not in target.lower()]
            lines += [self._rule(chain, self._random.choice(allowed)) for _ in range(self._random.randrange(most + 1))]
        return "\n".join([f"*{name}", *lines, "COMMIT", ""])

    def _filter(self) -> str:
        r = self._random
        lines = [f":{chain} {r.choice(('ACCEPT', 'ACCEPT', 'DROP'))} [0:0]" for chain in ("INPUT", "FORWARD", "OUTPUT")]
        lines += [":web - [0:0]", ":deep - [0:0]"]
        for chain, most in (("INPUT", 6), ("FORWARD", 8), ("OUTPUT", 4), ("web", 4), ("deep", 3)):
            lines += [self._rule(chain, self._target(chain)) for _ in range(r.randrange(most + 1))]
        if any("tcp-reset" in line for line in lines):
            # a reset of the firewall's own that is refused again is quoted with half a checksum
            lines = [
                line
                for line in lines
                if not line.startswith("-A OUTPUT") or (not line.endswith(("web", "deep")) and "REJECT" not in line)
            ]
        return "\n".join(["*filter", *lines, "COMMIT", ""])

    def _target(self, chain: str) -> str:
        r = self._random
        if r.random() < 0.25 and chain != "deep":
            return "web" if chain != "web" and r.random() < 0.7 else "deep"
        if r.random() < 0.12:
            return (
                f"REJECT --reject-with {'icmp' if self._family == 'ip' else 'icmp6'}-{r.choice(REJECT[self._family])}"
            )
        if r.random() < 0.06:
            return "reset"
        if r.random() < 0.05:
            return 'LOG --log-prefix "seen "'
        return r.choice(VERDICTS)

    def _rule(self, chain: str, target: str) -> str:
        r = self._random
        device = "".join(
            f"{_not(r)}-{letter} {r.choice(('lan', 'wan', 'l+', '+'))} "
            for letter in DEVICES[chain]
            if r.random() < 0.15
        )
        if target == "reset":
            return f"-A {chain} {device}-p tcp -j REJECT --reject-with tcp-reset"
        jump = "-g" if target in ("web", "deep") and r.random() < 0.3 else "-j"
        return f"-A {chain} {device}{self._matches()} {f'{jump} {target}' if target else ''}".strip()

    def _matches(self, bare: bool = False) -> str:
        """Up to two matches; with `bare` none that names a protocol."""
        r = self._random
        names = r.sample(sorted(MATCHES), r.choice((0, 1, 1, 1, 2)))
        words: list[str] = []
        for name in names:
            word = MATCHES[name](r, self._family)
            if "-p " not in word or not (bare or any("-p " in each for each in words)):
                words.append(word)
        # a protocol stands ahead of the modules that need it
        return " ".join(sorted(words, key=lambda word: "-p " not in word))
