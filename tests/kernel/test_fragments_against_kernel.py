"""Fragments through ctlab's firewall and through this machine's kernel: put together ahead of conntrack, cut again behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

import pytest

from sim import wire
from sim.edges.kernel import KernelFirewall
from sim.edges.replay import load_rules
from sim.edges.replay.wall import Wall
from sim.edges.verify.pair import Pair
from sim.edges.verify.plan import Feed, Load, Plan
from sim.machine.ip import IpLayer
from sim.units import parse_address
from tests.kernel.comparing import Fed, _without_chance, compare
from tests.kernel.conftest import DEVICES

Open = Callable[..., KernelFirewall]
Cut = tuple[int, bytes, bool]
"""Offset, bytes, whether more follow."""
NEAR = {4: parse_address("192.168.1.10"), 6: parse_address("fd00:1::10")}
FAR = {4: parse_address("203.0.113.9"), 6: parse_address("fd00:2::9")}
HERE = {4: parse_address("192.168.1.1"), 6: parse_address("fd00:1::1")}
RULES = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -p udp -m udp --dport 53 -j ACCEPT
-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A FORWARD -p udp -m udp --dport 54 -j REJECT
-A INPUT -p udp -m udp --dport 53 -j ACCEPT
COMMIT
"""


def udp(version: int, size: int, dport: int = 53, dst: dict[int, bytes] = FAR, sport: int = 1000) -> bytes:
    """A datagram from lan with `size` bytes of payload."""
    payload = bytes(number & 255 for number in range(size))
    datagram = wire.udp(NEAR[version], dst[version], sport, dport, payload)
    return wire.ip(NEAR[version], dst[version], 17, datagram)


def cuts(data: bytes, *sizes: int) -> list[Cut]:
    """The payload in pieces of these sizes; the last takes the rest."""
    body, at, pieces = data[_start(data) :], 0, []
    for size in (*sizes, len(body)):
        pieces.append((at, body[at : at + size], at + size < len(body)))
        at += size
    return [piece for piece in pieces if piece[1]]


def _start(data: bytes) -> int:
    return (data[0] & 15) * 4 if data[0] >> 4 == 4 else 40


def fragment(data: bytes, cut: Cut, ident: int = 7, dont: bool = False, options: bytes = b"", tos: int = 0) -> bytes:
    """One fragment of `data`. `options`: IPv4's, or whole IPv6 headers ahead of the fragment header, the first a hop-by-hop one."""
    offset, part, more = cut
    if data[0] >> 4 == 4:
        head = bytes((0x45 + len(options) // 4, tos)) + (20 + len(options) + len(part)).to_bytes(2) + ident.to_bytes(2)
        head += (offset // 8 | more << 13 | dont << 14).to_bytes(2) + data[8:10] + b"\0\0" + data[12:20] + options
        return head[:10] + wire.checksum(head).to_bytes(2) + head[12:] + part
    extension = data[6:7] + b"\0" + (offset | more).to_bytes(2) + ident.to_bytes(4)
    kind, before = (0, b"\x2c" + options[1:]) if options else (44, b"")
    head = data[:1] + bytes((tos << 4 & 0xF0,)) + data[2:4] + (8 + len(before) + len(part)).to_bytes(2) + bytes((kind,)) + data[7:40]
    return head + before + extension + part


def agree(kernel: KernelFirewall, packets: Sequence[bytes], rules: str = "", dev: str | None = "lan", sysctls: Sequence[str] = ()) -> Wall:
    """Assert that both say the same of every packet; gives our firewall for more questions."""
    wall = Wall(DEVICES)
    for text in sysctls:
        wall.ip.sysctls.set(*text.split("="))
    if rules:
        load_rules(wall.ip.rules, rules, "rules")
    differing = compare([Fed(number, dev, data) for number, data in enumerate(packets, 1)], wall, kernel)
    assert not differing, "\n".join(str(difference)[:600] for difference in differing[:5])
    return wall


WHOLE = {4: 400, 6: 400}
ORDERS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "in order": lambda f: f,
    "backwards": lambda f: f[::-1],
    "the last first": lambda f: [f[-1], *f[:-1]],
    "each twice": lambda f: [each for each in f for _ in (0, 1)],
    "all twice": lambda f: f * 2,
    "one missing": lambda f: [f[0], *f[2:]],
    "the first missing": lambda f: f[1:],
    "the missing one later": lambda f: [*f[1:], f[0]],
    "the last twice, then all": lambda f: [f[-1], f[-1], *f],
}


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("dst", [FAR, HERE], ids=["through", "to it"])
@pytest.mark.parametrize("rules", ["", RULES], ids=["no rules", "rules by port"])
def test_fragments_in_every_order_are_one_packet_to_conntrack_and_leave_as_they_came(
    real: Open, version: int, dst: dict[int, bytes], rules: str
) -> None:
    packets: list[bytes] = []
    for number, order in enumerate(ORDERS.values()):
        for sizes in ((200,), (80, 80, 80), (8, 8, 16), (400,), (16, 200, 24)):
            data = udp(version, 400, 53 + number % 3, dst, 1000 + len(packets))
            packets += order([fragment(data, cut, len(packets)) for cut in cuts(data, *sizes)])
    agree(real(iptables=rules), packets, rules if version == 4 else "")


def anything(random: Random, version: int, ident: int) -> list[bytes]:
    """One packet's fragments, gone wrong."""
    dst = random.choice((FAR, FAR, HERE))
    data = udp(version, random.choice((8, 40, 100, 333, 1400, 3000, 5000)), random.choice((53, 54, 55)), dst, random.randrange(1000, 1010))
    body = len(data) - _start(data)
    whole = cuts(data, *(random.choice((8, 16, 40, 200, 600, 1400, 1480, 1488, 1600, 2000)) for _ in range(random.choice((1, 2, 3, 6)))))
    tos = random.choice((0, 0, 0, 1, 2, 3))
    pieces = [
        fragment(data, cut, ident, random.random() < 0.2, _options(random, version), tos if random.random() < 0.95 else random.randrange(4))
        for cut in (_wrong(random, cut, body) if random.random() < 0.12 else cut for cut in whole)
    ]
    if random.random() < 0.3:
        pieces.insert(random.randrange(len(pieces)), random.choice(pieces))
    if random.random() < 0.4:
        random.shuffle(pieces)
    return [_spoilt(random, piece) if random.random() < 0.03 else piece for piece in pieces]


def _options(random: Random, version: int) -> bytes:
    if random.random() < 0.9:
        return b""
    if version == 4:
        return random.choice((b"\1\1\1\0", b"\x94\4\0\0", b"\x1e\4\1\2\1\x9e\3\1", b"\x9e\6\1\1\1\1\0\0"))
    return random.choice((b"\0\0\1\4\0\0\0\0", b"\0\0\5\2\0\0\1\0"))


def _wrong(random: Random, cut: Cut, body: int) -> Cut:
    at, part, more = cut
    kind = random.randrange(7)
    if kind == 0:
        return max(0, at - 8), part, more
    if kind == 1:
        return at, part[:-1], more
    if kind == 2:
        return at, part, not more
    if kind == 3:
        return at, part + bytes(random.choice((1, 8))), more
    if kind == 4:
        return random.choice((65528, 65480, 8 * random.randrange(8192), body & ~7)), part, more
    return (at, b"", more) if kind == 5 else (at + 8, part, more)


def _spoilt(random: Random, piece: bytes) -> bytes:
    """A cut end, with a length that says so; IPv6 also a fragment without fragments."""
    keep = random.randrange(len(piece))
    if piece[0] >> 4 == 4 or keep < 40:
        return piece[:keep]
    return piece[:4] + (keep - 40).to_bytes(2) + piece[6:keep]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("seed", range(2))
def test_fragments_of_many_packets_at_once_that_overlap_lack_and_contradict_get_the_kernels_answers(
    real: Open, version: int, seed: int
) -> None:
    random, packets = Random(seed), list[bytes]()
    for number in range(25):
        several = [anything(random, version, number * 4 + which) for which in range(random.choice((1, 1, 3)))]
        while several:
            packets.append(random.choice(several).pop(0))
            several = [each for each in several if each]
    agree(real(iptables=RULES), packets, RULES if version == 4 else "")


@pytest.mark.parametrize("version", [4, 6])
def test_fragments_that_the_firewall_itself_sends_are_put_together_in_output(real: Open, version: int) -> None:
    packets: list[bytes] = []
    for number, order in enumerate(ORDERS.values()):
        data = wire.ip(HERE[version], FAR[version], 17, wire.udp(HERE[version], FAR[version], 1000 + number, 53, bytes(400)))
        packets += order([fragment(data, cut, number + 1) for cut in cuts(data, 104, 200)])
    agree(real(), packets, dev=None)


@pytest.mark.parametrize("between", [62, 63, 64, 65, 80])
def test_a_packet_is_given_up_when_its_source_sends_more_than_64_other_fragments_in_between(real: Open, between: int) -> None:
    first, last = (fragment(udp(4, 100), cut, 1) for cut in cuts(udp(4, 100), 40))
    others = [fragment(udp(4, 100), cuts(udp(4, 100), 40)[0], 2 + number) for number in range(between)]
    agree(real(), [first, *others, last, first])
    agree(real(sysctls={"net.ipv4.ipfrag_max_dist": "0"}), [first, *others, last, first], sysctls=["net.ipv4.ipfrag_max_dist=0"])
    few = ["net.ipv4.ipfrag_max_dist=10"]
    agree(real(sysctls={"net.ipv4.ipfrag_max_dist": "10"}), [first, *others[:9], last, first, *others[20:30], last], sysctls=few)


@pytest.mark.parametrize("version", [4, 6])
def test_a_packet_too_long_for_the_mtu_is_cut_or_refused_as_its_fragments_and_df_say(real: Open, version: int) -> None:
    packets: list[bytes] = []
    for size in (1400, 1480, 1488, 2000, 3000):
        for dont in (False, True):
            data = udp(version, 4000)
            packets += [fragment(data, cut, len(packets), dont) for cut in cuts(data, size)]
    packets += [udp(version, 1472), udp(version, 1473), udp(version, 4000)]
    agree(real(), packets)


def test_the_longest_packet_there_is_is_put_together_and_a_longer_one_is_not(real: Open) -> None:
    for version in (4, 6):
        packets: list[bytes] = []
        for number, total in enumerate((65507, 65508, 65515)):
            body = bytes(65496) + bytes(total - 65496)
            data = udp(version, 8)
            packets += [fragment(data, (at, body[at : at + 8192], at + 8192 < len(body)), number) for at in range(0, len(body), 8192)]
        agree(real(), packets)


TIMES = {"net.ipv4.ipfrag_time": "1", "net.netfilter.nf_conntrack_frag6_timeout": "1"}


@pytest.mark.parametrize("version", [4, 6])
def test_what_waits_too_long_is_given_up_and_who_sent_a_first_fragment_is_told_where_the_kernel_tells(real: Open, version: int) -> None:
    kernel, wall, sent = real(sysctls=TIMES), Wall(DEVICES), list[bytes]()
    wall.ip.transmit = lambda dev, via, packet: sent.append(packet.data)
    for key, value in TIMES.items():
        wall.ip.sysctls.set(key, value)
    fragments = []
    for number, dst in enumerate((FAR, HERE)):
        data = udp(version, 100, dst=dst)
        both = [[fragment(data, cut, 2 * number + ident) for cut in cuts(data, 40)] for ident in (0, 1)]
        fragments += [both[0][0], both[1][1]]
    for data in fragments:
        assert kernel.feed(data, "lan").verdict == wall.receive(data, "lan", 1).verdict == "DROP"
    assert wall.ip.next_expiry() == 1_000_000
    wall.advance(999_999)
    assert not sent
    wall.advance(1_000_000)
    told = kernel.sleep(1.3)
    assert sorted(_without_chance(data) for _, data in told) == sorted(map(_without_chance, sent))
    assert len(sent) == (1 if version == 4 else 2)
    assert wall.ip.next_expiry() is None


def test_without_conntrack_fragments_pass_as_they_are_and_only_the_addressee_puts_them_together() -> None:
    sent, heard = list[bytes](), list[bytes]()
    ip = IpLayer("router", lambda: 0, lambda dev, via, packet: sent.append(packet.data), lambda skb: heard.append(skb.packet.data))
    for dev, addresses in DEVICES.items():
        ip.add_interface(dev, list(addresses))
    ip.forward(True)
    whole = udp(4, 100, dst=HERE)
    for cut in cuts(whole, 40):
        ip.receive(fragment(udp(4, 100), cut), "lan", 1)
        ip.receive(fragment(whole, cut), "lan", 1)
    assert [len(data) for data in sent] == [60, 88]
    assert [len(data) for data in heard] == [len(whole)]


LOOKED_AT = (
    "th sport 0-65535", "th dport != 9", "tcp flags != 9", "tcp doff 0-15", "tcp sequence > 5", "tcp option maxseg missing",
    "tcp dport set 80", "tcp sport { 4386, 96 }", "tcp sport . tcp dport { 4386 . 13124 }", "@th,0,8 0x60", "@th,8,16 0x2233",
    "@th,0,24 0-0xffffff", "@th,0,64 > 5", "@th,16,16 0-65535", "@ih,0,8 0-255", "udp dport 0-65535", "icmpv6 type 0-255",
    "meta l4proto 0-255", "tcp flags & fin == fin",
)  # fmt: skip


@pytest.mark.parametrize("version", [4, 6])
def test_nfts_rules_read_a_later_fragment_as_the_kernels_do(version: int) -> None:
    rules = "".join(f"  {words} counter\n" for words in LOOKED_AT)
    text = f"table inet t {{\n chain c {{\n  type filter hook prerouting priority -450\n{rules} }}\n}}\n"
    body = bytes.fromhex("112233445566778899aabbccccdd001122334455667788990000")
    cut_off = [fragment(wire.ip(NEAR[version], HERE[version], protocol, bytes(8) + body), (8, body[:size], False))
               for protocol in (6, 17, 58, 44) for size in (1, 2, 4, 14, 26)]  # fmt: skip
    with Pair(Plan(rules=Load(nft=text))) as pair:
        assert list(pair.run([Feed("lan", data) for data in cut_off])) == []
        assert list(pair.finish()) == []


@pytest.mark.parametrize("rule", ["reset tcp option timestamp", "reset tcp option maxseg", "counter"])
@pytest.mark.parametrize("version", [4, 6])
def test_a_header_that_is_pulled_together_to_be_written_leaves_in_other_pieces(version: int, rule: str) -> None:
    text = f"table inet t {{\n chain c {{\n  type filter hook forward priority filter\n  ct state new {rule}\n }}\n}}\n"
    options = bytes.fromhex("020405b40101080a0000000100000000")
    ends = NEAR[version], FAR[version]
    segments = [wire.tcp(*ends, port, 80, flags=2, options=options, payload=bytes(20)) for port in (1000, 1001)]
    whole = [wire.ip(*ends, 6, segment) for segment in segments]
    with Pair(Plan(rules=Load(nft=text))) as pair:
        for data, sizes in zip(whole, ((24, 16), (24, 24)), strict=True):
            assert list(pair.run([Feed("lan", fragment(data, cut)) for cut in cuts(data, *sizes)])) == []
