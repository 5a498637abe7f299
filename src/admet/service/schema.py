"""What goes over the wire, for its checks and for the OpenAPI document."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from admet.config.reading import DelimiterName, QuotingName, TableReading, UnitsRowName
from admet.service.files import Job

Share = Annotated[float, Field(gt=0, lt=1)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
SourceEnding = Literal[
    "csv", "csv.gz", "txt", "txt.gz", "tsv", "tsv.gz", "tab", "tab.gz", "parquet", "pq", "xlsx",
    "xlsm", "ods", "sdf", "sdf.gz", "sd", "sd.gz", "smi", "smi.gz",
]  # fmt: skip
"""Endings of files that are read; a test holds that they are those of `admet.headers`."""
OutputEnding = Literal["csv", "csv.gz", "tsv", "tsv.gz", "xlsx", "parquet", "json", "sdf"]
"""Endings of files that are written, those of `admet.table_files`."""

USUAL_OUTPUT: dict[str, OutputEnding] = {
    "tsv": "tsv", "tsv.gz": "tsv", "tab": "tsv", "tab.gz": "tsv", "xlsx": "xlsx", "xlsm": "xlsx",
    "ods": "xlsx", "parquet": "parquet", "pq": "parquet", "sdf": "sdf", "sdf.gz": "sdf",
    "sd": "sdf", "sd.gz": "sdf",
}  # fmt: skip
"""The ending of the result where the caller names none; .csv for all others."""

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "csv.gz": "application/gzip",
    "tsv": "text/tab-separated-values; charset=utf-8",
    "tsv.gz": "application/gzip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
    "sdf": "chemical/x-mdl-sdfile; charset=utf-8",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class PredictRequest(_Strict):
    """Molecules to predict."""

    smiles: list[str] = Field(min_length=1, description="SMILES, one a molecule.")
    intervals: Share | None = Field(
        None, description="Share of new labels that intervals shall hold, as 0.8; empty: none."
    )
    nearest: bool = Field(
        False, description="Add the most similar molecule that each endpoint learnt from."
    )
    structures: bool = Field(
        False, description="Add what was predicted, without salts, as canonical SMILES."
    )


class DrawRequest(_Strict):
    """Molecules to draw."""

    smiles: list[str] = Field(min_length=1, max_length=500, description="SMILES.")


class FileRequest(_Strict):
    """What is asked of a file, in the query of its address."""

    format: SourceEnding = Field(description="What it is.")
    output: OutputEnding | None = Field(
        None, description="What comes back; empty: the format of the file, or csv."
    )
    smiles_column: Name | None = Field(None, description="Empty: that of the model.")
    structure_column: Name | None = Field(
        None, description="Column for what was predicted; empty: none."
    )
    intervals: Share | None = Field(
        None, description="Share of new labels that intervals shall hold, as 0.8; empty: none."
    )
    nearest: bool = Field(
        False, description="Add the most similar molecule that each endpoint learnt from."
    )
    wait: bool = Field(False, description="Answer with the result itself.")
    sheet: Name | None = Field(None, description="Sheet of a workbook.")
    delimiter: DelimiterName = "auto"
    quoting: QuotingName = "auto"
    encoding: Name | None = Field(None, description="Encoding of a text.")
    units_row: UnitsRowName = Field("auto", description="Whether the second row holds units.")

    @property
    def ending(self) -> OutputEnding:
        """The ending of the result."""
        return self.output or USUAL_OUTPUT.get(self.format, "csv")

    def options(self) -> dict[str, Any]:
        """Gives what a process that predicts needs to know of it.

        Raises:
            ConfigError: If a table cannot be read so.
        """
        keys = ("smiles_column", "structure_column", "intervals", "nearest")
        reading = TableReading(**{key: getattr(self, key) for key in TableReading.model_fields})
        return {key: getattr(self, key) for key in keys} | {"reading": reading.model_dump()}


class Endpoint(BaseModel):
    """An endpoint that the model predicts."""

    name: str
    unit: str = Field(description="Empty where the training table did not say.")
    kind: str = Field(description="regression, or binary: the prediction is the chance of a 1.")


class Value(BaseModel):
    """What is said of one molecule and one endpoint."""

    value: float | None
    low: float | None = Field(None, description="Lower end of the interval.")
    high: float | None = Field(None, description="Upper end of the interval.")
    classes: str | None = Field(None, description="Binary: the classes that are not ruled out.")
    nearest: str | None = Field(None, description="SMILES of the nearest training molecule.")
    similarity: float | None = Field(None, description="Tanimoto similarity to it, 0 to 1.")
    nearest_label: float | str | None = Field(None, description="What was measured of it.")
    level: float | None = Field(
        description="Where the value stands among the training labels: −1 is two standard "
        "deviations below their mean, 1 as far above. Binary: −1 is certainly 0, 1 certainly 1."
    )


class Molecule(BaseModel):
    """A molecule and its predictions."""

    smiles: str = Field(description="As it was sent.")
    structure: str | None = Field(
        None, description="With `structures`: what was predicted; empty where nothing was."
    )
    reason: str = Field(description="Why it got no prediction; empty where it got one.")
    values: list[Value] = Field(description="One an endpoint; none where there is a reason.")


class Predictions(BaseModel):
    """The answer to molecules."""

    endpoints: list[Endpoint]
    molecules: list[Molecule] = Field(description="In the order in which they were sent.")


class Drawings(BaseModel):
    """Pictures of molecules."""

    drawings: list[str | None] = Field(description="SVG; null for what cannot be drawn.")


class About(BaseModel):
    """The model that is served."""

    endpoints: list[Endpoint]
    smiles_column: str = Field(description="Where a file has its SMILES if nothing is said.")
    intervals: bool = Field(description="Whether it can tell intervals and nearest molecules.")
    training_molecules: int | None
    version: str
    max_molecules: int
    max_rows: int
    max_bytes: int


class FileState(BaseModel):
    """A file that was accepted."""

    id: str
    state: str = Field(description="queued, running, done or failed.")
    output: str = Field(description="Ending of the result.")
    rows: int | None = Field(description="Rows of the table, once they are counted.")
    done: int = Field(description="Rows that are predicted.")
    without_prediction: int | None = Field(description="Rows that got none.")
    error: str = Field(description="Why it failed.")
    notes: list[str] = Field(description="What was recognised while the file was read.")
    preview: list[str] = Field(description="SMILES of its first rows.")

    @classmethod
    def of(cls, job: Job) -> "FileState":
        """Describes a file."""
        return cls(
            id=job.id, state=job.state, output=job.output.lstrip("."), rows=job.rows,
            done=job.done, without_prediction=job.without_prediction, error=job.error,
            notes=job.notes, preview=job.preview,
        )  # fmt: skip


class Health(BaseModel):
    """Whether the server takes requests."""

    status: str = Field(description="ok, starting, or stopping.")


class Fault(BaseModel):
    """Why a request is not answered."""

    error: str
    status: int
