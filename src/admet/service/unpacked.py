"""Refuses files that grow without bound when they are unpacked."""

import gzip
import zipfile
import zlib
from pathlib import Path
from typing import IO

from admet.errors import DataError

_CHUNK = 2**20
_MOST_PARTS = 10_000


def check_unpacked(path: Path, most: int) -> None:
    """Unpacks a packed file once, part by part, and keeps nothing.

    What an archive says of its own size is not believed.

    Args:
        path: The file.
        most: Bytes that it may have when it is unpacked.

    Raises:
        DataError: If it has more, or is damaged.
    """
    name = path.name.lower()
    try:
        if name.endswith(".gz"):
            with gzip.open(path) as file:
                _count(file, most)
        elif name.endswith((".xlsx", ".xlsm", ".ods")):
            _check_archive(path, most)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"The file cannot be unpacked: {error}. Save it again.") from None


def _check_archive(path: Path, most: int) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > most:
            raise _too_large(most)
        total = 0
        with path.open("rb") as raw:
            for part in parts:
                total = _count_part(raw, part, total, most)


def _count_part(raw: IO[bytes], part: zipfile.ZipInfo, total: int, most: int) -> int:
    """Counts what a part really unpacks to; other readers may not stop where it says."""
    raw.seek(part.header_offset)
    head = raw.read(30)
    if len(head) < 30 or head[:4] != b"PK\x03\x04":
        raise DataError("The file cannot be unpacked: a part of it is missing. Save it again.")
    raw.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
    if part.compress_type != zipfile.ZIP_DEFLATED:
        return total + part.file_size
    unpacker, left = zlib.decompressobj(-15), part.compress_size
    while left > 0 and not unpacker.eof:
        chunk = raw.read(min(_CHUNK, left))
        if not chunk:
            break
        left -= len(chunk)
        while chunk:
            total += len(unpacker.decompress(chunk, _CHUNK))
            chunk = unpacker.unconsumed_tail
            if total > most:
                raise _too_large(most)
    return total


def _count(file: gzip.GzipFile, most: int) -> None:
    total = 0
    while chunk := file.read(_CHUNK):
        total += len(chunk)
        if total > most:
            raise _too_large(most)


def _too_large(most: int) -> DataError:
    return DataError(
        f"The file has more than {most / 2**20:,.0f} MiB when it is unpacked. Split it, or predict "
        "it with `admet predict`."
    )
