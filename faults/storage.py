"""Takes the storage away: full disks, read-only folders, inputs that vanish, two runs at once.

Every command must then end with exit code 2 and one line that says what is wrong. What stood under
the final name must still stand there, byte for byte. Once there is space, a training must end with
the weights of a run that was never stopped.

The disk is a small one in memory, mounted in a namespace of its own. So this needs Linux with user
namespaces (`unshare`), but no special rights.

Usage: python faults/storage.py [full disks of train] [of each other command] [seed]
Writes faults/results/storage.json; ends with 1 where anything was lost, with 77 without namespaces.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from admet.data.demo import make_demo_panel
from admet.run_directory import Files, load_model

RESULTS = Path(os.environ.get("ADMET_FAULTS", Path(__file__).parent / "results"))
ADMET = Path(sys.executable).parent / "admet"
INSIDE = "ADMET_STORAGE_INSIDE"
TARGETS = ["LogD", "KSOL", "PAMPA"]
PAGE = 4096
DISK = 16 * 1024**2


@dataclass
class Lab:
    """The places of the experiment, and what went wrong so far."""

    folder: Path
    rng: random.Random
    faults: list[str] = field(default_factory=list)

    @property
    def disk(self) -> Path:
        """The small disk."""
        return self.folder / "disk"

    @property
    def data(self) -> Path:
        """The panel, on the large disk."""
        return self.folder / "panel.csv"

    @property
    def whole(self) -> Path:
        """A run that nothing happened to."""
        return self.folder / "whole"

    def fault(self, text: str) -> None:
        """Notes a fault."""
        print(text, flush=True)
        self.faults.append(text)


def run(*words: object, cache: Path | None = None) -> tuple[int, str]:
    """Runs a command; its exit code and what it said on the error stream."""
    environment = os.environ | ({} if cache is None else {"ADMET_CACHE_DIR": str(cache)})
    done = subprocess.run(
        [str(ADMET), *map(str, words)], capture_output=True, text=True, check=False, env=environment
    )
    return done.returncode, done.stderr


def train(lab: Lab, save_dir: Path, *more: str, epochs: int = 3) -> tuple[int, str]:
    """Trains a small model."""
    return run(
        "train", "--data-path", lab.data, "--save-dir", save_dir, "--data.target-columns", *TARGETS,
        "--data.split-type", "random", "--model.message-passing.hidden-size", 64,
        "--task-affinity.enabled", "true", "--task-affinity.n-groups", 2,
        "--training.epochs", epochs, "--training.threads", 1, *more,
    )  # fmt: skip


def one_line(code: int, said: str, *patterns: str) -> str | None:
    """Says how an ending differs from exit code 2 with one line that holds one of the patterns."""
    lines = [line for line in said.splitlines() if not line.startswith("warning: ")]
    errors = [line for line in lines if line.startswith("error: ")]
    if code != 2 or len(errors) != 1 or lines[-1] != errors[0]:
        return f"exit code {code}, {len(errors)} error lines: {said[-600:]}"
    if "Traceback" in said or "Logging error" in said:
        return f"a traceback: {said[-600:]}"
    if patterns and not any(pattern in errors[0] for pattern in patterns):
        return f"not one of {patterns}: {errors[0]}"
    return None


def contents(path: Path) -> dict[str, bytes]:
    """Reads a file, or every file of a folder."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return {str(p.relative_to(path)): p.read_bytes() for p in files}


def fill(disk: Path, free: int) -> None:
    """Fills the disk but for so many bytes."""
    state = os.statvfs(disk)
    size = max(state.f_bavail * state.f_frsize - free, 0)
    with (disk / "ballast").open("wb") as file:
        block = b"\1" * PAGE
        for _ in range(size // PAGE):
            file.write(block)


def full_disks_of_train(lab: Lab, n_trials: int) -> dict[str, int]:
    """Lets disks of random room run full while a training replaces an older run."""
    weights = (lab.whole / Files.WEIGHTS).read_bytes()
    older = lab.folder / "older"
    code, said = train(lab, older, epochs=1)
    if code:
        raise RuntimeError(said)
    before = contents(older)
    # The state of a training holds its weights four times, and two of them stand side by side.
    room = 10 * len(weights)
    count: Counter[str] = Counter()
    for _ in range(n_trials):
        shutil.copytree(older, lab.disk / "run")
        fill(lab.disk, lab.rng.randrange(room))
        code, said = train(lab, lab.disk / "run", "--overwrite", "true")
        (lab.disk / "ballast").unlink()
        count["tried"] += 1
        if code:
            count["refused"] += 1
            said_well = one_line(code, said, "No space left on device")
            if said_well:
                lab.fault(f"full disk, train: {said_well}")
            count["one_clear_line"] += said_well is None
            count["older_run_intact"] += contents(lab.disk / "run") == before
            go_on = "--resume" if (lab.disk / ".run.part").exists() else "--overwrite"
            count["resumable"] += go_on == "--resume"
            code, said = train(lab, lab.disk / "run", go_on, "true")
            if code:
                lab.fault(f"full disk, {go_on}: {said[-600:]}")
                continue
        load_model(lab.disk / "run")
        same = (lab.disk / "run" / Files.WEIGHTS).read_bytes() == weights
        count["in_the_end_bit_identical"] += same
        left = [p.name for p in lab.disk.iterdir() if p.name != "run"]
        if left:
            lab.fault(f"full disk, train: left behind {left}")
        shutil.rmtree(lab.disk / "run")
        print(f"train: {dict(count)}", flush=True)
    if count["older_run_intact"] != count["refused"] or count["one_clear_line"] != count["refused"]:
        lab.fault(f"full disk, train: {dict(count)}")
    if count["in_the_end_bit_identical"] != count["tried"]:
        lab.fault(f"full disk, train: {dict(count)}")
    return dict(count)


def commands(lab: Lab, folder: Path) -> dict[str, tuple[list[object], Path]]:
    """Gives the other commands with the file that each writes."""
    out = folder / "out"
    evaluated = lab.folder / "evaluated.json"
    return {
        "predict": (
            ["predict", "--model-dir", lab.whole, "--data-path", lab.data, "--overwrite",
             "--output", out.with_suffix(".csv")],
            out.with_suffix(".csv"),
        ),
        "compute_task_affinity": (
            ["compute_task_affinity", "--data-path", lab.data, "--target-columns", *TARGETS,
             "--n-groups", 2, "--save-path", out.with_suffix(".npz"),
             "--plot-heatmap", out.with_suffix(".png")],
            out.with_suffix(".npz"),
        ),
        "evaluate": (
            ["evaluate", "--model-dir", lab.whole, "--data-path", lab.data, "--n-bootstrap", 10,
             "--output", out.with_suffix(".json")],
            out.with_suffix(".json"),
        ),
        "compare_models": (
            ["compare_models", "--result-files", evaluated, evaluated, "--n-bootstrap", 10,
             "--output", out.with_suffix(".csv")],
            out.with_suffix(".csv"),
        ),
        "make_demo_panel": (
            ["make_demo_panel", "--overwrite", "--output", out.with_suffix(".tsv")],
            out.with_suffix(".tsv"),
        ),
    }  # fmt: skip


def full_disks_of_others(lab: Lab, n_trials: int) -> dict[str, dict[str, int]]:
    """Lets disks of random room run full while the other commands replace a file."""
    found = {}
    for name, (words, output) in commands(lab, lab.disk).items():
        count: Counter[str] = Counter()
        code, said = run(*words)
        if code:
            raise RuntimeError(said)
        size = sum(p.stat().st_size for p in lab.disk.iterdir())
        for path in lab.disk.iterdir():
            path.unlink()
        for trial in range(n_trials):
            output.write_bytes(b"what stood there")
            fill(lab.disk, lab.rng.randrange(2 * size) if trial else 0)
            code, said = run(*words)
            (lab.disk / "ballast").unlink()
            count["tried"] += 1
            if code:
                count["refused"] += 1
                said_well = one_line(code, said, "No space left on device")
                kept = output.read_bytes() == b"what stood there"
                # Of several files, those that were written before stay.
                if said_well or not (kept or name == "compute_task_affinity"):
                    lab.fault(f"full disk, {name}: {said_well or 'the file was lost'}")
            elif output.read_bytes() == b"what stood there":
                lab.fault(f"full disk, {name}: exit code 0, but nothing was written")
            if hidden := [p.name for p in lab.disk.iterdir() if p.name.startswith(".")]:
                lab.fault(f"full disk, {name}: left behind {hidden}")
            for path in lab.disk.iterdir():
                path.unlink()
        found[name] = dict(count)
        print(f"{name}: {dict(count)}", flush=True)
    return found


def full_cache(lab: Lab) -> str:
    """Trains with a cache on the full disk, which must cost no more than a warning."""
    fill(lab.disk, 0)
    words, output = commands(lab, lab.folder)["compute_task_affinity"]
    code, said = run(*words, cache=lab.disk / "cache")
    (lab.disk / "ballast").unlink()
    output.unlink(missing_ok=True)
    if code or "cache of featurised molecules cannot be written" not in said:
        lab.fault(f"full cache: {said[-600:]}")
        return "failed"
    return "a warning"


def read_only(lab: Lab) -> dict[str, int]:
    """Runs every command into a folder that cannot be written to."""
    shutil.copytree(lab.whole, lab.disk / "run")
    before = contents(lab.disk)
    subprocess.run(["mount", "-o", "remount,ro", lab.disk], check=True)
    count: Counter[str] = Counter()
    try:
        tried: dict[str, Callable[[], tuple[int, str]]] = {
            "train, new": lambda: train(lab, lab.disk / "new"),
            "train, over": lambda: train(lab, lab.disk / "run", "--overwrite", "true"),
        }
        for name, (words, _) in commands(lab, lab.disk).items():
            tried[name] = lambda words=words: run(*words)  # type: ignore[misc]
        for name, attempt in tried.items():
            fault = one_line(*attempt(), "cannot be written")
            count["tried"] += 1
            count["refused"] += fault is None
            if fault:
                lab.fault(f"read-only, {name}: {fault}")
        if contents(lab.disk) != before:
            lab.fault("read-only: something changed")
    finally:
        subprocess.run(["mount", "-o", "remount,rw", lab.disk], check=True)
        shutil.rmtree(lab.disk / "run")
    print(f"read-only: {dict(count)}", flush=True)
    return dict(count)


def vanished(lab: Lab, n_trials: int) -> dict[str, int]:
    """Removes an input before a command, and at random moments while it runs."""
    count: Counter[str] = Counter()
    table, model = lab.folder / "gone.csv", lab.folder / "gone"
    output = lab.folder / "out.csv"
    cases: dict[str, tuple[Path, list[object]]] = {
        "train, its table": (table, [
            "train", "--data-path", table, "--save-dir", lab.folder / "made",
            "--data.target-columns", *TARGETS, "--data.split-type", "random",
            "--training.epochs", 1, "--training.warmup-epochs", 0, "--overwrite",
        ]),
        "predict, its table": (table, [
            "predict", "--model-dir", lab.whole, "--data-path", table, "--output", output,
            "--overwrite",
        ]),
        "predict, its model": (model, [
            "predict", "--model-dir", model, "--data-path", lab.data, "--output", output,
            "--overwrite",
        ]),
        "evaluate, its model": (model, [
            "evaluate", "--model-dir", model, "--data-path", lab.data, "--n-bootstrap", 10,
        ]),
        "compute_task_affinity, its table": (table, [
            "compute_task_affinity", "--data-path", table, "--target-columns", *TARGETS,
            "--n-groups", 2, "--save-path", lab.folder / "affinity.npz",
        ]),
    }  # fmt: skip
    for name, (path, words) in cases.items():
        fault = one_line(*run(*words), path.name)
        count["before"] += 1
        count["refused"] += fault is None
        if fault:
            lab.fault(f"vanished before, {name}: {fault}")
        seconds = 3.0
        for _ in range(n_trials):
            if path is table:
                shutil.copyfile(lab.data, table)
            else:
                shutil.copytree(lab.whole, model)
            moment = lab.rng.uniform(0, seconds)
            timer = threading.Timer(moment, lambda path=path: path.rename(lab.folder / "moved"))
            timer.start()
            started = time.perf_counter()
            code, said = run(*words)
            seconds = time.perf_counter() - started if code == 0 else seconds
            timer.cancel()
            timer.join()
            for left in (path, lab.folder / "moved"):
                if left.is_dir():
                    shutil.rmtree(left)
                left.unlink(missing_ok=True)
            count["while_it_ran"] += 1
            count["finished_all_the_same"] += code == 0
            fault = one_line(code, said, path.name) if code else None
            count["one_clear_line"] += bool(code) and fault is None
            if fault:
                lab.fault(f"vanished after {moment:.2f} s, {name}: {fault}")
    print(f"vanished: {dict(count)}", flush=True)
    return dict(count)


def two_at_once(lab: Lab) -> dict[str, Any]:
    """Starts a second run into the same folder, and one after the first was killed."""
    save_dir = lab.folder / "shared"
    words = [
        str(ADMET), "train", "--data-path", str(lab.data), "--save-dir", str(save_dir),
        "--data.target-columns", *TARGETS, "--data.split-type", "random", "--training.epochs",
        "20000", "--training.threads", "1",
    ]  # fmt: skip
    first = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    state = save_dir.with_name(".shared.part") / Files.CHECKPOINTS / Files.STATE
    while not state.exists() and first.poll() is None:
        time.sleep(0.05)
    fault = one_line(*train(lab, save_dir), "unfinished run", "Another run is writing")
    second = one_line(*train(lab, save_dir, "--overwrite", "true"), "Another run is writing")
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    code, said = train(lab, save_dir, "--overwrite", "true")
    same = not code and contents(save_dir)[Files.WEIGHTS] == contents(lab.whole)[Files.WEIGHTS]
    for text in (fault, second, None if same else f"after the kill: {said[-600:]}"):
        if text:
            lab.fault(f"two at once: {text}")
    return {"second_refused": not fault and not second, "after_the_kill_it_trains": same}


def inside(n_train: int, n_other: int, rng: random.Random) -> int:
    """Does it all, in a namespace where a disk can be mounted."""
    with tempfile.TemporaryDirectory() as scratch:
        lab = Lab(Path(scratch), rng)
        lab.disk.mkdir()
        os.environ["ADMET_CACHE_DIR"] = str(lab.folder / "cache")
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", lab.disk], check=True)
        try:
            make_demo_panel(400).to_csv(lab.data, index=False)
            code, said = train(lab, lab.whole)
            if code:
                raise RuntimeError(said)
            words: list[object] = ["evaluate", "--model-dir", lab.whole, "--data-path", lab.data]
            code, said = run(*words, "--output", lab.folder / "evaluated.json")
            if code:
                raise RuntimeError(said)
            report = {
                "full_disk": {
                    "train": full_disks_of_train(lab, n_train),
                    **full_disks_of_others(lab, n_other),
                },
                "full_cache": full_cache(lab),
                "read_only": read_only(lab),
                "vanished_input": vanished(lab, n_other),
                "two_at_once": two_at_once(lab),
                "faults": lab.faults,
            }
        finally:
            subprocess.run(["umount", lab.disk], check=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "storage.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1))
    return 1 if lab.faults else 0


def main() -> int:
    """Enters a namespace, or works in it."""
    if INSIDE not in os.environ:
        namespace = ["unshare", "--user", "--map-root-user", "--mount"]
        if (
            shutil.which("unshare") is None
            or subprocess.run(
                [*namespace, "mount", "-t", "tmpfs", "none", tempfile.gettempdir()],
                capture_output=True,
                check=False,
            ).returncode
        ):
            print("This needs Linux with user namespaces (unshare)")
            return 77
        words = [*namespace, sys.executable, __file__, *sys.argv[1:]]
        return subprocess.run(words, check=False, env=os.environ | {INSIDE: "1"}).returncode
    n_train = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    n_other = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    return inside(n_train, n_other, random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 0))


if __name__ == "__main__":
    sys.exit(main())
