"""Progress is shown where somebody watches, and nowhere else."""

import sys
from types import SimpleNamespace

from lightning.pytorch.callbacks import RichProgressBar, TQDMProgressBar

from admet.training.progress import in_notebook, progress_bar


def in_a(monkeypatch, *, kernel, terminal):
    """Lets the code believe that it runs in a notebook's kernel, or at a terminal."""
    shell = SimpleNamespace(config={"IPKernelApp": {}} if kernel else {})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: terminal))


def test_a_notebook_has_a_bar_of_its_own(monkeypatch):
    in_a(monkeypatch, kernel=True, terminal=False)
    assert in_notebook()
    assert isinstance(progress_bar(), TQDMProgressBar)


def test_a_terminal_has_a_bar_and_a_file_has_none(monkeypatch):
    in_a(monkeypatch, kernel=False, terminal=True)
    assert not in_notebook()
    assert isinstance(progress_bar(), RichProgressBar)
    in_a(monkeypatch, kernel=False, terminal=False)
    assert progress_bar() is None


def test_without_ipython_there_is_no_notebook(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not in_notebook()
