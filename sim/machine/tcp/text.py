"""Bytes as a person would read them: what has been sent and not acknowledged, for the page and its grey text."""

from __future__ import annotations

import re

_QUOTED = re.compile(r'"([^"]*)"')
_LONGEST = 80


def readable(data: bytes) -> str:
    """Printable text as it is, other bytes as dots, line ends as ⏎; "" when hardly any of it is text."""
    text = data.decode("utf-8", errors="replace").replace("\r\n", "\n")
    shown = "".join(letter if letter.isprintable() and letter != "\ufffd" else "⏎" if letter == "\n" else "." for letter in text)
    if shown.count(".") - text.count(".") > len(shown) // 3:
        return ""
    return shown.rstrip("⏎")


def shown(pieces: list[tuple[bytes, str]]) -> str:
    """What stands in a send queue, in one line: by the labels of its writers where there are any."""
    words = []
    for data, about in pieces:
        quoted = _QUOTED.findall(about)
        words.append(" ".join(quoted) if quoted else about or readable(data) or (f"{len(data)} bytes" if data else ""))
    line = " ".join(word for word in words if word)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
