"""The fits of a study, each kept as soon as it is done, so that a study can go on."""

import io
import json
import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load, save
from threadpoolctl import threadpool_limits

from admet.data import Split
from admet.errors import AdmetError, AffinityWarning, NumericalError
from admet.files import read_sealed, write_sealed
from admet.study.arms import ARMS, Outcome, Trained
from admet.study.material import Material
from admet.study.tracking import followed_fit


@dataclass(frozen=True)
class Job:
    """One fit.

    Attributes:
        arm: The way of training.
        repeat: Which division of the panel, from 0.
        fold: Which fold of it is tested, from 0.
        seed: Which training of the same arm on the same fold, from 0.
        share: Part of the molecules of the fold that it learns from; below 1 for learning curves.
    """

    arm: str
    repeat: int
    fold: int
    seed: int
    share: float = 1.0

    @property
    def name(self) -> str:
        """Its name in files."""
        part = "" if self.share == 1 else f"-p{100 * self.share:g}"
        return f"{self.arm}-r{self.repeat}-f{self.fold}-s{self.seed}{part}"


@dataclass(frozen=True, eq=False)
class Fit:
    """A fit that was done, or failed.

    Attributes:
        job: Which one.
        outcome: What it says of the tested molecules; None where it failed, or tested none.
        seconds: How long it took.
        fault: Why it failed; empty where it did not.
        trained: The model; None where it is not kept.
    """

    job: Job
    outcome: Outcome | None
    seconds: float
    fault: str = ""
    trained: Trained | None = None


class FitStore:
    """The folder in which the fits of a study are kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, job: Job) -> Fit | None:
        """Reads a fit; None where there is none that can be trusted, or it failed."""
        path = self.folder / f"{job.name}.bin"
        content = read_sealed(path) if path.exists() else None
        if content is None:
            return None
        try:
            arrays = load(content)
            about = json.loads(arrays["about"].tobytes())
            outcome = Outcome(arrays["mean"], about["groups"])
            return Fit(job, outcome, float(about["seconds"]))
        except (SafetensorError, KeyError, ValueError, TypeError):
            return None

    def write(self, fit: Fit) -> None:
        """Keeps a fit that did not fail."""
        if fit.outcome is None:
            return
        about = json.dumps({"seconds": fit.seconds, "groups": fit.outcome.groups})
        arrays = {
            "mean": np.ascontiguousarray(fit.outcome.mean),
            "about": np.frombuffer(about.encode(), np.uint8),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        write_sealed(self.folder / f"{fit.job.name}.bin", save(arrays))


def do(material: Material, split: Split, job: Job) -> Fit:
    """Does one fit in one thread; what a panel does to an arm does not reach the others."""
    start = time.perf_counter()
    seed = seed_of(material.config.seed, job)
    try:
        with followed_fit(material, split, job) as (own, report), one_thread(), quiet():
            part = thinned(split, job.share, material.panel.labels.values, seed)
            outcome = ARMS[job.arm].fit(own, part, seed)
            report(outcome.mean)
            if not np.isfinite(outcome.mean).all():
                raise NumericalError(
                    "It predicted a value that is NaN or infinite. Look for extreme labels, or "
                    "leave the arm out."
                )
    except Exception as error:  # of a library, too: the other arms go on
        return Fit(job, None, time.perf_counter() - start, _fault(error))
    return Fit(job, outcome, time.perf_counter() - start)


def _fault(error: Exception) -> str:
    """Says why a fit failed; what is no error of ours by its kind, too."""
    told = str(error).strip() or "no reason given"
    return told if isinstance(error, AdmetError) else f"{type(error).__name__}: {told}"


def keep(material: Material, split: Split, job: Job) -> Fit:
    """Trains an arm as `do` does, with the seed of the study, and keeps the model."""
    start = time.perf_counter()
    try:
        with one_thread(), quiet():
            trained = ARMS[job.arm].train(material, split, material.config.seed)
    except Exception as error:  # likewise
        return Fit(job, None, time.perf_counter() - start, _fault(error))
    return Fit(job, None, time.perf_counter() - start, trained=trained)


@contextmanager
def one_thread() -> Iterator[None]:
    """Lets what computes take one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps what a single training would say out of the study's log; errors still pass."""
    logger = logging.getLogger("admet")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore", AffinityWarning)  # of each fold
            yield
    finally:
        logger.setLevel(level)


def seed_of(seed: int, job: Job) -> int:
    """Gives the seed of a fit: all arms of one fold and seed have the same."""
    entropy = np.random.SeedSequence((seed, job.repeat, job.fold, job.seed))
    return int(entropy.generate_state(1)[0])


def thinned(split: Split, share: float, labels: np.ndarray, seed: int) -> Split:
    """Keeps a part of what is learnt from, drawn by chance; smaller parts lie in larger ones.

    Two molecules whose labels of a task differ are among the first that are kept, where there are
    any: without them the task could not be learnt.

    Args:
        split: The fold.
        share: The part that is kept; 1 keeps all.
        labels: Of the panel, shape (n, T), NaN where absent.
        seed: Seed of the draw.
    """
    if share == 1:
        return split
    order = np.random.default_rng(seed).permutation(split.train)
    first: dict[int, None] = {}
    for column in labels[order].T:
        known = np.flatnonzero(~np.isnan(column))
        other = known[column[known] != column[known[0]]] if known.size else known
        first |= dict.fromkeys([*known[:1].tolist(), *other[:1].tolist()])
    places = [*first, *(place for place in range(len(order)) if place not in first)]
    n = max(len(first), round(share * len(order)))
    val = np.random.default_rng(seed).permutation(split.val)[: round(share * len(split.val))]
    return Split(np.sort(order[places[:n]]), np.sort(val), split.test)
