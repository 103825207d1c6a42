"""DNS messages: bytes and back, and bytes that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.apps import dns_wire as wire
from sim.apps.dns import Zone
from sim.errors import UsageError


def test_a_query_has_the_bytes_that_rfc_1035_draws() -> None:
    query = wire.encode(wire.Message(0x1234, "www.example.test", "A", edns=False))
    assert query == bytes.fromhex("1234 0100 0001 0000 0000 0000 03777777 07 6578616d706c65 04 74657374 00 0001 0001")


RECORDS = (
    wire.Record("www.example.test.", "A", 300, "192.168.1.20"),
    wire.Record("www.example.test.", "AAAA", 300, "fd00::1"),
    wire.Record("www.example.test.", "TXT", 300, "hello, world"),
    wire.Record("example.test.", "MX", 300, "10 mail.example.test."),
    wire.Record("al.example.test.", "CNAME", 5, "www.example.test."),
)


@pytest.mark.parametrize("record", RECORDS)
def test_every_type_of_record_survives_the_way_there_and_back(record: wire.Record) -> None:
    message = wire.Message(7, record.name, record.type, wire.RESPONSE | wire.AUTHORITATIVE, 0, (record,))
    assert wire.decode(wire.encode(message)) == message


def test_a_compressed_name_is_read_by_following_its_pointer() -> None:
    head = bytes.fromhex("0001 8400 0001 0001 0000 0000") + wire.encode_name("www.example.test") + b"\0\1\0\1"
    found = wire.decode(head + b"\xc0\x0c" + bytes.fromhex("0001 0001 0000012c 0004 c0a80114"))
    assert found is not None
    assert found.answers == (wire.Record("www.example.test.", "A", 300, "192.168.1.20"),)


def test_a_pointer_that_points_at_itself_is_no_name() -> None:
    assert wire.decode(bytes.fromhex("0001 8400 0001 0000 0000 0000 c00c 0001 0001")) is None


@given(st.binary(max_size=80))
def test_any_bytes_are_a_message_or_none_and_never_an_error(data: bytes) -> None:
    wire.decode(data)


def test_a_label_of_64_letters_is_refused() -> None:
    with pytest.raises(UsageError):
        wire.encode_name("a" * 64 + ".test")


ZONE = Zone.of({
    "www.example.test": "192.168.1.20", "both.test": ["10.0.0.1", "fd00::1"], "al.example.test": {"CNAME": "www.example.test"},
    "example.test": {"mx": "10 mail.example.test", "TXT": ["a", "b"]},
})  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "status", "values"),
    [
        ("WWW.Example.test.", "A", 0, ["192.168.1.20"]),
        ("www.example.test", "AAAA", 0, []),
        ("both.test", "AAAA", 0, ["fd00::1"]),
        ("al.example.test", "A", 0, ["www.example.test.", "192.168.1.20"]),
        ("example.test", "MX", 0, ["10 mail.example.test"]),
        ("example.test", "TXT", 0, ["a", "b"]),
        ("nobody.test", "A", 3, []),
    ],
)
def test_a_zone_answers_what_it_holds_and_says_nxdomain_for_the_rest(
    name: str, kind: str, status: int, values: list[str]
) -> None:
    found = ZONE.lookup(name, kind)
    assert (found[0], [record.value for record in found[1]]) == (status, values)
