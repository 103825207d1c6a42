"""When TCP tries again, and when it gives up. The kernel's own times for the same: tests/kernel/test_tcp_against_kernel.py."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from sim.machine.errors import SocketError
from sim.trace import SocketChanged
from tests.machine.lab import MS, RIGHT, SECOND, Lab
from tests.machine.test_tcp import connected

Steps = Iterator[Any]


def failing(lab: Lab, ends: list[tuple[float, str]]) -> Steps:
    try:
        yield lab.left.tcp.connect(RIGHT, 22).connected
    except SocketError as error:
        ends.append((lab.env.now / SECOND, error.strerror))


def test_a_syn_that_nobody_answers_is_tried_at_linuxs_times_and_given_up_after_131_seconds() -> None:
    lab, ends = Lab(), []
    lab.link.change(up=False)
    lab.run(failing(lab, ends))
    assert lab.times("SYN") == [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67]
    assert ends == [(131.0, "Connection timed out")]
    assert lab.env.now == 131 * SECOND


@pytest.mark.parametrize(("linear", "retries", "end"), [(4, 1, 3), (0, 1, 3), (2, 3, 17), (1, 2, 8), (0, 6, 127), (4, 2, 7)])
def test_the_sysctls_of_the_syn_give_the_kernels_ends(linear: int, retries: int, end: int) -> None:
    lab, ends = Lab(), []
    lab.link.change(up=False)
    lab.left.sysctls.set("net.ipv4.tcp_syn_linear_timeouts", str(linear))
    lab.left.sysctls.set("net.ipv4.tcp_syn_retries", str(retries))
    lab.run(failing(lab, ends))
    assert ends == [(end, "Connection timed out")]


def test_a_syn_ack_is_sent_six_times_and_the_half_open_connection_forgotten_after_63_seconds() -> None:
    lab = Lab()
    lab.right.tcp.listen(22)
    lab.left.sysctls.set("net.ipv4.tcp_syn_retries", "1")
    lab.left.sysctls.set("net.ipv4.tcp_syn_linear_timeouts", "0")
    lab.left.tcp.connect(RIGHT, 22)
    lab.run(until=1 * MS)
    lab.left.ip.interfaces["eth0"].up = False
    lab.run()
    assert lab.times("SYN ACK") == [0.005, 1.005, 3.005, 7.005, 15.005, 31.005]
    assert lab.events(SocketChanged, "right")[-1][0] == 63_005 * MS


def test_data_that_nobody_acknowledges_goes_out_as_a_loss_probe_and_then_backs_off() -> None:
    lab = Lab()
    client, _ = connected(lab)
    lab.link.change(up=False)
    client.send(b"ls")
    lab.run()
    times = [round(time - 0.1, 6) for time in lab.times('PSH "ls"')]
    # the round trip is 10 ms: RTO 210 ms. The loss probe comes then, the RTO 210 ms later, then it doubles up to 120 s.
    assert times[:12] == [0, 0.21, 0.42, 0.84, 1.68, 3.36, 6.72, 13.44, 26.88, 53.76, 107.52, 215.04]
    assert [round(b - a, 6) for a, b in pairwise(times[11:])] == [120.0] * 5
    assert client.state == "CLOSED" and client.error == "ETIMEDOUT"
    assert lab.env.now == round((0.1 + 215.04 + 6 * 120) * SECOND)


def test_the_socket_says_what_is_not_acknowledged_how_often_it_was_tried_and_when_it_will_be_again() -> None:
    lab = Lab()
    client, _ = connected(lab)
    lab.link.change(up=False)
    client.send(b"ls\n")
    lab.run(until=700 * MS)
    told = [(e.unacked, e.tries, e.retry_at) for _, e in lab.events(SocketChanged, "left")][-3:]
    assert told == [("ls", 0, 310 * MS), ("ls", 1, 520 * MS), ("ls", 2, 940 * MS)]


def test_nothing_is_left_to_happen_once_all_is_acknowledged() -> None:
    lab = Lab()
    client, server = connected(lab)
    client.send(b"ls\n")
    lab.run()
    assert lab.env.now == 110 * MS
    assert client.state == server.state == "ESTAB"


def test_an_answer_carries_the_ack_and_without_one_the_ack_waits_forty_milliseconds() -> None:
    lab = Lab()
    client, server = connected(lab)

    def talk() -> Steps:
        for _ in range(2):  # the first answer makes the server's side interactive
            client.send(b"question")
            yield server.recv()
            server.send(b"answer")
            yield client.recv()
            yield lab.env.timeout(100 * MS)
        client.send(b"no answer")
        yield server.recv()

    lab.run(talk(), until=SECOND)
    begun = lab.times('PSH "no answer"')[0]
    assert lab.sent("right")[-3:] == ['PSH "answer"', 'PSH "answer"', "ACK"]
    assert lab.times("ACK", "right")[-1] == pytest.approx(begun + 0.045)


def test_an_icmp_error_ends_an_attempt_at_once_but_only_darkens_an_established_connection() -> None:
    lab, ends = Lab(), []
    client, _ = connected(lab)
    from sim.ruleset.iptables import tool

    tool.run("iptables -A INPUT -p tcp -j REJECT --reject-with icmp-host-unreachable".split(), lab.right.ip.rules)
    lab.left.sysctls.set("net.ipv4.tcp_retries2", "2")
    lab.run(failing(lab, ends), until=200 * MS)
    assert ends == [(0.11, "No route to host")]
    client.send(b"ls")
    lab.run(until=400 * MS)
    assert client.state == "ESTAB"
    lab.run(until=10 * SECOND)
    assert client.state == "CLOSED" and client.error == "EHOSTUNREACH"


def test_a_silent_connection_with_keepalive_is_asked_after_two_hours_and_given_up_eleven_minutes_later() -> None:
    lab = Lab()
    client, _ = connected(lab)
    client.keepalive = True
    lab.run(until=7300 * SECOND)
    assert lab.times("keep-alive") == [7200.1] and client.state == "ESTAB"
    lab.link.change(up=False)
    lab.run()
    assert len(lab.times("keep-alive")) == 10
    assert client.error == "ETIMEDOUT"
