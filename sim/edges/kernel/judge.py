"""The judge's side: stands in the namespace, feeds packets, listens, looks up. Runs in the forked child alone."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sim.edges.kernel import namespace, watch
from sim.edges.kernel.answer import SELF, Answer, Entry, KernelUnavailable, Timing, ToolFailed
from sim.edges.kernel.nflog import Heard, Listener
from sim.edges.kernel.table import Table, details_of, entry_of, expectation_of
from sim.edges.kernel.ticks import Ticks
from sim.edges.kernel.tuples import AF_INET, AF_INET6, family_of
from sim.errors import UsageError

Fed = tuple[str | None, bytes]
Looked = tuple[bytes | None, list[bytes] | None, list[bytes] | None, int]
"""A packet's own entry, every expectation, every entry: what was asked for, as netlink has it; how many µs after the packet."""
BIGGEST: Final = 65536
REFUSALS: Final = frozenset(
    {errno.EINVAL, errno.EMSGSIZE, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EADDRNOTAVAIL}
)
DRAIN_EVERY: Final = 128


class Judge:
    """The methods are what the caller's side may call, by name."""

    def __init__(
        self,
        devices: Mapping[str, Sequence[str]],
        routes: Mapping[str, Sequence[str]],
        sysctls: Mapping[str, str],
        questions: bool,
        watching: Collection[str] = (),
    ) -> None:
        namespace.enter()
        self._tools = namespace.Tools()
        namespace.prepare()
        self._watch(watch.quiet_part())  # before any device is up, and before conntrack starts
        self._tuns = namespace.build(devices, routes, self._tools)
        for key, value in sysctls.items():
            namespace.set_sysctl(key, value)
        self._listener = Listener() if questions else None
        self._watch(watch.label_part(questions))
        self._table = Table()
        self._watching = watching
        self._raw = {AF_INET: _raw_socket(socket.AF_INET), AF_INET6: _raw_socket(socket.AF_INET6)}
        namespace.hurry()
        self._ticks = Ticks()
        self._opened_ns = self._ticks.began_ns(self._ticks.now())

    def _watch(self, rules: str) -> None:
        try:
            self._tools.run(["nft", "-f", "-"], rules)
        except ToolFailed as error:
            raise KernelUnavailable(f"this kernel's nf_tables lacks what the watch needs: {error}") from error

    # -- packets

    def feed_batch(self, packets: Sequence[Fed]) -> list[tuple[Answer, Looked]]:
        """An answer a packet, and what was looked up in netlink's form, for the caller's side to read while we go on.

        Device None is a packet of the firewall's own.
        """
        if self._listener is None:
            raise UsageError("this firewall was opened with questions=False: it can only feed_many")
        return [self._feed(device, data) for device, data in packets]

    def _feed(self, device: str | None, data: bytes) -> tuple[Answer, Looked]:
        tick = self._ticks.wait_for_room()
        at_us = (self._ticks.began_ns(tick) - self._opened_ns) // 1000
        refused, dropped = self._send(device, data)
        assert self._listener is not None
        heard = self._listener.heard()
        left = self._drain()
        said = heard.made if device is None else heard.came
        label, direction = said[0] if said else (None, None)
        went = not (refused or dropped) if device is None else len(left) > heard.sent or bool(heard.delivered)
        entry = self._table.lookup(data)
        answer = Answer(
            label=label,
            direction=direction,
            verdict="ACCEPT" if went else "DROP",
            out=(*left, *((SELF, packet) for packet in heard.delivered)),
            kernel_log=tuple(heard.kernel_log),
            entry=None,
            made=tuple(heard.made[1:] if device is None else heard.made),
            refused=refused,
            at_us=at_us,
            exact=self._ticks.now() == tick,
        )
        expected = self._table.dump_expectations() if "expected" in self._watching else None
        table = self._table.dump_raw() if "table" in self._watching else None
        return answer, (entry, expected, table, self.now_us() - at_us)

    def _send(self, device: str | None, data: bytes) -> tuple[str, bool]:
        """(why the kernel refused, or ""; whether netfilter dropped a packet of our own)."""
        try:
            if device is not None:
                os.write(self._tuns[device], data)
            else:
                self._send_own(data)
        except OSError as error:
            if error.errno == errno.EPERM and device is None:
                return "", True
            if error.errno not in REFUSALS:
                raise
            return os.strerror(error.errno or 0), False
        except KeyError:
            raise UsageError(f"no device '{device}': there are {', '.join(self._tuns)}") from None
        return "", False

    def _send_own(self, data: bytes) -> None:
        family = family_of(data)
        if not family or len(data) < (20 if family == AF_INET else 40):
            raise OSError(errno.EINVAL, "no IP packet")
        target = data[16:20] if family == AF_INET else data[24:40]
        self._raw[family].sendto(data, (socket.inet_ntop(family, target), 0))

    def _drain(self) -> list[tuple[str, bytes]]:
        left, read = [], os.read
        for device, descriptor in self._tuns.items():
            try:
                while True:
                    left.append((device, read(descriptor, BIGGEST)))
            except BlockingIOError:
                continue
        return left

    def feed_many(self, packets: Sequence[tuple[str, bytes]], read: bool = True) -> Timing:
        """Write all, read what leaves and what the listener hears: as fast as Python and TUN go. Without `read`, write alone."""
        batch = [(self._tuns[device], data) for device, data in packets]
        write, left, start = os.write, 0, time.process_time()
        for at in range(0, len(batch), DRAIN_EVERY):
            for descriptor, data in batch[at : at + DRAIN_EVERY]:
                write(descriptor, data)
            left += len(self._drain()) if read else 0
            if self._listener is not None and read:
                self._listener.heard()
        seconds = time.process_time() - start  # TUN's packets are judged within the write
        return Timing(len(batch), left, seconds)

    def sleep(self, seconds: float) -> tuple[tuple[str, bytes], ...]:
        """Let real time pass; returns what the firewall sent meanwhile of itself (a fragment's time exceeded)."""
        time.sleep(seconds)
        heard = self._listener.heard() if self._listener is not None else Heard()
        return (*self._drain(), *((SELF, packet) for packet in heard.delivered))

    # -- table, rules, sysctls

    def table(self) -> list[Entry]:
        """Every entry."""
        return self._table.dump()

    def details(self) -> list[Entry]:
        """Every entry, with its details."""
        return [entry_of(payload) | details_of(payload) for payload in self._table.dump_raw()]

    def expectations(self) -> list[Entry]:
        """Every expectation."""
        return self._table.expectations()

    def expected(self) -> list[Entry]:
        """Every expectation, with all that is told of it."""
        return [expectation_of(payload) for payload in self._table.dump_expectations()]

    def flush(self) -> None:
        """Forget entries and expectations."""
        self._table.flush()

    def set_timeouts(self, seconds: Mapping[str, int]) -> None:
        """Make entries older or younger: see Table.set_timeouts."""
        self._table.set_timeouts(seconds)

    def forget(self, name: str) -> None:
        """Delete one entry: see Table.forget."""
        self._table.forget(name)

    def now_us(self) -> int:
        """Microseconds since the firewall was opened, as Answer.at_us."""
        return (time.monotonic_ns() - self._opened_ns) // 1000

    def command(self, argv: Sequence[str], text: str = "") -> str:
        """Run a real tool; nft neither flushes nor shows the watch."""
        if argv[0] != "nft":
            return self._tools.run(argv, text)
        words = list(argv[1:])
        if "-f" in words and "-" not in words:
            raise UsageError("nft -f: give the text, not a file's name: command(['nft', '-f', '-'], text)")
        listed = self._tools.run(["nft", "list", "tables"])
        said = " ".join(words)
        if watch.spare(said, listed) != said:
            words, text = ["-f", "-"], said
        return watch.hide(self._tools.run(["nft", *words], watch.spare(text, listed)))

    def set_sysctl(self, key: str, value: str) -> None:
        """Write a sysctl."""
        namespace.set_sysctl(key, value)

    def get_sysctl(self, key: str) -> str:
        """Read a sysctl."""
        return namespace.get_sysctl(key)


def _raw_socket(family: int) -> socket.socket:
    sender = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    return sender


CALLS: Final[frozenset[str]] = frozenset(name for name in vars(Judge) if not name.startswith("_"))
Reply = tuple[str, Any]
