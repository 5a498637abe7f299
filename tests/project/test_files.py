"""Output files: whole or not at all, and one clear line where the disk does not take them."""

import errno
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from admet.cli.__main__ import main
from admet.errors import ConfigError, DataError, OutputError, RunDirectoryError
from admet.files import atomic, check_output, check_replaces_nothing, explained
from admet.run_directory import Files, RunDirectoryWriter
from admet.training.outputs import _LogFile

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


def test_no_command_replaces_what_it_reads(trained, tmp_path, capsys):
    panel = tmp_path / "panel.csv"
    shutil.copyfile(trained.parent / "panel.csv", panel)
    before, model = panel.read_bytes(), ["--model-dir", str(trained), "--data-path", str(panel)]
    for words in (
        ["predict", *model, "--output", str(panel), "--overwrite"],
        ["evaluate", *model, "--output", str(panel)],
        ["compute_task_affinity", "--data-path", str(panel), "--target-columns", "LogD", "KSOL",
         "--n-groups", "2", "--save-path", str(panel.with_suffix(".npz"))],
    ):  # fmt: skip
        assert main(words) == 2, words
    said = capsys.readouterr().err
    assert said.count("is an input of this command. Name another file.") == 2
    assert "would replace" in said
    assert panel.read_bytes() == before


def test_no_command_writes_into_a_model(trained, tmp_path, capsys):
    metrics, panel = trained / Files.METRICS, trained.parent / "panel.csv"
    before = metrics.read_bytes()
    words = ["evaluate", "--model-dir", str(trained), "--data-path", str(panel)]
    assert main([*words, "--output", str(metrics)]) == 2
    assert "belongs to a run directory. Name a file outside it." in capsys.readouterr().err
    assert metrics.read_bytes() == before


def test_a_file_is_not_written_twice(tmp_path):
    with pytest.raises(ConfigError, match="`b` .*x.png' would be written twice"):
        check_replaces_nothing({"a": [tmp_path / "x.png"], "b": [tmp_path / "x.png"]})


def test_the_longest_name_works_and_a_longer_one_is_refused(tmp_path):
    longest = tmp_path / f"{'x' * 251}.csv"
    check_output(longest, "output")
    with atomic(longest) as partial:
        partial.write_text("a")
    assert longest.read_text() == "a"
    with pytest.raises(ConfigError, match="has a name of more than 255 bytes"):
        check_output(tmp_path / f"{'x' * 252}.csv", "output")
    for name in ("x" * 250, "/"):
        with pytest.raises(RunDirectoryError, match="has a name of more than|has no name"):
            RunDirectoryWriter(tmp_path / name)


def test_memory_that_runs_out_is_one_line(tmp_path, monkeypatch, capsys):
    def gone(*_):
        raise MemoryError("Unable to allocate 7.28 TiB")

    monkeypatch.setattr("admet.data.demo.make_demo_panel", gone)
    assert main(["make_demo_panel", "--output", str(tmp_path / "x.csv")]) == 2
    assert "error: the memory does not hold this: Unable" in capsys.readouterr().err
