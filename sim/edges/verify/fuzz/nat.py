"""Random rules that translate, by seed, in both languages: every target, ranges of addresses and ports, every flag."""

from __future__ import annotations

from random import Random
from typing import Final

SOURCES: Final = (
    "203.0.113.2", "203.0.113.2", "203.0.113.50", "203.0.113.77", "203.0.113.50-203.0.113.55", "198.51.100.0-198.51.100.255", "192.168.1.1",
)  # fmt: skip
SOURCES6: Final = ("fd00:2::1", "fd00:2::50", "fd00:2::50-fd00:2::55", "2001:db8:1::-2001:db8:1::ffff")
TARGETS: Final = ("192.168.1.10", "192.168.1.11", "192.168.1.10-192.168.1.12", "203.0.113.9", "192.168.1.1")
TARGETS6: Final = ("fd00:1::10", "fd00:1::10-fd00:1::13", "fd00:2::9")
PORTS: Final = ("1000", "2000-2003", "1-65535", "80", "40000-40100", "21", "5060", "1000-1001")
PORTED: Final = ("tcp", "udp", "sctp")
KINDS: Final = {
    "prerouting": ("dnat", "dnat", "redirect"), "output": ("dnat", "redirect"), "input": ("snat",), "postrouting": ("snat", "masquerade"),
}  # fmt: skip
NETS: Final = ("192.168.1.0/24", "203.0.113.0/24", "10.20.0.0/16", "192.168.1.8/29")
NETS6: Final = ("fd00:1::/64", "fd00:9::/64", "fd00:2::/112")
TARGETS_BY_CHAIN: Final = (
    *(("POSTROUTING", "SNAT"), ("POSTROUTING", "MASQUERADE")) * 3, ("INPUT", "SNAT"), ("PREROUTING", "DNAT"), ("PREROUTING", "DNAT"),
    ("OUTPUT", "DNAT"), ("PREROUTING", "REDIRECT"), ("OUTPUT", "REDIRECT"), ("PREROUTING", "NETMAP"), ("POSTROUTING", "NETMAP"),
    ("OUTPUT", "NETMAP"),
)  # fmt: skip
OPENING: Final = {
    "ip": (
        "-A POSTROUTING -o wan -j MASQUERADE", "-A POSTROUTING -o wan -j SNAT --to-source 203.0.113.2",
        "-A POSTROUTING -s 192.168.1.0/24 -j SNAT --to-source 203.0.113.77", "-A PREROUTING -i wan -j DNAT --to-destination 192.168.1.10",
        "-A PREROUTING -d 203.0.113.2 -p tcp -j DNAT --to-destination 192.168.1.10", "-A POSTROUTING -j MASQUERADE",
        "-A POSTROUTING -o wan -j MASQUERADE --random", "-A OUTPUT -p tcp -j DNAT --to-destination 203.0.113.9",
    ),
    "ip6": (
        "-A POSTROUTING -o wan -j MASQUERADE", "-A POSTROUTING -o wan -j SNAT --to-source fd00:2::77",
        "-A PREROUTING -i wan -j DNAT --to-destination fd00:1::10", "-A POSTROUTING -j MASQUERADE",
    ),
}  # fmt: skip
"""Rules that every conversation of a kind meets, so that much is translated."""


def iptables(random: Random, family: str) -> str:
    """A nat table for iptables-restore ("ip") or ip6tables-restore ("ip6")."""
    lines = [_iptables(random, family == "ip6") for _ in range(random.randrange(0, 4))]
    if random.random() < 0.7:
        lines.insert(random.randrange(len(lines) + 1), random.choice(OPENING[family]))
    return "\n".join(["*nat", *lines, "COMMIT", ""])


def _match(random: Random, language: str) -> tuple[str, str]:
    """(a protocol, words that match it); "" for no protocol at all."""
    protocol = random.choice(("", "", *PORTED))
    if not protocol:
        return "", ""
    port = random.choice(("", "80", "53", "1000:1001" if language == "iptables" else "1000-1001"))
    if language == "iptables":
        return protocol, f"-p {protocol}" + (f" --dport {port}" if port else "")
    return protocol, f"{protocol} dport {port}" if port else f"meta l4proto {protocol}"


def _iptables(random: Random, six: bool) -> str:
    protocol, match = _match(random, "iptables")
    chain, target = random.choice(TARGETS_BY_CHAIN)
    out, came = random.choice(("-o wan", "-o wan", "-o lan", "")), random.choice(("-i wan", "-i lan", ""))
    device = {"POSTROUTING": out, "PREROUTING": came}.get(chain, "")
    ports = random.choice(PORTS) if protocol and random.random() < 0.5 else ""
    return " ".join(filter(None, [f"-A {chain}", device, match, f"-j {target}", *_words(random, target, ports, six)]))


def _words(random: Random, target: str, ports: str, six: bool) -> list[str]:
    flags = [f"--{flag}" for flag in ("random", "persistent", "random-fully") if random.random() < 0.12]
    if target == "NETMAP":
        return [f"--to {random.choice(NETS6 if six else NETS)}"]
    if target in ("MASQUERADE", "REDIRECT"):
        flags = [flag for flag in flags if flag == "--random" or (flag == "--random-fully" and target == "MASQUERADE")]
        return [f"--to-ports {ports}"] * bool(ports) + flags
    address = random.choice({"SNAT": SOURCES6 if six else SOURCES, "DNAT": TARGETS6 if six else TARGETS}[target])
    shifted = f"{ports}/{random.choice((80, 1000))}" if target == "DNAT" and "-" in ports and random.random() < 0.4 else ports
    where = f"[{address}]:{shifted}" if ports and six else f"{address}:{shifted}" if ports else address
    flags = [flag for flag in flags if target == "SNAT" or flag != "--random-fully"]
    return [f"--to-{'source' if target == 'SNAT' else 'destination'} {where}", *flags]


def nft(random: Random) -> str:
    """Tables of all families, for nft -f."""
    return "\n".join(_table(random, family, number) for number, family in enumerate(("ip", "ip6", "inet")) if random.random() < 0.7) + "\n"


def _table(random: Random, family: str, number: int) -> str:
    lines = [f"table {family} n{number} {{"]
    for hook, priority in (("prerouting", -100), ("input", 100), ("output", -100), ("postrouting", 100)):
        if random.random() < 0.7:
            lines.append(f" chain {hook} {{ type nat hook {hook} priority {priority + random.choice((0, 0, 5, -5))}; policy accept;")
            lines += [f"  {_nft(random, hook, family)}" for _ in range(random.randrange(4))]
            lines.append(" }")
    return "\n".join([*lines, "}"])


def _nft(random: Random, hook: str, family: str) -> str:
    protocol, match = _match(random, "nft")
    kind = random.choice(KINDS[hook])
    six = family == "ip6" or (family == "inet" and random.random() < 0.4)
    ports = random.choice(PORTS) if protocol and random.random() < 0.5 else ""
    flags = ",".join(flag for flag in ("random", "fully-random", "persistent") if random.random() < 0.12)
    words = [match, "counter", kind]
    if kind in ("snat", "dnat") and ports and random.random() < 0.1:
        words += ["to", f":{ports}"]
    elif kind in ("snat", "dnat"):
        address = random.choice({"snat": SOURCES6 if six else SOURCES, "dnat": TARGETS6 if six else TARGETS}[kind])
        if ports and six:
            address = "-".join(f"[{end}]" for end in address.split("-"))
        words += ["ip6" if six else "ip"] * (family == "inet") + ["to", f"{address}:{ports}" if ports else address]
    elif ports:
        words += ["to", f":{ports}"]
    return " ".join(filter(None, [*words, flags]))
