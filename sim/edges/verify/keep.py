"""Keep: a failing case written down as a conversation (tests/conversations), with what the kernel said as what is expected.

    - name: seed 7
      sysctls: {nf_conntrack_checksum: 0}
      steps:
        - {at: 12us, in: lan, packet: "hex 4500...", expect: NEW original SYN_SENT 120 unreplied, log: "..."}

A pause is a step of its own, `{at: 2s, wait: 1350ms}`, and so is a setting that changes, `{at: 2s, sysctl: {nf_conntrack_acct: 1}}`,
or `{at: 2s, flush: true}`: every entry goes.
`in` (a device, or own), `verdict`, `out`, the rules and `drawn` (the ports that NAT's dice must come to) say what a conversation with
conntrack alone has no use for; what reads them stands in tests/fuzz.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sim.conntrack.words import HZ
from sim.edges.kernel import Answer
from sim.edges.verify.chance import drawn
from sim.edges.verify.masks import masked
from sim.edges.verify.pair import Pair
from sim.edges.verify.plan import Case, Feed, Flush, Load, Sysctl, Typed, Wait
from sim.units import SECOND, show_time

TICK = SECOND // HZ
"""µs: moments are told as the kernel's clock counts them."""
NETFILTER = "net.netfilter."
BARE = ("label", "direction", "kernel_log", "entry")
"""Fields that conntrack alone decides."""


def conversation(case: Case, fields: Sequence[str] = BARE) -> str:
    """The YAML of `case`, asking the kernel for the answers. `fields`: on which they differed: others are left out."""
    with Pair(case.plan, keep=True) as pair:
        list(pair.run(case.steps))
        heard = pair.heard
    lines = [f"- name: {case.name}"]
    sysctls = {key.removeprefix(NETFILTER): _number(value) for key, value in case.plan.sysctls.items()}
    if sysctls:
        lines.append(f"  sysctls: {json.dumps(sysctls)}")
    for name, text in zip(("iptables", "ip6tables", "nft"), case.plan.rules, strict=True):
        if text:
            lines += [f"  {name}: |", *(f"    {line}" for line in text.splitlines())]
    return "\n".join([*lines, "  steps:", *_steps(case, heard, set(fields) - set(BARE))]) + "\n"


def _number(text: str) -> Any:
    return int(text) if text.isdigit() else text


def _steps(case: Case, heard: Sequence[tuple[Feed, Answer]], more: set[str]) -> Iterator[str]:
    answers = iter(heard)
    translated = any(word in "".join(case.plan.rules) for word in ("*nat", "type nat"))
    now = 0
    for step in case.steps:
        if isinstance(step, Wait):
            now += int(step.seconds * SECOND)
            yield f"    - {json.dumps({'at': show_time(now), 'wait': show_time(int(step.seconds * SECOND))})}"
        elif isinstance(step, Flush):
            yield f"    - {json.dumps({'at': show_time(now), 'flush': True})}"
        elif isinstance(step, Typed):
            yield f"    - {json.dumps({'at': show_time(now), 'typed': step.line})}"
        elif isinstance(step, Load):
            yield f"    - {json.dumps({'at': show_time(now), 'rules': {name: text for name, text in step._asdict().items() if text}})}"
        elif isinstance(step, Sysctl):
            yield f"    - {json.dumps({'at': show_time(now), 'sysctl': {step.key.removeprefix(NETFILTER): _number(step.value)}})}"
        elif isinstance(step, Feed):
            answer = next(answers)[1]
            now = answer.at_us - answer.at_us % TICK
            ports = {"drawn": drawn(answer, step.data)} if translated else {}
            yield f"    - {json.dumps(_step(step, answer, more) | ports)}"


def _step(feed: Feed, answer: Answer, more: set[str]) -> dict[str, Any]:
    moment = show_time(answer.at_us - answer.at_us % TICK)
    step: dict[str, Any] = {"at": moment, "in": feed.dev or "own", "packet": f"hex {feed.data.hex()}"}
    words = " ".join(_words(answer))
    if words:
        step["expect"] = words
    if answer.kernel_log:
        step["log"] = answer.kernel_log[0].strip()
    if "verdict" in more:
        step["verdict"] = answer.verdict
    if "out" in more:
        step["out"] = [f"{dev} {masked(data).hex()}" for dev, data in answer.out]
    return step


def _words(answer: Answer) -> Iterator[str]:
    """The label first: a TCP state that is called ESTABLISHED as well comes behind it."""
    if answer.label is None:
        return
    yield answer.label
    if answer.direction:
        yield answer.direction
    entry = answer.entry
    if entry is None:
        if answer.label in ("NEW", "ESTABLISHED"):
            yield "gone"
        return
    if entry["state"]:
        yield entry["state"]
    if answer.exact:
        yield str(entry["timeout"])
    if entry["assured"]:
        yield "assured"
    if entry["unreplied"]:
        yield "unreplied"
