"""A machine's sysctls: net.ipv4.*, net.ipv6.*, and net.netfilter.* which conntrack's settings hold.

Names, defaults and ranges as Linux 6.18 has them. What is not simulated is not in the table, and `get` and `set` answer as for a key that
is not there (ENOENT); a value out of range is EINVAL. Not in here: how the tool `sysctl` words that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol

from sim.conntrack.settings import SysctlError, read_number
from sim.trace import Emit, SysctlSet

_INT = 2**31 - 1
# name: default, lowest, highest. Read off a running 6.18, but for what that machine's own configuration had changed.
_NUMBERS: Final[dict[str, tuple[int, int, int]]] = {
    "net.ipv4.conf.all.accept_local": (0, -_INT, _INT),
    "net.ipv4.conf.all.forwarding": (0, -_INT, _INT),
    "net.ipv4.conf.all.rp_filter": (0, -_INT, _INT),
    "net.ipv4.conf.all.route_localnet": (0, -_INT, _INT),
    "net.ipv4.conf.all.send_redirects": (1, -_INT, _INT),
    "net.ipv4.icmp_echo_ignore_all": (0, 0, 1),
    "net.ipv4.icmp_echo_ignore_broadcasts": (1, 0, 1),
    "net.ipv4.icmp_errors_use_inbound_ifaddr": (0, 0, 1),
    "net.ipv4.icmp_ratelimit": (1000, 0, _INT),
    "net.ipv4.icmp_ratemask": (6168, -_INT, _INT),
    "net.ipv4.ip_default_ttl": (64, 1, 255),
    "net.ipv4.ip_forward": (0, -_INT, _INT),
    "net.ipv4.ip_unprivileged_port_start": (1024, 0, 65535),
    "net.ipv4.ipfrag_max_dist": (64, 0, _INT),
    "net.ipv4.ipfrag_time": (30, -_INT // 1000, _INT // 1000),
    "net.ipv4.tcp_early_retrans": (3, 0, 4),
    "net.ipv4.tcp_fin_timeout": (60, -_INT // 1000, _INT // 1000),
    "net.ipv4.tcp_keepalive_intvl": (75, 1, 32767),
    "net.ipv4.tcp_keepalive_probes": (9, 1, 127),
    "net.ipv4.tcp_keepalive_time": (7200, 1, 32767),
    "net.ipv4.tcp_orphan_retries": (0, 0, 255),
    "net.ipv4.tcp_retries2": (15, 0, 255),
    "net.ipv4.tcp_rto_max_ms": (120_000, 1000, 120_000),
    "net.ipv4.tcp_rto_min_us": (200_000, 1, _INT),
    "net.ipv4.tcp_sack": (1, 0, 255),
    "net.ipv4.tcp_syn_linear_timeouts": (4, 0, 127),
    "net.ipv4.tcp_syn_retries": (6, 1, 127),
    "net.ipv4.tcp_synack_retries": (5, 0, 255),
    "net.ipv4.tcp_timestamps": (1, 0, 255),
    "net.ipv4.tcp_window_scaling": (1, 0, 255),
    "net.ipv6.conf.all.forwarding": (0, -_INT, _INT),
    "net.ipv6.conf.all.hop_limit": (64, 1, 255),
    "net.ipv6.icmp.echo_ignore_all": (0, 0, 1),
    "net.ipv6.icmp.ratelimit": (100, 0, _INT),
    "net.ipv6.ip6frag_time": (60, -_INT // 1000, _INT // 1000),
}
_RANGE: Final = "net.ipv4.ip_local_port_range"
_NETFILTER: Final = "net.netfilter."
_SAME: Final = {"net.ipv4.conf.all.forwarding": "net.ipv4.ip_forward"}


class Settings(Protocol):
    """What conntrack's settings do for net.netfilter.*; names without that prefix. Raises SysctlError."""

    def get(self, key: str) -> str: ...
    def set(self, key: str, text: str) -> None: ...
    def keys(self) -> list[str]: ...


class Sysctls:
    """All settings of one machine, by dotted name. `on_change` callables are told the key."""

    def __init__(self, netfilter: Settings, emit: Emit | None = None) -> None:
        self._netfilter = netfilter
        self._emit = emit
        self._values = {key: default for key, (default, _, _) in _NUMBERS.items()}
        self._ports = (32768, 60999)
        self.on_change: list[Callable[[str], None]] = []

    def add_device(self, dev: str) -> None:
        """The settings that every device has of its own."""
        self._values[f"net.ipv4.conf.{dev}.rp_filter"] = 0

    def preset(self, key: str, value: int) -> None:
        """Give a setting its value at the start: nobody is told."""
        self._values[_SAME.get(key, key)] = value

    def number(self, key: str) -> int:
        """A setting as an int; the key must be there."""
        return self._values[_SAME.get(key, key)]

    def reverse_path_filters(self) -> dict[str, int]:
        """rp_filter of each device (the higher of its own and all's); empty when none filters."""
        modes = {key.split(".")[3]: value for key, value in self._values.items() if key.endswith(".rp_filter")}
        return {dev: max(mode, modes["all"]) for dev, mode in modes.items()} if any(modes.values()) else {}

    @property
    def ports(self) -> tuple[int, int]:
        """The lowest and the highest port that the machine chooses by itself."""
        return self._ports

    def keys(self) -> Iterator[str]:
        """All keys, sorted, as `sysctl -a` lists them."""
        own = [*self._values, _RANGE]
        return iter(sorted(own + [_NETFILTER + key for key in self._netfilter.keys()]))  # noqa: SIM118  (no mapping)

    def get(self, key: str) -> str:
        """The text of a setting. Raises SysctlError ENOENT."""
        if key.startswith(_NETFILTER):
            return self._netfilter.get(key.removeprefix(_NETFILTER))
        if key == _RANGE:
            return "%d\t%d" % self._ports
        if key not in self._values:
            raise SysctlError("ENOENT")
        return str(self.number(key))

    def set(self, key: str, text: str) -> None:
        """Change a setting. Raises SysctlError ENOENT, EINVAL, EACCES."""
        old = self.get(key)
        if key.startswith(_NETFILTER):
            self._netfilter.set(key.removeprefix(_NETFILTER), text)
        elif key == _RANGE:
            self._ports = _port_range(text)
        else:
            self._values[_SAME.get(key, key)] = self._checked(key, text)
        if self._emit is not None:
            self._emit(SysctlSet(key, self.get(key), old))
        for told in self.on_change:
            told(key)

    @staticmethod
    def _checked(key: str, text: str) -> int:
        value = read_number(text)
        _, low, high = _NUMBERS.get(key, (0, -_INT, _INT))
        if not low <= value <= high:
            raise SysctlError("EINVAL")
        return value


def _port_range(text: str) -> tuple[int, int]:
    """ipv4_local_port_range (net/ipv4/sysctl_net_ipv4.c): two ports, the first not above the second."""
    words = text.split()
    if len(words) != 2 or not all(word.isdecimal() and 1 <= int(word) <= 65535 for word in words) or int(words[1]) < int(words[0]):
        raise SysctlError("EINVAL")
    return int(words[0]), int(words[1])
