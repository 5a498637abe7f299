"""SHA-256 sums of a run directory's files, in the format of `sha256sum`."""

import re
from pathlib import Path

from admet.errors import RunDirectoryError
from admet.files import sha256_of, to_disk
from admet.run_directory.layout import COPY_AGAIN, Files

_LINE = re.compile(r"([0-9a-f]{64})  ([^/\\\n]+)")


def write_checksums(run_dir: Path) -> None:
    """Sums up every file that is there; `sha256sum --check SHA256SUMS` can check them."""
    files = sorted(p for p in run_dir.iterdir() if p.is_file() and p.name != Files.CHECKSUMS)
    lines = [f"{sha256_of(path)}  {path.name}\n" for path in files]
    (run_dir / Files.CHECKSUMS).write_text("".join(lines), encoding="utf-8")
    for path in (*files, run_dir / Files.CHECKSUMS):
        to_disk(path)


def verify_checksums(run_dir: Path) -> None:
    """Checks every file that is listed; other files are ignored.

    Args:
        run_dir: The run directory.

    Raises:
        RunDirectoryError: If the list is missing or damaged, or a file is missing or was changed.
    """
    path = run_dir / Files.CHECKSUMS
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RunDirectoryError(
            f"Run directory {str(run_dir)!r} has no {Files.CHECKSUMS}. Copy the whole folder."
        ) from None
    except (OSError, ValueError) as error:
        raise RunDirectoryError(f"{str(path)!r} cannot be read: {error}. {COPY_AGAIN}") from None
    listed: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise RunDirectoryError(f"{str(path)!r} is damaged in line {number}. {COPY_AGAIN}")
        listed[match[2]] = match[1]
    for needed in (Files.MODEL, Files.WEIGHTS, Files.SPLIT):
        if needed not in listed:
            raise RunDirectoryError(
                f"{str(path)!r} is damaged: it does not list {needed}. {COPY_AGAIN}"
            )
    for name, expected in listed.items():
        try:
            found = sha256_of(run_dir / name)
        except FileNotFoundError:
            raise RunDirectoryError(
                f"Run directory {str(run_dir)!r} has no {name}, which {Files.CHECKSUMS} lists. "
                "Copy the whole folder."
            ) from None
        except OSError as error:
            raise RunDirectoryError(
                f"{str(run_dir / name)!r} cannot be read: {error}. {COPY_AGAIN}"
            ) from None
        if found != expected:
            raise RunDirectoryError(
                f"{str(run_dir / name)!r} is damaged or was changed: its SHA-256 is not the one in "
                f"{Files.CHECKSUMS}. Restore it from a copy, or train again."
            )
