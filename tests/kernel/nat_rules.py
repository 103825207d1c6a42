"""Rulesets that translate, by seed, in both languages."""

from __future__ import annotations

from random import Random

SOURCES = ("203.0.113.2", "203.0.113.50", "203.0.113.77", "203.0.113.50-203.0.113.55", "198.51.100.0-198.51.100.255")
SOURCES6 = ("fd00:2::1", "fd00:2::50", "fd00:2::50-fd00:2::55", "2001:db8:1::-2001:db8:1::ffff")
TARGETS = ("192.168.1.10", "192.168.1.11", "192.168.1.10-192.168.1.12", "203.0.113.9")
TARGETS6 = ("fd00:1::10", "fd00:1::10-fd00:1::13", "fd00:2::9")
PORTS = ("1000", "2000-2003", "1-65535", "80", "40000-40100")
PORTED = ("tcp", "udp", "sctp")
KINDS = {
    "prerouting": ("dnat", "dnat", "redirect"), "output": ("dnat", "redirect"), "input": ("snat",), "postrouting": ("snat", "masquerade"),
}  # fmt: skip
NETS = ("192.168.1.0/24", "203.0.113.0/24", "10.20.0.0/16", "192.168.1.8/29")
NETS6 = ("fd00:1::/64", "fd00:9::/64", "fd00:2::/112")


class Rules:
    """One random ruleset at a time."""

    def __init__(self, seed: object) -> None:
        self.random = Random(str(seed))

    def iptables(self, six: bool) -> str:
        """A nat table for iptables-restore or ip6tables-restore."""
        lines = [self._iptables(six) for _ in range(self.random.randrange(1, 6))]
        return "\n".join(["*nat", *lines, "COMMIT"]) + "\n"

    def _match(self, language: str) -> tuple[str, str]:
        """(a protocol, words that match it); "" for no protocol at all."""
        choose = self.random
        protocol = choose.choice(("", "", *PORTED))
        if not protocol:
            return "", ""
        port = choose.choice(("", "80", "53", "1000:1001" if language == "iptables" else "1000-1001"))
        if language == "iptables":
            return protocol, f"-p {protocol}" + (f" --dport {port}" if port else "")
        return protocol, f"{protocol} dport {port}" if port else f"meta l4proto {protocol}"

    def _iptables(self, six: bool) -> str:
        choose = self.random
        protocol, match = self._match("iptables")
        chain, target = choose.choice((
            *(("POSTROUTING", "SNAT"), ("POSTROUTING", "MASQUERADE")) * 2, ("INPUT", "SNAT"),
            ("PREROUTING", "DNAT"), ("PREROUTING", "DNAT"), ("OUTPUT", "DNAT"), ("PREROUTING", "REDIRECT"), ("OUTPUT", "REDIRECT"),
            ("PREROUTING", "NETMAP"), ("POSTROUTING", "NETMAP"), ("OUTPUT", "NETMAP"),
        ))  # fmt: skip
        device = {"POSTROUTING": choose.choice(("-o wan", "-o wan", "-o lan", "")), "PREROUTING": choose.choice(("-i wan", "-i lan", ""))}
        ports = choose.choice(PORTS) if protocol and choose.random() < 0.5 else ""
        return " ".join(filter(None, [f"-A {chain}", device.get(chain, ""), match, f"-j {target}", *self._words(target, ports, six)]))

    def _words(self, target: str, ports: str, six: bool) -> list[str]:
        choose = self.random
        flags = [f"--{flag}" for flag in ("random", "persistent") if choose.random() < 0.15]
        if target == "NETMAP":
            return [f"--to {choose.choice(NETS6 if six else NETS)}"]
        if target in ("MASQUERADE", "REDIRECT"):
            return [f"--to-ports {ports}"] * bool(ports) + [flag for flag in flags if flag == "--random"]
        address = choose.choice({"SNAT": SOURCES6 if six else SOURCES, "DNAT": TARGETS6 if six else TARGETS}[target])
        shifted = f"{ports}/{choose.choice((80, 1000))}" if target == "DNAT" and "-" in ports and choose.random() < 0.4 else ports
        where = f"[{address}]:{shifted}" if ports and six else f"{address}:{shifted}" if ports else address
        return [f"--to-{'source' if target == 'SNAT' else 'destination'} {where}", *flags]

    def nft(self) -> str:
        """Tables of all families, for nft -f."""
        families = enumerate(("ip", "ip6", "inet"))
        return "\n".join(self._table(family, number) for number, family in families if self.random.random() < 0.7) + "\n"

    def _table(self, family: str, number: int) -> str:
        choose = self.random
        lines = [f"table {family} n{number} {{"]
        for hook, priority in (("prerouting", -100), ("input", 100), ("output", -100), ("postrouting", 100)):
            if choose.random() < 0.7:
                lines.append(f" chain {hook} {{ type nat hook {hook} priority {priority + choose.choice((0, 0, 5, -5))}; policy accept;")
                lines += [f"  {self._nft(hook, family)}" for _ in range(choose.randrange(4))]
                lines.append(" }")
        return "\n".join([*lines, "}"])

    def _nft(self, hook: str, family: str) -> str:
        choose = self.random
        protocol, match = self._match("nft")
        kind = choose.choice(KINDS[hook])
        six = family == "ip6" or (family == "inet" and choose.random() < 0.4)
        ports = choose.choice(PORTS) if protocol and choose.random() < 0.5 else ""
        flags = ",".join(flag for flag in ("random", "fully-random", "persistent") if choose.random() < 0.12)
        words = [match, "counter", kind]
        if kind in ("snat", "dnat"):
            address = choose.choice({"snat": SOURCES6 if six else SOURCES, "dnat": TARGETS6 if six else TARGETS}[kind])
            if ports and six:
                address = "-".join(f"[{end}]" for end in address.split("-"))
            words += ["ip6" if six else "ip"] * (family == "inet") + ["to", f"{address}:{ports}" if ports else address]
        elif ports:
            words += ["to", f":{ports}"]
        return " ".join(filter(None, [*words, flags]))
