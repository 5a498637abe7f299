"""Installs a wheel into a bare environment, runs the demo there, and opens its model.

Usage: python scripts/try_wheel.py dist/admet_grouping-*.whl FOLDER [--quick]

FOLDER gets the environment `env` and the demo. `--quick` trains the demo for two epochs. Then each
extra is resolved alone, without installing it, and so is the wheel for the other versions of Python
that it declares. Minutes, and some gigabytes for torch; needs a package index.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
EXTRAS = ("cluster", "mlflow", "service", "tensorboard", "tune")
PYTHONS = ("3.12", "3.13")
QUICK = ("--training.epochs", "2", "--training.warmup-epochs", "1")
OPEN = """
import sys
from importlib import metadata
from pathlib import Path
import admet
assert Path(admet.__file__).is_relative_to(sys.prefix), admet.__file__
model = admet.load("run")
frame = model.predict(["CCO", "c1ccccc1C(=O)NC"])
assert frame.shape[0] == 2 and frame["reason"].eq("").all()
assert frame[f"{model.task_names[0]}_pred"].notna().all()
print("admet", metadata.version("admet-grouping"), "predicts", len(model.task_names), "endpoints")
"""


def call(*words: object, where: Path | None = None) -> float:
    """Runs a command, away from the repository; gives its seconds."""
    start = time.perf_counter()
    done = subprocess.run(
        list(map(str, words)), cwd=where, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return time.perf_counter() - start


def run_demo(folder: Path, python: Path, quick: bool) -> None:
    """Runs the demo with the configuration that the wheel brings, and opens the model."""
    admet = python.with_name("admet")
    configs = folder / "env" / "share" / "admet" / "configs"
    call(admet, "make_demo_panel", "--output", "panel.csv", "--overwrite", where=folder)
    seconds = call(
        admet, "train", "--config", configs / "demo.yaml", "--data-path", "panel.csv",
        "--save-dir", "run", "--overwrite", *(QUICK if quick else ()), where=folder,
    )  # fmt: skip
    call(python, "-c", OPEN, where=folder)
    print(f"demo: {seconds:.0f} s; admet.load opens its model")


def starts(folder: Path, python: Path) -> None:
    """Says how long the command and the import take, the best of three."""
    for words in (("-m", "admet.cli", "--help"), ("-c", "import admet"), ("-c", "pass")):
        best = min(call(python, *words, where=folder) for _ in range(3))
        print(f"python {' '.join(words)}: {best:.2f} s")


def resolve(wheel: Path, folder: Path, python: Path) -> None:
    """Resolves each extra alone, and the wheel for other versions of Python."""
    pip = (python, "-m", "pip", "install", "--quiet", "--dry-run")
    pinned = ("--constraint", CONSTRAINTS)
    for extra in EXTRAS:
        report = folder / f"{extra}.json"
        call(*pip, *pinned, "--report", report, f"{wheel}[{extra}]", where=folder)
        more = [own["metadata"]["name"] for own in json.loads(report.read_text())["install"]]
        print(f"extra {extra}: {', '.join(sorted(more, key=str.lower)) or 'nothing more'}")
    for version in PYTHONS:
        other = ("--python-version", version, "--only-binary=:all:", "--target", folder / "no")
        try:
            call(*pip, *pinned, *other, wheel, where=folder)
        except SystemExit as fault:
            print(f"Python {version}: {str(fault).strip().splitlines()[-1]}")
        else:
            print(f"Python {version}: all pinned packages have wheels")


def main() -> None:
    """Makes the environment and tries the wheel there."""
    wheel, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    python = folder / "env" / "bin" / "python"
    if not python.exists():
        call(sys.executable, "-m", "venv", folder / "env")
    pip = (python, "-m", "pip", "install", "--quiet", "--constraint", CONSTRAINTS)
    seconds = call(*pip, wheel)
    call(*pip, "--force-reinstall", "--no-deps", wheel)  # one of the same version may be there
    print(f"{wheel.name}: {wheel.stat().st_size / 1024:,.0f} KiB, installed in {seconds:.0f} s")
    run_demo(folder, python, "--quick" in sys.argv)
    starts(folder, python)
    resolve(wheel, folder, python)


if __name__ == "__main__":
    main()
