"""Where sessions and learners' progress are kept: one sqlite file.

A session is its scenario or lesson, seed, inputs, branches, position and answers, as JSON.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from sim.errors import UsageError

_TABLES = ("sessions", "learners")
_SCHEMA = "CREATE TABLE IF NOT EXISTS {} (key TEXT PRIMARY KEY, data TEXT NOT NULL, changed REAL NOT NULL)"


def default_path() -> Path:
    """The user's own file: $CTLAB_DATA, else $XDG_DATA_HOME/ctlab, else ~/.local/share/ctlab."""
    base = os.environ.get("CTLAB_DATA") or os.path.join(os.environ.get("XDG_DATA_HOME") or "~/.local/share", "ctlab")
    return Path(base).expanduser() / "sessions.sqlite"


class Store:
    """Sessions by key. One connection, guarded by a lock; WAL, so that a crash loses at most the last write."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            for table in _TABLES:
                self._connection.execute(_SCHEMA.format(table))
        except (OSError, sqlite3.Error) as error:
            raise UsageError(
                f"{path}: cannot keep sessions here: {error}. Choose another place with --data."
            ) from error
        self._path = path
        self._lock = threading.Lock()

    def save(self, key: str, data: dict[str, Any]) -> None:
        """Write one session. Raises UsageError when the file cannot be written (a full disk, a file taken away)."""
        self._save("sessions", key, data)

    def load(self, key: str) -> dict[str, Any] | None:
        """Read one session, None when there is none of that key."""
        return self._load("sessions", key)

    def save_learner(self, key: str, data: dict[str, Any]) -> None:
        """Write a learner's progress. Raises UsageError as `save` does."""
        self._save("learners", key, data)

    def load_learner(self, key: str) -> dict[str, Any] | None:
        """Read a learner's progress, None when there is none of that key."""
        return self._load("learners", key)

    def _save(self, table: str, key: str, data: dict[str, Any]) -> None:
        text = json.dumps(data, separators=(",", ":"))
        try:
            with self._lock, self._connection:
                self._connection.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", (key, text, time.time()))
        except sqlite3.Error as error:
            raise UsageError(f"{self._path}: {error}. The lab goes on, but what you do now is lost when it ends.") from error

    def _load(self, table: str, key: str) -> dict[str, Any] | None:
        with self._lock:
            row = self._connection.execute(f"SELECT data FROM {table} WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
