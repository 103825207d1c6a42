"""What goes wrong in the simulated world, as programs there see it: an errno and the words that Linux prints for it.

Not in here: errors of ctlab itself (sim/errors.py). A SocketError is caught by a simulated program, which prints `strerror`.
"""

from __future__ import annotations

STRERROR = {
    "EACCES": "Permission denied",
    "EADDRINUSE": "Address already in use",
    "EADDRNOTAVAIL": "Cannot assign requested address",
    "ECONNABORTED": "Software caused connection abort",
    "ECONNREFUSED": "Connection refused",
    "ECONNRESET": "Connection reset by peer",
    "EDESTADDRREQ": "Destination address required",
    "EEXIST": "File exists",
    "EHOSTDOWN": "Host is down",
    "EHOSTUNREACH": "No route to host",
    "EINVAL": "Invalid argument",
    "EIO": "Input/output error",
    "EMSGSIZE": "Message too long",
    "ENETUNREACH": "Network is unreachable",
    "ENODEV": "No such device",
    "ENOENT": "No such file or directory",
    "ENOMEM": "Cannot allocate memory",
    "ENONET": "Machine is not on the network",
    "ENOPROTOOPT": "Protocol not available",
    "ENOTCONN": "Transport endpoint is not connected",
    "EOPNOTSUPP": "Operation not supported",
    "EPERM": "Operation not permitted",
    "EPIPE": "Broken pipe",
    "EPROTO": "Protocol error",
    "ESRCH": "No such process",
    "ETIMEDOUT": "Connection timed out",
}  # fmt: skip


class SocketError(Exception):
    """A system call failed: `code` is the errno's name, `strerror` glibc's words for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def strerror(self) -> str:
        """As perror prints it."""
        return STRERROR[self.code]

    def __str__(self) -> str:
        return self.strerror


# errno and fatality of ICMP destination unreachable by code: icmp_err_convert, net/ipv4/icmp.c, Linux 6.18.
ICMP_ERRORS: tuple[tuple[str, bool], ...] = (
    ("ENETUNREACH", False), ("EHOSTUNREACH", False), ("ENOPROTOOPT", True), ("ECONNREFUSED", True), ("EMSGSIZE", False),
    ("EOPNOTSUPP", False), ("ENETUNREACH", True), ("EHOSTDOWN", True), ("ENONET", True), ("ENETUNREACH", True),
    ("EHOSTUNREACH", True), ("ENETUNREACH", False), ("EHOSTUNREACH", False), ("EHOSTUNREACH", True), ("EHOSTUNREACH", True),
    ("EHOSTUNREACH", True),
)  # fmt: skip

# The same for ICMPv6 destination unreachable: tab_unreach, net/ipv6/icmp.c, Linux 6.18.
ICMPV6_ERRORS: tuple[tuple[str, bool], ...] = (
    ("ENETUNREACH", False), ("EACCES", True), ("EHOSTUNREACH", False), ("EHOSTUNREACH", False), ("ECONNREFUSED", True),
    ("EACCES", True), ("EACCES", True),
)  # fmt: skip


def icmp_errno(version: int, kind: int, code: int) -> tuple[str, bool] | None:
    """(errno, fatal) that an ICMP (version 4) or ICMPv6 (6) error means to a socket; None for one that means nothing.

    As icmp_unreach with tcp_v4_err and __udp4_lib_err, and icmpv6_err_convert, have it.
    """
    if version == 4:
        if kind == 3:
            return ICMP_ERRORS[code] if code < len(ICMP_ERRORS) else None
        return {11: ("EHOSTUNREACH", False), 12: ("EPROTO", True), 4: None}.get(kind)
    if kind == 1:
        return ICMPV6_ERRORS[code] if code < len(ICMPV6_ERRORS) else ("EPROTO", True)
    return {2: ("EMSGSIZE", False), 3: ("EHOSTUNREACH", False), 4: ("EPROTO", True)}.get(kind)
