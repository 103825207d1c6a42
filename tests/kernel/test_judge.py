"""The judge as a thing: what it does to the machine (nothing), to the caller's rules (nothing), and how it fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.edges.kernel import KernelFirewall, KernelUnavailable, ToolFailed
from sim.errors import CtlabError, UsageError

Open = Callable[..., KernelFirewall]
ROOT = Path(__file__).parents[2]
UDP = bytes.fromhex("4500001c000100004011f7540a0000010a000002") + bytes.fromhex("1388003500080000")
"""10.0.0.1:5000 > 10.0.0.2:53 without checksum; the header's own is put right below."""


def packet(source: int = 1) -> bytes:
    head = bytearray(UDP)
    head[12:16], head[10:12] = bytes([10, 0, source >> 8, source & 255]), b"\0\0"
    total = sum(int.from_bytes(head[at : at + 2]) for at in range(0, 20, 2))
    total = (total & 0xFFFF) + (total >> 16)
    head[10:12] = (~((total & 0xFFFF) + (total >> 16)) & 0xFFFF).to_bytes(2)
    return bytes(head)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def gone(pid: int) -> bool:
    """Whether the process ends within three seconds."""
    for _ in range(300):
        if not alive(pid):
            return True
        time.sleep(0.01)
    return False


def test_the_callers_own_network_stays_as_it_was(real: Open) -> None:
    before = os.readlink("/proc/self/ns/net"), Path("/proc/net/dev").read_text().count(":")
    real().feed(packet(), "lan")
    assert (os.readlink("/proc/self/ns/net"), Path("/proc/net/dev").read_text().count(":")) == before


def test_closing_ends_the_judge_and_what_comes_after_says_so(real: Open) -> None:
    firewall = real()
    pid = firewall._pid
    firewall.close()
    firewall.close()
    assert gone(pid)
    with pytest.raises(UsageError, match="closed"):
        firewall.feed(packet(), "lan")


def test_a_judge_that_was_killed_is_reported_not_waited_for(real: Open) -> None:
    firewall = real()
    os.kill(firewall._pid, signal.SIGKILL)
    with pytest.raises(CtlabError, match="the judge has died"):
        firewall.feed(packet(), "lan")


def test_the_judge_dies_with_a_caller_that_crashed() -> None:
    code = (
        "import os; from sim.edges.kernel import KernelFirewall\n"
        "f = KernelFirewall({'lan': []}); os.write(1, str(f._pid).encode()); os._exit(3)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, timeout=20)
    assert done.returncode == 3
    assert gone(int(done.stdout))


@pytest.mark.skipif(os.geteuid() != 0, reason="every test here already runs without root")
def test_without_root_a_user_namespace_does_the_same() -> None:
    code = (
        "import os; from sim.edges.kernel import KernelFirewall, why_unavailable\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "assert not why_unavailable(), why_unavailable()\n"
        "with KernelFirewall({'lan': ['10.1.0.1/24'], 'wan': []}, iptables='*filter\\n:FORWARD DROP [0:0]\\nCOMMIT\\n') as f:\n"
        f"    a = f.feed({packet()!r}, 'lan')\n"
        "    print(a.label, a.verdict, ':FORWARD DROP [1:28]' in f.counters(), 'FORWARD' in f.counters('nft'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
    text = done.stdout.decode()
    if "does not" in text:
        pytest.skip(f"no user namespaces here: {text.splitlines()[-1]}")
    assert text == "NEW DROP True False\n"


def test_a_ruleset_that_the_real_tool_refuses_is_an_error_with_its_words(real: Open) -> None:
    with pytest.raises(ToolFailed, match="syntax error"):
        real(nft="table ip x { chain }")
    with pytest.raises(ToolFailed, match="iptables-legacy-restore"):
        real(iptables="*filter\n-A NOWHERE -j ACCEPT\nCOMMIT\n")


def test_wrong_device_wrong_sysctl_and_no_device_are_told(real: Open) -> None:
    firewall = real()
    with pytest.raises(UsageError, match="no device 'dmz': there are lan, wan"):
        firewall.feed(packet(), "dmz")
    with pytest.raises(UsageError, match=r"sysctl net.netfilter.nf_conntrack_udp_tiemout"):
        firewall.set_sysctl("net.netfilter.nf_conntrack_udp_tiemout", 3)
    with pytest.raises(UsageError, match="at least one device"):
        KernelFirewall({"lo": ["127.0.0.1/8"]})
    assert firewall.feed(packet(), "lan").label == "NEW"


def test_a_tool_that_is_not_there_is_a_machine_that_cannot(real: Open) -> None:
    with pytest.raises(KernelUnavailable, match="'no-such-tool' is not installed"):
        real().command(["no-such-tool"])


def test_the_watch_is_not_listed_and_no_flush_takes_it_away(real: Open) -> None:
    rules = 'flush ruleset\ntable ip filter {\n\tchain input {\n\t\tcomment "flush ruleset"\n\t}\n}\n'
    firewall = real(nft=rules)
    assert firewall.command(["nft", "list", "tables"]) == "table ip filter\n"
    assert firewall.counters("nft") == rules.partition("\n")[2]
    firewall.load(nft=rules)
    firewall.command(["nft", "flush", "ruleset"])
    assert firewall.counters("nft") == ""
    assert firewall.feed(packet(), "lan").label == "NEW"


def test_with_three_devices_the_routes_decide(real: Open) -> None:
    firewall = real({"lan": ["10.0.0.1/24"], "dmz": ["10.9.0.1/24"], "wan": []}, routes={"dmz": ["10.77.0.0/16"]})
    targets = {"10.9.0.5": "dmz", "10.77.1.1": "dmz", "8.8.8.8": "wan"}
    for target, device in targets.items():
        data = bytearray(packet(9))
        data[16:20] = bytes(int(part) for part in target.split("."))
        data[10:12] = b"\0\0"
        total = sum(int.from_bytes(data[at : at + 2]) for at in range(0, 20, 2))
        data[10:12] = (~((total & 0xFFFF) + (total >> 16)) & 0xFFFF).to_bytes(2)
        assert [where for where, _ in firewall.feed(bytes(data), "lan").out] == [device]


def test_a_firewall_without_questions_counts_what_leaves_and_answers_nothing(real: Open) -> None:
    firewall = real(questions=False)
    timing = firewall.feed_many([("lan", packet(number)) for number in range(1, 1001)])
    assert (timing.fed, timing.left, len(firewall.table())) == (1000, 1000, 1000)
    assert timing.per_second > 1000
    with pytest.raises(UsageError, match="questions=False"):
        firewall.feed(packet(), "lan")
