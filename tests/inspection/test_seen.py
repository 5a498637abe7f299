import logging

import numpy as np
import pytest

from admet.cli.__main__ import main
from admet.data import Panel
from admet.data.labels import Labels, Task
from admet.kinds import BINARY, REGRESSION
from admet.model.inputs.admet_ai import N_OUTPUTS
from admet.model.inputs.seen import sample_of, seen_in


def panel_of(labels, kinds):
    smiles = np.array([f"{'C' * (i + 1)}O" for i in range(len(labels))], dtype=object)
    tasks = tuple(Task(f"T{i}", kind) for i, kind in enumerate(kinds))
    return Panel(smiles, Labels(labels), tasks, np.arange(len(labels)))


def test_a_sample_holds_enough_labels_of_each_task_and_not_too_many_molecules():
    rng = np.random.default_rng(0)
    labels = rng.normal(size=(9000, 30))
    labels[:, 1:] = np.where(rng.random((9000, 29)) < 0.9, np.nan, labels[:, 1:])
    labels[40:, 2] = np.nan
    panel = panel_of(labels, [REGRESSION] * 30)
    rows = sample_of(panel)
    assert (np.diff(rows) > 0).all()
    assert len(rows) <= 2000
    counts = panel.labels.present[rows].sum(axis=0)
    assert counts[2] == panel.labels.present[:, 2].sum()
    assert counts[3:].min() >= 60
    np.testing.assert_array_equal(sample_of(panel), rows)
    small = panel_of(labels[:50], [REGRESSION] * 30)
    assert len(sample_of(small)) == 50


def test_a_constant_task_and_a_small_one_are_not_judged():
    rng = np.random.default_rng(1)
    labels = rng.normal(size=(60, 3))
    labels[:, 0] = 1.0
    labels[20:, 1] = np.nan
    labels[:, 2] = labels[:, 2] > 0
    outputs = np.repeat(labels[:, [2]], N_OUTPUTS, axis=1) + rng.normal(0, 1e-3, (60, N_OUTPUTS))
    found = seen_in(panel_of(labels, [REGRESSION, REGRESSION, BINARY]), outputs)
    assert [(entry.task, round(entry.rank, 2)) for entry in found] == [("T2", 1.0)]


@pytest.mark.parametrize("noise", [0.1, 100.0])
def test_inspect_warns_where_it_is_asked_to(noise, tmp_path, monkeypatch, capsys, caplog):
    table = tmp_path / "t.csv"
    rows = [f"{'C' * (i + 1)}O,{i % 17}.5\n" for i in range(60)]
    table.write_text("SMILES,LogD\n" + "".join(rows))

    def outputs(names, smiles):
        assert names == ["admet_ai"]
        rng = np.random.default_rng(0)
        own = np.array([(len(text) - 2) % 17 for text in smiles], float)
        return own[:, None] + rng.normal(0, noise, (len(own), N_OUTPUTS))

    monkeypatch.setattr("admet.model.inputs.vectors", outputs)
    with caplog.at_level(logging.WARNING):
        assert main(["inspect", str(table), "--check-inputs", "true"]) == 0
    said = capsys.readouterr()
    if noise < 1:
        assert "LogD: the output " in said.err
        assert "name others in study.inputs" in said.err
    else:
        assert "admet_ai ranks no labels well before any training (60 molecules)" in said.out
    assert main(["inspect", str(table)]) == 0
    assert "before any training" not in capsys.readouterr().out
