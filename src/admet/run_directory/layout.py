"""The names of the files in a run directory."""

from admet.files import (
    AFFINITY_ARCHIVE,
    AFFINITY_CLUSTERMAP,
    AFFINITY_HEATMAP,
    REPORT,
    SPLIT_TABLE,
    SUMS,
)

SCHEMA_VERSION = 4
"""Raised when a reader of an older version could no longer understand the directory."""


COMPOSITE_VERSION = 5
"""The version of a mixture of several models, which earlier readers do not know."""

INPUTS_VERSION = 6
"""The version of networks with extra inputs, or of a mixture that holds some; its content says
which of the two it is."""

PLANS_VERSION = 7
"""The version of a mixture that holds several networks on frozen inputs as one member."""


class Files:
    """File names, all relative to the run directory."""

    CONFIG = "config.yaml"
    """The resolved configuration."""
    MODEL = "model.json"
    """Tasks, scalers, groups and the shape of the networks."""
    WEIGHTS = "model.safetensors"
    """The weights."""
    DOUBT = "doubt.safetensors"
    """What intervals and neighbours of predictions need."""
    RUN = "run.json"
    """Versions, seeds, hardware, seconds of every phase."""
    AFFINITY = AFFINITY_ARCHIVE
    """Matrix, names and groups; `affinity.csv` and `affinity_pairs.csv` stand beside it."""
    HEATMAP = AFFINITY_HEATMAP
    """The matrix as a picture."""
    CLUSTERED = AFFINITY_CLUSTERMAP
    """The matrix in the order of its dendrogram, the groups framed."""
    SPLIT = SPLIT_TABLE
    """Side of every molecule."""
    REJECTED = "rejected.csv"
    """Input rows left out, with line and reason."""
    STRUCTURES = "structures.csv"
    """Input rows whose structure was changed or that were merged, and why."""
    LABELS = "labels.csv"
    """Label cells read otherwise than as the number in them, with line and reason, if any."""
    HISTORY = "history.csv"
    """Losses and rates of every epoch."""
    METRICS = "metrics.json"
    """Metrics on the validation and the test side."""
    PREDICTIONS = "test_predictions.csv"
    """Labels and predictions on the test side."""
    REPORT = REPORT
    """All of it as one page; made from the others, and not summed up with them."""
    CHECKSUMS = SUMS
    """SHA-256 of every other file."""
    CHECKPOINTS = "checkpoints"
    """Folder of an unfinished run: what it needs to go on. A finished one has none."""
    STATE = "state.bin"
    """A file in that folder: where the training stands."""
    LOG = "train.log"
    """What the console said."""


COPY_AGAIN = "Copy the run directory again."
"""The remedy for a run directory that is damaged."""
