"""The commands of the docs run, their reference is complete, their links lead to files."""

import importlib.util
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
import torch

from admet.cli.__main__ import main

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(p for p in DOCS.rglob("*.md") if not {"_build", "generated"} & set(p.parts))

SMALL_NETWORK = {"--model.message-passing.hidden-size": "16", "--model.ffn.hidden-size": "16"}
OVERRIDES = {
    "make_demo_panel": {"--n-molecules": "120"},
    "compute_task_affinity": {"--affinity-epochs": "1", **SMALL_NETWORK},
    "train": {
        "--training.epochs": "1",
        "--task-affinity.affinity-epochs": "1",
        **SMALL_NETWORK,
    },
    "evaluate": {"--n-bootstrap": "20"},
    "compare_models": {"--n-bootstrap": "20"},
}
"""What makes a command fast; everything else runs as it is printed."""
NOT_OURS = {"make", "git", "pip", "cd", "source", ".", "export"}
_FENCE = re.compile(
    r"(?P<above>^[^\n]*\n)?^```(?P<kind>bash|python)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    kind: str
    code: str
    line: int


def blocks(path: Path) -> list[Block]:
    text = path.read_text(encoding="utf-8")
    return [
        Block(m["kind"], m["code"], text.count("\n", 0, m.start("code")) + 1)
        for m in _FENCE.finditer(text)
        if not (m["above"] or "").startswith("% not run")
    ]


WITH_BLOCKS = [
    path
    for path in (
        ROOT / "README.md",
        DOCS / "tutorial.md",
        DOCS / "howto.md",
        DOCS / "architecture.md",
    )
    if blocks(path)
]


def commands(code: str) -> list[list[str]]:
    """The words of each command of a bash block that is this project's."""
    lines = code.replace("\\\n", " ").splitlines()
    found = [shlex.split(line, comments=True) for line in lines]
    return [words for words in found if words and not is_foreign(words)]


def is_foreign(words: list[str]) -> bool:
    sets_up = words[1:3] in (["-m", "pip"], ["-m", "venv"])
    return Path(words[0]).name in NOT_OURS or sets_up


def admet_words(words: list[str]) -> list[str]:
    if Path(words[0]).name == "admet":
        return words[1:]
    if words[:2] == ["python", "-m"] and words[2].startswith("admet.cli."):
        return [words[2].removeprefix("admet.cli."), *words[3:]]
    pytest.fail(f"a command that this test cannot run: {shlex.join(words)}")


def with_overrides(words: list[str]) -> list[str]:
    overrides = OVERRIDES.get(words[0], {})
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in overrides:
            next(rest)
        else:
            kept.append(word)
    if "--help" in words:
        return kept
    return kept + [word for pair in overrides.items() for word in pair]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Threads of a small network wait for one another longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like the root of the repository to a command."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    for path in ("demo/panel.csv", "data/admet_train.csv", "data/admet_test.csv"):
        assert (
            main(["make_demo_panel", "--n-molecules", "120", "--output", str(tmp_path / path)]) == 0
        )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.docs
@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda path: path.name)
def test_the_blocks_of_a_page_run_in_order(page, checkout, one_thread, capsys):
    names: dict[str, object] = {"__name__": "docs"}
    for block in blocks(page):
        where = f"{page.name}:{block.line}"
        if block.kind == "python":
            code = compile(block.code, where, "exec")
            exec(code, names)
            continue
        for words in commands(block.code):
            code = main(with_overrides(admet_words(words)))
            assert code == 0, f"{where}: {shlex.join(words)}\n{capsys.readouterr().err}"


def test_blocks_that_are_not_run_are_few():
    pages = [DOCS / "tutorial.md", DOCS / "howto.md"]
    assert sum(page.read_text(encoding="utf-8").count("% not run") for page in pages) <= 2


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_reference", DOCS / "generate_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generated(generator: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference") / "generated"
    generator.write(folder)
    return folder


def test_the_yaml_reference_describes_every_key(generator, generated):
    text = (generated / "yaml.md").read_text(encoding="utf-8")
    chapters = dict(re.findall(r"^## `?([^`\n]+)`?\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    expected, described = set(), set()
    for path, model in generator.every_section():
        for name, field in model.model_fields.items():
            inner = f"{path}.{name}".lstrip(".")
            if inner in chapters:
                continue
            expected.add((path, name))
            assert field.description, f"{inner} has no description"
        for row in chapters[path or "Top level"].splitlines():
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
            if cells and cells[0].startswith("`"):
                name, *rest = cells
                assert len(rest) == 3
                assert all(rest), f"an empty cell: {row}"
                described.add((path, name.strip("`")))
    assert described == expected


def test_the_command_reference_holds_every_help_without_colour(generator, generated):
    text = (generated / "cli.md").read_text(encoding="utf-8")
    for command in generator.COMMANDS:
        assert f"## admet {command}\n\n```text\nusage: admet {command}" in text
    assert "\x1b" not in text
    assert max(map(len, text.split("```text")[1].splitlines())) <= 100


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_relative_links_lead_to_files(page, generator):
    made = {generator.OUTPUT / name for name in generator.FILES}
    for match in _LINK.finditer(page.read_text(encoding="utf-8")):
        target = match["target"].partition("#")[0]
        if not target or "://" in target:
            continue
        path = (page.parent / target).resolve()
        assert path in made or path.is_file(), f"{page.name}: {match[0]}"
