"""TCP over links that lose: whatever is lost, what arrives is whole and in order, and the same seed loses the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.trace import PacketLost, PacketSent
from tests.machine.lab import RIGHT, SECOND, Lab

Steps = Iterator[Any]


def exchange(lab: Lab, writes: list[bytes], answers: list[bytes]) -> tuple[bytes, bytes]:
    """Both ends write at once and shut down; gives what each received. Nobody lets go: orphans give up after 100 s."""
    received = {"left": b"", "right": b""}

    def talk(name: str, conn: Any, parts: list[bytes]) -> Steps:
        for part in parts:
            conn.send(part)
        conn.shutdown()
        while data := (yield conn.recv()):
            received[name] += data

    def serve() -> Steps:
        conn = yield lab.right.tcp.listen(80).accept()
        yield from talk("right", conn, answers)

    def connect() -> Steps:
        conn = lab.left.tcp.connect(RIGHT, 80)
        yield conn.connected
        yield from talk("left", conn, writes)

    lab.run(serve(), connect())
    return received["right"], received["left"]


writes = st.lists(st.integers(1, 6000), max_size=6).map(lambda sizes: [bytes([65 + n]) * size for n, size in enumerate(sizes)])


@given(writes, writes, st.floats(0, 0.3), st.integers(0, 10_000))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_bytes_arrive_whole_and_in_order_whatever_is_lost(there: list[bytes], back: list[bytes], loss: float, seed: int) -> None:
    lab = Lab(loss=loss, seed=seed)
    assert exchange(lab, there, back) == (b"".join(there), b"".join(back))
    assert lab.env.now < 1800 * SECOND


def test_the_same_seed_gives_the_same_trace_to_the_byte_and_another_one_another() -> None:
    traces = []
    for seed in (3, 3, 4):
        lab = Lab(loss=0.2, seed=seed)
        exchange(lab, [b"x" * 20_000], [b"y" * 5_000])
        traces.append(lab.trace.dumps())
    assert traces[0] == traces[1] != traces[2]


def test_one_lost_segment_among_others_is_sent_again_after_a_round_trip_and_not_after_a_time_out() -> None:
    lab = Lab()
    lost = lab.link._lost
    count = iter(range(1000))
    lab.link._lost = lambda: lost() if next(count) != 5 else _by_order()  # type: ignore[method-assign]
    exchange(lab, [b"z" * 6000], [])
    again = [(time, event.headers["payload"]) for time, event in lab.events(PacketSent, "left") if event.again]
    assert len(lab.events(PacketLost)) == 1
    assert len(again) == 1 and again[0][1] == 1448
    assert 20_000 <= again[0][0] <= 30_000


def _by_order() -> Any:
    from sim.trace import Reason

    return Reason("loss", "by order")
