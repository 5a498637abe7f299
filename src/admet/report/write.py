"""From a folder to its report."""

import logging
from pathlib import Path

from admet.errors import RunDirectoryError
from admet.files import REPORT, atomic, check_output, check_replaces_nothing
from admet.report.content import Page
from admet.report.pages import run_page, study_page
from admet.report.render import render
from admet.report.run_record import RunRecord
from admet.report.study_record import StudyRecord
from admet.run_directory import Files
from admet.study.outputs import STUDY

log = logging.getLogger(__name__)


def page_of(source: str | Path) -> Page:
    """Reads what a training or a study left behind, as a page.

    Args:
        source: A run directory, or the folder of a study.

    Raises:
        RunDirectoryError: If it is neither, damaged, half-written, or of a later version.
        ConfigError: If a package that the model needs is missing.
    """
    folder = Path(source)
    if not folder.is_dir():
        raise RunDirectoryError(
            f"{str(folder)!r} is not there, or no folder. Name a folder that `admet train` or "
            "`admet study` wrote."
        )
    if (folder / STUDY).exists():
        return study_page(StudyRecord.read(folder))
    if not (folder / Files.MODEL).exists():
        unfinished = folder.with_name(f".{folder.name}.part").is_dir()
        raise RunDirectoryError(
            f"{str(folder)!r} holds no finished training or study: it has neither {Files.MODEL} "
            f"nor {STUDY}. "
            + (
                "A training for it has not ended; wait for it, or go on with --resume."
                if unfinished
                else "Name a folder that `admet train` or `admet study` wrote."
            )
        )
    return run_page(RunRecord.read(folder))


def write_report(
    source: str | Path, output: str | Path | None = None, *, overwrite: bool = False
) -> Path:
    """Writes the report of a training or a study: one HTML file that loads nothing.

    Args:
        source: A run directory, or the folder of a study.
        output: The file; None is `report.html` in that folder, which replaces an earlier one.
        overwrite: Whether a file that is there may be replaced.

    Returns:
        The file.

    Raises:
        RunDirectoryError: As by `page_of`.
        ConfigError: If the file cannot be written, or is there.
        OutputError: If the disk is full or the folder is read-only.
    """
    folder = Path(source)
    path = folder / REPORT if output is None else Path(output)
    own = path.absolute() == (folder / REPORT).absolute()
    if folder.is_dir():  # otherwise its own error says more
        check_output(path, "output", {".html", ".htm"})
        check_replaces_nothing({"output": [path]}, overwrite=overwrite or own)
    text = render(page_of(folder))
    with atomic(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return path


def offer_report(folder: Path) -> Path | None:
    """Writes the report of what has just been finished; a fault of it is said, and no more.

    Args:
        folder: The run directory or study, which is complete without it.

    Returns:
        The file; None where it could not be written.
    """
    try:
        return write_report(folder)
    except Exception as error:  # the hours before must not end as a failure
        log.warning(
            "The report could not be written: %s: %s. All else is complete; `admet report %s` "
            "makes it",
            type(error).__name__,
            str(error).rstrip("."),
            folder,
        )
        return None
