"""A network namespace for the judge: TUN devices, addresses, routes, sysctls, real tools. Runs in the forked child alone.

Forwarding is on for both families whatever the addresses: with two devices, what comes in by one and is not for the
firewall goes out by the other; with more (or one), the routes decide. What the firewall itself sends follows the routes:
the devices' own networks, `routes`, and a default by the last device. Only the addresses given are local, not even 127.0.0.1
unless given for "lo". Nothing of the kernel's own chatter (DAD, router solicitation, MLD) gets out.
"""

from __future__ import annotations

import ctypes
import fcntl
import ipaddress
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sim.edges.kernel.answer import KernelUnavailable, ToolFailed
from sim.errors import UsageError

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, SIGKILL = 1, 4, 9
TUNSETIFF: Final = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
FIRST_TABLE: Final = 100
TOOL_SECONDS: Final = 30
SETTLE_SECONDS: Final = 5
RTF_LOCAL: Final = 0x80000000
TOOL_PATHS: Final = "/usr/sbin:/sbin:/usr/bin:/bin"

BEFORE_DEVICES: Final[Mapping[str, str]] = {
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    "net.ipv6.conf.default.forwarding": "1",
    **{
        f"net.ipv4.conf.{which}.{key}": value
        for which in ("all", "default")
        for key, value in {"rp_filter": "0", "accept_local": "1", "route_localnet": "1", "send_redirects": "0"}.items()
    },
    "net.ipv4.icmp_ratelimit": "0",
    "net.ipv4.icmp_ratemask": "0",
    "net.ipv4.icmp_msgs_per_sec": "1000000",
    "net.ipv4.icmp_msgs_burst": "1000000",
    "net.ipv6.icmp.ratelimit": "0",
    "net.ipv6.conf.default.accept_dad": "0",
    "net.ipv6.conf.default.dad_transmits": "0",
    "net.ipv6.conf.default.router_solicitations": "0",
    "net.ipv6.conf.default.accept_ra": "0",
    "net.ipv6.conf.default.addr_gen_mode": "1",
    "net.netfilter.nf_conntrack_log_invalid": "255",
    "net.netfilter.nf_log.2": "nfnetlink_log",
    "net.netfilter.nf_log.10": "nfnetlink_log",
}


def enter() -> None:
    """Move this process into a new network namespace (a new user namespace first, without root) that dies with it."""
    if not sys.platform.startswith("linux"):
        raise KernelUnavailable("the real netfilter needs Linux")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    user, group = os.geteuid(), os.getegid()
    if user != 0:
        # who gave up root is not "dumpable", and then /proc/self is not its own
        libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
        _unshare(libc, CLONE_NEWUSER, "a user namespace")
        _become_root(user, group)
    # in two steps: /proc/self/net belongs to the root of the namespace only if that root is there when it is made
    _unshare(libc, CLONE_NEWNET, "a network namespace")


def _become_root(user: int, group: int) -> None:
    try:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    except OSError as error:
        raise KernelUnavailable(f"this machine does not let us be root in a user namespace: {error}") from error


def hurry() -> None:
    """Run before others (where root may), so that nothing comes between a packet and the look at its entry."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except OSError:
        pass


def _unshare(libc: ctypes.CDLL, flag: int, what: str) -> None:
    if libc.unshare(flag):
        raise KernelUnavailable(f"this machine does not give us {what}: {os.strerror(ctypes.get_errno())}")


def open_tun(name: str) -> int:
    """Make the TUN device `name` and return its file descriptor, non-blocking, raw IP packets."""
    try:
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    except OSError as error:
        raise KernelUnavailable(f"no TUN device on this machine: {error.strerror}") from error
    return descriptor


def set_sysctl(key: str, value: str) -> None:
    """Write one sysctl of the namespace, by its dotted name. Raises UsageError when there is none or it takes no such value."""
    try:
        Path("/proc/sys", *key.split(".")).write_text(f"{value}\n")
    except OSError as error:
        raise UsageError(f"sysctl {key}={value}: {error.strerror}") from error


def get_sysctl(key: str) -> str:
    """Read one sysctl of the namespace, by its dotted name. Raises UsageError."""
    try:
        return Path("/proc/sys", *key.split(".")).read_text().strip()
    except OSError as error:
        raise UsageError(f"sysctl {key}: {error.strerror}") from error


class Tools:
    """Runs the machine's own programs in the namespace."""

    def __init__(self) -> None:
        self._lock = os.memfd_create("xtables.lock")
        self._environment = {
            "PATH": TOOL_PATHS,
            "LC_ALL": "C",
            # a lock of our own: the machine's may not be ours to open, and rules of other namespaces do not concern us
            "XTABLES_LOCKFILE": f"/proc/{os.getpid()}/fd/{self._lock}",
        }

    def run(self, argv: Sequence[str], text: str = "") -> str:
        """What `argv` prints, with `text` as its input. Raises ToolFailed, or KernelUnavailable when it is not installed."""
        path = shutil.which(argv[0], path=TOOL_PATHS)
        if path is None:
            raise KernelUnavailable(f"'{argv[0]}' is not installed on this machine")
        try:
            done = subprocess.run(
                [path, *argv[1:]],
                input=text.encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self._environment,
                timeout=TOOL_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise ToolFailed(argv, -1, f"still running after {TOOL_SECONDS} s") from error
        output = done.stdout.decode(errors="replace")
        if done.returncode:
            raise ToolFailed(argv, done.returncode, output)
        return output


def prepare() -> None:
    """Set the sysctls that must stand before the first device."""
    for key, value in BEFORE_DEVICES.items():
        set_sysctl(key, value)


def build(devices: Mapping[str, Sequence[str]], routes: Mapping[str, Sequence[str]], tools: Tools) -> dict[str, int]:
    """Make devices, addresses and routes; returns the file descriptor of each TUN device."""
    names = [name for name in devices if name != "lo"]
    descriptors = {name: open_tun(name) for name in names}
    lines = ["link set lo up", "addr flush dev lo"]
    lines += [f"link set dev {name} mtu 1500 txqueuelen 1000 multicast off up" for name in names]
    for name, addresses in devices.items():
        lines += [f"addr add {address} dev {name}{' nodad' if ':' in address else ''}" for address in addresses]
    tools.run(["ip", "-batch", "-"], "\n".join(lines + _routes(names, routes)) + "\n")
    if len(names) == 2:
        crossing = "".join(f"rule add iif {name} lookup {table}\n" for table, name in enumerate(names, FIRST_TABLE))
        for family in ("-4", "-6"):  # a rule's family is told by the option alone: "from ::/0" would be a rule for IPv4
            tools.run(["ip", family, "-batch", "-"], crossing)
    _wait_for_local({ipaddress.ip_address(text.split("/")[0]) for texts in devices.values() for text in texts if ":" in text})
    return descriptors


def _wait_for_local(addresses: set[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> None:
    """The kernel makes an IPv6 address local in a work queue, a moment after `ip addr add` is done (addrconf_dad_work)."""
    wanted, until = {address.packed.hex() for address in addresses}, time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < until:
        rows = [line.split() for line in Path("/proc/self/net/ipv6_route").read_text().splitlines()]
        if wanted <= {row[0] for row in rows if int(row[8], 16) & RTF_LOCAL}:
            return
        time.sleep(0.001)


def _routes(names: Sequence[str], routes: Mapping[str, Sequence[str]]) -> list[str]:
    lines = [f"route replace {network} dev {name}" for name, networks in routes.items() for network in networks]
    for everything in ("0.0.0.0/0", "::/0"):
        if all(everything not in networks for networks in routes.values()):
            lines.append(f"route add {everything} dev {names[-1]}")
        if len(names) == 2:
            lines += [f"route add {everything} dev {other} table {table}" for table, other in enumerate(names[::-1], FIRST_TABLE)]
    return lines
