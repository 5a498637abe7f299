"""Kills commands at random moments and looks at what is left.

`train` is killed again and again, resumed, and at last left to finish. At every kill the final name
must hold what stood there before, or the whole new run. Before, there was nothing, or in every
second training an older run that is being replaced. In the end it must hold the same weights, bit
for bit, as a run that was never stopped. The same holds for `study`, its tables and its model.
`compute_task_affinity` and `predict` must leave nothing, or the whole file, under the final name.

Usage: python faults/kills.py [kills of train] [kills of each other command] [seed]
Writes faults/results/kills.json, in which `train` stays as it was where no kills of it are asked
for, and prints a summary; ends with 1 where anything was lost.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from admet.data.demo import make_demo_panel
from admet.run_directory import Files, load_model

RESULTS = Path(os.environ.get("ADMET_FAULTS", Path(__file__).parent / "results"))
ADMET = Path(sys.executable).parent / "admet"
TRAIN = [
    "train", "--data.target-columns", "LogD", "KSOL", "PAMPA", "--data.split-type", "random",
    "--model.message-passing.hidden-size", "32", "--model.message-passing.dropout", "0.1",
    "--task-affinity.enabled", "true", "--task-affinity.n-groups", "2",
    "--training.epochs", "25", "--training.threads", "1",
]  # fmt: skip


STUDY = [
    "study", "--data.target-columns", "LogD", "KSOL", "PAMPA",
    "--model.message-passing.hidden-size", "32", "--training.epochs", "2",
    "--study.arms", "single_task", "task_affinity", "frozen_mlp", "kernel",
    "--study.inputs", "rdkit", "--study.folds", "3", "--study.frozen-mlp.epochs", "5",
]  # fmt: skip


def run(words: list[str], kill_after: float | None = None) -> tuple[bool, float]:
    """Runs a command, or kills it and all it started; whether it was killed, and its seconds."""
    started = time.perf_counter()
    child = subprocess.Popen(
        [str(ADMET), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = child.communicate(timeout=kill_after)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        return True, time.perf_counter() - started
    if child.returncode:
        raise RuntimeError(f"{words} ended with {child.returncode}:\n{said[-2000:]}")
    return False, time.perf_counter() - started


def left_by_train(run_dir: Path, older: dict[str, bytes] | None, weights: bytes) -> str:
    """Says what stands under the final name; raises where it is none of what may stand there."""
    if older is not None and run_dir.exists() and contents(run_dir) == older:
        return "older run"
    if older is None and not run_dir.exists():
        return "nothing"
    load_model(run_dir)
    if (run_dir / Files.WEIGHTS).read_bytes() != weights:
        raise ValueError("neither the older run nor the new one stands there")
    return "whole"


def contents(run_dir: Path) -> dict[str, bytes]:
    """Reads all files of a folder."""
    return {p.name: p.read_bytes() for p in run_dir.iterdir() if p.is_file()}


def go_on(run_dir: Path, replaces: bool) -> list[str]:
    """Gives the words that go on with a training, or begin it where it kept nothing."""
    state = run_dir.with_name(f".{run_dir.name}.part") / Files.CHECKPOINTS / Files.STATE
    begins = replaces and not state.exists()
    return ["--save-dir", str(run_dir), "--overwrite" if begins else "--resume", "true"]


def train_kills(folder: Path, n_kills: int, rng: random.Random) -> dict[str, Any]:
    """Kills and resumes trainings until there were so many kills."""
    data = folder / "panel.csv"
    make_demo_panel(500).to_csv(data, index=False)
    words = [*TRAIN, "--data-path", str(data)]
    _, seconds = run([*words, "--save-dir", str(folder / "whole")])
    weights = (folder / "whole" / Files.WEIGHTS).read_bytes()
    run([*words, "--save-dir", str(folder / "older"), "--seed", "1", "--training.epochs", "2"])
    kills = survived = resumed = same = 0
    left: dict[str, int] = {}
    faults: list[str] = []
    while kills < n_kills:
        run_dir = folder / f"run_{resumed}"
        killed_before = False
        replaces = resumed % 2 == 1
        older = None
        if replaces:
            shutil.copytree(folder / "older", run_dir, dirs_exist_ok=True)
            older = contents(run_dir)
        for _ in range(rng.randint(1, 8)):
            try:
                killed, _ = run(
                    [*words, *go_on(run_dir, replaces)],
                    rng.uniform(0.05, 1.05) * seconds,
                )
            except RuntimeError as error:
                faults.append(str(error))
                break
            if not killed:
                break
            killed_before = True
            kills += 1
            try:
                state = left_by_train(run_dir, older, weights)
                left[state] = left.get(state, 0) + 1
                survived += 1
            except Exception as error:
                faults.append(f"after a kill: {error}")
        if not killed_before:
            shutil.rmtree(run_dir)
            continue
        try:
            whole = left_by_train(run_dir, older, weights) == "whole"
            run([*words, *go_on(run_dir, replaces and not whole)])
            same += (run_dir / Files.WEIGHTS).read_bytes() == weights
        except (RuntimeError, OSError) as error:
            faults.append(f"while resuming: {error}")
        resumed += 1
        print(
            f"train: {kills} kills, {survived} survived; {same} of {resumed} the same", flush=True
        )
    debris = [p.name for p in folder.iterdir() if p.name.startswith(".")]
    return {
        "kills": kills,
        "survived": survived,
        "left": left,
        "resumed": resumed,
        "bit_identical": same,
        "seconds_of_a_run": seconds,
        "left_behind": debris,
        "faults": faults,
    }


def file_kills(
    name: str, words: list[str], output: Path, n_kills: int, rng: random.Random
) -> dict[str, Any]:
    """Kills a command that writes a file; the file must be absent or what it should be."""
    _, seconds = run(words)
    expected = output.read_bytes()
    output.unlink()
    kills = survived = 0
    left: dict[str, int] = {}
    while kills < n_kills:
        killed, _ = run(words, rng.uniform(0.3, 1.05) * seconds)
        kills += killed
        found = output.read_bytes() if output.exists() else None
        survived += killed and found in (None, expected)
        state = "nothing" if found is None else "whole" if found == expected else "damaged"
        left[state] = left.get(state, 0) + 1
        output.unlink(missing_ok=True)
    print(f"{name}: {survived} of {kills} survived", flush=True)
    return {"kills": kills, "survived": survived, "left": left}


def study_kills(folder: Path, n_kills: int, rng: random.Random) -> dict[str, Any]:
    """Kills studies, several times each, and lets them go on until they are finished.

    In the end every table and the model must hold the bytes of a study that was never stopped.
    """
    words = [*STUDY, "--data-path", str(folder / "panel.csv"), "--save-dir"]
    _, seconds = run([*words, str(folder / "study")])
    expected = study_contents(folder / "study")
    kills = studies = same = 0
    while kills < n_kills:
        save_dir = folder / f"study_{studies}"
        for _ in range(rng.randint(1, 8)):
            killed, _ = run([*words, str(save_dir)], rng.uniform(0.3, 1.05) * seconds)
            kills += killed
            if not killed:
                break
        run([*words, str(save_dir)])
        same += study_contents(save_dir) == expected
        studies += 1
        print(f"study: {kills} kills; {same} of {studies} the same", flush=True)
    return {"kills": kills, "survived": kills, "studies": studies, "same_bytes": same}


def study_contents(folder: Path) -> dict[str, bytes]:
    """Reads what must not depend on how often a study was stopped."""
    names = ["results.csv", "verdict.csv", "study.json"]
    paths = [folder / name for name in names]
    paths += [folder / "model" / name for name in (Files.MODEL, Files.WEIGHTS)]
    return {path.name: path.read_bytes() for path in paths}


def main() -> int:
    """Kills, prints and writes."""
    n_train = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    n_other = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        found = {"train": train_kills(folder, n_train, rng)}
        data = str(folder / "panel.csv")
        prediction, affinity = folder / "predictions.csv", folder / "affinity.npz"
        found["predict"] = file_kills(
            "predict",
            ["predict", "--model-dir", str(folder / "whole"), "--data-path", data, "--output",
             str(prediction)],
            prediction, n_other, rng,
        )  # fmt: skip
        found["compute_task_affinity"] = file_kills(
            "compute_task_affinity",
            ["compute_task_affinity", "--data-path", data, "--target-columns", "LogD", "KSOL",
             "PAMPA", "--n-groups", "2", "--save-path", str(affinity)],
            affinity, n_other, rng,
        )  # fmt: skip
        found["study"] = study_kills(folder, n_other, rng)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "kills.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    new = {name: part for name, part in found.items() if part["kills"]}
    path.write_text(json.dumps({**kept, **new}, indent=1) + "\n", encoding="utf-8")
    train = found["train"]
    total = sum(part["kills"] for part in found.values())
    survived = sum(part["survived"] for part in found.values())
    print(f"{survived} of {total} kills survived; {train['bit_identical']} of {train['resumed']}")
    print("resumed runs had the weights of a run that was never stopped, bit for bit")
    print("\n".join(train["faults"]))
    study = found["study"]
    print(f"{study['same_bytes']} of {study['studies']} killed studies gave the same bytes")
    fine = (
        survived == total
        and study["same_bytes"] == study["studies"]
        and train["bit_identical"] == train["resumed"]
    )
    return 0 if fine and not train["faults"] and not train["left_behind"] else 1


if __name__ == "__main__":
    sys.exit(main())
