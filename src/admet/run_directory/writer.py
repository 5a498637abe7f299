"""Writes a run directory so that it appears whole or not at all."""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from admet.errors import RunDirectoryError
from admet.files import atomic, check_folder
from admet.run_directory.layout import Files


def write_json(path: Path, content: Any) -> None:
    """Writes JSON readable by a person; a number that is not finite is an error, not a `NaN`."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    with atomic(path) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


class RunDirectoryWriter:
    """A context in which files are written to a hidden sibling that then takes the final name.

    On an exception the sibling is removed and what stood under the final name is untouched.
    """

    def __init__(self, final: Path, *, overwrite: bool = False) -> None:
        """Checks that the final name is free.

        Args:
            final: The run directory to be.
            overwrite: Whether a run directory that is there may be replaced.

        Raises:
            RunDirectoryError: If something is there that must not be replaced.
        """
        self.final = final.resolve()  # a link keeps pointing to the folder that is replaced
        self.path = self.final.with_name(f".{self.final.name}.part-{os.getpid()}")
        self._made: list[Path] = []
        self._check(overwrite)

    def _check(self, overwrite: bool) -> None:
        final = self.final
        check_folder(final.parent, "save_dir")
        if final.exists() and not final.is_dir():
            raise RunDirectoryError(f"`save_dir` {str(final)!r} is a file. Name another folder.")
        if not final.is_dir() or not any(final.iterdir()):
            return
        if not overwrite:
            raise RunDirectoryError(
                f"`save_dir` {str(final)!r} exists and is not empty. Name another folder, or add "
                "--overwrite to replace it."
            )
        if not (final / Files.RUN).exists():
            raise RunDirectoryError(
                f"`save_dir` {str(final)!r} is not a run directory (it has no {Files.RUN}), so "
                "--overwrite will not delete it. Name another folder."
            )

    def __enter__(self) -> Self:
        self._made = [p for p in self.path.parents if not p.exists()]
        self.path.mkdir(parents=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            for folder in self._made:  # innermost first; each is empty unless others use it
                with suppress(OSError):
                    folder.rmdir()
            return
        old = self.final.with_name(f".{self.final.name}.old-{os.getpid()}")
        replaced = self.final.exists()
        if replaced:
            self.final.rename(old)
        self.path.rename(self.final)
        if replaced:
            shutil.rmtree(old)
