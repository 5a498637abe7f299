"""The notebook in `examples` runs as it stands, and shows tables, pictures and one line a bar."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

PATH = Path(__file__).parents[2] / "examples" / "from_table_to_verdict.ipynb"
RUN = """
import sys
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
nbformat.write(notebook, "executed.ipynb")
"""
pytestmark = [pytest.mark.slow, pytest.mark.docs]


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The notebook with its outputs; a process of its own, for the sockets that a kernel leaves."""
    folder = tmp_path_factory.mktemp("notebook")
    words = [sys.executable, "-c", RUN, str(PATH)]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return nbformat.read(folder / "executed.ipynb", as_version=4)


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_it_is_stored_without_outputs():
    notebook = nbformat.read(PATH, as_version=4)
    nbformat.validate(notebook)
    assert not outputs(notebook)
    assert all(cell.get("execution_count") is None for cell in notebook.cells)


def test_every_result_shows_itself(executed):
    said = {}
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            if output["output_type"] == "execute_result":
                said[cell["source"].splitlines()[-1]] = set(output["data"])
    for name in ("affinity", "groups", "evaluation", "study", "study.verdicts[0]"):
        assert "text/html" in said[name], name
    for name in ("affinity.plot()", "groups.plot()", "evaluation.plot()", "study.plot()"):
        assert "image/png" in said[name], name


def test_progress_is_one_line_that_was_replaced(executed):
    bars = [
        o["data"]["text/plain"] for o in outputs(executed) if o["output_type"] == "display_data"
    ]
    for name in ("Training ", "Fits "):
        assert any(text.startswith(name) for text in bars), name
    assert all("\n" not in text for text in bars)
    assert len(bars) <= 6
    streams = [o["text"] for o in outputs(executed) if o["output_type"] == "stream"]
    assert sum(len(text.splitlines()) for text in streams) < 60
    assert not any("\r" in text or "\x1b" in text for text in streams)
