"""TCP between two simulated machines: opening, talking, closing, refusing, as conversations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sim.craft import craft
from sim.machine.errors import SocketError
from sim.trace import PacketSent
from tests.machine.lab import LEFT, MS, RIGHT, SECOND, Lab

Steps = Iterator[Any]


def connected(lab: Lab) -> tuple[Any, Any]:
    """An established connection, both ends."""
    ends: list[Any] = []

    def accept() -> Steps:
        ends.append((yield lab.right.tcp.listen(22, "server").accept()))

    def connect() -> Steps:
        conn = lab.left.tcp.connect(RIGHT, 22)
        yield conn.connected
        ends.insert(0, conn)

    lab.run(accept(), connect(), until=int(lab.env.now) + 100 * MS)
    ends.sort(key=lambda conn: conn.listener is not None)
    return ends[0], ends[1]


def test_a_handshake_is_three_packets_and_both_ends_are_established() -> None:
    lab = Lab()
    client, server = connected(lab)
    assert lab.sent() == ["SYN", "SYN ACK", "ACK"]
    assert (client.state, server.state) == ("ESTAB", "ESTAB")
    assert server.remote == client.local and server.program == "server"
    assert lab.states("right") == ["SYN-RECV", "ESTAB"]


def test_the_syn_offers_what_linux_offers() -> None:
    lab = Lab()
    connected(lab)
    syn = lab.events(PacketSent)[0][1].headers
    assert (syn["mss"], syn["wscale"], syn["sack_permitted"], syn["win"], "ts" in syn, syn["df"]) == (1460, 7, True, 64240, True, True)
    assert syn["sport"] % 2 == 0 and 32768 <= syn["sport"] <= 60999


def test_what_one_end_sends_the_other_receives_in_order() -> None:
    lab = Lab()
    client, server = connected(lab)
    heard: list[bytes] = []

    def read() -> Steps:
        while data := (yield server.recv()):
            heard.append(data)

    client.send(b"a" * 5000)
    client.send(b"b" * 5000)
    client.close()
    lab.run(read(), until=SECOND)
    assert b"".join(heard) == b"a" * 5000 + b"b" * 5000
    assert max(event.headers["payload"] for _, event in lab.events(PacketSent)) == 1448


def test_a_port_on_which_nobody_listens_answers_with_a_reset_that_acknowledges_the_syn() -> None:
    lab = Lab()
    errors: list[str] = []

    def connect() -> Steps:
        try:
            yield lab.left.tcp.connect(RIGHT, 81).connected
        except SocketError as error:
            errors.append(error.strerror)

    lab.run(connect())
    syn, reset = (event.headers for _, event in lab.events(PacketSent))
    assert errors == ["Connection refused"]
    assert (reset["flags"], reset["seq"], reset["ack"], reset["win"]) == ("R.", 0, syn["seq"] + 1, 0)
    assert lab.drops("right") == ["no-socket"]


def test_who_closes_first_waits_sixty_seconds_and_the_other_does_not() -> None:
    lab = Lab()
    client, server = connected(lab)
    client.close()
    lab.run(until=200 * MS)
    server.close()
    lab.run()
    assert lab.states("left") == ["SYN-SENT", "ESTAB", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSED"]
    assert lab.states("right") == ["SYN-RECV", "ESTAB", "CLOSE-WAIT", "LAST-ACK", "CLOSED"]
    assert lab.env.now == 210 * MS - 5 * MS + 60 * SECOND


def test_both_ends_closing_at_once_pass_through_closing() -> None:
    lab = Lab()
    client, server = connected(lab)
    client.close()
    server.close()
    lab.run()
    assert lab.states("left")[2:] == ["FIN-WAIT-1", "CLOSING", "TIME-WAIT", "CLOSED"]
    assert lab.states("right")[2:] == ["FIN-WAIT-1", "CLOSING", "TIME-WAIT", "CLOSED"]


def test_both_ends_opening_at_once_get_one_connection() -> None:
    lab = Lab()
    one = lab.left.tcp.connect(RIGHT, 5000, sport=4000)
    other = lab.right.tcp.connect(LEFT, 4000, sport=5000)
    lab.run(until=SECOND)
    assert (one.state, other.state) == ("ESTAB", "ESTAB")
    assert lab.states("left") == ["SYN-SENT", "SYN-RECV", "ESTAB"]
    assert lab.sent() == ["SYN", "SYN", "SYN ACK", "SYN ACK"]


def test_a_program_that_lets_go_waits_sixty_seconds_for_the_other_fin_and_no_longer() -> None:
    lab = Lab()
    client, _ = connected(lab)
    client.close()
    lab.run(until=2 * SECOND)
    assert client.state == "FIN-WAIT-2"
    lab.run(until=62 * SECOND)
    assert client.state == "CLOSED"


def test_half_a_close_lets_the_answer_through() -> None:
    lab = Lab()
    client, server = connected(lab)
    heard: list[bytes] = []

    def exchange() -> Steps:
        client.send(b"question")
        client.shutdown()
        assert (yield server.recv()) == b"question"
        assert (yield server.recv()) == b""
        server.send(b"answer")
        server.close()
        heard.append((yield client.recv()))
        heard.append((yield client.recv()))

    lab.run(exchange(), until=SECOND)
    assert heard == [b"answer", b""]
    assert (client.state, server.state) == ("TIME-WAIT", "CLOSED")


def test_closing_with_bytes_unread_resets() -> None:
    lab = Lab()
    client, server = connected(lab)
    client.send(b"unread")
    lab.run(until=200 * MS)
    server.close()
    lab.run(until=400 * MS)
    assert lab.sent()[-1] == "RST"
    with pytest.raises(SocketError, match="Connection reset by peer"):
        client.send(b"more")
    with pytest.raises(SocketError, match="Broken pipe"):
        client.send(b"more")


def test_a_reset_reaches_a_program_that_reads() -> None:
    lab = Lab()
    client, server = connected(lab)
    errors: list[str] = []

    def read() -> Steps:
        try:
            yield client.recv()
        except SocketError as error:
            errors.append(error.strerror)

    server.abort()
    lab.run(read(), until=SECOND)
    assert errors == ["Connection reset by peer"]


def test_a_reset_that_does_not_hit_the_next_number_is_challenged_not_obeyed() -> None:
    lab = Lab()
    client, _ = connected(lab)
    port, wrong = client.local[1], (client.receiver.nxt + 100) & 0xFFFFFFFF
    lab.right.send_crafted(craft(f"tcp 192.168.1.20:22 > 192.168.1.10:{port} R seq {wrong}"))
    lab.run(until=300 * MS)
    assert client.state == "ESTAB"
    assert lab.sent()[-1] == "challenge ACK"


def test_a_port_in_use_cannot_be_listened_on() -> None:
    lab = Lab()
    lab.right.tcp.listen(22)
    with pytest.raises(SocketError, match="Address already in use"):
        lab.right.tcp.listen(22)


def test_a_syn_reopens_a_connection_that_waits_out_its_time() -> None:
    lab = Lab()
    client, server = connected(lab)
    server.close()
    lab.run(until=200 * MS)
    client.close()
    lab.run(until=300 * MS)
    assert server.state == "TIME-WAIT"
    again = lab.left.tcp.connect(RIGHT, 22, sport=client.local[1])
    again.sender.una = again.sender.nxt = again.sender.isn
    lab.run(until=SECOND)
    behind = (client.sender.nxt - again.sender.isn) & 0xFFFFFFFF < 1 << 31
    assert again.state == ("ESTAB" if not behind else "SYN-SENT")


def test_small_writes_wait_for_the_ack_of_the_last_small_one_unless_nodelay() -> None:
    for nodelay, packets in ((False, 2), (True, 3)):
        lab = Lab()
        client, _ = connected(lab)
        client.nodelay = nodelay
        for word in (b"one", b"two", b"three"):
            client.send(word)
        lab.run(until=150 * MS)
        assert sum(event.headers["payload"] > 0 for _, event in lab.events(PacketSent, "left")) == packets


def test_a_program_that_does_not_read_closes_the_window_and_reading_opens_it() -> None:
    lab = Lab()
    client, server = connected(lab)
    client.send(b"x" * 200_000)
    lab.run(until=5 * SECOND)
    held = len(server.receiver.buffer)
    assert 40_000 < held < 68_000 and "window probe" in lab.sent("left")
    total = 0

    def read() -> Steps:
        nonlocal total
        while total < 200_000:
            total += len((yield server.recv()))

    lab.run(read(), until=60 * SECOND)
    assert total == 200_000


def test_a_larger_segment_than_the_way_allows_is_cut_once_a_router_says_so() -> None:
    lab = Lab()
    router = lab.machine("router", "192.168.9.1/24", kind="router")
    far = lab.machine("far", "10.0.0.2/24")
    router.ip.add_interface("eth1", ["10.0.0.1/24"], mtu=1000)
    near = lab.machine("near", "192.168.9.2/24")
    lab.network.connect(near, "eth0", router, "eth0")
    lab.network.connect(router, "eth1", far, "eth0")
    from sim.machine.routes import Route

    near.ip.routes.add(Route.through("default", "192.168.9.1"))
    far.ip.routes.add(Route.through("default", "10.0.0.1"))
    heard: list[bytes] = []

    def serve() -> Steps:
        conn = yield far.tcp.listen(80).accept()
        while data := (yield conn.recv()):
            heard.append(data)

    def send() -> Steps:
        conn = near.tcp.connect(far.ip.interfaces["eth0"].addresses[0][0], 80)
        yield conn.connected
        conn.send(b"y" * 4000)
        conn.close()

    lab.run(serve(), send(), until=5 * SECOND)
    assert b"".join(heard) == b"y" * 4000
    assert "fragmentation needed" in lab.sent("router")
    assert max(event.headers["len"] for _, event in lab.events(PacketSent, "router") if event.dev == "eth1") == 1000
