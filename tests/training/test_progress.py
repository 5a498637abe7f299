"""Progress is shown where somebody watches, and nowhere else."""

import sys
from types import SimpleNamespace

from lightning.pytorch.callbacks import RichProgressBar

from admet.progress import Work, in_notebook
from admet.training.progress import NotebookBar, progress_bar


def in_a(monkeypatch, *, kernel, terminal):
    """Lets the code believe that it runs in a notebook's kernel, or at a terminal."""
    shell = SimpleNamespace(config={"IPKernelApp": {}} if kernel else {})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: terminal))


def test_a_notebook_has_a_bar_of_its_own(monkeypatch):
    in_a(monkeypatch, kernel=True, terminal=False)
    assert in_notebook()
    assert isinstance(progress_bar(), NotebookBar)


def test_a_terminal_has_a_bar_and_a_file_has_none(monkeypatch):
    in_a(monkeypatch, kernel=False, terminal=True)
    assert not in_notebook()
    assert isinstance(progress_bar(), RichProgressBar)
    in_a(monkeypatch, kernel=False, terminal=False)
    assert progress_bar() is None


def test_without_ipython_there_is_no_notebook(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not in_notebook()


def test_the_time_that_is_left_goes_by_each_kind_of_part(monkeypatch):
    clock = iter([0.0, 0.0, 1.0, 3.0, 4.0])
    monkeypatch.setattr("admet.progress.time.perf_counter", lambda: next(clock))
    with Work("Affinity", {"training": 2, "look": 3}) as work:
        assert work.left == ""
        work.done("training")
        assert work.left == ""  # how long a look takes is not known
        work.done("look")
        assert work.left == "about 5 s left"  # one training of 1 s, two looks of 2 s
        work.done("training")
        assert work.left == "about 4 s left"


def test_long_work_leaves_a_line_now_and_then_and_short_work_none(monkeypatch, caplog):
    caplog.set_level("INFO")
    now = [0.0]
    monkeypatch.setattr("admet.progress.time.perf_counter", lambda: now[0])
    with Work("Affinity", {"step": 100}) as work:
        for _ in range(100):
            now[0] += 0.5
            work.done("step")
    assert caplog.messages == [
        f"Affinity: {n} %, about {50 - n // 2} s left" for n in (20, 40, 60, 80)
    ]
    caplog.clear()
    with Work("Affinity", {"step": 3}) as work:
        work.done("step")
    assert caplog.messages == []


def test_a_notebook_has_one_line_that_is_replaced(monkeypatch):
    in_a(monkeypatch, kernel=True, terminal=False)
    shown = []
    handle = SimpleNamespace(update=lambda content, raw: shown.append(content["text/plain"]))

    def display(content, *, raw, display_id):
        shown.append(content["text/plain"])
        return handle

    monkeypatch.setattr(
        sys.modules["IPython"], "display", SimpleNamespace(display=display), raising=False
    )
    with Work("Affinity", {"step": 1000}) as work:
        for _ in range(1000):
            work.done("step")
    assert len(shown) < 20
    assert shown[-1].startswith("Affinity " + "█" * 20)


def test_muted_work_draws_nothing(monkeypatch, caplog):
    in_a(monkeypatch, kernel=False, terminal=True)
    caplog.set_level("ERROR", logger="admet")
    with Work("Affinity", {"step": 2}) as work:
        assert work._bar is None
        work.done("step")
