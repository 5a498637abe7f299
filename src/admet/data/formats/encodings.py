"""The encoding of a text: as the user says, or found where it is certain."""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from admet.config.reading import say_it
from admet.errors import DataError

_CHUNK = 2**20  # bytes
_SHOWN = 5
# What laboratories write in cp1252: letters of Western Europe, units, dashes and quotes.
_PLAUSIBLE = frozenset(
    "µ°±²³¹·×÷§€£‰…–—‘’“”„‚«»®©™½¼¾ªº"
    "äöüÄÖÜßéèêëÉÈÊËáàâãåæÁÀÂÃÅÆíìîïÍÌÎÏóòôõøÓÒÔÕØœŒúùûÚÙÛçÇñÑ\N{NO-BREAK SPACE}"
)
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")
_LONG_RUN = re.compile(rb"[\xc0-\xff]{3}")  # letters of another alphabet, not accents
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


def open_binary(path: Path) -> io.BufferedReader:
    """Opens a file, unpacked where its name says that it is packed."""
    if path.name.lower().endswith(".gz"):
        return io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(path)))
    return path.open("rb")


def encoding_of(path: Path, given: str | None) -> tuple[str, str]:
    """Finds the encoding of a text by reading it once, in constant memory.

    Args:
        path: The file.
        given: What the user says that it is.

    Returns:
        The encoding, and what to tell the user, which may be nothing.

    Raises:
        DataError: If the text is not valid in that encoding, or cannot be read or unpacked. For
            UTF-8 the message names the first line and byte.
    """
    try:
        return _found(path, given)
    except DataError:
        raise
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"Data file {str(path)!r} cannot be read: {error}. Copy it again, or unpack it."
        ) from None


def _found(path: Path, given: str | None) -> tuple[str, str]:
    """Gives what `encoding_of` does; faults of the disk are raised as the system's errors."""
    if given is not None:
        # A byte-order mark, as Excel writes it, is no part of the first name.
        encoding = "utf-8-sig" if codecs.lookup(given).name == "utf-8" else given
        _check(path, encoding)
        return encoding, ""
    with open_binary(path) as file:
        if file.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16", ""
    try:
        _check(path, "utf-8-sig")
    except DataError:
        shown = _as_cp1252(path)
        if shown is None:
            raise
        return "cp1252", f"not UTF-8 but cp1252, as Windows writes it: {shown}"
    return "utf-8-sig", ""


def _chunks(path: Path) -> Iterator[bytes]:
    with open_binary(path) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _check(path: Path, encoding: str) -> None:
    """Decodes a file to its end."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in _chunks(path):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        raise DataError(_undecodable(path, encoding, error)) from None


def _as_cp1252(path: Path) -> str | None:
    """Shows the first letters beyond ASCII as cp1252; None where they are not plausible as such."""
    shown: list[str] = []
    with open_binary(path) as file:
        for number, line in enumerate(_lines(file), start=1):
            if line.isascii() and not _CONTROL.search(line):
                continue
            if any(pattern.search(line) for pattern in (_CONTROL, _UTF8_SEQUENCE, _LONG_RUN)):
                return None
            try:
                text = line.decode("cp1252")
            except UnicodeDecodeError:
                return None
            if not {letter for letter in text if not letter.isascii()} <= _PLAUSIBLE:
                return None
            if len(shown) < _SHOWN:
                words = [word for word in re.split(r"[\s,;]+", text) if not word.isascii()]
                shown.append(f"line {number} {words[0][:30]!r}" if words else f"line {number}")
    return ", ".join(shown)


def _lines(file: io.BufferedReader) -> Iterator[bytes]:
    while line := file.readline(_CHUNK):
        yield line


def _undecodable(path: Path, encoding: str, error: UnicodeError) -> str:
    """Says where a file stops being text; reads it again, line by line."""
    place = ""
    if encoding.startswith("utf-8"):
        with open_binary(path) as file:
            for number, line in enumerate(file, start=1):
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError as found:
                    place = f"byte 0x{line[found.start]:02x} in line {number}"
                    break
    name = encoding.upper().removesuffix("-SIG")
    why = place or getattr(error, "reason", str(error))
    return (
        f"Data file {str(path)!r} is not valid {name}: {why}. Save it as UTF-8, or name its "
        f"encoding: {say_it('encoding', 'cp1252')}."
    )
