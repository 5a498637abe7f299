import numpy as np
import pandas as pd
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

import admet
from admet.cli.__main__ import main
from admet.data.transforms import LOG10, NO_TRANSFORM
from admet.errors import ConfigError, RunDirectoryError
from admet.kinds import BINARY, REGRESSION
from admet.model.chemprop.predictor import Prediction
from admet.model.doubt import Asked, Calibration, Doubt, Evidence, Neighbours, TaskCalibration
from admet.model.doubt.calibration import quantile
from admet.run_directory import Files
from admet.run_directory.checksums import write_checksums


def evidence(rng, n, slope=0.0):
    """Labels whose noise grows with the distance."""
    distance = rng.random(n)
    p = rng.normal(size=n)
    y = p + rng.normal(size=n) * (0.2 + slope * distance)
    return Evidence(y, p, np.zeros(n), distance)


def test_a_quantile_is_that_of_one_score_more():
    scores = np.arange(1.0, 20)  # 19 of them: the 95 % interval takes the largest
    assert quantile(scores, 0.95) == 19
    assert quantile(scores[:-1], 0.95) == np.inf
    assert quantile(scores, 0.5) == 10


@pytest.mark.parametrize("n", [20, 60, 300])
@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_intervals_hold_the_share_that_they_promise(rng, n, level):
    held = []
    for _ in range(150):
        task = TaskCalibration.fit(evidence(rng, n, slope=1.0), REGRESSION)
        new = evidence(rng, 200, slope=1.0)
        low, high = task.interval(new.predictions, new.spread, new.distance, level)
        held.append(np.mean((low <= new.labels) & (new.labels <= high)))
    assert np.mean(held) == pytest.approx(level, abs=0.03)


def test_intervals_are_wider_where_errors_are_larger(rng):
    task = TaskCalibration.fit(evidence(rng, 2_000, slope=1.0), REGRESSION)
    low, high = task.interval(np.zeros(2), np.zeros(2), np.array([0.0, 1.0]), 0.8)
    near, far = high - low
    assert far > 3 * near  # the noise is six times as large
    flat = TaskCalibration.fit(evidence(rng, 2_000), REGRESSION)
    low, high = flat.interval(np.zeros(2), np.zeros(2), np.array([0.0, 1.0]), 0.8)
    assert (high - low)[1] == pytest.approx((high - low)[0], rel=0.15)


def test_molecules_nearer_than_those_that_calibrated_have_no_smaller_errors(rng):
    far = evidence(rng, 400, slope=1.0)
    far = far.of(far.distance > 0.5)
    task = TaskCalibration.fit(far, REGRESSION)
    tenth = np.sort(far.distance)[9]
    low, high = task.interval(np.zeros(3), np.zeros(3), np.array([0.0, tenth, 0.9]), 0.8)
    assert (high - low)[0] == (high - low)[1] < (high - low)[2]


def test_calibrations_from_before_the_nearest_distance_was_kept_are_read(rng):
    calibration = Calibration.fit([evidence(rng, 100)], [REGRESSION], [NO_TRANSFORM])
    arrays = calibration.arrays()
    old = arrays | {"0.size": arrays["0.size"][:4]}
    assert calibration.tasks[0].nearest > 0
    assert Calibration.of(old, (REGRESSION,), (NO_TRANSFORM,)).tasks[0].nearest == 0


def test_spread_widens_intervals_only_where_it_tells(rng):
    n = 3_000
    spread, p = rng.random(n), rng.normal(size=n)
    y = p + rng.normal(size=n) * spread
    told = TaskCalibration.fit(Evidence(y, p, spread, np.zeros(n)), REGRESSION)
    assert told.size[1] > 0.5
    noise = TaskCalibration.fit(Evidence(y, p, rng.random(n), np.zeros(n)), REGRESSION)
    assert noise.size[1] < 0.1


def test_too_few_labels_give_no_interval_and_a_warning(rng, caplog):
    few = Evidence(np.arange(4.0), np.zeros(4), np.zeros(4), np.zeros(4))
    task = TaskCalibration.fit(few, REGRESSION)
    assert np.isnan(task.interval(np.zeros(1), np.zeros(1), np.zeros(1), 0.95)).all()
    assert np.isfinite(task.interval(np.zeros(1), np.zeros(1), np.zeros(1), 0.8)).all()
    calibration = Calibration((task,), (REGRESSION,), (NO_TRANSFORM,))
    doubt = Doubt(("A",), calibration, Neighbours.of(["C"], np.ones((1, 1)), None))
    doubt.warn_of_few(0.8)
    assert not caplog.text
    doubt.warn_of_few(0.95)
    assert "A: 4 labels calibrate it and intervals of 0.95 need 19" in caplog.text


def test_a_task_without_any_label_gives_none():
    none = np.empty(0)
    task = TaskCalibration.fit(Evidence(none, none, none, none), REGRESSION)
    assert np.isnan(task.interval(np.zeros(1), np.zeros(1), np.zeros(1), 0.5)).all()


def test_ends_are_values_that_a_label_could_have(rng):
    wide = evidence(rng, 50)
    calibration = Calibration.fit([wide], [REGRESSION], [LOG10])
    low, high = calibration.intervals(0, np.array([10.0]), np.zeros(1), np.zeros(1), 0.9)
    assert 0 < low[0] < 10 < high[0]
    assert low[0] * high[0] == pytest.approx(100)  # the same factor up and down


def test_each_class_is_ruled_out_as_seldom_as_promised(rng):
    def draw(n):
        y = (rng.random(n) < 0.1).astype(float)
        p = 1 / (1 + np.exp(-(2 * y - 3 + rng.normal(size=n))))
        return Evidence(y, p, np.zeros(n), np.zeros(n))

    held = {0: [], 1: []}
    for _ in range(100):
        task = TaskCalibration.fit(draw(500), BINARY)
        new = draw(500)
        kept = task.classes(new.predictions, 0.8)
        for k in (0, 1):
            held[k].append(kept[new.labels == k, k].mean())
    for k in (0, 1):
        assert np.mean(held[k]) == pytest.approx(0.8, abs=0.03)


SMILES = ["CCO", "CCN", "c1ccccc1", "c1ccccc1O", "CC(=O)Oc1ccccc1C(=O)O", "CCOC"]


def test_neighbours_are_those_of_rdkit():
    labels = np.array([[1.0, np.nan], [2, np.nan], [3, 30], [np.nan, 40], [5, np.nan], [6, 60]])
    nearest = Neighbours.of(SMILES, labels, None).nearest(["c1ccccc1O", "CCCO"])
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    prints = [generator.GetFingerprint(Chem.MolFromSmiles(s)) for s in SMILES]
    for row, text in enumerate(["c1ccccc1O", "CCCO"]):
        own = generator.GetFingerprint(Chem.MolFromSmiles(text))
        all_of = np.array(DataStructs.BulkTanimotoSimilarity(own, prints))
        for task in range(2):
            known = np.flatnonzero(np.isfinite(labels[:, task]))
            assert nearest.rows[row, task] == known[all_of[known].argmax()]
            assert nearest.similarity[row, task] == pytest.approx(all_of[known].max(), abs=1e-6)
    assert nearest.rows[0, 1] == 3  # itself, where it has a label
    assert nearest.similarity[0, 1] == 1


def test_columns_name_the_nearest_molecule_its_label_and_its_limit():
    labels = np.array([[1.0, np.nan], [100.0, np.nan]])
    limits = np.array([[0, 0], [1, 0]], dtype=np.int8)
    task = TaskCalibration(np.array([1.0, 0, 0]), 1.0, 0.0, (np.ones(9),))
    calibration = Calibration((task,) * 2, (REGRESSION,) * 2, (NO_TRANSFORM,) * 2)
    doubt = Doubt(("A", "B"), calibration, Neighbours.of(["CCO", "c1ccccc1"], labels, limits))
    same = Doubt.of(doubt.arrays(), ["A", "B"], (REGRESSION,) * 2, (NO_TRANSFORM,) * 2)
    for one in (doubt, same):
        found = one.columns(Prediction(np.zeros((1, 2))), ["c1ccccc1C"], Asked(0.8, nearest=True))
        assert found["A_nearest"].tolist() == ["c1ccccc1"]
        assert found["A_nearest_label"].tolist() == [">100"]
        assert (found["A_low"][0], found["A_high"][0]) == (-1, 1)
        assert found["B_nearest"].tolist() == [""]
        assert np.isnan(found["B_similarity"]).all()


@pytest.mark.parametrize("share", [0, 1, -0.5, 80, "0.8", True])
def test_a_level_must_be_a_share(share):
    with pytest.raises(ConfigError, match="`intervals` must be a share between 0 and 1"):
        Asked(share)


def predicted(tmp_path, run, *flags):
    output = tmp_path / "out.csv"
    table = tmp_path / "in.csv"
    pd.DataFrame({"SMILES": ["CCO", "nonsense", "c1ccccc1O"]}).to_csv(table, index=False)
    where = ["--model-dir", str(run), "--data-path", str(table), "--output", str(output)]
    code = main(["predict", *where, *flags])
    return pd.read_csv(output, dtype={"hERG_set": str}) if code == 0 else None


def test_the_command_and_python_add_the_same_columns(tmp_path, trained):
    found = predicted(tmp_path, trained, "--intervals", "0.5", "--nearest")
    low, p, high = (found[f"LogD_{end}"] for end in ("low", "pred", "high"))
    assert ((low < p) & (p < high))[[0, 2]].all()
    assert found.loc[1].drop(["SMILES", "reason"]).isna().all()
    assert set(found["hERG_set"].dropna()) <= {"0", "1", "0 or 1"}
    assert found.columns[-1] == "reason"
    ours = admet.load(trained).predict(
        ["CCO", "nonsense", "c1ccccc1O"], intervals=0.5, nearest=True
    )
    assert list(ours.columns) == list(found.columns)
    for name in ("LogD_low", "LogD_high", "LogD_similarity"):
        np.testing.assert_allclose(ours[name].astype(float), found[name], rtol=1e-5)
    plain = predicted(tmp_path, trained, "--overwrite")
    assert not [name for name in plain if name.endswith(("_low", "_nearest", "_set"))]


def test_a_model_that_does_not_know_its_errors_says_so(tmp_path, trained, capsys):
    import shutil

    old = tmp_path / "old"
    shutil.copytree(trained, old)
    (old / Files.DOUBT).unlink()
    write_checksums(old)
    assert predicted(tmp_path, old, "--intervals", "0.8") is None
    assert "Train it anew" in capsys.readouterr().err
    assert predicted(tmp_path, old) is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a | {"neighbours.bits": a["neighbours.bits"][:-1]},
        lambda a: a | {"neighbours.labels": a["neighbours.labels"][:, :-1]},
        lambda a: a | {"neighbours.smiles": np.array([255, 254], np.uint8)},
        lambda a: a | {"calibration.0.size": np.array([1.0, 0, 0, np.nan])},
        lambda a: a | {"calibration.0.size": np.array([1.0, 0, 0])},
        lambda a: a | {"calibration.0.scores.0": a["calibration.0.scores.0"][::-1].copy()},
        lambda a: {k: v for k, v in a.items() if k != "neighbours.bits"},
        lambda a: a | {"strange.part": np.ones(1)},
    ],
)
def test_damaged_arrays_are_refused(tmp_path, trained, change):
    import shutil

    from safetensors.numpy import load_file, save_file

    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    save_file(change(load_file(copy / Files.DOUBT)), copy / Files.DOUBT)
    write_checksums(copy)
    with pytest.raises(RunDirectoryError, match=r"doubt\.safetensors' is damaged"):
        admet.load(copy)
