"""Real hosts speak through a real router, tcpdump listens there, and ctlab replays what it heard: labels and table are the router's own."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sim.edges.capture import read_capture
from tests.kernel.rig import Rig, captured

ROOT = Path(__file__).resolve().parents[2]
NEEDED = "conntrack curl dig ethtool ip nc nft nsenter ping setpriv ss ssh sshd ssh-keygen sysctl tcpdump unshare".split()
GROUP = 5
SERVER, SERVER6 = "203.0.113.7", "fd00:2::7"

IPTABLES = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A INPUT -p tcp -j REJECT --reject-with tcp-reset
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -i lan -p tcp -m tcp --dport 23 -j REJECT --reject-with tcp-reset
-A FORWARD -i lan -p udp -m udp --dport 99 -j REJECT --reject-with icmp-admin-prohibited
-A FORWARD -i lan -m conntrack --ctstate NEW -j ACCEPT
COMMIT
"""
IP6TABLES = """*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i lan -p tcp -m tcp --dport 23 -j REJECT --reject-with tcp-reset
-A FORWARD -i lan -m conntrack --ctstate NEW -j ACCEPT
COMMIT
"""
NFT = """table inet guard {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		meta l4proto ipv6-icmp accept
		icmp type echo-request accept
		meta l4proto tcp reject with tcp reset
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ct state invalid drop
		iifname "lan" tcp dport 23 reject with tcp reset
		iifname "lan" udp dport 99 reject with icmpx admin-prohibited
		iifname "lan" ct state new counter accept
	}
}
"""
# Right behind conntrack, as the labels come out; one NFLOG group, the label in the prefix.
WATCH = "\n".join(
    f"""table inet watch {{
 chain {hook} {{ type filter hook {hook} priority -199; policy accept;
  ct state untracked log group {GROUP} prefix "{hook} UNTRACKED" accept
  ct state invalid log group {GROUP} prefix "{hook} INVALID" accept
  ct direction original ct state new log group {GROUP} prefix "{hook} NEW original" accept
  ct direction original ct state established log group {GROUP} prefix "{hook} ESTABLISHED original" accept
  ct direction original ct state related log group {GROUP} prefix "{hook} RELATED original" accept
  ct state established log group {GROUP} prefix "{hook} ESTABLISHED reply" accept
  ct state related log group {GROUP} prefix "{hook} RELATED reply" accept
 }}\n}}"""
    for hook in ("prerouting", "output")
)
DNS = """
import socket
s = socket.socket(socket.AF_INET6 if ":" in "{address}" else socket.AF_INET, socket.SOCK_DGRAM); s.bind(("{address}", 53))
while True:
    query, peer = s.recvfrom(512)
    end = 12
    while query[end]: end += query[end] + 1
    question = query[12:end + 5]
    answer = b"\\xc0\\x0c" + query[end + 1:end + 5] + (60).to_bytes(4, "big") + b"\\x00\\x04" + bytes((203, 0, 113, 7))
    s.sendto(query[:2] + b"\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0" + question + answer, peer)
"""


@dataclass
class Heard:
    """What the router's side brought: its capture, the label of each packet's bytes in order, its last table."""

    capture: Path
    labels: dict[bytes, list[tuple[str, str | None]]]
    table: list[str]
    waited: float


@pytest.fixture(autouse=True)
def _needs_tools_and_root() -> None:
    missing = [tool for tool in NEEDED if not shutil.which(tool)]
    if missing or os.geteuid():
        pytest.skip(f"needs {', '.join(missing) if missing else 'root'}")


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as made:
        yield made


def serve(rig: Rig, folder: Path) -> None:
    """http on 80, a banner on 2525, DNS on 53, all for both families; the rest is closed."""
    (folder / "page.html").write_text("<p>" + "all the way " * 900)
    serve_ssh(rig, folder)
    for number, address in enumerate((SERVER, SERVER6)):
        rig.server.start(sys.executable, "-m", "http.server", "80", "--bind", address, "--directory", str(folder))
        rig.server.start(sys.executable, "-c", DNS.format(address=address))
        rig.server.start("sh", "-c", f"(echo 220 hello; sleep 0.3) | nc -l {address} {2525 + number}")
        for protocol, port in (("t", 80), ("u", 53), ("t", 2525 + number)):
            rig.server.listens(protocol, address, port)


def serve_ssh(rig: Rig, folder: Path) -> None:
    """A real sshd, which lets our key in; /run is its own."""
    for name in ("host", "user"):
        rig.server.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
    ours = [f"AuthorizedKeysFile={folder}/user.pub", f"HostKey={folder}/host"]
    settings = [*ours, "StrictModes=no", "PermitRootLogin=yes", "UseDNS=no", "PidFile=none"]
    rig.server.run("sh", "-c", "mount -t tmpfs none /run && mkdir /run/sshd")
    options = [word for setting in settings for word in ("-o", setting)]
    rig.server.start("/usr/sbin/sshd", "-D", "-f", "/dev/null", "-p", "22", *options)
    rig.server.listens("t", "0.0.0.0", 22)


def ssh(rig: Rig, folder: Path, command: str) -> str:
    settings = "StrictHostKeyChecking=no UserKnownHostsFile=/dev/null LogLevel=ERROR".split()
    options = [word for setting in settings for word in ("-o", setting)]
    return rig.client.run("ssh", "-F", "none", "-i", str(folder / "user"), *options, f"root@{SERVER}", command)


def traffic(rig: Rig, folder: Path) -> None:
    """What people do: shells, pages, a mail server's banner, names, pings; and what goes wrong: closed ports, forbidden ones, silence."""
    client = rig.client
    client.run("ip", "-6", "neigh", "flush", "dev", "eth0")
    assert ssh(rig, folder, "echo from afar") == "from afar\n"
    for host in (SERVER, f"[{SERVER6}]"):
        page = client.run("curl", "-sS", "--noproxy", "*", f"http://{host}/page.html")
        assert page.startswith("<p>all the way")
    assert "220 hello" in client.run("nc", "-N", SERVER, "2525", check=False)
    assert "220 hello" in client.run("nc", "-N", SERVER6, "2526", check=False)
    for server in (SERVER, SERVER6):
        assert SERVER in client.run("dig", f"@{server}", "+short", "+tries=1", "+time=2", "www.example.com")
        client.run("ping", "-c", "2", "-i", "0.1", "-W", "1", server)
    client.run("ping", "-c", "1", "-W", "1", "192.168.1.1")
    # closed: a reset, and an ICMP error
    assert "connect to server" in client.run("curl", "-sS", "--noproxy", "*", f"http://{SERVER}:8080/", check=False)
    assert "no servers could be reached" in client.run("dig", f"@{SERVER}", "-p", "5353", "+tries=1", "+time=1", "x.example", check=False)
    for port in ("23", "22"):  # forbidden by the router; no service on the router
        client.run("nc", "-z", "-w", "1", SERVER if port == "23" else "192.168.1.1", port, check=False)
    client.run("sh", "-c", f"echo x | nc -u -w 1 {SERVER} 99", check=False)
    rig.server.run("ping", "-c", "1", "-W", "0.3", "192.168.1.10", check=False)  # from outside: dropped
    rig.router.run("ping", "-c", "1", "-W", "1", SERVER)  # the router's own


def hear(rig: Rig, folder: Path, load: list[tuple[list[str], str]]) -> Heard:
    """Load the rules, let the traffic pass, bring home what the router said of it."""
    serve(rig, folder)
    for argv, text in load:
        rig.router.run(*argv, text=text)
    rig.router.run("nft", "-f", "-", text=WATCH)
    rig.router.run("conntrack", "-F", check=False)
    capture, log = folder / "router.pcap", folder / "labels.pcap"
    with captured(rig.router, f"nflog:{GROUP}", log), captured(rig.router, "any", capture):
        traffic(rig, folder)
        time.sleep(1.5)  # the kernel gathers what it logs for up to a second (NFULNL_TIMEOUT_DEFAULT)
    lines = rig.router.run("conntrack", "-L").splitlines() + rig.router.run("conntrack", "-L", "-f", "ipv6").splitlines()
    ended = time.time()
    last = max(frame.time_us for frame in read_capture(capture)) / 1e6
    return Heard(capture, labels_of(log), entries(lines), ended - last)


def labels_of(log: Path) -> dict[bytes, list[tuple[str, str | None]]]:
    """The labels in an NFLOG capture (link type 239: tag-length-values, prefix 10, payload 9), by what the packet is known by."""
    found = defaultdict(list)
    data, at = log.read_bytes(), 24
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at + 8)
        parts, inner = {}, at + 20
        while inner + 4 <= at + 16 + size:
            length, kind = struct.unpack_from("<HH", data, inner)
            parts[kind] = data[inner + 4 : inner + length]
            inner += length + 3 & ~3
        _, label, *way = parts[10].rstrip(b"\0").decode().split()
        found[known(parts[9])].append((label, way[0] if way else None))
        at += 16 + size
    return found


def known(data: bytes) -> bytes:
    """The packet's bytes, a TCP segment's without its checksum: what the router makes itself gets that behind OUTPUT only."""
    at = (data[0] & 15) * 4 if data[0] >> 4 == 4 else 40
    return data[: at + 16] + data[at + 18 :] if data[9 if data[0] >> 4 == 4 else 6] == 6 else data


def replayed(heard: Heard, rig: Rig, *options: str) -> tuple[list[dict[str, Any]], list[str]]:
    """`ctlab replay` of the capture: the packets' lines, and the table at the end."""
    addresses = []
    for link in json.loads(rig.router.run("ip", "-j", "addr")):
        if link["ifname"] != "lo":
            addresses += ["--addr", *(f"{link['ifname']}={address['local']}/{address['prefixlen']}" for address in link["addr_info"])]
    flat = [word for word in addresses if word != "--addr"]
    words = [part for word in sorted(flat, key=lambda word: not word.startswith("lan")) for part in ("--addr", word)]
    command = [sys.executable, "-m", "web.cli", "replay", str(heard.capture), *words, *options, "--jsonl"]
    command += ["--then", f"sleep {heard.waited:.3f}", "--then", "conntrack -L", "--then", "conntrack -L -f ipv6"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    table = [text for line in lines if "command" in line for text in line["output"].splitlines()]
    return [line for line in lines if "packet" in line], entries(table)


def entries(lines: list[str]) -> list[str]:
    """The lines of `conntrack -L` that are entries, without the tool's own remark."""
    return sorted((line for line in lines if "src=" in line), key=without_time)


def without_time(line: str) -> str:
    return re.sub(r"^(\S+ +\d+) \d+ ", r"\1 * ", line)


def seconds(line: str) -> int:
    found = re.match(r"\S+ +\d+ (\d+) ", line)
    assert found, line
    return int(found[1])


def assert_same(heard: Heard, lines: list[dict[str, Any]], table: list[str]) -> None:
    packets = {frame.number: frame.data for frame in read_capture(heard.capture)}
    said = {data: list(labels) for data, labels in heard.labels.items()}
    wrong = []
    for line in lines:
        data = packets[line["packet"]]
        if line["label"] is None or data is None:
            continue
        waiting = said.get(known(data))
        wanted = waiting.pop(0) if waiting else None
        if (line["label"], line["direction"]) != wanted:
            wrong.append((line["packet"], line["label"], line["direction"], wanted, line["reason"]))
    assert wrong == []
    assert [data.hex() for data, rest in said.items() if rest] == [], "labelled by the router, not by the replay"
    assert [without_time(line) for line in table] == [without_time(line) for line in heard.table]
    apart = [(ours, theirs) for ours, theirs in zip(table, heard.table, strict=True) if abs(seconds(ours) - seconds(theirs)) > 1]
    assert apart == []


def assert_worth_it(lines: list[dict[str, Any]]) -> None:
    """The traffic was what it was meant to be."""
    labels = Counter(line["label"] for line in lines)
    assert labels["NEW"] > 10 and labels["ESTABLISHED"] > 50 and labels["RELATED"] >= 3 and labels["UNTRACKED"] > 0
    assert Counter(line["verdict"] for line in lines)["DROP"] >= 3


@pytest.mark.parametrize("language", ["iptables", "nft"])
def test_a_replay_of_a_real_routers_capture_gives_its_labels_and_its_table(rig: Rig, tmp_path: Path, language: str) -> None:
    if language == "iptables":
        load = [(["iptables-legacy-restore"], IPTABLES), (["ip6tables-legacy-restore"], IP6TABLES)]
        (tmp_path / "rules.v4").write_text(IPTABLES)
        (tmp_path / "rules.v6").write_text(IP6TABLES)
        options = ["--rules", str(tmp_path / "rules.v4"), "--rules6", str(tmp_path / "rules.v6")]
    else:
        load = [(["nft", "-f", "-"], NFT)]
        (tmp_path / "rules.nft").write_text(NFT)
        options = ["--rules", str(tmp_path / "rules.nft")]
    heard = hear(rig, tmp_path, load)
    lines, table = replayed(heard, rig, *options)
    print(f"\n{language}: {len(lines)} frames captured by the router, {sum(map(len, heard.labels.values()))} labels, {len(table)} entries")
    assert_same(heard, lines, table)
    assert_worth_it(lines)
