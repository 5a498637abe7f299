"""Measure which ADMET endpoints help one another, group them, train the grouped model."""

TYPE_CHECKING = False  # type checkers know the name; importing typing would take its time
if TYPE_CHECKING:
    from pathlib import Path

    from admet.model.trained_model import TrainedModel

__version__ = "0.1.0"

__all__ = ["__version__", "load"]


def load(run_dir: "str | Path", *, device: str = "auto", batch_size: int = 1024) -> "TrainedModel":
    """Opens a trained model.

    Args:
        run_dir: The folder that `admet train` left behind.
        device: auto, cpu, cuda or cuda:N.
        batch_size: Molecules in one step.

    Returns:
        The model; its `predict` takes SMILES or a frame, and follows the rules of `admet predict`.

    Raises:
        ConfigError: If `device` or `batch_size` breaks its rule.
        DeviceError: If the device is not there.
        RunDirectoryError: If the folder is missing, damaged or newer than this program.
    """
    from admet.config.commands import Predicting  # noqa: PLC0415 - `import admet` costs nothing
    from admet.model.chemprop.device import resolve_device  # noqa: PLC0415
    from admet.run_directory import load_model  # noqa: PLC0415

    asked = Predicting(device=device, batch_size=batch_size)
    return load_model(run_dir, resolve_device(asked.device), asked.batch_size)
