import base64
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from admet.cli.__main__ import main
from admet.errors import ConfigError, RunDirectoryError
from admet.evaluation import Scores, TaskScores, Value
from admet.evaluation.metrics import KNOWS_NOTHING
from admet.report import offer_report, page_of, write_report
from admet.report.drawn import molecule
from admet.report.parts.measured import worst
from admet.report.parts.run_verdict import _told
from admet.report.pictures import scores
from admet.report.tables import change, file_stem
from admet.run_directory import RunDirectoryWriter, load_model
from admet.study.pictures import PICTURES

ORDER = [
    "verdict", "affinity", "arms", "measured", "curves", "labels", "left-out", "coverage", "repeat",
]  # fmt: skip


class Parts(HTMLParser):
    """What a browser would find in a page: tags with their attributes, and text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def study_page(hostile_study):
    return write_report(hostile_study).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def run_page(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "run.html"
    return write_report(trained, path).read_text(encoding="utf-8")


def section(text, key):
    return re.search(rf'<section id="{key}">.*?</section>', text, re.DOTALL)[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["study_page", "run_page"])
def test_a_page_has_its_sections_in_order_and_loads_nothing(name, request):
    text = request.getfixturevalue(name)
    keys = re.findall(r'<section id="([a-z-]+)">', text)
    assert keys == [key for key in ORDER if key != "arms" or name == "study_page"]
    found = Parts(text)
    for tag, attributes in found.tags:
        for key in ("src", "href", "action", "data", "srcset"):
            target = attributes.get(key, "#")
            assert target.startswith(("#", "data:")), (tag, target[:80])
    assert "default-src 'none'; img-src data: blob:;" in text
    assert not re.search(r"https?:", re.sub(r'"data:[^"]*"', "", text))
    assert len(text) < 5e6


@pytest.mark.slow
def test_every_picture_can_be_saved_with_its_numbers(study_page):
    found = Parts(study_page)
    stems = [a["data-stem"] for tag, a in found.tags if "data-stem" in a]
    assert {"verdict", "arms", "arms_by_endpoint", "coverage", "overlap", "groups"} <= set(stems)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", stem) for stem in stems)
    figures = study_page.count('<figure class="block')
    for kind in ("svg", "png"):
        assert study_page.count(f'data-save="{kind}"') == figures
    assert study_page.count('class="csv">') == figures
    tables = study_page.count("<table>")
    assert study_page.count('data-save="csv"') == figures + tables


@pytest.mark.slow
def test_hostile_names_stay_text(study_page, hostile_study):
    found = Parts(study_page)
    kinds = [a.get("type", "runs") for tag, a in found.tags if tag == "script"]
    assert kinds.count("runs") == 1
    assert any("<script>alert(1)</script>" in words for words in found.words)
    drawings = [a["src"] for tag, a in found.tags if tag == "img"]
    assert len(drawings) > 8
    for source in drawings:
        svg = base64.b64decode(source.split(",", 1)[1]).decode("utf-8")
        assert "<script" not in svg
        assert not re.search(r"\bon[a-z]+=", svg)
    named = [s for s in drawings if b"alert(1)" in base64.b64decode(s.split(",", 1)[1])]
    assert named


@pytest.mark.slow
def test_the_verdict_of_a_study_in_words(study_page, hostile_study):
    verdict = section(study_page, "verdict")
    table = pd.read_csv(hostile_study / "verdict.csv")
    whole = table.iloc[-1]
    size = f"{100 * abs(whole['change_to_single_task']):.0f} % "
    assert f"the loss of the composite is {size}" in verdict
    for name in ("arms", "measured"):
        assert len(section(study_page, name)) > 1000
    assert "kernel: no &lt;script&gt;" in section(study_page, "left-out")
    assert "stopped before its model was written" in section(study_page, "repeat")
    assert "not stable over the folds" in section(study_page, "affinity")


@pytest.mark.slow
def test_the_verdict_of_a_training_in_words(run_page, trained):
    scores = json.loads((trained / "metrics.json").read_text())["test"]
    verdict = section(run_page, "verdict")
    assert f"{scores['tasks']['LogD']['MAE']['value']:.3g}" in verdict
    assert "admet study" in verdict
    assert "Hatched cells" in section(run_page, "affinity")
    assert "learning-curves" in section(run_page, "curves")
    assert "similarity" in section(run_page, "measured")
    assert "SHA-256" in section(run_page, "repeat")
    assert "admet train --config config.yaml" in section(run_page, "repeat")


@pytest.mark.slow
def test_a_training_writes_its_report_and_can_be_replaced_and_opened(trained):
    report = trained / "report.html"
    assert report.is_file()
    assert "report.html" not in (trained / "SHA256SUMS").read_text()
    assert load_model(trained).task_names
    assert write_report(trained) == report  # its own one is replaced unasked
    RunDirectoryWriter(trained, overwrite=True)  # it does not stand in the way of another training


def test_the_command_says_where_the_page_is(hostile_study, tmp_path, capsys):
    path = tmp_path / "r.html"
    assert main(["report", str(hostile_study), "--output", str(path)]) == 0
    assert capsys.readouterr().out.strip() == str(path)
    assert main(["report", str(hostile_study), "--output", str(path)]) == 2
    assert "exists" in capsys.readouterr().err
    assert main(["report", str(hostile_study), "--output", str(path), "--overwrite"]) == 0
    assert main(["report", str(hostile_study), "--output", str(tmp_path / "r.png")]) == 2
    assert "must end in .htm, .html" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shutil.rmtree, "is not there"),
        (lambda f: (f / "study.json").unlink(), "holds no finished training or study"),
        (lambda f: (f / "study.json").write_text("{"), "cannot be read as JSON"),
        (lambda f: (f / "study.json").write_text("[]"), "`schema_version` must be a whole"),
        (lambda f: (f / "study.json").write_text('{"schema_version": 99}'), "Update admet"),
        (lambda f: (f / "verdict.csv").unlink(), "is not finished"),
        (lambda f: (f / "results.csv").unlink(), "is missing"),
        (lambda f: (f / "comparisons.csv").write_text("a,b\n1,2\n"), "has no column 'task'"),
        (lambda f: (f / "coverage.csv").write_bytes(b"\xff\xfe\x00x"), "is damaged"),
        (lambda f: (f / "verdict.csv").write_text("task\n"), "has no column"),
        (lambda f: (f / "verdict.csv").write_text(""), "has no column 'task'"),
        (lambda f: (f / "pictures" / "measured.csv").unlink(), "is missing"),
        (lambda f: (f / "intervals.parquet").write_bytes(b"PAR1"), "is damaged"),
    ],
)
def test_a_folder_that_is_no_finished_study_says_why(hostile_study, tmp_path, spoil, message):
    folder = tmp_path / "study"
    shutil.copytree(hostile_study, folder)
    spoil(folder)
    with pytest.raises(RunDirectoryError, match=re.escape(message)):
        write_report(folder, tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: (f / "model.json").unlink(), "holds no finished training or study"),
        (lambda f: (f / "metrics.json").write_text("{}"), "SHA-256"),
        (lambda f: (f / "SHA256SUMS").unlink(), "has no SHA256SUMS"),
        (lambda f: (f / "model.json").write_text('{"schema_version": 99}'), "Update admet"),
    ],
)
def test_a_damaged_run_directory_says_why(trained, tmp_path, spoil, message):
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    spoil(folder)
    with pytest.raises(RunDirectoryError, match=re.escape(message)):
        page_of(folder)


@pytest.mark.slow
@pytest.mark.parametrize("arms", [("single_task",), ("boosted", "frozen_mlp")])
def test_a_study_of_one_arm_or_without_a_baseline_has_a_report(write_study, tmp_path, arms):
    write_study(tmp_path / "study", ("1.50",), arms=arms)
    text = write_report(tmp_path / "study").read_text(encoding="utf-8")
    assert ("there is no baseline" in text) == ("single_task" not in arms)
    assert ">1.50</td>" in text


OLD = Path(__file__).parents[1] / "run_directory" / "written_by"


@pytest.mark.slow
@pytest.mark.parametrize("folder", sorted(p for p in OLD.iterdir() if p.is_dir()), ids=str)
def test_run_directories_of_earlier_versions_have_a_report(folder, tmp_path):
    text = write_report(folder, tmp_path / "r.html").read_text(encoding="utf-8")
    assert "endpoints were trained" in text or "A mixture of models that a study" in text


def test_an_unfinished_training_is_told_from_no_training(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / ".run.part").mkdir()
    with pytest.raises(RunDirectoryError, match="--resume"):
        page_of(tmp_path / "run")


def test_a_part_of_a_model_is_not_replaced(trained, tmp_path):
    with pytest.raises(ConfigError, match=r"must end in .htm, .html"):
        write_report(trained, trained / "model.json", overwrite=True)


def test_a_report_that_fails_does_not_fail_what_was_done(tmp_path, caplog):
    assert offer_report(tmp_path) is None
    assert "All else is complete" in caplog.text


def test_a_molecule_is_drawn_or_there_is_no_picture():
    svg = base64.b64decode(molecule("CCO").removeprefix("data:image/svg+xml;base64,"))
    assert b"</svg>" in svg
    assert re.sub(rb"<[^>]*>|\s", b"", svg) == b"OH"  # letters stay letters
    for wrong in ("", "nonsense", "\ud800", "C" * 151, "[2H]" * 1000):
        assert molecule(wrong) == ""


@pytest.mark.parametrize(
    ("metric", "told"),
    [("RAE", "2 of 4 endpoints; not so: C, D"), ("AUROC", "2 of 4 endpoints; not so: A, C")],
)
def test_only_an_interval_beyond_the_limit_is_sure(metric, told):
    limit, _ = KNOWS_NOTHING[metric]
    ends = {"A": (-0.2, -0.1), "B": (-0.2, -0.1), "C": (-0.1, 0.1), "D": (None, None)}
    if metric == "AUROC":
        ends |= {"B": (0.1, 0.2), "D": (0.1, 0.2)}
    tasks = {
        name: TaskScores("any", 9, {metric: Value(limit, *(end and limit + end for end in own))})
        for name, own in ends.items()
    }
    assert told in _told(Scores(tasks, {}))[0]
    numbers = scores.numbers(Scores(tasks, {}), metric)
    assert scores.draw(numbers, metric).axes


def test_the_worst_molecules_are_those_farthest_from_their_label():
    part = pd.DataFrame(
        {
            "label": [1.0, 10.0, 5.0, 5.0, 3.0],
            "prediction": [2.0, 11.0, 9.0, 1.0, 3.0],
            "limit": [0, 0, 1, 0, 0],  # 9 is above a limit of 5: no error
            "scale": "none",
        }
    )
    assert worst(part, 3).index.tolist() == [3, 0, 1]
    assert worst(part.assign(scale="log10"), 2).index.tolist() == [3, 0]


def test_changes_and_names_of_files_are_written_plainly():
    assert change(-0.123, -0.2, 0.05) == "-12 % [-20, +5]"
    assert change(np.nan, np.nan, np.nan) == "not known"
    assert file_stem("measured-1-<script>/../x") == "measured-1-_script_.._x"
    assert file_stem("…") == "report"
    assert set(PICTURES) == {"differences", "arms", "arms_by_endpoint", "measured"}
