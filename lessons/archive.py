"""A zip of lessons from a stranger, unpacked into a folder of its own: only Markdown, YAML and JSON, only below that folder, only so much.

Refused with a sentence: names that lead out of the folder, links, encrypted files, more or larger files than a course has (also those
that only say that they are small). Other kinds of files (pictures, a .git) are passed over. Not in here: what lessons mean.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from sim.document import MAX_CHARACTERS
from sim.errors import UsageError

MOST_FILES = 2_000
MOST_BYTES = 20_000_000
LONGEST_NAME = 200
SUFFIXES = frozenset((".md", ".yaml", ".yml", ".json"))
_CHUNK = 65_536


def unpack(archive: Path, target: Path) -> Path:
    """Unpack `archive` into `target`, an empty folder. Gives the folder in which the lessons lie. Raises UsageError."""
    try:
        with zipfile.ZipFile(archive) as opened:
            left = MOST_BYTES
            for member in _wanted(opened, archive):
                left -= _write(opened, member, target, archive, left)
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise UsageError(f"{archive}: this zip cannot be read: {error}") from error
    return _root(target)


def _wanted(opened: zipfile.ZipFile, archive: Path) -> Iterator[zipfile.ZipInfo]:
    members = opened.infolist()
    if len(members) > MOST_FILES:
        raise UsageError(f"{archive}: {len(members)} files; a zip of lessons may have {MOST_FILES}")
    for member in members:
        _check_name(member, archive)
        if not member.is_dir() and PurePosixPath(member.filename).suffix.lower() in SUFFIXES:
            yield member


def _check_name(member: zipfile.ZipInfo, archive: Path) -> None:
    """Also of what is passed over: a zip with such names is no honest zip."""
    name = member.filename
    parts = PurePosixPath(name).parts
    if name.startswith("/") or "\\" in name or ".." in parts or ":" in name or "\0" in name or len(name) > LONGEST_NAME:
        raise UsageError(f"{archive}: the name {name[:LONGEST_NAME]!r} leads out of the zip, or is too long: it is not unpacked")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UsageError(f"{archive}: {name!r} is a link or a device: it is not unpacked")
    if member.flag_bits & 1:
        raise UsageError(f"{archive}: {name!r} is encrypted: unpack it yourself, and name the folder")


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, archive: Path, left: int) -> int:
    """Unpack one file, counting what really comes, whatever the zip says of its size. Gives the bytes written."""
    place = target / member.filename
    place.parent.mkdir(parents=True, exist_ok=True)
    limit, written = min(MAX_CHARACTERS * 4, left), 0
    with opened.open(member) as source, place.open("wb") as out:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > limit:
                raise UsageError(f"{archive}: {member.filename!r} is too large: a zip of lessons may have {MOST_BYTES // 1_000_000} MB")
            out.write(chunk)
    return written


def _root(target: Path) -> Path:
    """Where the lessons are: a zip often has one folder with all of them in it."""
    here = target
    while not _has_lessons(here) and len(inner := [path for path in here.iterdir() if path.is_dir()]) == 1:
        here = inner[0]
    return here


def _has_lessons(folder: Path) -> bool:
    return any(folder.glob("*/lesson.md")) or (folder / "scenarios").is_dir() or (folder / "lesson.md").is_file()
