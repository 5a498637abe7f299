"""What each command takes: the schema that its flags are built from."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from admet.config.base import LARGEST_BATCH, LARGEST_SEED, MOST_RESAMPLES, Section
from admet.config.data import DataConfig, PanelColumns, PanelFile
from admet.config.device import DeviceName
from admet.config.model import NetworkConfig
from admet.config.reading import ColumnName, LabelReading, TableReading
from admet.config.root import TrainConfig
from admet.config.task_affinity import TaskAffinityConfig

SplitSide = Literal["all", "train", "val", "test", "unseen"]


class TrainCommand(TrainConfig):
    """Measure the affinity, group the tasks, train the network, and test it."""

    config: Path | None = Field(None, description="YAML file; flags override its keys.")
    overwrite: bool = Field(False, description="Replace the run directory that is there.")
    resume: bool = Field(
        False, description="Go on with an unfinished run of the same configuration."
    )
    repeat: Path | None = Field(
        None,
        description="Run directory whose configuration, table and threads are taken again; flags "
        "override its keys.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.config is not None and self.repeat is not None:
            raise ValueError("`config` and `repeat` both name a configuration. Remove one of them.")
        if self.overwrite and self.resume:
            raise ValueError("`overwrite` and `resume` exclude each other. Remove one of them.")
        return self


class AffinityCommand(TaskAffinityConfig, PanelColumns, PanelFile):
    """Measure the affinity of the tasks and group them, without training a model."""

    enabled: bool = Field(True, description="Always true here: measuring is what it does.")
    target_columns: tuple[ColumnName, ...] = Field(
        (),
        description="Columns to compare, one a task: names, patterns as 'LOG *', or numeric for "
        "all that hold numbers.",
    )
    save_path: Path = Field(
        Path("results/task_affinity.npz"), description="Where matrix, names and groups are saved."
    )
    plot_heatmap: Path | None = Field(None, description="Where the heatmap is drawn.")
    plot_clustered: Path | None = Field(
        None, description="Where the heatmap ordered by its dendrogram is drawn."
    )
    model: NetworkConfig = Field(NetworkConfig(), description="The network of the affinity phase.")

    @model_validator(mode="after")
    def _nothing_ignored(self) -> Self:
        if not self.enabled:
            raise ValueError("`enabled` cannot be false here: this command measures the affinity.")
        return self

    def _unread(self) -> dict[str, str]:
        of_network = self.unread_of_network(self.model)
        return super()._unread() | {f"model.{key}": why for key, why in of_network.items()}


class InspectCommand(DataConfig):
    """Show what a table holds, read as a training reads it: `admet inspect TABLE`."""

    data_path: Path = Field(description="The table; `admet inspect TABLE` names it, too.")
    save_dir: Path | None = Field(
        None,
        description="Folder for tables, a page of pictures and a configuration to start from; "
        "empty: only the console is written to.",
    )
    overwrite: bool = Field(False, description="Replace the files of an earlier inspection.")
    check_inputs: bool = Field(
        False,
        description="Look whether a pretrained input ranks the labels before any training, so that "
        "it may have seen them; takes some seconds.",
    )
    seed: int = Field(42, ge=0, le=LARGEST_SEED, description="Seed of the split.")

    def _unread(self) -> dict[str, str]:
        unread = super()._unread() | dict.fromkeys(("cache", "cache_dir"), "nothing is featurised")
        if self.save_dir is None:
            unread["overwrite"] = "save_dir is empty"
        if self.split_seed is not None:
            unread["seed"] = "split_seed is set"
        elif not self.deals_blocks:
            unread["seed"] = f"split_type is {self.split_type}"
        return unread


class _OneModel(Section):
    """Reads a trained model."""

    model_dir: Path = Field(description="Run directory of the model.")


class Predicting(Section):
    """Predicts with trained networks."""

    batch_size: int = Field(1024, ge=1, le=LARGEST_BATCH, description="Molecules in one step.")
    device: DeviceName = Field("auto", description="auto, cpu, cuda or cuda:N.")


class _Resampling(Section):
    """Gives intervals from a bootstrap."""

    n_bootstrap: int = Field(
        1000, ge=0, le=MOST_RESAMPLES, description="Resamples of the 95 % intervals."
    )
    seed: int = Field(42, ge=0, le=LARGEST_SEED, description="Seed of the resampling.")

    def _unread(self) -> dict[str, str]:
        return {} if self.n_bootstrap else {"seed": "n_bootstrap is 0"}


class _OneFile(Section):
    """Writes one file, which may be there."""

    overwrite: bool = Field(False, description="Replace the output file that is there.")


class EvaluateCommand(Predicting, _Resampling, _OneModel, LabelReading):
    """Test a trained model on a labelled table."""

    data_path: Path = Field(description="Labelled table.")
    smiles_column: ColumnName | None = Field(
        None, description="Column with the SMILES; empty: the one that the model was trained on."
    )
    id_column: ColumnName | None = Field(
        None,
        description="Column of identifiers; empty: that of the training table, where it is there.",
    )
    output: Path | None = Field(
        None,
        description="File to write: .json holds the whole result; .csv, .tsv, .parquet or .xlsx "
        "the metrics.",
    )
    split: SplitSide = Field(
        "all",
        description="Only the molecules that the run had on this side of its split; unseen: only "
        "those that it had on none.",
    )


class CompareCommand(Predicting, _Resampling, LabelReading):
    """Compare models, molecule by molecule, with the first one named."""

    model_dirs: tuple[Path, ...] = Field((), description="Run directories, the reference first.")
    test_data: Path | None = Field(None, description="Labelled table, with --model-dirs.")
    smiles_column: ColumnName | None = Field(
        None,
        description="Its column with the SMILES; empty: the one that each model was trained on.",
    )
    result_files: tuple[Path, ...] = Field((), description="JSON files written by evaluate.")
    output: Path | None = Field(
        None, description="File to write: .csv, .csv.gz, .tsv, .parquet, .xlsx or .json."
    )
    split: SplitSide = Field(
        "all",
        description="With --model-dirs: only this side of the first run's split; unseen: only "
        "molecules that no run had on any side.",
    )

    @field_validator("n_bootstrap", mode="before")
    @classmethod
    def _some(cls, value: object) -> object:
        if isinstance(value, int) and value < 1:  # a comparison is its intervals
            raise ValueError(f"`n_bootstrap` should be greater than or equal to 1; got {value}.")
        return value

    def _unread(self) -> dict[str, str]:
        why = "result_files hold predictions already"
        idle = ("device", "batch_size", "smiles_column", *LabelReading.model_fields)
        return dict.fromkeys(idle, why) if self.result_files else {}


class PredictCommand(Predicting, _OneFile, _OneModel, TableReading):
    """Predict every row of a table."""

    data_path: Path = Field(description="Table with a SMILES column.")
    output: Path = Field(
        description="File to write: .csv, .csv.gz, .tsv, .parquet, .xlsx, .json or .sdf."
    )
    smiles_column: str | None = Field(
        None, description="Column with the SMILES; empty: the one that the model was trained on."
    )
    structure_column: ColumnName | None = Field(
        None, description="New column with the structure that was predicted; empty: none."
    )
    intervals: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of new labels that intervals shall hold, as 0.8; adds their ends, or of "
        "a binary task the classes that cannot be ruled out. Empty: no intervals.",
    )
    nearest: bool = Field(
        False,
        description="Add for each task the most similar molecule that the model learnt from, its "
        "similarity and its label.",
    )
    fast: bool = Field(
        False,
        description="Of the mixture of a study, leave the members out that read pretrained inputs.",
    )


class ShowCommand(Section):
    """Show what a run directory or a study holds: `admet show RUN`."""

    run_dir: Path = Field(description="The folder; `admet show RUN` names it, too.")


class ReportCommand(_OneFile):
    """Show a training or a study as one page: `admet report RUN_OR_STUDY`."""

    run: Path = Field(
        description="Run directory, or folder of a study; `admet report FOLDER` names it, too."
    )
    output: Path | None = Field(
        None,
        description="File to write, .html; empty: report.html in that folder, which replaces an "
        "earlier one.",
    )


class DemoCommand(_OneFile):
    """Write the simulated demo panel."""

    output: Path = Field(
        Path("data/demo_panel.csv"),
        description="File to write: .csv, .csv.gz, .tsv, .parquet, .xlsx or .json.",
    )
    n_molecules: int = Field(1500, ge=50, le=LARGEST_BATCH, description="Molecules.")
    missing: float = Field(0.3, ge=0, lt=1, description="Share of the cells left empty.")
    seed: int = Field(
        0, ge=0, le=LARGEST_SEED, description="Seed of the choice, the noise and the gaps."
    )
