"""Terminals. A person types lines and keys, a program reads lines and writes text; the line discipline stands between.

    person ── line(), key() ──> Tty ── read() ──> the shell, or the program in front
    person <── Output, TerminalState ── Tty <── write() ── programs

Output holds whole lines only. The unfinished last line (a prompt, usually) is `TerminalState.prompt`: it stands before the cursor,
and comes out with the line that completes it. So a page appends the text of Output and shows `prompt` before what is typed.

Cooked: a typed line is echoed, ^C interrupts what is in front, ^D ends the input. Raw (an ssh client): nothing is echoed, and lines and
keys go to the reader as they are. Not in here: what a remote terminal's text is carried by (sshd.py).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable

import simpy
from simpy.events import Initialize, Process

from sim.trace import Emit, Noted, Output, TerminalState
from sim.units import show_time

CLEAR = "\x1b[H\x1b[2J"
KEYS = {"^C": "\x03", "^D": "\x04"}


class Tty(ABC):
    """A line discipline without a screen; `write` is for those who inherit.

    `front` are the processes that ^C interrupts. `raw` is set by a program that wants every key for itself; without `echo` what is typed
    is not shown.
    """

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self.raw = False
        self.echo = True
        self.front: list[Process] = []
        self.at_prompt = False
        self._lines: deque[str | None] = deque()
        self._reader: simpy.Event | None = None

    @property
    def reading(self) -> bool:
        """Whether somebody waits for a line."""
        return self._reader is not None and not self._reader.triggered

    def to_raw(self) -> None:
        """Every key for the reader from here on. Lines typed ahead that nobody has read are keys too, Enter with them."""
        self.raw = True
        self._lines = deque(KEYS["^D"] if line is None else f"{line}\n" for line in self._lines)

    @abstractmethod
    def write(self, text: str) -> None:
        """Show `text`."""

    def show(self, state: str, program: str = "", user_at: str = "") -> None:
        """Say what the terminal waits for (TerminalState); a tty without a screen has nobody to tell."""
        return

    def read(self) -> simpy.Event:
        """An event that brings the next line without its newline, or None at the end of the input (^D). One reader at a time."""
        if self._lines:
            return self.env.event().succeed(self._lines.popleft())
        if self._reader is None or self._reader.triggered:
            self._reader = self.env.event()
        return self._reader

    def read_at_prompt(self) -> simpy.Event:
        """As `read`, for a shell behind its prompt: a line typed ahead shows up a second time, as readline has it."""
        self.at_prompt = True
        if self._lines and self._lines[0] is not None:
            self.write(f"{self._lines[0]}\n")
        return self.read()

    def line(self, text: str) -> None:
        """A person typed a line."""
        if self.raw:
            self._give(f"{text}\n")
        else:
            if self.echo:
                self.write(f"{text}\n")
            self._give(text)

    def key(self, key: str) -> None:
        """A person pressed "^C" or "^D"."""
        if self.raw:
            self._give(KEYS[key])
        elif key == "^C":
            self._lines.clear()
            if self.echo:
                self.write("^C")
            self.interrupt("INT")
        else:
            self._give(None)

    def interrupt(self, signal: str) -> None:
        """Send a signal to what is in front."""
        for process in list(self.front):
            kill(process, signal)

    def _give(self, text: str | None) -> None:
        self.at_prompt = False
        if self._reader is not None and not self._reader.triggered:
            self._reader.succeed(text)
        else:
            self._lines.append(text)


class LocalTty(Tty):
    """A terminal of the scenario, with a screen: emits Output and TerminalState. `id` names it in the trace.

    `on_closed` is called with a line or key typed after the shell has ended: who sits there logs in again.
    `walk` is how far away (µs) it stands: the first line or key sends somebody there, and what is typed meanwhile waits for them.
    """

    def __init__(self, env: simpy.Environment, id: str, emit: Emit | None, walk: int = 0) -> None:
        super().__init__(env)
        self._walk = walk
        self._carried: list[Callable[[], None]] = []
        self.id = id
        self.on_closed: Callable[[], None] | None = None
        self._emit = emit
        self._partial = ""
        self._state = ("running", "", "")
        self._told: TerminalState | None = None
        self._unanswered = False

    def write(self, text: str) -> None:
        """Show `text`: whole lines at once, the rest as the prompt."""
        self._unanswered = False
        screen = self._partial + text
        cut = screen.rfind("\n") + 1
        if CLEAR in screen:
            cut = max(cut, screen.rfind(CLEAR) + len(CLEAR))
        if cut and self._emit is not None:
            self._emit(Output(self.id, screen[:cut]))
        self._partial = screen[cut:]
        self._tell()

    @property
    def walk(self) -> int:
        """How far away (µs) it stands as long as nobody sits there, then 0."""
        return self._walk

    @property
    def user_at(self) -> str:
        """Where typing ends up: "admin@server"."""
        return self._state[2]

    def show(self, state: str, program: str = "", user_at: str = "") -> None:
        """What the terminal waits for now; told only when it changed."""
        self._state = (state, program, user_at)
        self._tell()

    def line(self, text: str) -> None:
        """A person typed a line; at a closed terminal it only wakes the login."""
        if self._far(lambda: self.line(text)):
            return
        if self._state[0] == "closed" and self.on_closed is not None:
            self.on_closed()
            return
        if self.raw:
            self._unanswered = True
            self._tell()
        super().line(text)

    def key(self, key: str) -> None:
        """A person pressed a key; at a closed terminal it only wakes the login."""
        if self._far(lambda: self.key(key)):
            return
        if self._state[0] == "closed" and self.on_closed is not None:
            self.on_closed()
            return
        super().key(key)

    def _far(self, doing: Callable[[], None]) -> bool:
        """Whether nobody sits there yet; then it is done on arrival."""
        if not self._walk:
            return False
        if not self._carried:
            self._note("walk", f"Somebody is on the way to this terminal ({self.id}): it takes {show_time(self._walk)}.")
            timeout = self.env.timeout(self._walk)
            assert timeout.callbacks is not None
            timeout.callbacks.append(lambda _: self._arrive())
        self._carried.append(doing)
        return True

    def _arrive(self) -> None:
        self._walk = 0
        self._note("there", f"Somebody sits at this terminal now ({self.id}).")
        for doing in self._carried:
            doing()
        self._carried.clear()

    def _note(self, code: str, text: str) -> None:
        if self._emit is not None:
            self._emit(Noted(code, text))

    def _tell(self) -> None:
        state, program, user_at = self._state
        if self.raw and not self._unanswered and self._partial.endswith(("$ ", "# ")):
            state = "prompt"  # a shell at the far end reads a line
        told = TerminalState(self.id, state, self._partial, program, user_at)
        if told != self._told and self._emit is not None:
            self._told = told
            self._emit(told)


def kill(process: Process, signal: str) -> None:
    """Send a signal ("INT", "HUP", "PIPE") to a process, if it still lives; one not yet begun gets it right after it began."""
    if not process.is_alive or process is process.env.active_process:
        return
    if isinstance(process.target, Initialize):
        later = process.env.timeout(0)
        assert later.callbacks is not None
        later.callbacks.append(lambda _: kill(process, signal))
    else:
        process.interrupt(signal)
