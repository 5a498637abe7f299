"""A model without its slow parts: those that read inputs of pretrained networks."""

import logging
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from admet.errors import ConfigError
from admet.model.composite import CompositePredictor, MemberSpec
from admet.model.inputs import INPUTS
from admet.model.trained_model import TrainedModel

log = logging.getLogger(__name__)


def pretrained(names: Iterable[str]) -> list[str]:
    """Lists those of some inputs that come from pretrained networks."""
    return [name for name in names if INPUTS[name].seen]


def without_pretrained(model: TrainedModel) -> TrainedModel:
    """Leaves the members of a mixture out that read pretrained inputs; says which.

    The weights of the others are scaled up to 1 again, for each task. Where none of them has weight
    in a task, they count alike there. Errors were measured with all members, so the result gives no
    intervals.

    Args:
        model: The model; one that reads no pretrained input is given back as it is.

    Returns:
        A model of what is left; the one that was given stays as it is.

    Raises:
        ConfigError: If nothing is left.
    """
    predictor = model.predictor
    if not isinstance(predictor, CompositePredictor):
        if slow := pretrained(model.extra_inputs):
            raise _nothing_left(model, slow)
        log.info("The model reads no pretrained input: `fast` changes nothing")
        return model
    specs = predictor.spec.members
    kept = [not pretrained(_inputs(spec)) for spec in specs]
    if all(kept):
        log.info("No member reads a pretrained input: `fast` changes nothing")
        return model
    if not any(kept):
        raise _nothing_left(model, pretrained({n for spec in specs for n in _inputs(spec)}))
    weights = np.array(predictor.spec.weights)  # (A, T)
    left = weights[kept]
    share = left.sum(axis=0)  # (T,)
    _tell([s for s, keeps in zip(specs, kept, strict=True) if not keeps], share)
    none = share == 0
    if none.any():
        names = [n for n, lost in zip(model.task_names, none, strict=True) if lost]
        arms = ", ".join(s.arm for s, keeps in zip(specs, kept, strict=True) if keeps)
        log.warning("No arm that is left had weight in %s: %s count alike", ", ".join(names), arms)
    left = np.where(none, 1 / len(left), left / np.where(none, 1, share))
    spec = predictor.spec.model_copy(
        update={
            "members": tuple(s for s, keeps in zip(specs, kept, strict=True) if keeps),
            "weights": tuple(tuple(own) for own in left.tolist()),
        }
    )
    members = [m for m, keeps in zip(predictor.members, kept, strict=True) if keeps]
    predictor = CompositePredictor(spec, members, predictor.batch_size)
    return replace(model, predictor=predictor, lacking=True)


def _inputs(spec: MemberSpec) -> tuple[str, ...]:
    return spec.inputs if spec.network is None else spec.network.inputs


def _tell(left_out: list[MemberSpec], share: np.ndarray) -> None:
    slow = dict.fromkeys(n for spec in left_out for n in pretrained(_inputs(spec)))
    log.info(
        "Left out of the mixture: %s, which read %s; they had %.0f %% of the weight, at most %.0f "
        "%% of a task's",
        ", ".join(spec.arm for spec in left_out), ", ".join(slow),
        100 * (1 - share.mean()), 100 * (1 - share.min()),
    )  # fmt: skip


def _nothing_left(model: TrainedModel, slow: list[str]) -> ConfigError:
    where = "This model" if model.run_dir is None else str(model.run_dir)
    return ConfigError(
        f"`fast` leaves out what reads inputs of pretrained networks, and all of {where} reads "
        f"{', '.join(sorted(slow))}: nothing is left. Predict without it, or make a study with "
        "arms that do without (single_task, multi_task, own_heads, task_affinity, boosted)."
    )
