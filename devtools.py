"""What dev.py does things with: where everything is, running programs aloud or hushed, saying where we are. The standard library alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = str(BIN / ("python.exe" if os.name == "nt" else "python"))
NOTHING: Mapping[str, str] = {}


class Trouble(Exception):
    """Something went wrong; the message is all the user needs to read."""


def say(step: str, text: str) -> None:
    """One line on where we are."""
    print(f"  {step:<9} {text}", flush=True)


def environment() -> dict[str, str]:
    """Ours, with .venv's programs first and the system's ones findable."""
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    return {"NODE_USE_SYSTEM_CA": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **os.environ, "PATH": path}


def hushed(
    command: Sequence[str], said: str = "", extra: Mapping[str, str] = NOTHING
) -> subprocess.CompletedProcess[str]:
    """Run a command and keep what it prints; `said` is its standard input, `extra` goes into its environment."""
    env = {**environment(), "NO_COLOR": "1", **extra}
    return subprocess.run(command, cwd=ROOT, env=env, input=said, capture_output=True, encoding="utf-8", errors="replace")


def quietly(command: Sequence[str], trouble: str, **more: Any) -> None:
    """Run a command that must not fail; when it does, its last words are shown under the sentence `trouble`."""
    done = hushed(command, **more)
    if done.returncode:
        raise Trouble(f"{trouble}\n\n{last_lines(done.stdout + done.stderr, 25)}")


def last_lines(text: str, count: int) -> str:
    """The end of what a program said, indented, without colours."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return "\n".join("    " + line for line in plain.strip().splitlines()[-count:])


def aloud(command: Sequence[str], extra: Mapping[str, str] = NOTHING) -> int:
    """Run a command with its output on the screen, `extra` in its environment; gives its exit status."""
    sys.stdout.flush()
    return subprocess.run(command, cwd=ROOT, env={**environment(), **extra}).returncode


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """What a program said last."""
    return (done.stdout.strip() or done.stderr.strip() or "it says nothing").splitlines()[-1]
