from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from admet.errors import ConfigError
from admet.model.chemprop.plan import Group
from admet.model.chemprop.task_affinity import plot_clustered_heatmap, plot_task_affinity_heatmap
from admet.model.chemprop.task_affinity.archive import AffinityArchive
from admet.model.chemprop.task_affinity.estimators import Intervals
from admet.model.chemprop.task_affinity.groups import Grouping
from admet.model.chemprop.task_affinity.outputs import draw_clustermap, draw_heatmap

NAMES = ("A", "B", "C", "D")
BOTH = (draw_heatmap, draw_clustermap)


def measured(*, same=0.95, chance=0.01, agreement=0.95, doubt=0.2, counts=1234):
    """Two pairs that go together; `same` is how often each stays together."""
    matrix = np.full((4, 4), 0.1)
    matrix[:2, :2] = matrix[2:, 2:] = 0.6
    np.fill_diagonal(matrix, 1.0)
    together = np.where(matrix > 0.5, same, 1 - same)
    np.fill_diagonal(together, 1.0)
    groups = tuple(Group(tasks=pair, serves=pair) for pair in (NAMES[:2], NAMES[2:]))
    grouping = Grouping(NAMES, groups, co_assignment=together, agreement=agreement, chance=chance)
    n = np.full((4, 4), counts)
    intervals = Intervals(matrix - doubt, matrix + doubt, np.ones(4))
    return AffinityArchive(matrix, n, n, intervals, grouping, matrix)


def square_of(figure):
    """The axes of the cells; a dendrogram stands before it."""
    return next(ax for ax in figure.axes if ax.get_xlabel())


def n_hatched(figure):
    return sum(bool(patch.get_hatch()) for patch in square_of(figure).patches)


def n_frames(figure):
    lines = square_of(figure).lines
    return sum(
        to_rgb(line.get_color()) == (0, 0, 0) and len(line.get_xdata()) == 5 for line in lines
    )


@pytest.mark.parametrize("draw", BOTH)
def test_doubt_labels_agreement_and_chance_stand_on_both(draw):
    figure = draw(measured())
    said = square_of(figure).get_xlabel()
    assert n_hatched(figure) == 8  # the pairs of different groups
    assert "hatched: the 95 % interval holds 0" in said
    assert "agreement of two measurements: 0.95 (stable" in said
    assert "in 1 % of matrices (told from chance" in said
    assert square_of(figure).get_yticklabels()[0].get_text().endswith("(1,234)")


@pytest.mark.parametrize("draw", BOTH)
def test_noise_is_called_noise(draw):
    said = square_of(draw(measured(agreement=0.3, chance=0.4))).get_xlabel()
    assert "0.30 (not stable" in said
    assert "40 % of matrices (not told from chance" in said


@pytest.mark.parametrize(
    ("found", "frames", "word"),
    [
        ({}, 2, "framed: 2 of 2 groups, which are stable"),
        ({"same": 0.8}, 0, "no group is framed: none is stable"),
        ({"chance": 0.2}, 0, "no group is framed: there is no evidence"),
        ({"chance": np.nan}, 0, "no group is framed: there is no evidence"),
    ],
)
def test_only_what_is_stable_is_framed(found, frames, word):
    figure = draw_clustermap(measured(**found))
    assert n_frames(figure) == frames
    assert word in square_of(figure).get_xlabel()


def test_tasks_of_opposite_sign_stand_together_where_groups_go_by_size():
    found = measured()
    sign = np.outer([1, -1, 1, 1], [1, -1, 1, 1])
    opposed = replace(found, matrix=found.matrix * sign)
    figure = draw_clustermap(opposed)
    assert n_frames(figure) == 2
    assert figure.axes[0].get_ylabel() == "1 − |affinity|"
    assert "framed: 2 of 2 groups" in square_of(figure).get_xlabel()
    signed = draw_clustermap(replace(opposed, transfer=opposed.matrix))
    assert signed.axes[0].get_ylabel() == "1 − affinity"


def test_a_group_that_cannot_be_framed_is_not_counted():
    found = measured()
    matrix = found.matrix.copy()
    matrix[:2, :2] = matrix[2:, 2:] = 0.1
    matrix[0, 2] = matrix[2, 0] = matrix[1, 3] = matrix[3, 1] = 0.6
    np.fill_diagonal(matrix, 1.0)
    figure = draw_clustermap(replace(found, matrix=matrix, transfer=matrix))
    assert n_frames(figure) == 0
    said = " ".join(square_of(figure).get_xlabel().split())
    assert "framed: 0 of 2 groups, which are stable; 2 more stable, but not side by side" in said


def test_what_was_not_measured_is_said():
    known = measured(counts=0)
    grouping = Grouping(NAMES, known.grouping.groups)
    figure = draw_clustermap(
        AffinityArchive(
            known.matrix, known.pair_steps, known.n_common, None, grouping, known.transfer
        )
    )
    assert n_hatched(figure) == n_frames(figure) == 0
    assert "not measured" in square_of(figure).get_xlabel()
    assert square_of(figure).get_yticklabels()[0].get_text() in NAMES


def test_stability_decides_over_frames_from_python():
    groups = [["A", "B"], ["C", "D"]]
    matrix = measured().matrix

    def frames(stability):
        return n_frames(
            plot_clustered_heatmap(matrix, NAMES, groups=groups, stability=stability, notes=["x"])
        )

    assert [frames(s) for s in (None, [0.95, 0.5], [np.nan, 0.2])] == [2, 1, 0]
    with pytest.raises(ConfigError, match="`stability` must hold a number for each of the 2"):
        frames([1.0])
    for counts in ([1, 2], [1, 2, 3, -4]):
        with pytest.raises(ConfigError, match="`n_labels` must hold a number from 0 for each"):
            plot_task_affinity_heatmap(matrix, NAMES, n_labels=counts)


@pytest.mark.slow
@pytest.mark.parametrize("plot", [plot_task_affinity_heatmap, plot_clustered_heatmap])
def test_pictures_have_300_dots_an_inch_and_names_of_40_signs(tmp_path, rng, plot):
    matrix = np.eye(60)
    names = [f"Clearance in hepatocytes of species n {i:02d}" for i in range(60)]
    path = tmp_path / "h.png"
    figure = plot(matrix, names, save_path=path, n_labels=[7] * 60)
    shown = [label.get_text() for label in square_of(figure).get_yticklabels()]
    assert sorted(shown) == sorted(f"{name} (7)" for name in names)
    with Image.open(path) as picture:
        assert picture.info["dpi"][0] == pytest.approx(300, abs=1)
