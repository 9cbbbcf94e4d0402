"""How the bytes of an email are kept: compressed against a mail like it, to a twentieth.

What is not written need not be flushed, replicated and kept. Reads what earlier versions kept, too,
which is the bytes as they are.
"""

import zlib
from functools import cache
from pathlib import Path
from typing import Any

from django.db import models

# Files are added, never changed: each serves what was kept with it. The last one is used.
_DICTIONARIES = ("1.mail",)
_ZLIB, _HAS_DICTIONARY = 0x78, 0x20  # the first byte, and a bit of the second (RFC 1950 2.2)


def pack(message: bytes) -> bytes:
    """The bytes to keep of a message."""
    packer = _packer().copy()  # taking the dictionary in takes longer than all of the rest
    return packer.compress(message) + packer.flush()


def unpack(kept: bytes) -> bytes:
    """The message again, byte for byte (R24)."""
    if len(kept) < 6 or kept[0] != _ZLIB or not kept[1] & _HAS_DICTIONARY:
        return kept
    # A stream names its dictionary by the checksum of it.
    name = _by_checksum()[int.from_bytes(kept[2:6])]
    return zlib.decompressobj(zdict=_dictionary(name)).decompress(kept)


class PackedField(models.BinaryField):  # type: ignore[type-arg]  # it takes none at run time
    """Bytes that are packed in the database and nowhere else."""

    def from_db_value(self, value: Any, *_: Any) -> bytes | None:
        """As it was before it was kept."""
        return None if value is None else unpack(bytes(value))

    def get_prep_value(self, value: Any) -> Any:
        """As it is kept."""
        return None if value is None else pack(bytes(value))


@cache
def _packer() -> "zlib._Compress":
    return zlib.compressobj(level=3, zdict=_dictionary(_DICTIONARIES[-1]))


@cache
def _dictionary(name: str) -> bytes:
    return (Path(__file__).parent / "dictionaries" / name).read_bytes()


@cache
def _by_checksum() -> dict[int, str]:
    return {zlib.adler32(_dictionary(name)): name for name in _DICTIONARIES}
