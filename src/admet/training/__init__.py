"""From a configuration to a run directory."""

from admet.training.pipeline import train

__all__ = ["train"]
