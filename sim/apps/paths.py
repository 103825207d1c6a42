"""Paths on a machine's file system."""

from __future__ import annotations


def absolute(path: str, user: str) -> str:
    """A path as the file system knows it: relative ones begin in the user's home, ~ is the home, . and .. are taken out."""
    home = "/root" if user == "root" else f"/home/{user}"
    if path == "~" or path.startswith("~/"):
        path = home + path[1:]
    parts: list[str] = []
    for part in (path if path.startswith("/") else f"{home}/{path}").split("/"):
        if part == "..":
            parts[-1:] = []
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)
