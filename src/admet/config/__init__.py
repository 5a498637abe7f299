"""The YAML schema: one module a section, frozen pydantic models, free of torch."""

from admet.config.commands import (
    AffinityCommand,
    CompareCommand,
    DemoCommand,
    EvaluateCommand,
    InspectCommand,
    PredictCommand,
    ReportCommand,
    TrainCommand,
)
from admet.config.data import DataConfig
from admet.config.idle import warn_of_idle_keys
from admet.config.load import dump_yaml_config, load_yaml_config
from admet.config.model import FFNConfig, MessagePassingConfig, ModelConfig, NetworkConfig
from admet.config.reading import LabelReading, TableReading
from admet.config.root import TrainConfig
from admet.config.task_affinity import TaskAffinityConfig
from admet.config.training import TrainingConfig

__all__ = [
    "AffinityCommand",
    "CompareCommand",
    "DataConfig",
    "DemoCommand",
    "EvaluateCommand",
    "FFNConfig",
    "InspectCommand",
    "LabelReading",
    "MessagePassingConfig",
    "ModelConfig",
    "NetworkConfig",
    "PredictCommand",
    "ReportCommand",
    "TableReading",
    "TaskAffinityConfig",
    "TrainCommand",
    "TrainConfig",
    "TrainingConfig",
    "dump_yaml_config",
    "load_yaml_config",
    "warn_of_idle_keys",
]
