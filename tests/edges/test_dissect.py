"""The inspector's fields stand where they say, and scapy reads the bytes that we build as what we meant."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from sim.craft import craft
from sim.edges.capture import read_capture
from sim.edges.dissect import as_json, dissect

CAPTURES = Path(__file__).resolve().parent.parent.parent.parent / "shared" / "captures"
CRAFTED = {
    'tcp 10.0.0.1:1000 > 10.0.0.2:80 PA. seq 7 ack 9 win 512 ttl 3 data "hi"': ["IP", "TCP", "Data"],
    'udp 10.0.0.1:1000 > 10.0.0.2:9999 data "hello"': ["IP", "UDP", "Data"],
    "icmp 10.0.0.1 > 10.0.0.2 echo-request id 7 seq 1": ["IP", "ICMP"],
    "udp [fd00::1]:1000 > [fd00::2]:9999 data x": ["IPv6", "UDP", "Data"],
}


@pytest.mark.parametrize("text", CRAFTED)
def test_layers_follow_each_other_and_cover_the_whole_packet(text: str) -> None:
    data = craft(text.replace("PA.", "P."))
    layers = dissect(data)
    assert [layer.name for layer in layers] == CRAFTED[text]
    assert layers[0].start == 0 and layers[-1].start + layers[-1].size == len(data)
    assert all(a.start + a.size == b.start for a, b in pairwise(layers))


@pytest.mark.parametrize(("name", "value"), [("sport", 1000), ("dport", 80), ("seq", 7), ("ack", 9), ("window", 512)])
def test_a_field_is_found_in_the_bits_that_it_names(name: str, value: int) -> None:
    data = craft("tcp 10.0.0.1:1000 > 10.0.0.2:80 P. seq 7 ack 9 win 512")
    field = next(
        field for layer in dissect(data) if layer.name == "TCP" for field in layer.fields if field.name == name
    )
    whole = int.from_bytes(data)
    assert whole >> (len(data) * 8 - field.start - field.size) & ((1 << field.size) - 1) == value


def test_an_icmp_error_shows_the_packet_it_is_about() -> None:
    data = craft("icmp 10.0.0.9 > 10.0.0.1 port-unreachable about (udp 10.0.0.1:5000 > 10.0.0.2:53)")
    names = [layer.name for layer in dissect(data)]
    assert names == ["IP", "ICMP", "the packet it is about: IP", "the packet it is about: UDP"]


@pytest.mark.parametrize("text", CRAFTED)
def test_scapy_builds_the_same_bytes_from_what_it_read(text: str) -> None:
    """Checksums and lengths too: they are left for scapy to fill in."""
    from scapy.layers.inet import ICMP, IP, TCP, UDP
    from scapy.layers.inet6 import IPv6

    data = craft(text.replace("PA.", "P."))
    packet = IP(data) if data[0] >> 4 == 4 else IPv6(data)
    for layer in (IP, TCP, UDP, ICMP):
        if layer in packet:
            del packet[layer].chksum
    for layer in (IP, UDP):
        if layer in packet:
            del packet[layer].len
    assert bytes(packet) == data


def test_bytes_that_are_no_packet_are_data() -> None:
    assert [layer.name for layer in dissect(b"\x00\x01")] == ["Data"]
    assert dissect(b"") == ()


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the captures are not on this machine")
def test_real_packets_are_dissected_without_an_error_and_covered_whole() -> None:
    seen = 0
    for path in sorted(CAPTURES.rglob("*.pcap"))[::15]:
        for frame in list(read_capture(path))[:15]:
            if frame.data:
                layers = as_json(frame.data)
                assert layers[-1]["start"] + layers[-1]["size"] == len(frame.data), path
                seen += 1
    assert seen > 100


def test_dns_records_are_told_by_name_type_and_what_they_say() -> None:
    from scapy.layers import dns, inet  # scapy is slow to load

    asked = dns.DNS(qd=dns.DNSQR(qname="x.example"), an=dns.DNSRR(rrname="x.example", rdata="192.0.2.1"), ar=dns.DNSRROPT())
    data = bytes(inet.IP(src="192.0.2.9", dst="192.0.2.1") / inet.UDP(sport=53, dport=4000) / asked)
    told = {field.name: field.value for field in dissect(data)[-1].fields}
    assert (told["qd"], told["an"], told["ar"]) == ("x.example. A", "x.example. A 192.0.2.1", ". OPT")
