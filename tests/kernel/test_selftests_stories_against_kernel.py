"""What Linux's own tests of conntrack and NAT are about (tools/testing/selftests/net/netfilter), told anew: ctlab beside this kernel.

Each story is packets through a firewall, all fields of which are compared, and the labels that the kernel has to give. Those that need
two packets on their way at once (conntrack_clash), a VRF, a flowtable that forwards, IPVS or SYNPROXY are not among them.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sim import wire
from sim.conntrack.checksums import crc32c
from sim.edges.verify.fuzz.scene import SYN, Scene, Tcp
from sim.edges.verify.pair import Pair
from sim.edges.verify.plan import Load
from sim.units import parse_address

ME, HE, ROUTER = "192.168.1.10", "203.0.113.9", "203.0.113.77"
ME6, HE6, ROUTER6 = "fd00:1::10", "fd00:2::9", "fd00:2::77"
MASQUERADE = "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"


def too_big(s: Scene) -> str:
    """conntrack_icmp_related: errors about a masqueraded datagram are RELATED and reach its sender; about one never sent, INVALID."""
    s.send(f"udp {ME}:1000 > {HE}:53 len 400", f"udp [{ME6}]:1000 > [{HE6}]:53 len 400")
    for port in (1000, 1001):
        s.send(f"icmp {ROUTER} > 203.0.113.2 frag-needed mtu 1280 about (udp 203.0.113.2:{port} > {HE}:53 len 400)",
            f"icmp {ROUTER6} > fd00:2::1 packet-too-big mtu 1280 about (udp [fd00:2::1]:{port} > [{HE6}]:53 len 400)")
    return "NEW NEW RELATED RELATED INVALID INVALID"


def unreplied(s: Scene) -> str:
    """conntrack_tcp_unreplied: a redirect that comes later does not touch what is asked again, but what is asked anew."""
    line = Tcp(s, f"{ME} 1000", f"{HE} 80")
    line.segment(0, SYN, moves=False)
    s.load(Load("*nat\n-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 203.0.113.88:8080\nCOMMIT\n"))
    line.segment(0, SYN, moves=False)
    s.typed(f"conntrack -D -s {ME} -p tcp")
    line.segment(0, SYN)
    return "NEW NEW NEW"


def collision(s: Scene) -> str:
    """conntrack_sctp_collision: both ends begin at once, and the older INIT is answered last."""
    ends = tuple(map(parse_address, (ME, HE)))

    def send(way: int, tag: int, kind: int, body: bytes) -> None:
        bare = (1000, 1000)[way].to_bytes(2) + (1000).to_bytes(2) + tag.to_bytes(4)
        chunk = bytes((kind, 0)) + (len(body) + 4).to_bytes(2) + body
        sums = crc32c(bare + bytes(4) + chunk).to_bytes(4, "little")
        s.feed(("lan", "wan")[way], wire.ip(ends[way], ends[1 - way], 132, bare + sums + chunk))

    def init(tag: int) -> bytes:
        return tag.to_bytes(4) + bytes(12)

    for way, tag, kind, body in (
        (0, 0, 1, init(7)), (1, 0, 1, init(9)), (0, 9, 2, init(8)), (1, 8, 10, b"cook"), (0, 9, 11, b""), (1, 7, 2, init(5)),
        (0, 9, 4, b"beat"), (1, 8, 5, b"beat"),
    ):  # fmt: skip
        send(way, tag, kind, body)
    return ""


def reverse(s: Scene) -> str:
    """conntrack_reverse_clash: what is at once an answer keeps its ports under NAT."""
    s.send(f"udp {ME}:56789 > {HE}:56790 data a", f"udp {HE}:56790 > 203.0.113.2:56789 data b", f"udp {ME}:56789 > {HE}:56790 data c")
    return "NEW ESTABLISHED ESTABLISHED"


def own_port(s: Scene) -> str:
    """nf_nat_edemux: the firewall's own connection holds the port that a masqueraded one would have."""
    own, through = Tcp(s, "203.0.113.2 2000", f"{HE} 80"), Tcp(s, f"{ME} 2000", f"{HE} 80")
    own.open(b"")
    through.segment(0, SYN)
    own.say(1, "x")
    return "NEW ESTABLISHED ESTABLISHED NEW ESTABLISHED"


def helped(s: Scene) -> str:
    """nft_conntrack_helper: FTP on a port of its own, with IPv4 and IPv6, through and to the firewall."""
    for client, server in ((f"{ME} 1000", f"{HE} 2121"), (f"{ME6} 1000", f"{HE6} 2121"), (f"{ME} 1001", "192.168.1.1 2121")):
        line = s.tcp(client, server)
        family = 2 if ":" in client else 1
        line.say(0, "NOOP\r\n", f"EPRT |{family}|%me%|5000|\r\n")
        ends = (server.split()[0], client.split()[0])
        data = "tcp [{}]:20 > [{}]:5000 S" if family == 2 else "tcp {}:20 > {}:5000 S"
        if ends[0] != "192.168.1.1":
            s.send(data.format(*ends))
    return "NEW" + " ESTABLISHED" * 6 + " RELATED NEW"


def many_zones(s: Scene) -> str:
    """nft_nat_zones, nft_zones_many: clients with the same address and port, told apart by what marks them; one port for all of them."""
    for mark in range(1, 40):
        s.send(f"udp {ME}:1000 > {HE}:53 tos {4 * mark}")
    return " ".join(["NEW"] * 39)


def ways_back(s: Scene) -> str:
    """rpath, nft_fib: what comes by a device through which its source is not reached."""
    s.send(f"udp {ME}:1000 > {HE}:53", f"udp {HE}:53 > {ME}:1000", f"udp [{ME6}]:1000 > [{HE6}]:53")
    for dev, src, dst in (
        ("wan", "192.168.1.11", "203.0.113.2"), ("lan", "198.51.100.7", "192.168.1.1"), ("wan", "fd00:1::11", "fd00:2::1"),
    ):  # fmt: skip
        one, other = parse_address(src), parse_address(dst)
        s.feed(dev, wire.ip(one, other, 17, wire.udp(one, other, 1000, 53, b"x")))
    return "NEW ESTABLISHED NEW"


def device_down(s: Scene) -> str:
    """A device goes down: what was masqueraded on it ends, and nothing else."""
    s.send(f"udp {ME}:1000 > {HE}:53", f"udp [{ME6}]:1000 > [{HE6}]:53", f"udp {HE}:99 > 203.0.113.2:1", f"udp {ME}:7 > 192.168.1.1:53")
    s.typed("ip link set wan down")
    s.wait(0.2)
    return "NEW NEW NEW NEW"


HELPER = Load(nft=(
    'table inet t {\n ct helper f {\n  type "ftp" protocol tcp\n }\n chain p {\n  type filter hook prerouting priority -150\n'
    '  tcp dport 2121 ct helper set "f"\n }\n}\n'
))  # fmt: skip
ZONES = Load(nft=(
    "table ip t {\n chain raw {\n  type filter hook prerouting priority -300\n"
    + "".join(f"  ip dscp {mark} ct zone set {mark}\n" for mark in range(1, 40))
    + " }\n chain post {\n  type nat hook postrouting priority 100\n  oifname wan masquerade\n }\n}\n"
))  # fmt: skip
PATHS = Load("*raw\n-A PREROUTING -m rpfilter --invert -j DROP\nCOMMIT\n", "*raw\n-A PREROUTING -m rpfilter --invert -j DROP\nCOMMIT\n", (
    "table inet f {\n chain p {\n  type filter hook prerouting priority -290\n  fib saddr . iif oif missing counter\n"
    "  fib daddr . iif type local counter\n }\n}\n"
))  # fmt: skip
STORIES: tuple[tuple[Callable[[Scene], str], Load], ...] = (
    (too_big, Load(MASQUERADE, MASQUERADE)), (unreplied, Load()), (collision, Load()), (reverse, Load(MASQUERADE)),
    (own_port, Load(MASQUERADE)), (helped, HELPER), (many_zones, ZONES), (ways_back, PATHS), (device_down, Load(MASQUERADE, MASQUERADE)),
)  # fmt: skip


@pytest.mark.parametrize(("story", "rules"), STORIES, ids=[story.__name__ for story, _ in STORIES])
def test_ctlab_tells_the_story_as_the_kernel_does(story: Callable[[Scene], str], rules: Load) -> None:
    scene = Scene(story.__name__, rules)
    labels = story(scene).split()
    case = scene.case()
    with Pair(case.plan, keep=True) as pair:
        assert [str(each) for each in pair.run(case.steps)] == []
        assert [str(each) for each in pair.finish()] == []
        heard = [str(answer.label) for _, answer in pair.heard]
    assert heard[: len(labels)] == labels
