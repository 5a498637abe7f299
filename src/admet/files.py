"""Output files: checked before the work starts, and never half-written under their final name."""

import errno
import glob
import hashlib
import os
import socket
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from admet.errors import AdmetError, ConfigError, OutputError

_SEAL = hashlib.sha256().digest_size
_REFUSALS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})
"""Faults that only writing meets."""
_HOST = socket.gethostname().replace("-", "_")[:64] or "host"
_LONG_NAME = 150  # bytes; a partial file's name is longer by up to 90

LONGEST_NAME = 255
"""Bytes that the usual file systems take."""
SUMS = "SHA256SUMS"
"""The list of a run directory's files."""
AFFINITY_ARCHIVE, AFFINITY_HEATMAP = "affinity.npz", "affinity.png"
AFFINITY_CLUSTERMAP = "affinity_clustered.png"
SPLIT_TABLE = "split.csv"
"""Names of an affinity, its pictures, and the split, in a run directory or another folder."""
REPORT = "report.html"
"""The report of a training or a study in its folder; it is no part of the model."""
PICTURES = frozenset({".png", ".pdf", ".svg", ".jpg", ".jpeg"})
"""Endings that a picture may have."""


def check_output(path: Path, key: str, suffixes: Collection[str] = ()) -> None:
    """Checks that a file can be written, before the work whose result it is to hold.

    Args:
        path: The file.
        key: The key that named it, for the message.
        suffixes: Endings that it may have; empty allows any.

    Raises:
        ConfigError: If it is a folder or a device, lies below a file or in a folder that cannot be
            written, or has another ending.
    """
    if suffixes and path.suffix.lower() not in suffixes:
        raise ConfigError(
            f"`{key}` must end in {', '.join(sorted(suffixes))}; got {str(path)!r}. Rename it."
        )
    if "\0" in str(path):
        raise ConfigError(f"`{key}` must hold no NUL character; got {str(path)!r}. Rename it.")
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise ConfigError(
            f"`{key}` has a name of more than {LONGEST_NAME} bytes, {path.name[:40]!r}…. Shorten "
            "it."
        )
    if path.is_dir():
        raise ConfigError(f"`{key}` {str(path)!r} is a folder. Name a file in it.")
    if path.exists() and not path.is_file():  # it would be replaced
        raise ConfigError(f"`{key}` {str(path)!r} is a pipe or a device. Name a file.")
    check_folder(path.absolute().parent, key)


def check_replaces_nothing(
    outputs: Mapping[str, Iterable[Path]],
    inputs: Collection[Path | None] = (),
    *,
    overwrite: bool = True,
) -> None:
    """Checks that what a command writes replaces none of its inputs and no part of a model.

    Args:
        outputs: For each key, for the message, the files that will be written.
        inputs: Files that the command reads.
        overwrite: Whether what is there may be replaced.

    Raises:
        ConfigError: If a file is written twice, is an input, belongs to a run directory, or is
            there and must not be replaced.
    """
    seen: set[Path] = set()
    for key, paths in outputs.items():
        for path in paths:
            if path.absolute() in seen:
                raise ConfigError(f"`{key}` {str(path)!r} would be written twice. Name another.")
            seen.add(path.absolute())
            if not path.exists():
                continue
            if any(read is not None and read.exists() and path.samefile(read) for read in inputs):
                raise ConfigError(
                    f"`{key}` {str(path)!r} is an input of this command. Name another file."
                )
            if path.name in listed_sums(path.parent):
                raise ConfigError(
                    f"`{key}` {str(path)!r} belongs to a run directory. Name a file outside it."
                )
            if not overwrite:
                raise ConfigError(
                    f"`{key}` {str(path)!r} exists. Name another, or add --overwrite to replace it."
                )


def listed_sums(folder: Path) -> set[str]:
    """Gives the files that a run directory lists as its own; none where it is no run directory."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return set()
    return {SUMS, *(line[66:] for line in lines)}  # 64 digits, two blanks, the name


def check_folder(folder: Path, key: str) -> None:
    """Checks that a folder, or the nearest one above it that exists, can be written to.

    Raises:
        ConfigError: Names the key and the folder.
    """
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    if not existing.is_dir():
        raise ConfigError(f"`{key}` lies below {str(existing)!r}, which is a file. Name another.")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ConfigError(f"`{key}`: folder {str(existing)!r} cannot be written to. Name another.")


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Gives a sibling to write to, which takes the final name once the context ends well.

    Args:
        path: The final name; missing folders are made, and a link keeps pointing where it does.

    Yields:
        The path to write to, with the same ending.

    Raises:
        OutputError: If the disk is full or the folder is read-only; what stood there still does.
    """
    path = path.resolve() if path.is_symlink() else path
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        partial = path.with_name(f"{_hidden(path)}{os.getpid()}{path.suffix}")
        try:
            yield partial
            to_disk(partial)
            partial.replace(path)
        finally:
            with suppress(OSError):  # a read-only folder does not even look for it
                partial.unlink(missing_ok=True)


@contextmanager
def explained(path: Path, remedy: str = "") -> Iterator[None]:
    """Names what could not be written where a disk is full or a folder is read-only.

    Args:
        path: What is being written.
        remedy: What to do once there is space, if more than to try again.

    Raises:
        OutputError: In place of the system's error, which names neither the file nor the remedy.
    """
    try:
        yield
    except AdmetError:
        raise
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        raise OutputError(
            f"{str(path)!r} cannot be written: {os.strerror(error.errno)}. Free space there, or "
            f"name a folder on another disk{remedy}."
        ) from error


def sha256_of(path: Path) -> str:
    """Gives the SHA-256 of a file's content, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def to_disk(path: Path) -> None:
    """Waits until a file is on the disk, so that it survives a loss of power under its new name."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _hidden(path: Path) -> str:
    """Gives the prefix that the names of a file's partial files on this host share."""
    stem = path.stem
    if len(os.fsencode(path.name)) > _LONG_NAME:  # the rest must fit, too
        stem = hashlib.sha256(os.fsencode(stem)).hexdigest()[:_SEAL]
    return f".{stem}.part-{_HOST}-"


def _sweep(path: Path) -> None:
    """Removes partial files of the same file that a killed process of this host left behind."""
    for left in path.parent.glob(f"{glob.escape(_hidden(path))}*{path.suffix}"):
        pid = left.name.removesuffix(path.suffix).rpartition("-")[2]
        if pid.isdigit() and int(pid) != os.getpid() and not _alive(int(pid)):
            with suppress(OSError):
                left.unlink()


def _alive(pid: int) -> bool:
    if os.name == "nt":  # there, signal 0 is Ctrl-C
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def write_sealed(path: Path, content: bytes) -> None:
    """Writes a file with the SHA-256 of its name and content before the content.

    Args:
        path: The file; it is replaced at once.
        content: What it holds.
    """
    with atomic(path) as partial:
        partial.write_bytes(_digest(path, content) + content)


def read_sealed(path: Path) -> bytes | None:
    """Reads what `write_sealed` wrote.

    Args:
        path: The file.

    Returns:
        The content; None where the seal does not fit, or the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError:
        return None
    seal, rest = content[:_SEAL], content[_SEAL:]
    return rest if _digest(path, rest) == seal else None


def _digest(path: Path, content: bytes) -> bytes:
    """Sums up a file with its name, so that one file cannot stand in for another."""
    return hashlib.sha256(path.stem.encode() + content).digest()


def free_name(name: str, taken: Collection[str]) -> str:
    """Appends underscores to a column name until no other column has it."""
    while name in taken:
        name += "_"
    return name
