"""Folders of studies and trainings that need no training, and a browser."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from admet.config.study import StudyRun
from admet.data import Panel, Split
from admet.data.demo import make_demo_panel
from admet.data.labels import Labels, Task
from admet.data.transforms import Log10
from admet.kinds import BINARY, REGRESSION
from admet.study import Study
from admet.study.arms import Outcome
from admet.study.doubt import StudyDoubt
from admet.study.jobs import Fit, FitStore, Job
from admet.study.outputs import FITS, SCHEMA_VERSION, STUDY, write_tables

HOSTILE = "<script>alert(1)</script>"
NAMES = (HOSTILE, "log10_rat_hepatocyte_CLint_uL_min_1e6_x", "hERG", 'a"b\'c & $d$ "=SUM(A1)"')


ARMS = ("single_task", "multi_task", "task_affinity")


def write_study(folder: Path, names=NAMES, n=80, folds=3, present=0.8, arms=ARMS) -> Study:
    """Writes the folder of a study whose arms err more, the later they are named."""
    rng = np.random.default_rng(0)
    shape = (n, len(names))
    truth = rng.normal(size=shape)
    given = truth.copy()
    tasks = []
    for i, name in enumerate(names):
        if name == "hERG":
            given[:, i] = truth[:, i] > 0
            tasks.append(Task(name, BINARY))
        elif name.startswith("log10_"):
            given[:, i] = 10 ** truth[:, i]
            tasks.append(Task(name, REGRESSION, unit="µL/min", transform=Log10()))
        else:
            tasks.append(Task(name, REGRESSION))
    labels = np.where(rng.random(shape) < present, given, np.nan)
    limits = np.zeros(shape, np.int8)
    limits[:5, 0] = 1
    smiles = make_demo_panel(max(n, 50), missing=0, seed=3)["SMILES"].to_numpy(object)[:n]
    panel = Panel(smiles, Labels(labels, limits), tuple(tasks), np.arange(2, n + 2))
    parts = np.array_split(np.arange(n), folds)
    splits = [[Split(np.setdiff1d(np.arange(n), part), part[:0], part) for part in parts]]
    groups = [[list(names[: len(names) // 2]), list(names[len(names) // 2 :])], [list(names)]]
    fits = []
    for place, arm in enumerate(arms):
        guess = truth + rng.normal(0, 0.3 + 0.2 * place, shape)
        for i, task in enumerate(tasks):
            if task.kind is BINARY:
                guess[:, i] = 1 / (1 + np.exp(-3 * guess[:, i]))
            elif task.name.startswith("log10_"):
                guess[:, i] = 10 ** guess[:, i]
        for fold, part in enumerate(parts):
            fits.append(Fit(Job(arm, 0, fold, 0), Outcome(guess[part], groups[fold > 0]), 1.0))
    config = StudyRun(data_path="t.csv", save_dir=folder, study={"arms": arms, "folds": folds})
    study = Study(config, panel, splits, tuple(fits), {"kernel": f"no {HOSTILE}"}, folder)
    folder.mkdir(parents=True)
    for fit in fits:
        FitStore(folder / FITS).write(fit)
    about = json.dumps({"schema_version": SCHEMA_VERSION, "config": {}})
    (folder / STUDY).write_text(about, encoding="utf-8")
    write_tables(study, StudyDoubt.of(study))
    return study


@pytest.fixture(scope="session", name="write_study")
def write_study_fixture():
    return write_study


@pytest.fixture(scope="session")
def hostile_study(tmp_path_factory) -> Path:
    """A study of endpoints with names that try to be something else."""
    folder = tmp_path_factory.mktemp("hostile") / "study"
    write_study(folder)
    return folder


@pytest.fixture(scope="session")
def browse(tmp_path_factory):
    """Opens a page in headless Chromium, does something there, gives what it says and the log."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if program is None:
        pytest.skip("no Chromium here; `apt-get install chromium` brings it")

    def opened(page: Path, width: int, script: str = "return ''") -> tuple[str, str]:
        folder = tmp_path_factory.mktemp("browser")
        frame = folder / "frame.html"  # a frame can be narrower than any window
        frame.write_text(
            f"<!DOCTYPE html><meta charset='utf-8'><iframe id='f' src='{page.as_uri()}' "
            f"style='border:0;width:{width}px;height:900px'></iframe><pre id='said'></pre>"
            "<script>onload = async () => { const frame = document.getElementById('f'), "
            "view = frame.contentWindow, page = frame.contentDocument; "
            "const said = document.getElementById('said'); "
            f"try {{ said.textContent = 'said:' + await (async () => {{ {script} }})(); }} "
            "catch (fault) { said.textContent = 'fault:' + fault; } };</script>",
            encoding="utf-8",
        )
        words = [
            program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--no-first-run", "--allow-file-access-from-files", "--enable-logging=stderr",
            f"--user-data-dir={folder / 'profile'}", f"--window-size={max(width, 500)},950",
            "--virtual-time-budget=900000", "--timeout=60000", "--dump-dom", frame.as_uri(),
        ]  # fmt: skip
        for _ in range(3):  # a busy machine may write the page down before its script has ended
            done = subprocess.run(words, capture_output=True, text=True, timeout=180, check=False)
            _, _, said = done.stdout.partition('<pre id="said">')
            said = said.partition("</pre>")[0]
            if said:
                break
        console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        return said, "\n".join(console)

    return opened
