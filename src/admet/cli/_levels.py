"""The two levels of help: `--help` shows the flags one needs most, `--help-all` every flag."""

from collections.abc import Iterator, Mapping

from admet.config.base import Section

HELP, HELP_ALL = "--help", "--help-all"

NEEDED: Mapping[str, tuple[str, ...]] = {
    "train": (
        "data-path", "save-dir", "config", "overwrite", "resume", "seed", "data.smiles-column",
        "data.target-columns", "data.split-type", "task-affinity.enabled",
        "task-affinity.n-groups", "training.epochs",
    ),
    "study": (
        "data-path", "save-dir", "config", "overwrite", "data.smiles-column",
        "data.target-columns", "data.split-type", "training.epochs", "study.folds",
        "study.repeats", "study.arms", "study.time-budget",
    ),
    "tune": (
        "data-path", "save-dir", "config", "overwrite", "data.smiles-column",
        "data.target-columns", "data.split-type", "training.epochs", "tune.trials",
        "tune.time-budget", "tune.folds", "tune.keys",
    ),
    "serve": (
        "model-dir", "host", "port", "token-file", "spool-dir", "max-rows", "fast", "device",
    ),
    "compute_task_affinity": (
        "data-path", "smiles-column", "target-columns", "n-groups", "estimator",
        "clustering-method", "affinity-epochs", "affinity-batch-size", "seed", "save-path",
        "plot-heatmap", "plot-clustered",
    ),
    "inspect": (
        "data-path", "smiles-column", "target-columns", "id-column", "sheet", "delimiter",
        "split-type", "split-column", "save-dir", "overwrite",
    ),
    "predict": (
        "model-dir", "data-path", "output", "smiles-column", "structure-column", "intervals",
        "nearest", "overwrite", "device",
    ),
    "evaluate": (
        "model-dir", "data-path", "output", "smiles-column", "split", "n-bootstrap", "device",
    ),
    "compare_models": (
        "model-dirs", "test-data", "result-files", "output", "smiles-column", "split",
        "n-bootstrap", "device",
    ),
}  # fmt: skip
"""Command → its flags, without dashes, that `--help` shows; a command not named shows all."""

Shown = Mapping[tuple[type[Section], str], int]
"""Keys of sections that a help shows, each with its place among them."""


def shown_by_help(name: str, command: type[Section]) -> tuple[Shown, int] | None:
    """Gives the keys that the short help of a command shows, and the number of all its flags.

    Args:
        name: The command.
        command: Its schema.

    Returns:
        The keys, and how many flags there are; None where it shows all.
    """
    needed = NEEDED.get(name)
    if needed is None:
        return None
    flags = dict(flags_of(command))
    return {flags[flag]: place for place, flag in enumerate(needed)}, len(flags)


def flags_of(
    section: type[Section], prefix: str = ""
) -> Iterator[tuple[str, tuple[type[Section], str]]]:
    """Lists the flags of a schema, without dashes, each with the section and the key it sets."""
    for name, field in section.model_fields.items():
        flag = prefix + name.replace("_", "-")
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield from flags_of(kind, f"{flag}.")
        else:
            yield flag, (section, name)
