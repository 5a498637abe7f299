"""Output files: whole or not at all, and one clear line where the disk does not take them."""

import errno
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from admet.cli.__main__ import main
from admet.errors import ConfigError, DataError, OutputError
from admet.files import atomic, check_output, explained
from admet.run_directory import Files, RunDirectoryWriter
from admet.training.pipeline import _LogFile

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="the system has no /dev/full")


@pytest.fixture
def full_disk(monkeypatch):
    """Lets every file be refused when it is to reach the disk."""

    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)


def test_a_full_disk_leaves_what_was_there(tmp_path, full_disk):
    path = tmp_path / "out.csv"
    path.write_text("before")
    with (
        pytest.raises(OutputError, match=r"out\.csv' cannot be written: No space left") as caught,
        atomic(path) as partial,
    ):
        partial.write_text("after")
    assert "Free space there, or name a folder on another disk." in str(caught.value)
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def test_other_faults_are_not_taken_for_a_full_disk(tmp_path):
    with pytest.raises(PermissionError), explained(tmp_path):
        raise PermissionError(errno.EACCES, "x")


def test_a_full_disk_is_one_line_of_a_command(tmp_path, full_disk, capsys):
    path = tmp_path / "panel.csv"
    assert main(["make_demo_panel", "--output", str(path), "--n-molecules", "50"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith(f"error: {str(path)!r} cannot be written: No space left on device.")
    assert not list(tmp_path.iterdir())


def test_a_run_directory_on_a_full_disk_can_be_resumed(tmp_path, full_disk):
    writer = RunDirectoryWriter(tmp_path / "run").__enter__()
    writer.checkpoints.mkdir()
    (writer.checkpoints / Files.STATE).write_bytes(b"x")
    with pytest.raises(OutputError, match="another disk, then add --resume"):
        writer.__exit__(None, None, None)
    assert not (tmp_path / "run").exists()
    assert (tmp_path / ".run.part" / Files.CHECKPOINTS / Files.STATE).exists()


@needs_full
def test_a_log_that_cannot_be_written_stops_the_run(capsys):
    handler = _LogFile(FULL, encoding="utf-8")
    record = logging.LogRecord("admet", logging.INFO, "", 0, "hello", None, None)
    with pytest.raises(OSError, match="No space left"):
        handler.emit(record)
    with pytest.raises(OSError, match="No space left"):
        handler.close()  # tries again
    assert not capsys.readouterr().err


@needs_full
def test_a_full_disk_behind_the_output_is_reported(tmp_path):
    words = [sys.executable, "-m", "admet.cli", "make_demo_panel", "--n-molecules", "50"]
    with FULL.open("w") as full:
        done = subprocess.run(
            [*words, "--output", str(tmp_path / "panel.csv")],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "error: [Errno 28] No space left on device"


def test_a_link_keeps_pointing_where_it_does(tmp_path):
    (tmp_path / "real").mkdir()
    link, real = tmp_path / "link.csv", tmp_path / "real" / "table.csv"
    real.write_text("before")
    link.symlink_to(real)
    with atomic(link) as partial:
        partial.write_text("after")
    assert link.is_symlink()
    assert real.read_text() == "after"


@pytest.mark.skipif(os.name == "nt", reason="pipes of Unix")
def test_devices_and_pipes_are_neither_replaced_nor_read(tmp_path, capsys):
    with pytest.raises(ConfigError, match="'/dev/null' is a pipe or a device. Name a file."):
        check_output(Path("/dev/null"), "output")
    pipe = tmp_path / "table.csv"
    os.mkfifo(pipe)
    from admet.data import read_table

    with pytest.raises(DataError, match="is a pipe or a device. Write the table to a file first"):
        read_table(pipe)
