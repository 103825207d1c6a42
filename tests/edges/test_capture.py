"""Captures: each link type to its packet, each format to its times, and files that are broken in each way they break."""

from __future__ import annotations

import gzip
import shutil
import struct
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.edges.capture import CaptureError, Frame, read_bytes, read_capture, write_pcap, write_pcapng

CAPTURES = Path(__file__).parents[3] / "shared" / "captures" / "zeek"
V4 = bytes.fromhex("4500001d000100004011f7530a0000010a00000213880035000900007a")
V6 = bytes.fromhex("6000000000091140") + bytes(15) + b"\1" + bytes(15) + b"\2" + bytes.fromhex("13880035000900007a")
MACS = bytes(12)


def pcap(link_type: int, *frames: bytes, order: str = "<", magic: int = 0xA1B2C3D4, fraction: int = 5, whole: int = 0) -> bytes:
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link_type)
    records = (struct.pack(order + "IIII", 1000, fraction, len(frame), whole or len(frame)) + frame for frame in frames)
    return head + b"".join(records)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link_type: int = 101, options: bytes = b"", order: str = "<", snaplen: int = 0) -> bytes:
    return block(1, struct.pack(order + "HHI", link_type, 0, snaplen) + options, order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def enhanced(stamp: int, frame: bytes, which: int = 0, order: str = "<") -> bytes:
    head = struct.pack(order + "IIIII", which, stamp >> 32, stamp & 0xFFFFFFFF, len(frame), len(frame))
    return block(6, head + frame, order)


def one(data: bytes) -> Frame:
    (frame,) = read_bytes(data)
    return frame


LINKS = {
    "raw": (101, V4, V4),
    "raw as the BSDs number it": (12, V6, V6),
    "IPv4 alone": (228, V4, V4),
    "IPv6 alone": (229, V6, V6),
    "Ethernet IPv4": (1, MACS + b"\x08\x00" + V4, V4),
    "Ethernet IPv6": (1, MACS + b"\x86\xdd" + V6, V6),
    "Ethernet, padded to its least": (1, MACS + b"\x08\x00" + V4 + bytes(17), V4),
    "Ethernet IPv6, padded": (1, MACS + b"\x86\xdd" + V6 + bytes(4), V6),
    "VLAN": (1, MACS + b"\x81\x00\x00\x07\x08\x00" + V4 + bytes(13), V4),
    "VLAN in VLAN": (1, MACS + b"\x88\xa8\x00\x07\x81\x00\x00\x08\x86\xdd" + V6, V6),
    "PPPoE": (1, MACS + b"\x88\x64\x11\x00\x00\x01\x00\x1f\x00\x21" + V4, V4),
    "PPP with address and control": (9, b"\xff\x03\x00\x21" + V4, V4),
    "PPP, protocol in one byte": (9, b"\x57" + V6, V6),
    "Linux cooked": (113, bytes(14) + b"\x08\x00" + V4, V4),
    "Linux cooked 2": (276, b"\x86\xdd" + bytes(18) + V6, V6),
    "loopback of a little-endian BSD": (0, b"\x02\0\0\0" + V4, V4),
    "loopback of OpenBSD": (108, b"\0\0\0\x18" + V6, V6),
}
NOT_IP = {
    "not IP: ARP": (1, MACS + b"\x08\x06" + bytes(28)),
    "not IP: 802.3 LLC": (1, MACS + b"\x00\x26" + bytes(38)),
    "not IP: ethertype 0x1234": (1, MACS + b"\x12\x34" + V4),
    "not IP: MPLS": (1, MACS + b"\x81\x00\x00\x07\x88\x47" + V4),
    "not IP: the frame is shorter than its header": (1, MACS),
    "not IP: the frame says IPv4, the packet's version is 6": (1, MACS + b"\x08\x00" + V6),
    "not IP: PPP protocol 0xc021": (9, b"\xff\x03\xc0\x21" + V4),
    "not IP: address family 7": (0, b"\x07\0\0\0" + V4),
    "not IP: version 15": (101, b"\xff" * 20),
    "not read: link type 105": (105, V4),
}


@pytest.mark.parametrize("name", LINKS)
def test_the_packet_is_found_in_the_frame(name: str) -> None:
    link_type, frame, packet = LINKS[name]
    found = one(pcap(link_type, frame))
    assert (found.data, found.note) == (packet, "")


@pytest.mark.parametrize("note", NOT_IP)
def test_what_is_no_ip_says_what_it_is(note: str) -> None:
    link_type, frame = NOT_IP[note]
    found = one(pcap(link_type, frame))
    assert (found.data, found.note) == (None, note)


def test_a_packet_with_length_zero_from_offload_is_left_whole() -> None:
    offloaded = V4[:2] + b"\0\0" + V4[4:]
    assert one(pcap(1, MACS + b"\x08\x00" + offloaded)).data == offloaded


@pytest.mark.parametrize("order", "<>")
def test_pcap_in_either_byte_order_and_resolution_tells_the_same_time(order: str) -> None:
    assert one(pcap(101, V4, order=order, fraction=250_000)) == Frame(1, 1_000_250_000, None, V4, "")
    nano = pcap(101, V4, order=order, fraction=250_000_999, magic=0xA1B23C4D)
    assert one(nano) == Frame(1, 1_000_250_000, None, V4, "")


def test_a_packet_cut_by_the_snap_length_says_so_and_keeps_what_there_is() -> None:
    found = one(pcap(101, V4[:24], whole=29))
    assert (found.data, found.note) == (V4[:24], "truncated: 24 of 29 bytes")


@pytest.mark.parametrize("cut", [1, 29, 30, 44])
def test_a_file_that_ends_within_a_packet_gives_all_before_it_and_says_where_it_ends(cut: int) -> None:
    frames = list(read_bytes(pcap(101, V4, V4)[:-cut]))
    assert [frame.number for frame in frames] == [1, 2]
    assert frames[0].data == V4
    assert frames[1].data is None
    assert frames[1].note.startswith("the file ends here: ")


def test_linux_cooked_tells_what_the_machine_sent_and_by_which_interface() -> None:
    frame = b"\x08\x00" + bytes(2) + b"\0\0\0\3" + bytes(2) + b"\4" + bytes(9) + V4
    assert one(pcap(276, frame)) == Frame(1, 1_000_000_005, "#3", V4, "", outgoing=True)
    assert one(pcap(113, b"\0\4" + bytes(12) + b"\x08\x00" + V4)).outgoing
    assert not one(pcap(113, b"\0\0" + bytes(12) + b"\x08\x00" + V4)).outgoing


@pytest.mark.parametrize("order", "<>")
def test_pcapng_keeps_interfaces_apart_by_name_link_type_and_clock(order: str) -> None:
    nano = option(2, b"wan0", order) + option(9, b"\x09", order) + option(0, b"", order)
    binary = option(9, b"\x8a", order) + option(14, struct.pack(order + "q", 50), order)
    data = b"".join(
        [
            section(order),
            interface(101, option(2, b"lan", order), order),
            interface(1, nano, order),
            interface(101, binary, order),
            enhanced(1_000_000_007, V4, 0, order),
            block(5, bytes(12), order),
            enhanced(1_000_000_008_999, MACS + b"\x86\xdd" + V6, 1, order),
            enhanced(1536, V4, 2, order),
        ]
    )
    assert list(read_bytes(data)) == [
        Frame(1, 1_000_000_007, "lan", V4, ""),
        Frame(2, 1_000_000_008, "wan0", V6, ""),
        Frame(3, 51_500_000, None, V4, ""),
    ]


def test_pcapng_simple_and_old_packets_and_a_second_section_are_read() -> None:
    old = block(2, struct.pack("<HHIIII", 0, 0, 0, 9, len(V4), len(V4)) + V4)
    simple = block(3, struct.pack("<I", 40) + V4[:24])
    data = section() + interface(snaplen=24) + old + simple + section(">") + interface(order=">") + enhanced(5, V6, order=">")
    assert list(read_bytes(data)) == [
        Frame(1, 9, None, V4, ""),
        Frame(2, 0, None, V4[:24], "truncated: 24 of 40 bytes"),
        Frame(3, 5, None, V6, ""),
    ]


BROKEN = {
    "no capture: it starts with 23204361": b"# Captures",
    "no capture: it starts with nothing": b"",
    "the pcap header has 24 bytes, the file 10": pcap(1)[:10],
    "pcap version 9.4; only 2.4 is read": pcap(1)[:4] + b"\x09\x00" + pcap(1)[6:],
    "convert it with editcap": pcap(1, magic=0xA1B2CD34),
    "a packet of interface 1; 1 are described before it": section() + interface() + enhanced(0, V4, which=1),
    "a block of 10 bytes": section() + struct.pack("<III", 6, 10, 0),
    "a section whose byte order mark is": struct.pack("<IIIII", 0x0A0D0D0A, 20, 7, 0, 20),
    "a packet of 99 bytes in a block with room for 4": section()
    + interface()
    + block(6, struct.pack("<IIIII", 0, 0, 0, 99, 99) + b"1234"),
}


@pytest.mark.parametrize("message", BROKEN)
def test_a_file_that_contradicts_itself_is_an_error_that_says_how(message: str) -> None:
    with pytest.raises(CaptureError, match=message) as caught:
        list(read_bytes(BROKEN[message], "some.pcap"))
    assert str(caught.value).startswith("some.pcap: ")


def test_a_file_that_is_not_there_or_a_broken_gzip_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"nowhere\.pcap: cannot be read: .*No such file"):
        list(read_capture(tmp_path / "nowhere.pcap"))
    broken = tmp_path / "broken.pcap.gz"
    broken.write_bytes(gzip.compress(pcap(101, V4))[:-6])
    with pytest.raises(CaptureError, match=r"broken\.pcap\.gz: broken gzip"):
        list(read_capture(broken))


def test_a_gzipped_capture_reads_like_the_plain_one(tmp_path: Path) -> None:
    data = pcap(101, V4, V6)
    (tmp_path / "a.pcap.gz").write_bytes(gzip.compress(data))
    assert list(read_capture(tmp_path / "a.pcap.gz")) == list(read_bytes(data))


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    frames = [Frame(1, 1_700_000_000_123_456, "lan", V4, ""), Frame(2, 1_700_000_001_000_000, None, V6, "")]
    assert write_pcapng(tmp_path / "a.pcapng", [*frames, Frame(3, 0, None, None, "not IP: ARP")]) == 2
    assert list(read_capture(tmp_path / "a.pcapng")) == frames
    assert write_pcap(tmp_path / "a.pcap", frames) == 2
    assert list(read_capture(tmp_path / "a.pcap")) == [frame._replace(interface=None) for frame in frames]


@pytest.mark.skipif(shutil.which("tcpdump") is None, reason="tcpdump is not installed")
@pytest.mark.parametrize("write", [write_pcap, write_pcapng])
def test_tcpdump_reads_what_is_written(tmp_path: Path, write: Callable[[Path, list[Frame]], int]) -> None:
    write(tmp_path / "a", [Frame(1, 1_700_000_000_123_456, "lan", V4, ""), Frame(2, 5, "lan", V6, "")])
    printed = subprocess.run(["tcpdump", "-ttnr", tmp_path / "a"], capture_output=True, text=True, timeout=20).stdout
    lines = printed.splitlines()
    assert lines[0].startswith("1700000000.123456 IP 10.0.0.1.5000 > 10.0.0.2.53")
    assert lines[1].startswith("0.000005 IP6 ::1.5000 > ::2.53")


@given(st.binary(max_size=300), st.sampled_from([b"", pcap(1), pcap(276), section() + interface(), section() + interface(1)]))
def test_no_bytes_make_anything_but_frames_or_a_capture_error(noise: bytes, head: bytes) -> None:
    try:
        for frame in read_bytes(head + noise):
            assert (frame.data is None) <= bool(frame.note)
    except CaptureError:
        pass


def shared_captures() -> Iterator[Path]:
    return (path for path in sorted(CAPTURES.rglob("*")) if path.is_file() and path.name != "COPYING")


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the shared captures are not beside this repository")
def test_every_shared_capture_reads_and_scapy_counts_the_same_frames() -> None:
    from scapy.utils import RawPcapReader

    notes: Counter[str] = Counter()
    for path in shared_captures():
        frames = list(read_capture(path))
        with RawPcapReader(str(path)) as theirs:
            assert len(frames) == sum(1 for _ in theirs), path
        notes.update(frame.note.partition(":")[0] for frame in frames)
    assert sum(notes.values()) == 19_469
    assert set(notes) == {"", "not IP", "truncated"}
