import numpy as np
import pytest

from admet.errors import ConfigError
from admet.model.chemprop import task_affinity
from admet.model.chemprop.task_affinity import (
    plot_clustered_heatmap,
    plot_task_affinity_clustermap,
    plot_task_affinity_heatmap,
)
from admet.model.chemprop.task_affinity.estimators import Intervals


def matrix_of(n, rng):
    matrix = rng.uniform(-1, 1, (n, n))
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1)
    return matrix


@pytest.mark.parametrize("plot", [plot_task_affinity_heatmap, plot_clustered_heatmap])
@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_pictures_are_drawn_and_saved(tmp_path, rng, plot, n):
    path = tmp_path / "new" / "folder" / "h.png"
    names = [f"LOG PLASMA PROTEIN BINDING {i} (% unbound)" for i in range(n)]
    fig = plot(matrix_of(n, rng), names, title="T", figsize=(10, 8), cmap="RdBu_r", save_path=path)
    assert path.stat().st_size > 5000
    assert "T" in [ax.get_title() for ax in fig.axes]


def test_every_task_has_its_label_and_every_known_cell_its_number(rng):
    matrix = matrix_of(4, rng)
    matrix[0, 3] = matrix[3, 0] = np.nan
    fig = plot_task_affinity_heatmap(matrix, ["A", "B", "C", "D"])
    ax = fig.axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["A", "B", "C", "D"]
    assert len(ax.texts) == 14
    assert "unknown" in ax.get_xlabel()


def test_dollars_are_no_mathematics(tmp_path):
    names = ["IC50 $x_{$ a", "$a$b$"]
    fig = plot_task_affinity_heatmap(np.eye(2), names, title="$x_{$", save_path=tmp_path / "h.png")
    assert fig.axes[0].get_yticklabels()[0].get_text() == r"IC50 \$x_{\$ a"


def test_a_picture_of_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`save_path` must end in .jpeg, .jpg, .pdf, .png, .svg"):
        plot_task_affinity_heatmap(np.eye(2), ["A", "B"], save_path=tmp_path / "h.xyz")
    assert not list(tmp_path.iterdir())


def test_a_clustered_heatmap_stands_in_the_order_of_its_tree():
    matrix = np.array([[1, 0, 0.9], [0, 1, 0], [0.9, 0, 1.0]])
    fig = plot_clustered_heatmap(matrix, ["A", "B", "C"], groups=[["A", "C"], ["B"]])
    labels = [t.get_text() for t in fig.axes[1].get_yticklabels()]
    assert abs(labels.index("A") - labels.index("C")) == 1


def test_a_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"must have shape \(3, 3\)"):
        plot_task_affinity_heatmap(np.eye(2), ["A", "B", "C"])


def test_doubtful_pairs_are_hatched():
    matrix = np.array([[1.0, 0.1], [0.1, 1.0]])
    intervals = Intervals(matrix - 0.2, matrix + 0.2, np.ones(2))
    plain = plot_task_affinity_heatmap(matrix, ["A", "B"])
    hatched = plot_task_affinity_heatmap(matrix, ["A", "B"], uncertain=intervals.holds_zero)

    def n_hatched(figure):
        return sum(bool(patch.get_hatch()) for patch in figure.axes[0].patches)

    assert (n_hatched(plain), n_hatched(hatched)) == (0, 2)


def test_the_public_door():
    assert sorted(task_affinity.__all__) == [
        "TaskAffinityComputer",
        "TaskAffinityConfig",
        "TaskGrouper",
        "affinity_matrix_to_dataframe",
        "compute_task_affinity",
        "get_task_group_indices",
        "plot_clustered_heatmap",
        "plot_task_affinity_clustermap",
        "plot_task_affinity_heatmap",
    ]


def test_the_clustermap_has_two_names():
    assert plot_clustered_heatmap is plot_task_affinity_clustermap


@pytest.mark.parametrize("plot", [plot_task_affinity_heatmap, plot_clustered_heatmap])
def test_groups_are_not_taken_for_a_title(plot):
    with pytest.raises(TypeError, match="positional argument"):
        plot(np.eye(2), ["A", "B"], [["A"], ["B"]])


@pytest.mark.parametrize("plot", [plot_task_affinity_heatmap, plot_clustered_heatmap])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cmap": "nope"}, "`cmap` must be a colour map of matplotlib; got 'nope'"),
        ({"figsize": (0, 0)}, "`figsize` must be a width and a height"),
        ({"figsize": 5}, "`figsize` must be a width and a height"),
        ({"figsize": (1e5, 1e5)}, "at most 200 inches"),
        ({"save_path": "a\0.png"}, "must hold no NUL character"),
    ],
)
def test_a_picture_that_cannot_be_drawn_says_why(plot, options, message):
    with pytest.raises(ConfigError, match=message):
        plot(np.eye(3), ["a", "b", "c"], **options)


def test_pictures_take_names_and_marks_of_any_kind(tmp_path):
    plot_task_affinity_heatmap(np.eye(3), [1, 2, 3], title=None, uncertain=[[True] * 3] * 3)
    plot_clustered_heatmap(np.eye(2), ["\ud800", "b"], save_path=tmp_path / "x.svg")
    with pytest.raises(ConfigError, match="`uncertain` must have the shape of the matrix"):
        plot_task_affinity_heatmap(np.eye(3), list("abc"), uncertain=np.ones((2, 2)))
    for groups in ([["zz"]], [[]]):
        with pytest.raises(ConfigError, match="`groups` must hold names of `task_names`"):
            plot_clustered_heatmap(np.eye(3), list("abc"), groups=groups)
    with pytest.raises(ConfigError, match="must hold at least one task"):
        plot_task_affinity_heatmap(np.zeros((0, 0)), [])
