"""Paths on a machine's file system."""

from __future__ import annotations


def home(user: str) -> str:
    """The user's home, where every shell here stands."""
    return "/root" if user == "root" else f"/home/{user}"


def absolute(path: str, user: str) -> str:
    """A path as the file system knows it: relative ones begin in the user's home, ~ is the home, . and .. are taken out."""
    if path == "~" or path.startswith("~/"):
        path = home(user) + path[1:]
    parts: list[str] = []
    for part in (path if path.startswith("/") else f"{home(user)}/{path}").split("/"):
        if part == "..":
            parts[-1:] = []
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)
