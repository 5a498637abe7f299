"""The run directory: what a training leaves behind. It *is* the trained model."""

from admet.run_directory.doubt import write_doubt
from admet.run_directory.layout import SCHEMA_VERSION, Files
from admet.run_directory.loader import load_model
from admet.run_directory.reader import read_json, read_spec, read_weights
from admet.run_directory.writer import (
    RunDirectoryWriter,
    write_composite,
    write_json,
    write_model,
)

__all__ = [
    "SCHEMA_VERSION",
    "Files",
    "RunDirectoryWriter",
    "load_model",
    "read_json",
    "read_spec",
    "read_weights",
    "write_composite",
    "write_doubt",
    "write_json",
    "write_model",
]
