"""JSON, describe and echo of the real nft in a network namespace beside ours, byte for byte; and JSON read in by both."""

from __future__ import annotations

import json

import pytest

from tests.kernel.test_nft_prints_the_same import Call, ours, real

pytestmark = pytest.mark.kernel

RULESET = """table inet t {
 set nets { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 1.2.3.4-1.2.3.9, 11.0.0.1 } }
 set pairs { type ipv4_addr . inet_service; elements = { 1.2.3.4 . 22 } }
 map doors { type inet_service : verdict; elements = { 22 : accept, 23 : jump side } }
 counter seen { packets 1 bytes 2 }
 chain side { }
 chain in { type filter hook input priority filter + 5; policy drop;
  ip saddr @nets tcp dport { 22, 80-90 } counter accept comment "doors"
  tcp dport vmap @doors
  tcp dport vmap { 22 : accept, 23-24 : jump side }
  ct state established,related accept
  ct state { new, established } drop
  tcp flags & (fin|syn) == syn
  tcp flags ! fin,rst
  ip saddr . tcp dport { 1.2.3.4 . 22, 2.0.0.0/8 . 80-90 }
  iifname "eth*" meta mark & 0xff == 0x10 ct mark set mark
  meta mark | 0x3 == 0x3 meta mark set mark and 0xff or 0x100
  limit rate over 10 mbytes/minute burst 5 kbytes
  log prefix "y" level info flags tcp sequence,options flags skuid
  ct count over 5 reject with icmpx admin-prohibited
 }
 chain more {
  fib daddr . iif type local fib saddr oif missing
  ip dscp set cs1 tcp option maxseg size set rt mtu
  meta nftrace set 1 meta priority set 1:2 ct event set new,destroy
  numgen inc mod 2 vmap { 0 : accept, 1 : drop }
  jhash ip saddr . tcp dport mod 2 seed 0x5 1
  symhash mod 2 offset 3 4
  ct expiration 30s ct original bytes > 5 ct original ip saddr 1.2.3.4
  meta day "Monday" meta hour "08:00"-"17:00" meta time > "2022-07-01 11:00:00"
  exthdr frag exists
  ip option rr ptr 4
  @nh,8,16 5 @th,64,16 7
  tcp option sack1 left 5 tcp option 255 missing
  sctp chunk data tsn 5
  reset tcp option sack-perm
  iiftype loopback iifgroup "default" meta random < 5
 }
}
"""
ASKED = (
    ["-j", "list", "ruleset"], ["list", "ruleset"], ["-j", "list", "tables"], ["-j", "list", "chains"], ["-j", "list", "sets"],
    ["-j", "list", "chain", "inet", "t", "more"], ["-j", "list", "map", "inet", "t", "doors"], ["-j", "list", "table", "inet", "nope"],
    ["-j", "-s", "list", "chain", "inet", "t", "in"], ["-j", "-e", "add", "rule", "inet", "t", "side", "counter", "accept"],
    ["-j", "-e", "add", "table", "ip", "q"], ["-j", "list", "ruleset", "ip"],
)  # fmt: skip
DESCRIBED = (
    "tcp dport", "tcp flags", "ct state", "ct label", "ip dscp", "icmp type", "icmpx_code", "meta pkttype", "meta iifname", "meta hour",
    "frag more-fragments", "tcp option maxseg size", "sctp chunk data", "numgen inc mod 2", "fib daddr type", "dccp type", "boolean",
    "verdict", "foo", "tcp foo", "1.2.3.4",
)  # fmt: skip


def test_a_ruleset_is_listed_in_json_as_the_real_one_lists_it() -> None:
    calls: list[Call] = [(["-f", "-"], RULESET), *((list(words), "") for words in ASKED)]
    wrong = [triple for triple in zip(calls, real(calls), ours(calls), strict=True) if triple[1] != triple[2]]
    assert not wrong


def test_describe_says_what_the_real_one_says() -> None:
    calls: list[Call] = [(["describe", *words.split()], "") for words in DESCRIBED]
    wrong = [triple for triple in zip(calls, real(calls), ours(calls), strict=True) if triple[1] != triple[2]]
    assert not wrong


def command(verb: str, kind: str, **thing: object) -> dict[str, object]:
    return {verb: {kind: {"family": "ip", **thing}}}


def rule(*statements: object) -> dict[str, object]:
    return command("add", "rule", table="t", chain="c", expr=list(statements))


DPORT = {"payload": {"protocol": "tcp", "field": "dport"}}
STATE = {"ct": {"key": "state"}}
DOCUMENTS = {
    "things made": [
        command("add", "table", name="t"), command("add", "chain", table="t", name="c", type="filter", hook="input", prio=0, policy="drop"),
        command("add", "set", table="t", name="s", type="inet_service", flags=["interval"], elem=[22, {"range": [80, 90]}]),
        rule({"match": {"op": "==", "left": DPORT, "right": "@s"}}, {"counter": None}, {"accept": None}),
        rule({"match": {"op": "in", "left": STATE, "right": ["new", "related"]}}, {"drop": None}),
        rule({"vmap": {"key": DPORT, "data": {"set": [[22, {"accept": None}], [23, {"drop": None}]]}}}),
        rule({"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"|": [{"meta": {"key": "mark"}}, 16]}}}),
        rule({"limit": {"rate": 5, "per": "second"}}, {"log": {"prefix": "x", "level": "info"}}, {"reject": {"type": "tcp reset"}}),
    ],
    "an unknown statement": [rule({"foo": None})],
    "a chain that is not there": [command("add", "rule", table="t", chain="nope", expr=[{"accept": None}])],
    "a state that is none": [rule({"match": {"op": "==", "left": STATE, "right": "bogus"}})],
}  # fmt: skip


def test_json_that_is_read_in_makes_the_same_rules() -> None:
    calls: list[Call] = [(["-j", "-f", "-"], json.dumps({"nftables": DOCUMENTS["things made"]})), (["list", "ruleset"], "")]
    assert ours(calls) == real(calls)


@pytest.mark.parametrize("name", list(DOCUMENTS)[1:])
def test_json_that_is_wrong_is_refused_and_changes_nothing(name: str) -> None:
    first = json.dumps({"nftables": DOCUMENTS["things made"]})
    wrong = json.dumps({"nftables": DOCUMENTS[name]})
    calls: list[Call] = [(["-j", "-f", "-"], first), (["-j", "-f", "-"], wrong), (["list", "ruleset"], "")]
    judge, answer = real(calls), ours(calls)
    assert (answer[1][2], answer[1][1].splitlines()[0], answer[2]) == (judge[1][2], judge[1][1].splitlines()[0], judge[2])
