"""Rules that give connections their helpers, zones and marks, by seed, in both languages; and those that take tracking away."""

from __future__ import annotations

from random import Random
from typing import Final

HELPERS: Final = (
    ("ftp", "tcp", 21, ("ip", "ip6")), ("irc", "tcp", 6667, ("ip",)), ("tftp", "udp", 69, ("ip", "ip6")),
    ("sip", "udp", 5060, ("ip", "ip6")), ("sip", "tcp", 5060, ("ip", "ip6")), ("pptp", "tcp", 1723, ("ip",)),
    ("sane", "tcp", 6566, ("ip", "ip6")), ("amanda", "udp", 10080, ("ip", "ip6")), ("netbios-ns", "udp", 137, ("ip",)),
    ("snmp", "udp", 161, ("ip",)), ("snmp_trap", "udp", 162, ("ip",)),
)  # fmt: skip
"""Helper, protocol, its server's port, for which families."""
ZONES: Final = (
    "-A {} -i lan -j CT --zone 1", "-A {} -i wan -j CT --zone 1", "-A {} -p udp -j CT --zone 2", "-A {} -j CT --zone 1",
    "-A {} -m mark --mark 0 -j CT --zone 2", "-A {} -p tcp -j CT --zone mark", "-A {} -p icmp -j CT --zone 1",
    "-A {} -s 192.168.1.10 -j CT --zone 2", "-A {} -i lan -j CT --zone-orig 1", "-A {} -i wan -j CT --zone-reply 1",
    "-A {} -p udp -j CT --zone-orig 2", "-A {} -j CT --zone-reply 2", "-A {} -m length --length 30:45 -j CT --zone-orig 1",
)  # fmt: skip
MARKING: Final = (
    "-A PREROUTING -j CONNMARK --restore-mark", "-A PREROUTING -m mark --mark 0 -j MARK --set-mark 0x7",
    "-A POSTROUTING -j CONNMARK --save-mark", "-A FORWARD -p tcp -j CONNMARK --set-xmark 0x5/0xff",
    "-A FORWARD -p udp -j CONNMARK --or-mark 0x10",
    "-A PREROUTING -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x2/0x2", "-A OUTPUT -j CONNMARK --set-mark 0x9",
    "-A FORWARD -m connmark --mark 0x5/0xf -j MARK --set-mark 0x1", "-A INPUT -j CONNMARK --save-mark --nfmask 0xf --ctmask 0xff",
)  # fmt: skip


def iptables(random: Random, family: str) -> str:
    """A raw table that assigns every helper, mostly."""
    lines = []
    for chain in ("PREROUTING", "OUTPUT"):
        for name, protocol, port, families in HELPERS:
            if family in families and random.random() < (0.95 if chain == "PREROUTING" else 0.5):
                lines.append(f"-A {chain} -p {protocol} -m {protocol} --dport {port} -j CT --helper {name}")
    if random.random() < 0.15:
        lines.insert(random.randrange(len(lines) + 1), f"-A PREROUTING -p {random.choice(('udp', 'tcp'))} -j CT --notrack")
    return "\n".join(["*raw", *lines, "COMMIT", ""])


def nft(random: Random) -> str:
    """A table with an object for every helper, and rules that set them."""
    objects, rules = [], []
    for name, protocol, port, families in HELPERS:
        label = f"{name.replace('-', '').replace('_', '')}{protocol}"
        only = random.choice(("", "", f" l3proto {random.choice(families)};"))
        if "ip6" not in families:
            only = " l3proto ip;"
        objects.append(f" ct helper {label} {{ type \"{name}\" protocol {protocol};{only} }}")
        rules.append(f"  {protocol} dport {port} ct helper set \"{label}\"")
    chains = [
        f" chain {hook} {{ type filter hook {hook} priority {random.choice(('0', 'filter', '-150'))};\n" + "\n".join(rules) + "\n }"
        for hook in random.choice((("prerouting", "output"), ("prerouting",), ("forward", "input"), ("prerouting", "forward")))
    ]
    return "\n".join(["table inet helpers {", *objects, *chains, "}", ""])


def zones(random: Random, family: str) -> str:
    """A raw table that divides the connections among zones, and a mangle table with marks."""
    rules = [rule for rule in ZONES if family == "ip" or ("192.168" not in rule and "icmp" not in rule)]
    lines = [random.choice(rules).format("PREROUTING") for _ in range(random.choice((1, 1, 2)))]
    lines += [line for line in [random.choice(rules).format("OUTPUT")] if "-i " not in line]
    return "\n".join(["*raw", *lines, "COMMIT", ""]) + marks(random)


def marks(random: Random) -> str:
    """A mangle table that carries marks between packets and connections."""
    return "\n".join(["*mangle", *random.sample(MARKING, random.choice((1, 2, 3, 4))), "COMMIT", ""])
