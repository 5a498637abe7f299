"""Tells when a pretrained input may know the labels of a panel."""

from admet.model.inputs.seen import INPUT, Seen, seen_in, warn_of
from admet.study.material import Material


def seen_labels(material: Material) -> list[Seen]:
    """Finds the tasks whose labels an output of ADMET-AI ranks well; see `seen_in`.

    Args:
        material: Panel and inputs.

    Returns:
        At most one entry a task; none where that input is not used.
    """
    outputs = material.inputs.get(INPUT)
    return [] if outputs is None else seen_in(material.panel, outputs)


def warn_of_seen_labels(material: Material) -> None:
    """Logs a line for each such task, and what to do."""
    warn_of(seen_labels(material), "leave both out of study.inputs and model.extra_inputs")
