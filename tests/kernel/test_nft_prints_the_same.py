"""Rules and commands through the real nft in a network namespace, and through ours: what is printed, and every error, is the same.

What nft takes and we do not simulate must be refused at a word; where we differ on purpose, DIFFERS says why.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sim.netfilter.hooks import Hooks
from sim.netfilter.skb import Skb
from sim.ruleset.nft.tool import run
from sim.ruleset.state import RuleState

pytestmark = pytest.mark.kernel

HERE = Path(__file__).parent
RULES = HERE.parent / "ruleset" / "nft" / "rules.txt"
COMMANDS = HERE.parent / "ruleset" / "nft" / "commands.txt"
TABLE = """flush ruleset
table {family} t {{
 set addresses {{ type ipv4_addr; elements = {{ 10.0.0.1, 10.0.0.2 }}; }}
 set ports {{ type inet_service; flags interval; elements = {{ 22, 80-90 }}; }}
 set names {{ type ifname; elements = {{ "eth0" }}; }}
 set pairs {{ type ipv4_addr . inet_service; elements = {{ 10.0.0.1 . 22 }}; }}
 map portmap {{ type inet_service : verdict; elements = {{ 22 : accept }}; }}
 chain base {{ type filter hook prerouting priority filter; policy accept; }}
 chain other {{ }}
 chain c {{ }}
}}
"""
# Where we differ, and why it is better or not worth having.
DIFFERS = {
    "ct original saddr 192.168.0.1 accept": "of inet tables, nft adds a second error that follows from the first",
    "jump nowhere": "which chain nft suggests depends on what it has loaded",
    "dnat to tcp dport map @m": "nft says it twice, and names another set",
}
# Not every kernel has nft's queue: where it is refused, there is nothing to compare.
BROKEN = "a very long prefix"  # this one kills nft itself
WORKER = """
import json, subprocess, sys
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
answers = []
for argv, stdin in json.load(sys.stdin):
    done = subprocess.run(["nft", *argv], input=stdin, text=True, capture_output=True)
    answers.append([done.stdout, done.stderr, done.returncode])
print(json.dumps(answers))
"""
Call = tuple[list[str], str]


class Effects:
    """Rules are only listed here."""

    def send(self, data: bytes, skb: Skb) -> None: ...

    def kernel_log(self, text: str, skb: Skb) -> None: ...

    def address_type(self, address: bytes, dev: str) -> int:
        return 1


def real(calls: list[Call]) -> list[tuple[str, str, int]]:
    """What the real nft answers, in a namespace of its own."""
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", WORKER], input=json.dumps(calls), text=True, capture_output=True, check=True, timeout=120
    )
    return [tuple(answer) for answer in json.loads(done.stdout)]


def ours(calls: list[Call]) -> list[tuple[str, str, int]]:
    """What ours answers."""
    state = RuleState(Hooks(), Effects())
    results = [run(["nft", *argv], state, stdin, interfaces={"lo": 1}) for argv, stdin in calls]
    return [(result.out, result.err, result.status) for result in results]


def corpus(family: str) -> list[str]:
    lines = [line.split(" ; ", 1) for line in RULES.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return [rule for families, rule in lines if family in families.split() and BROKEN not in rule]


def refused(error: str) -> bool:
    return "is right, but not simulated here" in error


@pytest.mark.parametrize("family", ["ip", "ip6", "inet"])
def test_each_rule_is_listed_or_refused_as_the_real_nft_does(family: str) -> None:
    rules = corpus(family)
    calls: list[Call] = [(["-f", "-"], TABLE.format(family=family))]
    for number, rule in enumerate(rules):
        calls.append((["add", "chain", family, "t", f"c{number}"], ""))
        calls.append(([f"add rule {family} t c{number} {rule}"], ""))
    calls += [([*options, "list", "table", family, "t"], "") for options in ([], ["-n"], ["-s"])]
    judge, answer = real(calls), ours(calls)
    wrong = []
    for number, rule in enumerate(rules):
        place = 2 + 2 * number
        if rule in DIFFERS or refused(answer[place][1]) or (rule.startswith("queue") and judge[place][2]):
            continue
        listings = [[chain_of(out, f"c{number}") for out, _, _ in side[-3:]] for side in (judge, answer)]
        if judge[place] != answer[place] or listings[0] != listings[1]:
            wrong.append((rule, judge[place], answer[place], listings))
    assert not wrong


def chain_of(listing: str, name: str) -> str:
    """A chain's lines in a listing."""
    start = listing.find(f"\tchain {name} {{\n")
    return listing[start : listing.index("\n\t}\n", start)]


def test_commands_print_and_change_what_the_real_ones_do() -> None:
    lines = [line for line in COMMANDS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    calls: list[Call] = [(shlex.split(line), "") for line in lines]
    wrong = [triple for triple in zip(calls, real(calls), ours(calls), strict=True) if triple[1] != triple[2]]
    assert not wrong


FILES = {
    "a file with a shebang": """#!/usr/sbin/nft -f

flush ruleset

table inet filter {
\tchain input {
\t\ttype filter hook input priority 0;
\t}
}
""",
    "variables": """define a = 22
define b = { 22, 80 }
define c = 10.0.0.0/8
define d = $a
table ip v {
 chain c {
  tcp dport $a accept
  tcp dport $b accept
 ip saddr $c accept
 tcp dport { $a, 99 } accept
 tcp dport $d accept
 tcp dport { $b, 500 } accept
}
}
""",
    "a variable twice": """define a = 1
define a = 2
""",
    "three mistakes": """add table ip q
add chain ip q c
add rule ip q c accpt
add rule ip q c tcp dprt 5
add rule ip q c ct state bogus
""",
    "two meanings wrong": """add table ip q
add chain ip q d
add rule ip q d ct state bogus
add rule ip q d tcp dport 70000
""",
    "a set over two lines": """table ip q {
\tchain c {
\t\tct state bogus accept
\t\tip saddr 1.2.3.4 ct state { new,
\t\t  bogus } accept
\t}
}
""",
    "hok": """table ip q {
\tchain c {
\t\ttype filter hok input priority 0
\t}
}
""",
    "the end is missing": """table ip q {
\tchain c {
\t\taccept
""",
    "no such file": """include "/nonexistent"
""",
    "the second fails, so nothing is done": """add table ip z
add chain ip z c
add rule ip z c accept
add rule ip nope c accept
""",
    "chains first, then sets, then rules": """table ip w {
 chain a { ip saddr @s jump b
 }
 set s { type ipv4_addr; }
 chain b { accept
 drop comment "x"
 }
}
""",
    "helpers": """table inet filter {
 ct helper ftp-standard {
  type "ftp" protocol tcp;
 }
 set s { type ipv4_addr; }
 ct helper tftp-standard { type "tftp" protocol udp
  l3proto ip; comment "small files" }
}
table inet filter {
 ct helper tftp-standard { type "tftp" protocol udp
  l3proto ip; comment "small files"
 }
 chain pre {
  type filter hook prerouting priority filter; policy accept;
  tcp dport 21 ct helper set "ftp-standard"
  udp dport 69 ct helper set "tftp-standard" accept
  ct helper "ftp" counter
 }
}
""",
    "helpers in their order": """table inet filter {
 set s { type ipv4_addr; }
 ct helper tftp-standard { type "tftp" protocol udp; }
 ct helper ftp-standard {
  # the usual one
  type "ftp" protocol tcp; l3proto inet;
 }
 chain pre {
  type filter hook prerouting priority filter; policy accept;
  ip saddr @s tcp dport 21 ct helper set "ftp-standard"
  ct helper "ftp" counter
 }
}
""",
    "no newline at the end": """add table ip n""",
    "nothing": """""",
    "comments": """# one
add table ip k # two
""",
}


@pytest.mark.parametrize("name", FILES)
def test_files_do_and_say_the_same(name: str) -> None:
    calls: list[Call] = [(["-f", "-"], FILES[name]), (["-a", "list", "ruleset"], "")]
    wrong = [triple for triple in zip(calls, real(calls), ours(calls), strict=True) if triple[1] != triple[2]]
    assert not wrong
