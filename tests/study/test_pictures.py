import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import cycle, islice, pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from admet.config.study import StudyRun
from admet.data import Panel, Split
from admet.data.labels import Labels, Task
from admet.data.transforms import Log10
from admet.errors import ConfigError
from admet.kinds import BINARY, REGRESSION
from admet.study import Study
from admet.study.arms import ARMS, Outcome
from admet.study.doubt import StudyDoubt, coverage, doubt_of
from admet.study.jobs import Fit, Job
from admet.study.pictures import PICTURES, write_pictures
from admet.study.pictures import arms as arms_picture
from admet.study.pictures import heatmap as heatmap_picture
from admet.study.pictures.style import name_of, plain
from admet.study.results import ALL, COMPOSITE

STRANGE = [
    "IC50 $µM$ at $37$ °C",
    "a_b_{c}^2 \\frac{1}{2}",
    "100 % <script>alert('x')</script> & more",
    "\x1b[31mline\nbreak\ttab",
    "透過性 πδφ",
]
MANY = [f"Clearance in hepatocytes of species no. {i:02d}" for i in range(1, 61)]


def make_study(names=("LogD", "hERG", "CLint"), arms=("single_task", "multi_task"), **keys):
    """A study in memory whose arms err more, the later they are named."""
    n, folds, repeats, seed = (
        keys.get(k, d) for k, d in (("n", 60), ("folds", 5), ("repeats", 1), ("seed", 0))
    )
    binary, limited, logged = (set(keys.get(k, ())) for k in ("binary", "limited", "logged"))
    rng = np.random.default_rng(seed)
    shape = (n, len(names))
    truth = rng.normal(size=shape)
    tasks, given = [], truth.copy()
    for i, name in enumerate(names):
        if name in binary:
            given[:, i] = truth[:, i] > 0
        if name in logged:
            given[:, i] = 10 ** (2 * truth[:, i])
        scale = {"transform": Log10()} if name in logged else {}
        tasks.append(Task(name, BINARY if name in binary else REGRESSION, **scale))
    labels = np.where(rng.random(shape) < 0.2, np.nan, given)
    for i, name in enumerate(names):
        if name in keys.get("empty_fold", ()):
            labels[: n // folds, i] = np.nan
        if name in keys.get("sparse", ()):
            labels[np.arange(n) % (n // folds) != 0, i] = np.nan
    limits = np.zeros(shape, np.int8)
    for i, name in enumerate(names):
        limits[:8, i] = [1, -1] * 4 if name in limited else 0
    panel = Panel(
        np.array([f"{'C' * (i + 1)}O" for i in range(n)], dtype=object),
        Labels(labels, limits), tuple(tasks), np.arange(2, n + 2),
    )  # fmt: skip
    parts = np.array_split(np.arange(n), folds)
    everything = np.arange(n)
    splits = [
        [Split(np.setdiff1d(everything, part), part[:0], part) for part in parts]
        for _ in range(repeats)
    ]
    fits = []
    for place, arm in enumerate(arms):
        for repeat in range(repeats):
            guess = truth + rng.normal(0, 0.3 + 0.1 * place, shape)
            for i, name in enumerate(names):
                if name in binary:
                    guess[:, i] = 1 / (1 + np.exp(-3 * guess[:, i]))
                if name in logged:
                    guess[:, i] = 10 ** (2 * guess[:, i])
            fits += [
                Fit(Job(arm, repeat, fold, 0), Outcome(guess[part], [list(names)]), 1.0)
                for fold, part in enumerate(parts)
            ]
    asked = {"arms": arms, "folds": folds, "repeats": repeats}
    model = {"groups": [["a"], ["b"]]} if "groups" in arms else {}
    config = StudyRun(data_path="t.csv", save_dir="s", study=asked, model=model)
    return Study(config, panel, splits, tuple(fits))


THREE = ("single_task", "multi_task", "kernel")


@pytest.fixture(scope="module")
def study():
    return make_study(
        arms=THREE, n=100, binary=("hERG",), logged=("CLint",), limited=("CLint",), repeats=2
    )


def words(figure):
    """What stands in a figure, as it is drawn."""
    figure.draw_without_rendering()
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible()]


def assert_nothing_is_cut_or_overlaps(figure):
    figure.draw_without_rendering()
    all_of_it, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(all_of_it.x0, all_of_it.y0) >= -0.02
    assert all_of_it.x1 <= width + 0.02
    assert all_of_it.y1 <= height + 0.02
    for ax in figure.axes:
        rows = [label.get_window_extent() for label in ax.get_yticklabels()]
        for one, other in pairwise(rows):
            assert not one.overlaps(other)


@pytest.mark.slow
def test_every_picture_is_written_with_its_numbers(study, tmp_path):
    write_pictures(study, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}.{ending}" for name in PICTURES for ending in ("png", "svg", "csv")
    }
    arms = pd.read_csv(tmp_path / "arms.csv")
    assert arms["loss"].is_monotonic_increasing
    assert set(arms["arm"]) == {*THREE, COMPOSITE}
    assert (arms["blocks"] == 10).all()
    differences = pd.read_csv(tmp_path / "differences.csv")
    assert differences["task"].unique().tolist() == ["LogD", "hERG", "CLint", ALL]
    whole = differences[(differences["task"] == ALL) & (differences["baseline"] == "multi_task")]
    gain = study.verdicts[-1].gains["multi_task"]
    assert whole[["change", "low", "high"]].to_numpy()[0] == pytest.approx(
        [gain.mean, gain.low, gain.high]
    )
    by_endpoint = pd.read_csv(tmp_path / "arms_by_endpoint.csv")
    assert by_endpoint.groupby("task")["best"].sum().eq(1).all()
    measured = pd.read_csv(tmp_path / "measured.csv")
    assert len(measured) == study.panel.labels.present.sum()
    assert set(measured["limit"]) == {-1, 0, 1}
    first = (tmp_path / "measured.svg").read_bytes()
    write_pictures(study, tmp_path)
    assert (tmp_path / "measured.svg").read_bytes() == first


def test_intervals_of_arms_overlap_where_tukey_tells_no_difference(study):
    table = PICTURES["arms"].numbers(study).set_index("arm")
    for row in study.tukey().itertuples():
        one, other = table.loc[row.arm], table.loc[row.other]
        apart = one["high"] < other["low"] or other["high"] < one["low"]
        assert apart == (row.p < 0.05), row


def test_tables_of_all_comparisons(study):
    table = study.comparisons
    assert table["task"].unique().tolist() == ["LogD", "hERG", "CLint", ALL]
    assert len(table) == 4 * 6
    own = table[table["task"] == "LogD"].drop(columns="task").reset_index(drop=True)
    pd.testing.assert_frame_equal(own, study.tukey("LogD"))
    assert make_study(arms=("kernel",)).comparisons.empty


def test_a_measured_panel_says_what_it_shows(study):
    figure = study.plot("measured")
    said = words(figure)
    y = study.panel.labels.values[:, 0]
    error = np.nanmean(np.abs(y - study.out_of_fold[COMPOSITE, 0, 0][:, 0]))
    assert any(f"MAE {error:.3g}, ρ " in text for text in said)
    assert any("AUROC" in text for text in said)
    assert [ax.get_xscale() for ax in figure.axes] == ["linear", "linear", "log"]
    assert "above a limit" in said


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Glyph")  # of `words` alone: files are written without it
def test_names_are_drawn_as_they_stand_and_no_svg_is_harmed(tmp_path):
    names = [*STRANGE, "none in one fold", "two labels"]
    study = make_study(
        names, tuple(ARMS), empty_fold=("none in one fold",), sparse=("two labels",),
        binary=(STRANGE[1],),
    )  # fmt: skip
    write_pictures(study, tmp_path)
    said = words(study.plot("differences"))
    assert r"IC50 \$µM\$ at \$37\$ °C" in said  # escaped, it is no mathematics
    assert "?[31mline break tab" in said
    assert "not known" in said
    for path in tmp_path.glob("*.svg"):
        tree = ET.fromstring(path.read_text(encoding="utf-8"))
        assert not [e for e in tree.iter() if e.tag.endswith("script")], path
    table = pd.read_csv(tmp_path / "arms_by_endpoint.csv")
    assert table.loc[table["task"] == "two labels", "behind_best"].isna().all()
    assert not study._repr_html_().count("<script>")
    assert len(study._repr_html_().split("<tr")) == len(names) + 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("names", [["LogD"], [*STRANGE, *MANY[:8]], MANY], ids=[1, 13, 60])
@pytest.mark.parametrize("arms", [("kernel",), THREE[:2]], ids=[1, 2])
def test_pages_of_any_size_can_be_read(names, arms):
    study = make_study(names, arms, binary=names[2:4])
    for picture in PICTURES.values():
        for figure in picture.pages(picture.numbers(study)):
            assert_nothing_is_cut_or_overlaps(figure)
    n_pages = -(-len(names) // 12)
    assert study.plot("measured", n_pages)
    with pytest.raises(ConfigError, match=f"has pages 1 to {n_pages}; got {n_pages + 1}"):
        study.plot("measured", n_pages + 1)


@pytest.mark.parametrize("n", [3, 12])
def test_many_arms_can_be_read(n):
    arms = list(islice(cycle(["frozen_own_heads_with_a_long_name", *ARMS]), n))
    arms = [f"{arm}{i}" for i, arm in enumerate(arms)]
    loss = np.linspace(0.5, 0.8, n)
    table = pd.DataFrame({
        "arm": arms, "loss": loss, "low": loss - 0.05, "high": loss + 0.05,
        "behind_best": loss / 0.5 - 1, "p_as_best": np.linspace(1, 0, n), "blocks": 5,
    })  # fmt: skip
    assert_nothing_is_cut_or_overlaps(arms_picture.pages(table)[0])
    cells = pd.DataFrame([
        {"task": task, "arm": arm, "behind_best": 0.0 if i == row % n else 0.03 * i}
        for row, task in enumerate([*MANY[:20], ALL]) for i, arm in enumerate(arms)
    ])  # fmt: skip
    assert_nothing_is_cut_or_overlaps(heatmap_picture.pages(cells)[0])


def test_without_a_baseline_the_picture_says_so():
    assert "there is no baseline" in " ".join(
        words(make_study(arms=("kernel",)).plot("differences"))
    )


@pytest.mark.slow
def test_pages_of_an_earlier_run_do_not_stay(study, tmp_path):
    for name in ("measured_2.png", "measured_2.svg", "measured_mine.png"):
        (tmp_path / name).write_text("old")
    write_pictures(study, tmp_path)
    assert not list(tmp_path.glob("measured_2.*"))
    assert (tmp_path / "measured_mine.png").exists()


def test_a_picture_that_is_not_there_is_named(study):
    with pytest.raises(ConfigError, match="differences, arms, arms_by_endpoint, measured; got 'x'"):
        study.plot("x")


def test_a_notebook_shows_a_page(study):
    assert study.plot("arms")._repr_png_()[:4] == b"\x89PNG"
    assert "composite" in study._repr_html_()


def test_long_names_keep_both_ends():
    assert len(name_of(70 * "a" + "_rat")) == 40
    assert name_of(70 * "a" + "_rat").endswith("_rat")
    assert plain("a\ud800\0b") == "a??b"


def test_a_study_of_a_later_round_alone_is_drawn():
    """As where a time budget ended, and the round that all arms have done is not the first."""
    whole = make_study(repeats=2)
    later = tuple(fit for fit in whole.fits if fit.job.repeat == 1)
    study = replace(whole, fits=later, rounds=((1, 0),))
    for name in PICTURES:
        assert study.plot(name) is not None
    known = StudyDoubt.of(study)
    assert set(coverage(known)["level"]) == {0.8, 0.95}
    assert doubt_of(known).names == ("LogD", "hERG", "CLint")
