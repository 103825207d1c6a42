"""Where interpreted code writes bytes: a bytearray with the names of librt's BytesWriter, which compiled code uses in its place."""

from __future__ import annotations


class BytesWriter(bytearray):
    """As far as it is used here (page.py)."""

    write = bytearray.extend

    def getvalue(self) -> bytes:
        """All that was written."""
        return bytes(self)

    def truncate(self, size: int) -> None:
        """Forget what stands behind."""
        del self[size:]
