"""SSH's framing: messages that are cut and joined by TCP as it likes come out whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sim.apps import ssh_wire as wire


def test_a_packet_is_a_multiple_of_eight_with_at_least_four_bytes_of_padding() -> None:
    for size in range(40):
        packet = wire.pack(wire.Message(94, bytes(size)))
        assert len(packet) % 8 == 0
        assert packet[4] >= 4
        assert int.from_bytes(packet[:4]) == len(packet) - 4


@given(st.lists(st.text(max_size=30), max_size=5), st.lists(st.integers(1, 40), max_size=60))
def test_however_tcp_cuts_the_stream_the_same_messages_come_out(texts: list[str], cuts: list[int]) -> None:
    stream = wire.BANNER + b"".join(wire.pack(wire.data(text)) for text in texts)
    reader, found = wire.Reader(), []
    for size in [*cuts, len(stream)]:
        found += reader.feed(stream[:size])
        stream = stream[size:]
    assert reader.banner == f"SSH-2.0-{wire.VERSION}"
    assert [wire.data_text(message) for message in found] == texts


def test_a_request_tells_its_kind_and_its_arguments() -> None:
    kind, arguments = wire.request_kind(wire.request("exec", wire.string("uptime")))
    assert (kind, wire.strings(arguments)) == ("exec", [b"uptime"])
