"""The run directory: what a training leaves behind. It *is* the trained model."""

from admet.run_directory.layout import SCHEMA_VERSION, Files
from admet.run_directory.reader import read_json, read_spec, read_split, read_weights
from admet.run_directory.spec import ModelSpec, TaskSpec
from admet.run_directory.trained_model import TrainedModel, build_networks, network_plans
from admet.run_directory.writer import RunDirectoryWriter, write_json

__all__ = [
    "SCHEMA_VERSION",
    "Files",
    "ModelSpec",
    "RunDirectoryWriter",
    "TaskSpec",
    "TrainedModel",
    "build_networks",
    "network_plans",
    "read_json",
    "read_spec",
    "read_split",
    "read_weights",
    "write_json",
]
