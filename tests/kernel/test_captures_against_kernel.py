"""Every capture of traffic that nobody here made: through ctlab and through this machine's kernel, packet by packet.

The captures stay where they are (../shared/captures); without them these tests are skipped by name.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.edges.capture import Frame, read_capture
from sim.edges.kernel import KernelFirewall
from sim.edges.replay import Outcome, Replay, load_rules
from sim.edges.replay.arrival import ByAddress, source_of, target_of
from sim.edges.replay.wall import Wall
from sim.units import is_link_local, show_address
from tests.kernel.comparing import FIELDS, Difference, compare, packets
from tests.kernel.conftest import DEVICES
from tests.kernel.repairing import repaired

CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "captures"
CHECKSUM_OFF = {"net.netfilter.nf_conntrack_checksum": "0"}
STATEFUL = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate INVALID -j DROP
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -p udp -m udp --dport 53 -j ACCEPT
-A FORWARD -p tcp -m tcp --dport 25 -j REJECT --reject-with tcp-reset
-A FORWARD -p icmp -m icmp --icmp-type 8 -j ACCEPT
-A FORWARD -p tcp -m conntrack --ctstate NEW -j ACCEPT
-A FORWARD -j REJECT --reject-with icmp-admin-prohibited
COMMIT
"""
Open = Callable[..., KernelFirewall]
Mend = Callable[[bytes], bytes]


def files() -> list[Path]:
    return sorted(path for path in CAPTURES.rglob("*") if path.is_file() and path.name not in ("README.md", "COPYING"))


def heard() -> dict[str, list[Frame]]:
    found = files()
    if not found:
        pytest.skip("../shared/captures is not here")
    return {str(path.relative_to(CAPTURES)): list(read_capture(path)) for path in found}


def differences(
    kernel: KernelFirewall, sysctls: dict[str, str], rules: str, mend: Mend
) -> tuple[dict[str, list[Difference]], int]:
    found: dict[str, list[Difference]] = {}
    total = 0
    for name, frames in heard().items():
        fed = [packet._replace(data=mend(packet.data)) for packet in packets(frames, ByAddress(DEVICES))]
        wall = Wall(DEVICES)
        for key, value in sysctls.items():
            wall.ip.sysctls.set(key, value)
        if rules:
            load_rules(wall.ip.rules, rules, "rules")
        total += len(fed)
        found[name] = compare(fed, wall, kernel)
        kernel.flush()
    return found, total


SETTINGS: dict[str, tuple[dict[str, str], str, Mend]] = {
    "as they are": ({}, "", bytes),
    "checksums unread": (CHECKSUM_OFF, "", bytes),
    "stateful rules": ({}, STATEFUL, bytes),
    "checksums repaired": ({}, "", repaired),
    "checksums repaired, stateful rules": ({}, STATEFUL, repaired),
}


@pytest.mark.parametrize(("sysctls", "rules", "mend"), SETTINGS.values(), ids=SETTINGS)
def test_captures_get_the_kernels_labels_verdicts_and_entries(real: Open, sysctls: dict[str, str], rules: str, mend: Mend) -> None:
    found, total = differences(real(sysctls=sysctls, iptables=rules), sysctls, rules, mend)
    by_field: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for name, differing in found.items():
        for difference in differing:
            by_field[difference.field].add((name, difference.number))
    agree = {field: total - len(by_field[field]) for field in FIELDS}
    counts = ", ".join(f"{field} {count}" for field, count in agree.items())
    print(f"\n{len(found)} captures, {total} packets; equal to the kernel's: {counts}")
    shown = "\n".join(f"{name}: {differing[0]}"[:400] for name, differing in found.items() if differing)
    assert agree == dict.fromkeys(FIELDS, total), shown


def busiest(frames: list[Frame]) -> dict[str, list[str]]:
    """Devices of which the first has the address that most packets of a capture name, one a family."""
    seen: Counter[bytes] = Counter()
    for frame in frames:
        if frame.data and frame.data[0] >> 4 in (4, 6):
            seen.update(address for address in (source_of(frame.data), target_of(frame.data)) if _is_a_hosts(address))
    own = {len(address): show_address(address) + ("/24" if len(address) == 4 else "/64") for address, _ in reversed(seen.most_common(4))}
    return {"lan": list(own.values()), "wan": DEVICES["wan"]}


def _is_a_hosts(address: bytes) -> bool:
    if len(address) == 4:
        return 0 < address[0] < 224 and address[0] != 127
    return len(address) == 16 and address[0] != 255 and any(address[:15]) and not is_link_local(address)


def _named(data: bytes) -> bytes:
    """With an id: where an IPv4 packet of the firewall's own has none, the kernel draws one."""
    return data if data[0] >> 4 != 4 or data[4:6] != b"\0\0" else repaired(data[:4] + b"\0\1" + data[6:])


@pytest.mark.parametrize("rules", ["", STATEFUL], ids=["no rules", "stateful rules"])
def test_captures_of_the_firewalls_own_conversations_get_the_kernels_answers(real: Open, rules: str) -> None:
    for name, frames in list(heard().items())[:: 8 if rules else 9]:
        devices = busiest(frames)
        fed = [packet._replace(data=_named(repaired(packet.data))) for packet in packets(frames, ByAddress(devices))]
        wall = Wall(devices)
        if rules:
            load_rules(wall.ip.rules, rules, "rules")
        with KernelFirewall(devices, iptables=rules) as kernel:
            differing = compare(fed, wall, kernel)
        assert not differing, f"{name}: {differing[0]}"[:600]


def test_every_capture_replays_at_its_own_times_without_an_error() -> None:
    labels: Counter[str | None] = Counter()
    for frames in heard().values():
        outcomes = [happened for happened in Replay({}).run(frames) if isinstance(happened, Outcome)]
        assert [outcome.number for outcome in outcomes] == [frame.number for frame in frames]
        labels.update(outcome.label for outcome in outcomes)
    assert labels["NEW"] > 1000 and labels["ESTABLISHED"] > 5000 and labels["INVALID"] > 100
