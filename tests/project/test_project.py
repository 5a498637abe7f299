"""What holds for the project as a whole: layers, configs, scripts, public doors."""

import ast
import importlib
import importlib.metadata
import pkgutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import admet
from admet.cli.__main__ import main
from admet.config import TrainConfig, load_yaml_config
from admet.config.study import StudyRun
from admet.data.demo import PLANTED_GROUPS, TASKS
from admet.errors import AdmetError

ROOT = Path(__file__).parents[2]
GUIDE_CONFIGS = [
    "chemprop.yaml",
    "chemprop_single_task.yaml",
    "chemprop_task_affinity.yaml",
    "chemprop_task_affinity_advanced.yaml",
    "chemprop_explore_affinity.yaml",
    "chemprop_task_affinity_production.yaml",
    "admet_small_affinity.yaml",
    "admet_standard_affinity.yaml",
    "admet_extended_affinity.yaml",
]


def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_layers_hold():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    contracts = pyproject()["tool"]["importlinter"]["contracts"]
    assert len(contracts) >= 2
    assert f"{len(contracts)} kept, 0 broken" in done.stdout, done.stdout + done.stderr


def test_every_public_name_exists():
    for module in pkgutil.walk_packages(admet.__path__, "admet."):
        if module.name.endswith("__main__"):
            continue
        loaded = importlib.import_module(module.name)
        for name in getattr(loaded, "__all__", ()):
            assert hasattr(loaded, name), f"{module.name}.{name}"


def test_cli_package_stays_empty():
    assert (ROOT / "src/admet/cli/__init__.py").read_text() == ""


def test_every_error_is_ours_and_a_built_in():
    from admet import errors

    ours = [
        e
        for e in vars(errors).values()
        if isinstance(e, type) and issubclass(e, AdmetError) and e is not AdmetError
    ]
    assert len(ours) >= 7
    for error in ours:
        assert any(base.__module__ == "builtins" for base in error.__mro__[1:-3]), error


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.name)
def test_every_config_fits_the_schema(path):
    config = load_yaml_config(path, StudyRun if "study" in path.name else TrainConfig)
    assert config.data.target_columns


def test_the_configs_of_the_contract_are_there_and_fit_the_demo_panel():
    for name in GUIDE_CONFIGS:
        config = load_yaml_config(ROOT / "configs" / name, TrainConfig)
        if name != "admet_extended_affinity.yaml":  # it says that it wants more columns
            assert set(config.data.target_columns) <= set(TASKS), name
    text = (ROOT / "configs" / "admet_extended_affinity.yaml").read_text()
    assert "bring your own table" in text


def test_the_arms_differ_only_in_who_shares():
    arms = {
        name: yaml.safe_load((ROOT / "configs" / name).read_text())
        for name in ("chemprop.yaml", "chemprop_single_task.yaml", "chemprop_task_affinity.yaml")
    }
    multi, single, affinity = arms.values()
    assert multi["training"] == single["training"] == affinity["training"]
    assert multi["data"] == single["data"] == affinity["data"]
    assert single["model"].pop("groups") == "single_task"
    assert multi["model"] == single["model"] == affinity["model"]


def output_of_example(name):
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_every_bad_input_of_the_example_gets_one_message():
    said = output_of_example("bad_inputs.py")
    assert said.count("(exit 2)") >= 29
    assert "Traceback" not in said


@pytest.mark.slow
def test_the_example_of_another_network_finds_the_planted_groups():
    said = output_of_example("own_network.py")
    groups = {frozenset(group) for group in ast.literal_eval(said.splitlines()[-1])}
    assert groups == {frozenset(group) for group in PLANTED_GROUPS}


def test_the_distribution_is_not_called_as_another_project():
    """`admet` on the package index is not this; what is imported and typed is `admet` still."""
    project = pyproject()["project"]
    assert project["name"] == "admet-grouping"
    assert project["scripts"] == {"admet": "admet.cli.__main__:main"}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"admet_grouping-{admet.__version__}-py3-none-any.whl" in readme
    ours = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    commands = [
        line for page in ours for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("pip install")
    ]  # fmt: skip
    assert commands
    assert not [line for line in commands if "admet" in line.split()]


def test_ci_calls_the_readmes_test_command():
    assert "make test" in (ROOT / "README.md").read_text()
    script = (ROOT / ".ci" / "run").read_text().splitlines()
    assert [line for line in script if line.startswith("make")] == ["make test"]


def test_constraints_pin_torch():
    assert "torch==2.13.0" in (ROOT / "constraints.txt").read_text().splitlines()


@pytest.mark.slow
def test_no_command_opens_a_connection(demo_csv, tmp_path, monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    run = tmp_path / "run"
    words = ["--data-path", str(demo_csv)]
    assert main([
        "train", *words, "--save-dir", str(run), "--data.target-columns", "LogD", "KSOL",
        "--data.split-type", "random", "--training.epochs", "1", "--training.warmup-epochs", "0",
        "--task-affinity.enabled", "--task-affinity.n-groups", "2",
        "--model.message-passing.hidden-size", "16",
    ]) == 0  # fmt: skip
    out = ["--output", str(tmp_path / "out.csv")]
    assert main(["predict", "--model-dir", str(run), *words, *out]) == 0
    assert main(["evaluate", "--model-dir", str(run), *words]) == 0
    compared = ["--model-dirs", str(run), str(run), "--test-data", str(demo_csv)]
    assert main(["compare_models", *compared, "--n-bootstrap", "5"]) == 0
    assert main(["inspect", str(demo_csv), "--save-dir", str(tmp_path / "seen")]) == 0
    assert main(["make_demo_panel", "--output", str(tmp_path / "demo.csv")]) == 0
    assert main([
        "compute_task_affinity", *words, "--target-columns", "LogD", "KSOL", "--n-groups", "2",
        "--affinity-runs", "1", "--affinity-hidden-size", "8",
        "--save-path", str(tmp_path / "affinity.npz"),
    ]) == 0  # fmt: skip


def test_every_package_that_is_needed_is_pinned():
    pinned = {
        canonicalize_name(line.partition("==")[0])
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    project = pyproject()["project"]
    own = project["dependencies"] + project["optional-dependencies"]["dev"]
    waiting, needed = [(own, {""})], set()
    while waiting:
        requirements, extras = waiting.pop()
        for text in requirements:
            found = Requirement(text)
            key = canonicalize_name(found.name)
            # torch for GPUs brings libraries that torch itself pins.
            if key.startswith(("nvidia", "cuda", "triton")) or key in needed:
                continue
            if found.marker and not any(found.marker.evaluate({"extra": e}) for e in extras):
                continue
            needed.add(key)
            brought = importlib.metadata.requires(found.name) or []
            waiting.append((brought, {"", *found.extras}))
    assert len(needed) > 50
    assert needed <= pinned, f"not in constraints.txt: {sorted(needed - pinned)}"
