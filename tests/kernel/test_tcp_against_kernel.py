"""The same conversations between two real Linux hosts and between two simulated machines: the same packets, results and (about) times.

Compared of each packet: who sent it, flags, relative sequence and acknowledgment numbers, length, options, window of SYNs, ICMP type and
code. Not compared: PSH (Linux also sets it inside long writes, by the timing of its batches) and windows behind the handshake.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sim.edges.kernel import why_unavailable
from tests.kernel.two_hosts import Seen, Step, play, real_hosts, simulate

TICK = 0.06
Result = tuple[list[Seen], list[str]]


def steps(text: str) -> list[Step]:
    """client connect; server send hello; … : who, what, and the rest of the line as its argument."""
    made: list[Step] = []
    for line in text.split(";"):
        who, action, *rest = line.split(maxsplit=2)
        argument: list[Any] = rest
        if action == "send":
            argument = [bytes(int(rest[0][1:])) if rest[0][0] == "#" else rest[0].encode()]
        elif action == "lose":
            argument = [int(number) for number in rest[0].split()]
        elif action == "cable":
            argument = [rest[0] == "up"]
        elif action == "recv":
            argument = [20]
        times = int(rest[0]) if action == "wait" and rest else 1
        made += [(who, action, *(argument if action != "wait" else []))] * times
    return made


OPEN = "server listen; client connect; server accept; "
DROP = "server iptables -P INPUT DROP; "
SCRIPTS = {
    "the client closes first": (
        "server listen; client connect; server accept; client send hello; server recv; "
        "server send hi; client recv; client close; server recv; server close"
    ),
    "the server closes first": OPEN + "client send x; server recv; server close; client recv; client close",
    "half a close": (
        "server listen; client connect; server accept; client send ask; client shutdown; "
        "server recv; server recv; server send told; client recv; server close; client recv"
    ),
    "a close with bytes unread": OPEN + "client send unread; server close; client recv; client send more",
    "data for a program that has let go": OPEN + "client close; server send late; server recv; server send later",
    "a port where nobody listens": "client connect",
    "both close while the cable is cut": (
        "server listen; client connect; server accept; client cable cut; client close; server close; "
        "client wait; client cable up; client wait 8"
    ),
    "three small writes": OPEN + "client send a; client send bb; client send ccc; server recv",
    "question and answer three times": (
        "server listen; client connect; server accept; client send a; server recv; server send A; "
        "client recv; client send b; server recv; server send B; client recv; client send c; "
        "server recv"
    ),
    "a long write": OPEN + "client send #9000; server recv",
    "rejected with port unreachable": "server iptables -A INPUT -p tcp -j REJECT; client connect",
    "rejected with a reset": "server iptables -A INPUT -p tcp -j REJECT --reject-with tcp-reset; client connect",
    "rejected with host unreachable": (
        "server iptables -A INPUT -p tcp -j REJECT --reject-with icmp-host-unreachable; "
        "client connect"
    ),
    "rejected with net unreachable": (
        "server iptables -A INPUT -p tcp -j REJECT --reject-with icmp-net-unreachable; "
        "client connect"
    ),
    "rejected with admin prohibited": (
        "server iptables -A INPUT -p tcp -j REJECT --reject-with icmp-admin-prohibited; "
        "client connect"
    ),
    "rejected with proto unreachable": (
        "server iptables -A INPUT -p tcp -j REJECT --reject-with icmp-proto-unreachable; "
        "client connect"
    ),
    "rejected once established": (
        "server listen; client connect; server accept; client sysctl tcp_retries2=2; "
        "client send hello; server recv; "
        "server iptables -A INPUT -p tcp -j REJECT --reject-with icmp-host-unreachable; "
        "client send ls; client recv; client send x"
    ),
    "dropped once established": (
        "server listen; client connect; server accept; client sysctl tcp_retries2=2; "
        "client send hello; server recv; server iptables -P INPUT DROP; client send ls; client recv; "
        "client send x"
    ),
    "three writes, dropped": (
        "server listen; client connect; server accept; client sysctl tcp_retries2=2; client send x; "
        "server recv; server iptables -P INPUT DROP; client send one; client send two; "
        "client send three; client recv"
    ),
    "an orphan, dropped": (
        "server listen; client connect; server accept; client send x; server recv; "
        "client sysctl tcp_orphan_retries=2; server iptables -P INPUT DROP; client send bye; "
        "client close; client wait 50"
    ),
    "a SYN that nobody answers": (
        "client sysctl tcp_syn_retries=2; client sysctl tcp_syn_linear_timeouts=1; "
        "server iptables -P INPUT DROP; client connect"
    ),
    "a SYN that time alone ends": "client sysctl tcp_syn_retries=1; " + DROP + "client connect",
    "the first SYN lost": (
        "client lose 0; server listen; client connect; server accept; client send hello; "
        "server recv"
    ),
    "the handshake's ACK lost": (
        "client lose 2; server listen; client connect; client wait 20; server accept; "
        "client send hello; server recv"
    ),
    "the only segment lost": OPEN + "client lose 3; client send hello; client wait 6; server recv",
    "its ACK lost": OPEN + "client lose 4; client send hello; client wait 6; server recv",
    "one of five lost": OPEN + "client lose 5; client send #6000; client wait 5; server recv",
    "the last of five lost": OPEN + "client lose 7; client send #6000; client wait 6; server recv",
    "the FIN lost": OPEN + "client lose 3; client close; client wait 6; server recv; server close",
}


def really(script: list[Step]) -> Result:
    with real_hosts() as hosts:
        return play(hosts, script, TICK)


@pytest.fixture(scope="module")
def answers() -> Iterator[dict[str, Result]]:
    """What real hosts do, all scripts side by side: they mostly wait."""
    if os.geteuid():
        pytest.skip("named network namespaces need root")
    if why := why_unavailable():
        pytest.skip(f"no real kernel to ask: {why}")
    with ThreadPoolExecutor(10) as pool:
        played = {name: pool.submit(really, steps(f"{text}; client wait")) for name, text in SCRIPTS.items()}
        yield {name: future.result() for name, future in played.items()}


@pytest.mark.parametrize("name", SCRIPTS)
def test_two_machines_say_what_two_real_hosts_say(name: str, answers: dict[str, Result]) -> None:
    real, simulated = answers[name], simulate(steps(f"{SCRIPTS[name]}; client wait"), TICK)
    assert words(simulated) == words(real)


def words(result: Result) -> tuple[list[str], list[str]]:
    return [f"{seen.sender} {seen.what}".replace("P. seq", ". seq") for seen in result[0]], result[1]


@pytest.mark.parametrize("name", [name for name in SCRIPTS if "dropped" in name or "SYN that" in name or "lost" in name])
def test_they_try_again_about_when_real_hosts_do(name: str, answers: dict[str, Result]) -> None:
    """The kernel's timers are never early and up to an eighth late (the timer wheel), and this machine may be busy."""
    real, simulated = answers[name][0], simulate(steps(f"{SCRIPTS[name]}; client wait"), TICK)[0]
    for theirs, ours in zip(real, simulated, strict=True):
        waited, wanted = theirs.at - real[0].at, ours.at - simulated[0].at
        assert wanted * 0.98 - 0.03 <= waited <= wanted * 1.15 + 0.25, f"{ours.what}: after {waited:.3f} s, here after {wanted:.3f} s"
