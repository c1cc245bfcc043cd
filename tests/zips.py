"""Zips as no program writes them: every field can be told a lie."""

import struct
import zlib
from dataclasses import dataclass

__all__ = ["Member", "make_zip"]

_FULL = 0xFFFFFFFF


@dataclass(frozen=True)
class Member:
    """A member of a zip; what is None is filled in as it should be."""

    name: str | bytes
    data: bytes = b"data"
    mode: int = 0o100644
    method: int = 8
    flags: int = 0
    crc: int | None = None
    size: int | None = None
    packed: int | None = None
    offset: int | None = None
    large: bool = False  # sizes and offset in the zip64 extra
    described: bool = False  # sizes behind the data, not before it
    system: int = 3


def make_zip(*members, prefix=b"", comment=b"", large=False, backwards=False):
    """Return the bytes of a zip with these members."""
    body, records = bytearray(prefix), []
    for member in members:
        raw = member.name if isinstance(member.name, bytes) else member.name.encode()
        data, crc, size = member.data, zlib.crc32(member.data), len(member.data)
        if member.method == 8:
            packer = zlib.compressobj(6, zlib.DEFLATED, -15)
            data = packer.compress(data) + packer.flush()
        crc = crc if member.crc is None else member.crc
        size = size if member.size is None else member.size
        packed = len(data) if member.packed is None else member.packed
        offset = len(body) - len(prefix) if member.offset is None else member.offset
        flags = member.flags | (8 if member.described else 0)
        shown = (0, 0, 0) if member.described else (crc, packed, min(size, _FULL))
        body += struct.pack("<4s5H3I2H", b"PK\3\4", 20, flags, member.method, 0, 33, *shown,
                            len(raw), 0) + raw + data  # fmt: skip
        if member.described:
            body += struct.pack("<4s3I", b"PK\7\10", crc, packed, size)
        extra = struct.pack("<2H3Q", 1, 24, size, packed, offset) if member.large else b""
        sizes = (_FULL, _FULL) if member.large else (packed, size)
        records.append(
            struct.pack("<4s6H3I5H2I", b"PK\1\2", member.system << 8 | 20, 20, flags,
                        member.method, 0, 33, crc, *sizes, len(raw), len(extra), 0, 0, 0,
                        member.mode << 16, _FULL if member.large else offset) + raw + extra
        )  # fmt: skip
    start, directory = len(body) - len(prefix), b"".join(records[:: -1 if backwards else 1])
    body += directory
    count = min(len(records), 0xFFFF)
    if large:
        at = len(body)
        body += struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, len(records), len(records),
                            len(directory), start)  # fmt: skip
        body += struct.pack("<4sIQI", b"PK\6\7", 0, at, 1)
        start = _FULL
    body += struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(directory), start,
                        len(comment)) + comment  # fmt: skip
    return bytes(body)
