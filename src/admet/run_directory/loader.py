"""Opens a run directory as a model; its weights are checked before they are used."""

from pathlib import Path

import torch
from torch import Tensor

from admet.errors import RunDirectoryError
from admet.model.chemprop.predictor import Predictor, build_networks, check_width
from admet.model.chemprop.spec import ModelSpec
from admet.model.trained_model import TrainedModel
from admet.run_directory.doubt import read_doubt
from admet.run_directory.layout import COPY_AGAIN
from admet.run_directory.reader import read_spec, read_weights


def load_model(
    run_dir: str | Path, device: torch.device | str = "cpu", batch_size: int = 1024
) -> TrainedModel:
    """Opens a run directory.

    Args:
        run_dir: The directory.
        device: Where to predict.
        batch_size: Molecules in one step.

    Returns:
        The model.

    Raises:
        RunDirectoryError: If the directory is missing, damaged or newer than this program.
        ConfigError: If a package that computes an extra input of the model is missing, or gives
            other numbers than where the model was trained.
    """
    run_dir = Path(run_dir)
    spec = read_spec(run_dir)
    if not isinstance(spec, ModelSpec):
        from admet.run_directory.composite import load_composite  # noqa: PLC0415 - slow, seldom

        mixture = load_composite(spec, run_dir, device, batch_size)
        return TrainedModel(mixture, run_dir=run_dir, doubt=read_doubt(run_dir, spec))
    if spec.inputs:
        from admet.model.inputs import check_inputs  # noqa: PLC0415 - slow, seldom

        check_inputs(spec.inputs)
        check_width(spec)
    weights = read_weights(run_dir)
    _check_weights(weights, run_dir)
    _check_shapes(spec, weights, run_dir)
    with torch.random.fork_rng(devices=[]):  # the caller's random state stays as it is
        networks = build_networks(spec)
    for index, network in enumerate(networks):
        prefix = f"networks.{index}."
        own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        try:
            network.load_state_dict(own)
        except RuntimeError as error:
            first = str(error).splitlines()[-1].strip()
            raise RunDirectoryError(
                f"The weights in {str(run_dir)!r} do not fit its model.json: {first}. {COPY_AGAIN}"
            ) from None
    predictor = Predictor(spec, networks, device, batch_size)
    return TrainedModel(predictor, run_dir=run_dir, doubt=read_doubt(run_dir, spec))


def _check_weights(weights: dict[str, Tensor], run_dir: Path) -> None:
    """Refuses weights that no training of ours has written.

    Raises:
        RunDirectoryError: If one is no float32 tensor, or holds NaN or infinity.
    """
    for name, tensor in weights.items():
        integer = name.endswith("num_batches_tracked")
        if tensor.dtype != (torch.int64 if integer else torch.float32):
            raise RunDirectoryError(
                f"The weights in {str(run_dir)!r} are damaged: {name} is of type {tensor.dtype}. "
                f"{COPY_AGAIN}"
            )
        if not torch.isfinite(tensor).all():
            raise RunDirectoryError(
                f"The weights in {str(run_dir)!r} are damaged: {name} holds NaN or infinity. "
                f"{COPY_AGAIN}"
            )


def _check_shapes(spec: ModelSpec, weights: dict[str, Tensor], run_dir: Path) -> None:
    """Compares names and shapes before any memory is taken for what `model.json` asks for.

    Raises:
        RunDirectoryError: If a weight belongs to no network, or has the wrong shape.
    """
    try:
        with torch.device("meta"):
            networks = build_networks(spec)
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:  # beyond any memory
        raise RunDirectoryError(
            f"The model.json in {str(run_dir)!r} is damaged: its networks cannot be built "
            f"({str(error).splitlines()[0]}). Copy the run directory again."
        ) from None
    known = {f"networks.{i}.{name}" for i, n in enumerate(networks) for name in n.state_dict()}
    if strange := sorted(set(weights) - known):
        raise RunDirectoryError(
            f"The weights in {str(run_dir)!r} do not fit its model.json: {strange[0]} is unknown. "
            "Copy the run directory again."
        )
    for index, network in enumerate(networks):
        for name, tensor in network.state_dict().items():
            stored = weights.get(f"networks.{index}.{name}")
            if stored is not None and stored.shape != tensor.shape:
                raise RunDirectoryError(
                    f"The weights in {str(run_dir)!r} do not fit its model.json: {name} has shape "
                    f"{tuple(stored.shape)}, must have {tuple(tensor.shape)}. {COPY_AGAIN}"
                )
