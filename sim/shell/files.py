"""A machine's small file system: a dict of paths to texts, and the files under /proc and /etc that the kernel or the scenario keeps.

Paths are absolute. Directories are there when something is in them, and a few always. Reading and writing raise OSError as Linux would.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from sim.conntrack.settings import SysctlError
from sim.conntrack.show import proc_expect_line, proc_line, proc_statistics

if TYPE_CHECKING:
    from sim.machine.machine import Machine

DISK = 8_000_000
LARGEST = 500_000
"""Characters that a machine's files may have together, and one of them."""
SYSCTLS = "/proc/sys/"
CONNTRACK = "/proc/net/nf_conntrack"
EXPECTED = "/proc/net/nf_conntrack_expect"
STATISTICS = "/proc/net/stat/nf_conntrack"
_DIRECTORIES = tuple(
    "/ /bin /dev /etc /etc/iptables /home /proc /proc/net /proc/sys /root /sbin /sys /tmp /usr /var /var/log".split()
)
_ANYBODY = ("/tmp/", "/dev/null")


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def read(machine: Machine, path: str, root: bool) -> str:
    """The text of a file. Raises OSError: not there, a directory, not allowed."""
    if path == "/dev/null":
        return ""
    if path.startswith(SYSCTLS):
        key = path.removeprefix(SYSCTLS).replace("/", ".")
        if key in set(machine.sysctls.keys()):
            return machine.sysctls.get(key) + "\n"
    if path in (CONNTRACK, EXPECTED):
        if not root:
            raise _error(errno.EACCES)
        return _conntrack(machine) if path == CONNTRACK else _expected(machine)
    if path == STATISTICS:
        tracker = machine.ip.tracker
        return proc_statistics(len(tracker.table), tracker.stats | tracker.expectations.stats)
    kept = {**kept_files(machine), **machine.files}
    if path in kept:
        return kept[path]
    raise _error(errno.EISDIR if is_directory(machine, path) else errno.ENOENT)


def kept_files(machine: Machine) -> dict[str, str]:
    """Files whose text follows from the scenario."""
    hosts = "127.0.0.1\tlocalhost\n" + "".join(f"{address}\t{name}\n" for name, address in machine.hosts.items())
    resolver = f"nameserver {machine.resolver}\n" if machine.resolver else ""
    return {"/etc/hostname": f"{machine.name}\n", "/etc/hosts": hosts, "/etc/resolv.conf": resolver}


def _conntrack(machine: Machine) -> str:
    now = int(machine.env.now)
    return "".join(proc_line(conn, now) + "\n" for conn in machine.ip.tracker.entries())


def _expected(machine: Machine) -> str:
    now = int(machine.env.now)
    return "".join(proc_expect_line(one, now) + "\n" for one in machine.ip.tracker.expectations.entries())


def write(machine: Machine, path: str, text: str, root: bool, user: str, *, append: bool = False) -> None:
    """Write a file. Raises OSError: a directory, no such directory, not allowed, a value the kernel refuses, no room left."""
    if path == "/dev/null":
        return
    if path.startswith(SYSCTLS):
        _write_sysctl(machine, path, text, root)
        return
    if is_directory(machine, path):
        raise _error(errno.EISDIR)
    if not root and not path.startswith((f"/home/{user}/", *_ANYBODY)):
        raise _error(errno.EACCES)
    if not is_directory(machine, path.rsplit("/", 1)[0] or "/") or path.startswith(("/proc/", "/sys/")):
        raise _error(errno.ENOENT)
    kept = machine.files.get(path, "") if append else ""
    others = sum(map(len, machine.files.values())) - len(machine.files.get(path, ""))
    if len(kept) + len(text) > LARGEST:
        raise _error(errno.EFBIG)
    if others + len(kept) + len(text) > DISK:
        raise _error(errno.ENOSPC)
    machine.files[path] = kept + text


def remove(machine: Machine, path: str, root: bool, user: str) -> None:
    """Take a file away. Raises OSError: not there, a directory, not allowed, the kernel's own."""
    if is_directory(machine, path):
        raise _error(errno.EISDIR)
    if path not in all_paths(machine):
        raise _error(errno.ENOENT)
    if path not in machine.files or not (root or path.startswith((f"/home/{user}/", *_ANYBODY))):
        raise _error(errno.EACCES if path in machine.files else errno.EPERM)
    del machine.files[path]


def _write_sysctl(machine: Machine, path: str, text: str, root: bool) -> None:
    key = path.removeprefix(SYSCTLS).replace("/", ".")
    if key not in set(machine.sysctls.keys()):
        raise _error(errno.EISDIR if is_directory(machine, path) else errno.ENOENT)
    if not root:
        raise _error(errno.EACCES)
    try:
        machine.sysctls.set(key, text.strip())
    except SysctlError as error:
        raise _error(getattr(errno, error.code)) from error


def is_directory(machine: Machine, path: str) -> bool:
    """Whether `path` is a directory: one that is always there, a home, or one with something in it."""
    if path in _DIRECTORIES or (path.startswith("/home/") and path.count("/") == 2):
        return True
    return any(name.startswith(f"{path.rstrip('/')}/") for name in all_paths(machine))


def all_paths(machine: Machine) -> list[str]:
    """Every file that can be read, sorted."""
    sysctls = [SYSCTLS + key.replace(".", "/") for key in list(machine.sysctls.keys())]
    return sorted({*machine.files, *kept_files(machine), *sysctls, CONNTRACK, EXPECTED, STATISTICS})


def listing(machine: Machine, path: str) -> list[str]:
    """The names in a directory, sorted."""
    base = path.rstrip("/") + "/"
    inside = [
        name.removeprefix(base).split("/")[0] for name in (*all_paths(machine), *_DIRECTORIES) if name.startswith(base)
    ]
    return sorted({name for name in inside if name})
