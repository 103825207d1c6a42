"""The caller's side of the real kernel: forks a judge into a namespace of its own, sends it packets, gets answers.

The caller's own namespaces never change. The judge dies with its maker: when `close` is called, or the process ends however
it ends, or the *thread* that made it ends (that is how PR_SET_PDEATHSIG counts); the namespace dies with the judge.
"""

from __future__ import annotations

import atexit
import dataclasses
import functools
import multiprocessing
import os
import signal
from collections.abc import Collection, Iterable, Mapping, Sequence
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Final, NoReturn, Self, cast

from sim.edges.kernel.answer import Answer, Entry, KernelUnavailable, Timing
from sim.edges.kernel.judge import CALLS, Fed, Judge, Looked, Reply
from sim.edges.kernel.table import details_of, entry_of, expectation_of
from sim.errors import CtlabError, UsageError

CHUNK: Final = 500
"""Packets at once on the line: while the judge feeds one chunk, the entries of the one before are read."""
DEAD: Final = "the judge has died; was the thread that made it ended, or was it killed?"
SETTINGS = tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[str]], Mapping[str, str], bool, Collection[str]]
TOOLS: Final[Mapping[str, Sequence[str]]] = {
    "iptables": ("iptables-legacy-save", "-c"),
    "ip6tables": ("ip6tables-legacy-save", "-c"),
    "nft": ("nft", "list", "ruleset"),
}


class KernelFirewall:
    """The machine's real netfilter between TUN devices. A context manager; not for several threads at once.

    devices    name -> its addresses with prefix: {"lan": ["192.168.1.1/24", "fd00:1::1/64"], "wan": [...]}; at least one.
               With two, what is not for the firewall crosses from one to the other whatever its addresses; else the routes
               decide. "lo" is no TUN but may have addresses.
    iptables, ip6tables, nft   rulesets to load first: iptables-save text, ip6tables-save text, an nft file's text
    sysctls    dotted name -> value
    routes     device -> networks: for what the firewall itself sends (and for all, when not two devices). A default by the
               last device is there unless given.
    questions  False: a firewall that can only `feed_many`, with conntrack on and nothing listening: for timing
    watching   "expected", "table": what every answer shall have besides (see Answer)

    Left as Linux has them: ICMP errors that a router makes (time exceeded, fragmentation needed) are in `out` like REJECT's;
    martian sources and destinations are dropped behind PREROUTING; multicast and IPv6 link-local are not forwarded.
    Not as on a bare machine: conntrack is on for both families even with no rules, ICMP rate limits are off, nothing that
    INPUT accepts reaches the stack, and table handles in `nft -a` count from 2.

    Raises KernelUnavailable when the machine cannot, ToolFailed when a tool refuses a ruleset, UsageError for a bad sysctl.
    """

    def __init__(
        self,
        devices: Mapping[str, Sequence[str]],
        *,
        iptables: str = "",
        ip6tables: str = "",
        nft: str = "",
        sysctls: Mapping[str, str | int] | None = None,
        routes: Mapping[str, Sequence[str]] | None = None,
        questions: bool = True,
        watching: Collection[str] = (),
    ) -> None:
        if not set(devices) - {"lo"}:
            raise UsageError("a firewall needs at least one device besides lo")
        self._pid, self._maker = 0, os.getpid()
        words = {key: str(value) for key, value in (sysctls or {}).items()}
        self._link, self._pid = _fork((dict(devices), dict(routes or {}), words, questions, frozenset(watching)))
        try:
            self._answer()
            self.load(iptables=iptables, ip6tables=ip6tables, nft=nft)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """End the judge and its namespace. Twice is as good as once."""
        pid, self._pid = getattr(self, "_pid", 0), 0
        if pid and os.getpid() == self._maker:  # not in a process that was forked off since
            self._link.close()
            os.kill(pid, signal.SIGKILL)
            _dying.append(pid)

    # -- packets

    def feed(self, data: bytes, dev: str) -> Answer:
        """Let the raw IP packet `data` arrive on `dev`."""
        return self.feed_batch([(dev, data)])[0]

    def feed_output(self, data: bytes) -> Answer:
        """Send the raw IP packet `data` as the firewall's own (raw socket, IP_HDRINCL; its route decides where).

        For IPv4 the kernel always writes total length and header checksum, the id when it is 0, the source when it is
        0.0.0.0; it refuses what is larger than the MTU. IPv6 it takes as it is. `verdict` DROP is the kernel's EPERM.
        """
        return self.feed_batch([(None, data)])[0]

    def feed_batch(self, packets: Iterable[Fed]) -> list[Answer]:
        """The answers to many (device, packet) in order; device None is a packet of the firewall's own."""
        batch = list(packets)
        chunks = [batch[at : at + CHUNK] for at in range(0, len(batch), CHUNK)]
        answers: list[Answer] = []
        for number in range(len(chunks)):
            if number == 0:
                self._ask("feed_batch", chunks[0])
            found = self._answer()
            if number + 1 < len(chunks):
                self._ask("feed_batch", chunks[number + 1])
            answers += [_with_what_was_seen(answer, looked) for answer, looked in found]
        return answers

    def feed_many(self, packets: Iterable[tuple[str, bytes]], read: bool = True) -> Timing:
        """Feed without a question, as fast as it goes; the time is the judge's, without the way to it. Without `read` nothing that
        leaves is read: it is lost.
        """
        return cast(Timing, self._call("feed_many", list(packets), read))

    def sleep(self, seconds: float) -> tuple[tuple[str, bytes], ...]:
        """Let real time pass; returns (device, packet) of what the firewall sent meanwhile of itself."""
        return cast(tuple[tuple[str, bytes], ...], self._call("sleep", seconds))

    # -- table, rules, sysctls

    def table(self) -> list[Entry]:
        """Every entry of the connection table."""
        return cast(list[Entry], self._call("table"))

    def expectations(self) -> list[Entry]:
        """Every expectation."""
        return cast(list[Entry], self._call("expectations"))

    def details(self) -> list[Entry]:
        """Every entry of the connection table, with its details (table.details_of)."""
        return cast(list[Entry], self._call("details"))

    def expected(self) -> list[Entry]:
        """Every expectation, with all that is told of it (table.expectation_of)."""
        return cast(list[Entry], self._call("expected"))

    def flush(self) -> None:
        """Forget every entry and expectation."""
        self._call("flush")

    def set_timeouts(self, seconds: Mapping[str, int]) -> None:
        """Give every entry the seconds that `seconds` has under its `name_of` (table.py); delete those without."""
        self._call("set_timeouts", dict(seconds))

    def forget(self, name: str) -> None:
        """Delete the entry of that `name_of` (table.py), if it is there."""
        self._call("forget", name)

    def now_us(self) -> int:
        """Microseconds since the firewall was opened, as Answer.at_us."""
        return cast(int, self._call("now_us"))

    def load(self, *, iptables: str = "", ip6tables: str = "", nft: str = "") -> None:
        """Load rulesets with the real tools. Raises ToolFailed."""
        if iptables:
            self.command(["iptables-legacy-restore"], iptables)
        if ip6tables:
            self.command(["ip6tables-legacy-restore"], ip6tables)
        if nft:
            self.command(["nft", "-f", "-"], nft)

    def command(self, argv: Sequence[str], text: str = "") -> str:
        """What a real tool prints in the namespace, errors included, `text` on its input. Raises ToolFailed."""
        return cast(str, self._call("command", list(argv), text))

    def counters(self, tool: str = "iptables") -> str:
        """The rules with their counters: iptables-save -c, ip6tables-save -c or nft list ruleset."""
        return self.command(TOOLS[tool])

    def set_sysctl(self, key: str, value: str | int) -> None:
        """Write a sysctl of the namespace. Raises UsageError."""
        self._call("set_sysctl", key, str(value))

    def get_sysctl(self, key: str) -> str:
        """Read a sysctl of the namespace. Raises UsageError."""
        return cast(str, self._call("get_sysctl", key))

    # -- the line to the judge

    def _call(self, name: str, *arguments: Any) -> Any:
        self._ask(name, *arguments)
        return self._answer()

    def _ask(self, name: str, *arguments: Any) -> None:
        if not self._pid:
            raise UsageError("this firewall is closed")
        try:
            self._link.send((name, arguments))
        except OSError as error:
            raise CtlabError(DEAD) from error

    def _answer(self) -> Any:
        try:
            kind, value = self._link.recv()
        except (EOFError, OSError) as error:
            raise CtlabError(DEAD) from error
        if kind == "error":
            raise value
        return value


@functools.cache
def why_unavailable() -> str:
    """Why this machine cannot judge, or "" when it can. Found out by trying, once."""
    try:
        with KernelFirewall({"probe": []}):
            return ""
    except KernelUnavailable as error:
        return str(error)


def _with_what_was_seen(answer: Answer, looked: Looked) -> Answer:
    entry, expected, table, late_us = looked
    if entry is None and expected is None and table is None:
        return answer
    return dataclasses.replace(
        answer,
        late_us=late_us,
        entry=None if entry is None else entry_of(entry),
        details=None if entry is None else details_of(entry),
        expected=None if expected is None else tuple(map(expectation_of, expected)),
        table=None if table is None else tuple(entry_of(each) | details_of(each) for each in table),
    )


_dying: list[int] = []
"""Judges told to end and not yet gone: the kernel takes 0.07 s to take their devices down, for which nobody need wait."""


def _bury(flags: int = os.WNOHANG) -> None:
    _dying[:] = [pid for pid in _dying if not _is_gone(pid, flags)]


def _is_gone(pid: int, flags: int) -> bool:
    try:
        return os.waitpid(pid, flags)[0] != 0
    except ChildProcessError:  # another has waited for it, or it is our maker's
        return True


atexit.register(_bury, 0)


def _fork(settings: SETTINGS) -> tuple[Connection, int]:
    _bury()
    ours, theirs = multiprocessing.Pipe()
    maker = os.getpid()
    pid = os.fork()
    if pid:
        theirs.close()
        return ours, pid
    ours.close()
    _be_the_judge(theirs, settings, maker)


def _be_the_judge(link: Connection, settings: SETTINGS, maker: int) -> NoReturn:
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        judge = _opened(link, settings)
        if judge is not None and os.getppid() == maker:
            _serve(link, judge)
    except (EOFError, OSError):
        pass
    finally:
        os._exit(0)


def _opened(link: Connection, settings: SETTINGS) -> Judge | None:
    try:
        judge = Judge(*settings)
    except Exception as error:
        link.send(("error", _portable(error)))
        return None
    link.send(("done", None))
    return judge


def _serve(link: Connection, judge: Judge) -> None:
    while True:
        name, arguments = link.recv()
        assert name in CALLS
        link.send(_reply(judge, name, arguments))


def _reply(judge: Judge, name: str, arguments: tuple[Any, ...]) -> Reply:
    try:
        return "done", getattr(judge, name)(*arguments)
    except Exception as error:
        return "error", _portable(error)


def _portable(error: Exception) -> Exception:
    """An error for the caller: ours as they are, any other as its text."""
    return error if isinstance(error, CtlabError) else CtlabError(f"the judge failed: {type(error).__name__}: {error}")
