"""What a file says that its model is: one that ours can stand for, or what else, by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from admet.config.data import TaskKind
from admet.errors import ConfigError

KINDS: dict[str, TaskKind] = {
    "RegressionFFN": "regression",
    "BinaryClassificationFFN": "binary",
}
"""Chemprop's heads that ours can stand for."""
_HEADS = {
    "MveFFN": "predicts a mean and a variance",
    "EvidentialFFN": "is evidential",
    "QuantileFFN": "predicts quantiles",
    "BinaryDirichletFFN": "predicts a Dirichlet distribution",
    "MulticlassClassificationFFN": "has several classes",
    "MulticlassDirichletFFN": "has several classes",
    "SpectralFFN": "predicts spectra",
}
_AGGREGATIONS = ("NormAggregation", "MeanAggregation", "SumAggregation")
_PASSING = "BondMessagePassing"
_INSTEAD = "Name a model of one molecule with regression or binary classification."
_OF_ENCODER = "Its encoder can start a training: `admet train --model.init-from FILE`."


def described(path: Path, content: Any) -> Mapping[str, Any]:
    """Gives the description of a model that can be rebuilt.

    Raises:
        ConfigError: Names what it is instead.
    """
    refusal = _no_model(content) or _other_encoder(content) or _other_head(content)
    if refusal is not None:
        what, remedy = refusal
        raise ConfigError(f"{str(path)!r} {what}. {remedy}")
    found: Mapping[str, Any] = content["hyper_parameters"]
    return found


def _no_model(content: Any) -> tuple[str, str] | None:
    """Says why a file is no model of Chemprop v2, and what to do; None where it may be one."""
    nothing = "is no model of Chemprop v2: it does not describe itself"
    if not isinstance(content, Mapping):
        return nothing, _INSTEAD
    hyper = content.get("hyper_parameters")
    if not isinstance(hyper, Mapping) or not isinstance(content.get("state_dict"), Mapping):
        if "args" not in content:
            return nothing, _INSTEAD
        remedy = "Its atom features are others than those that admet reads: train it anew."
        return "is a model of Chemprop v1", remedy
    if any(str(key).endswith("_predictor") for key in hyper):
        return "predicts atoms or bonds (MolAtomBondMPNN)", _INSTEAD
    if "message_passing" not in hyper:
        return "holds an encoder without a head", _OF_ENCODER
    if not all(isinstance(hyper.get(k), Mapping) for k in ("message_passing", "predictor", "agg")):
        return "is no model of Chemprop v2: a part is not described", _INSTEAD
    return None


def _other_encoder(content: Any) -> tuple[str, str] | None:
    """Says why an encoder is none of ours, and what to do; None where it is."""
    hyper = content["hyper_parameters"]
    passing, agg = hyper["message_passing"], hyper["agg"]
    cls, of_agg = class_name(passing.get("cls")), class_name(agg.get("cls"))
    if "blocks" in passing or "Multicomponent" in cls:
        return "reads several molecules at once (MulticomponentMessagePassing)", _INSTEAD
    if cls != _PASSING:
        return f"passes messages by {cls or 'an unknown class'}, not {_PASSING}", _INSTEAD
    if passing.get("d_vd"):
        return f"reads {passing['d_vd']!r} extra descriptors of atoms", _INSTEAD
    if of_agg not in _AGGREGATIONS:
        what = f"sums up atoms by {of_agg or 'an unknown class'}, not {', '.join(_AGGREGATIONS)}"
        return what, _OF_ENCODER
    return None


def _other_head(content: Any) -> tuple[str, str] | None:
    """Says why a head is none of ours, and what to do; None where it is."""
    hyper = content["hyper_parameters"]
    passing, predictor = hyper["message_passing"], hyper["predictor"]
    cls = class_name(predictor.get("cls"))
    if cls not in KINDS:
        return f"has the head {cls or '?'}, which {_HEADS.get(cls, 'is unknown')}", _INSTEAD
    reads, gives = predictor.get("input_dim"), passing.get("d_h")
    if hyper.get("X_d_transform") is not None or reads != gives:
        what = f"its head takes {reads!r} numbers, its encoder gives {gives!r}"
        return f"reads descriptors of molecules: {what}", _INSTEAD
    return None


def class_name(cls: object) -> str:
    """Gives the name of a class, or of what stands in for one; empty where there is none."""
    return str(getattr(cls, "__name__", ""))
