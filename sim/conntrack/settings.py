"""Settings: every net.netfilter.nf_conntrack_* sysctl, by the kernel's name, with its default, range and way of reading text.

Names, defaults and refusals are those of /proc/sys/net/netfilter of Linux 6.18 (nf_conntrack_standalone.c), read off a
running kernel. Time-outs are kept in microseconds and shown in seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from sim.conntrack.words import HZ
from sim.errors import CtlabError
from sim.units import SECOND

PREFIX: Final = "nf_conntrack_"
_TCP = "syn_sent:120 syn_recv:60 established:432000 fin_wait:120 close_wait:60 last_ack:30 time_wait:120 close:10"
_SCTP = "closed:10 cookie_wait:3 cookie_echoed:3 established:210 shutdown_sent:3 shutdown_recd:3 shutdown_ack_sent:3"


def _seconds(prefix: str, text: str) -> dict[str, int]:
    pairs = (word.split(":") for word in text.split())
    return {f"{prefix}_{name}": int(value) for name, value in pairs}


TIMEOUTS: Final = {
    **_seconds("tcp_timeout", _TCP + " max_retrans:300 unacknowledged:300"),
    **_seconds("sctp_timeout", _SCTP + " heartbeat_sent:30"),
    "udp_timeout": 30, "udp_timeout_stream": 120, "icmp_timeout": 30, "icmpv6_timeout": 30, "generic_timeout": 600,
    "gre_timeout": 30, "gre_timeout_stream": 180, "frag6_timeout": 60,
}  # fmt: skip
BOUNDED: Final = {
    "acct": (0, 1, 0), "checksum": (0, 1, 1), "events": (0, 2, 2), "log_invalid": (0, 255, 0), "tcp_be_liberal": (0, 1, 0),
    "tcp_ignore_invalid_rst": (0, 1, 0), "tcp_loose": (0, 1, 1), "tcp_max_retrans": (0, 255, 3), "timestamp": (0, 1, 0),
    "max": (0, 2**31 - 1, 262144), "expect_max": (0, 2**31 - 1, 4096), "buckets": (1, 2**31 - 1, 262144),
    "frag6_high_thresh": (0, 2**63 - 1, 4194304), "frag6_low_thresh": (0, 2**63 - 1, 3145728),
}  # fmt: skip
"""name -> lowest, highest, default."""
READ_ONLY: Final = ("count",)
TCP_TIMEOUTS: Final = (
    "syn_sent syn_sent syn_recv established fin_wait close_wait last_ack time_wait close syn_sent max_retrans unacknowledged".split()
)
"""By TcpState, then max_retrans and unacknowledged. NONE and SYN_SENT2 have no sysctl of their own."""
RETRANS: Final = 10
UNACK: Final = 11
SCTP_TIMEOUTS: Final = (
    "closed closed cookie_wait cookie_echoed established shutdown_sent shutdown_recd shutdown_ack_sent heartbeat_sent".split()
)
LONGEST: Final = (2**31 - 1) // HZ
"""A time-out in ticks must fit an int (proc_dointvec_jiffies)."""
_NUMBER = re.compile(r"[ \t\n]*([-]?)(0[xX][0-9a-fA-F]+|[0-9]+)(?=[\s\0]|$)")


class SysctlError(CtlabError):
    """A sysctl is not there, or takes no such value; `code` is ENOENT, EINVAL or EACCES, str() the errno's text."""

    TEXT: Final = {
        "ENOENT": "No such file or directory", "EINVAL": "Invalid argument", "EACCES": "Permission denied",
    }  # fmt: skip

    def __init__(self, code: str) -> None:
        super().__init__(self.TEXT[code])
        self.code = code


def read_number(text: str) -> int:
    """The first number in `text` as proc_dointvec reads it: 0x and octal, spaces around. Raises SysctlError."""
    match = _NUMBER.match(text)
    if match is None:
        raise SysctlError("EINVAL")
    digits = match[2]
    octal = len(digits) > 1 and digits[0] == "0" and digits[1] not in "xX"
    try:
        value = int(digits, 8 if octal else 0)
    except ValueError as error:
        raise SysctlError("EINVAL") from error
    return -value if match[1] else value


class Settings:
    """The conntrack sysctls of one machine. Fields for the fast path; `get` and `set` by the kernel's name for everybody else.

    `count` (entries now) is answered by the tracker that has these settings.
    """

    def __init__(self) -> None:
        self.values: dict[str, int] = {name: seconds * SECOND for name, seconds in TIMEOUTS.items()}
        self.values |= {name: default for name, (_, _, default) in BOUNDED.items()}
        self.count: Callable[[], int] = lambda: 0
        self._spread()

    def _spread(self) -> None:
        """Copy the values to where packets read them."""
        values = self.values
        self.tcp = [values[f"tcp_timeout_{name}"] for name in TCP_TIMEOUTS]
        self.sctp = [values[f"sctp_timeout_{name}"] for name in SCTP_TIMEOUTS]
        # the two that share SYN_SENT's sysctl by name only: the kernel keeps their 120 s whatever it says
        self.tcp[9] = 120 * SECOND
        self.udp, self.udp_stream = values["udp_timeout"], values["udp_timeout_stream"]
        self.gre, self.gre_stream = values["gre_timeout"], values["gre_timeout_stream"]
        self.icmp, self.icmpv6, self.generic = values["icmp_timeout"], values["icmpv6_timeout"], values["generic_timeout"]
        self.checksum = bool(values["checksum"])
        self.tcp_loose, self.tcp_be_liberal = bool(values["tcp_loose"]), bool(values["tcp_be_liberal"])
        self.tcp_max_retrans = values["tcp_max_retrans"]
        self.tcp_ignore_invalid_rst = bool(values["tcp_ignore_invalid_rst"])
        self.acct, self.timestamp, self.events = bool(values["acct"]), bool(values["timestamp"]), values["events"]
        self.max, self.buckets, self.expect_max = values["max"], values["buckets"], values["expect_max"]
        self.log_invalid = values["log_invalid"]

    def keys(self) -> list[str]:
        """Every name, as `sysctl net.netfilter` lists them, without the net.netfilter in front."""
        return sorted(PREFIX + name for name in (*self.values, *READ_ONLY))

    def get(self, key: str) -> str:
        """The value as /proc shows it. `key` with or without "net.netfilter.". Raises SysctlError (ENOENT)."""
        name = self._name(key)
        if name == "count":
            return str(self.count())
        value = self.values[name]
        return str(value // SECOND if name in TIMEOUTS else value)

    def set(self, key: str, text: str) -> None:
        """Write as /proc takes it. Raises SysctlError: ENOENT, EACCES for what is read-only, EINVAL for a bad value."""
        name = self._name(key)
        if name in READ_ONLY:
            raise SysctlError("EACCES")
        value = read_number(text)
        if name in TIMEOUTS:
            if abs(value) > LONGEST:
                raise SysctlError("EINVAL")
            value *= SECOND
        else:
            self._check(name, value)
            # the table is whole pages of buckets (nf_ct_alloc_hashtable)
            value = -(-value // 512) * 512 if name == "buckets" else value
        self.values[name] = value
        self._spread()

    def _check(self, name: str, value: int) -> None:
        lowest, highest, _ = BOUNDED[name]
        if name == "frag6_high_thresh":
            lowest = self.values["frag6_low_thresh"]
        elif name == "frag6_low_thresh":
            highest = self.values["frag6_high_thresh"]
        if not lowest <= value <= highest:
            raise SysctlError("EINVAL")

    def _name(self, key: str) -> str:
        name = key.rpartition(".")[2].removeprefix(PREFIX)
        if key.startswith("net.") and not key.startswith("net.netfilter."):
            raise SysctlError("ENOENT")
        if not key.rpartition(".")[2].startswith(PREFIX) or (name not in self.values and name not in READ_ONLY):
            raise SysctlError("ENOENT")
        return name
