"""Mistakes in iptables' language, worded as iptables 1.8.9 words them; each knows how the tool prints it and exits.

    usage     iptables v1.8.9 (legacy): MESSAGE, then "Try `iptables -h' ...", status 2
    bare      MESSAGE alone, then "Try ...", status 2
    problem   iptables v1.8.9 (legacy): MESSAGE, status 1 or 3
    kernel    iptables: MESSAGE., status 1: the words were right, the kernel or the chain lists refused
"""

from __future__ import annotations

from sim.errors import LanguageError, Span, Unsupported

VERSION = "v1.8.9 (legacy)"


class Mistake(LanguageError):
    """What iptables refuses; `form` is one of those in the module's docstring, `status` the exit status; `before`: what it says first."""

    out: str  # what had been printed before

    def __init__(self, message: str, span: Span | None = None, form: str = "usage", status: int = 2, before: str = "") -> None:
        super().__init__(message, span)
        self.before = before
        self.form = form
        self.status = status
        self.out = ""


def kernel(message: str, span: Span | None = None) -> Mistake:
    """A refusal by the kernel or the chain lists."""
    return Mistake(message, span, "kernel", 1)


NO_SUCH = "No chain/target/match by that name"
INVALID = "Invalid argument. Run `dmesg' for more information"


def printed(error: LanguageError, program: str, line: int | None = None) -> tuple[str, int]:
    """What the tool prints on stderr for it, and its exit status; `line` is set inside iptables-restore."""
    if isinstance(error, Unsupported):
        return f"{program} {VERSION}: {error}\n", 2
    if not isinstance(error, Mistake):
        return f"{program}: {error}\n", 1
    if error.form == "kernel":
        return (f"{program}: line {line} failed\n" if line is not None else f"{program}: {error.message}.\n"), error.status
    head = error.before + (error.message if error.form == "bare" else f"{program} {VERSION}: {error.message}")
    if error.form == "problem":
        return head + "\n", error.status
    where = f"Error occurred at line: {line}\n" if line is not None else ""
    return f"{head}{chr(10) if head else ''}{where}Try `{program} -h' or '{program} --help' for more information.\n", error.status
