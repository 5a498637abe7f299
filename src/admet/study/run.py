"""Runs a study: the fits that are missing, then the comparison."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from admet.config import warn_of_idle_keys
from admet.config.study import StudyRun
from admet.config.targets import check_groups, check_tasks, check_weights
from admet.data import Panel, Split, folds, load_panel
from admet.errors import ConfigError, DataError
from admet.featurize.cache import cache_of, cached_graphs
from admet.files import check_folder, sha256_of
from admet.model.inputs import check_inputs, vectors
from admet.study.arms import ARMS, inputs_of
from admet.study.budget import Budget, Clock, Round, comparable, jobs_of, rounds_of, too_short
from admet.study.curve import curve_jobs
from admet.study.doubt import StudyDoubt
from admet.study.executors import Executor, executor_of
from admet.study.folder import begin, claimed, identity_of
from admet.study.jobs import Fit, FitStore, Job
from admet.study.material import Material
from admet.study.outputs import FITS, write_model, write_tables
from admet.study.pace import FitProgress, Pace
from admet.study.results import Study
from admet.study.seen import warn_of_seen_labels
from admet.study.tracking import followed_study
from admet.study.verdict import ALL
from admet.training.start import following, origin_of, read_start

log = logging.getLogger(__name__)


def run(config: StudyRun, *, overwrite: bool = False, clock: Clock = time.monotonic) -> Study:
    """Compares arms on folds, and keeps every fit, so that a study that was stopped goes on.

    Args:
        config: Panel, arms, folds.
        overwrite: Whether a study of another panel or configuration in `save_dir` is replaced.
        clock: Gives seconds, for `study.time_budget`.

    Returns:
        The study; `save_dir` holds its tables.

    Raises:
        AdmetError: If the configuration, the panel or the machine does not allow it, no arm can be
            compared, or the time budget was too short for any.
    """
    budget = Budget(config.study.time_budget, clock)
    _check(config)
    folder = config.save_dir
    check_folder(folder.parent, "save_dir")
    start = read_start(config)
    config = following(config, start)
    origin = origin_of(start)
    identity = identity_of(config, sha256_of(config.data_path), origin)
    goes_on = claimed(folder, identity, overwrite)
    warn_of_idle_keys(config.idle_keys())
    with (
        followed_study(config, identity, goes_on=goes_on) as tracked,
        executor_of(config.study) as executor,
    ):
        panel = load_panel(config.data_path, config.data)
        check_tasks(config, panel.task_names)
        if ALL in panel.task_names:
            raise ConfigError(
                f"A target is called {ALL!r}, which is what a study calls the mean of them. Rename "
                "the column."
            )
        if config.study.groups is not None:
            check_groups("study.groups", config.study.groups, panel.task_names)
        given = config.study.frozen_mlp.task_weights
        check_weights("study.frozen_mlp.task_weights", given, panel.task_names)
        splits = _splits(config, panel)
        material = replace(_material(config, panel), tracking=tracked.parts)
        warn_of_seen_labels(material)
        arms: Sequence[str] = config.study.arms
        left_out = {name: why for name in arms if (why := ARMS[name].why_not(material))}
        begin(folder, identity, goes_on)
        work = _Work(executor, material, splits, budget, FitStore(folder / FITS))
        curve = curve_jobs(config.study, left_out)
        fits = work.all_fits([*jobs_of(config.study, left_out), *curve])
        fits, curve_fits = _apart(fits, curve)
        left_out, rounds = _compared(work, jobs_of(config.study, left_out), fits, left_out)
        done = tuple(fit for fit in fits if _counts(fit.job, left_out, rounds))
        study = Study(config, panel, splits, done, left_out, folder, rounds, curve_fits)
        tracked.report(study)
        known = StudyDoubt.of(study)
        write_tables(study, known)
        write_model(study, known, material, origin, executor)
    return study


def _counts(job: Job, left_out: Mapping[str, str], rounds: Sequence[Round]) -> bool:
    """Tells whether a fit is compared."""
    return job.arm not in left_out and (job.repeat, job.seed) in rounds


def _splits(config: StudyRun, panel: Panel) -> list[list[Split]]:
    """Gives for each repeat its folds."""
    study, data = config.study, config.data
    flat = folds(
        panel,
        data.split_type,
        n_folds=study.folds,
        n_repeats=study.repeats,
        seed=config.seed if data.split_seed is None else data.split_seed,
    )
    return [flat[i : i + study.folds] for i in range(0, len(flat), study.folds)]


def _check(config: StudyRun) -> None:
    """Checks what needs no table.

    Raises:
        ConfigError: If the split makes no folds, the table lies in the folder to write, or an input
            cannot be computed here.
    """
    check_inputs(inputs_of(config.study, config.model.extra_inputs))
    if config.data.split_from is not None:
        raise ConfigError(
            f"`data.split_from` {str(config.data.split_from)!r} keeps the sides of one division; a "
            "study makes folds of its own. Remove it."
        )
    if config.data.split_type == "predefined":
        raise ConfigError(
            "`data.split_type` predefined makes one division, given by a column; a study needs "
            "folds. Choose random, scaffold, cluster, group or time."
        )
    if config.data.split_type == "time" and config.study.repeats > 1:
        raise ConfigError(
            f"`study.repeats` must be 1 where `data.split_type` is time, since there is one way to "
            f"go forward in time; got {config.study.repeats}. Set study.seeds instead."
        )
    if config.data_path.resolve().is_relative_to(config.save_dir.resolve()):
        raise ConfigError(
            f"`data_path` {str(config.data_path)!r} lies in `save_dir`. Name another folder."
        )


def _material(config: StudyRun, panel: Panel) -> Material:
    """Computes graphs and frozen inputs once."""
    cache = cache_of(config.data)
    graphs = cached_graphs(panel.smiles, cache)
    names = inputs_of(config.study, config.model.extra_inputs)
    inputs = {name: vectors([name], panel.smiles, cache) for name in names}
    return Material(config, panel, graphs, inputs)


class _Work:
    """The fits of a study, as they are done."""

    def __init__(
        self,
        executor: Executor,
        material: Material,
        splits: list[list[Split]],
        budget: Budget,
        store: FitStore,
    ) -> None:
        self.executor, self.store = executor, store
        self.material, self.splits = material, splits
        self.budget, self.before = budget, budget.used
        self.pace = Pace(lambda: executor.n_workers)

    def all_fits(self, jobs: Sequence[Job]) -> list[Fit]:
        """Takes the fits that an earlier run has kept, and does the others while there is time."""
        found = {job: fit for job in jobs if (fit := self.store.read(job)) is not None}
        missing = [job for job in jobs if job not in found]
        if found:
            log.info("%d of %d fits were kept by an earlier run", len(found), len(jobs))
        stop = None if self.budget.text is None else self.budget.spent
        progress = FitProgress(jobs, found.values(), self.pace, lambda: self.budget.left)
        with progress:
            for fit in self.executor.run(self.material, self.splits, missing, stop):
                self.store.write(fit)
                found[fit.job] = fit
                progress.add(fit)
        return [found[job] for job in jobs if job in found]


def _apart(fits: Sequence[Fit], curve: Sequence[Job]) -> tuple[list[Fit], tuple[Fit, ...]]:
    """Parts the fits of the comparison from those of the learning curve; says what these lack."""
    whole = [fit for fit in fits if fit.job.share == 1]
    parts = tuple(fit for fit in fits if fit.job.share < 1 and not fit.fault)
    faults = {fit.fault for fit in fits if fit.job.share < 1 and fit.fault}
    if len(parts) < len(curve):
        why = "; ".join(sorted(faults)) or "the time budget ended"
        log.warning("The learning curve lacks %d fits: %s", len(curve) - len(parts), why)
    return whole, parts


def _compared(
    work: _Work, jobs: Sequence[Job], fits: Sequence[Fit], left_out: Mapping[str, str]
) -> tuple[dict[str, str], tuple[Round, ...]]:
    """Gives the arms that are left out, each with why, and the rounds that the others have done.

    Raises:
        DataError: If no arm could be trained.
        ConfigError: If the time was too short for any.
    """
    study = work.material.config.study
    without = {**left_out, **{fit.job.arm: fit.fault for fit in reversed(fits) if fit.fault}}
    done = {fit.job for fit in fits if not fit.fault}
    found = comparable(study, [arm for arm in study.arms if arm not in without], done)
    without |= found.left_out
    for arm, why in without.items():
        log.warning("Arm %s is left out: %s", arm, why)
    if len(without) == len(study.arms):
        raise DataError(
            "No arm of the study could be trained:\n"
            + "\n".join(f"  {name}: {why}" for name, why in without.items())
        )
    if not found.rounds:
        raise too_short(work.budget, jobs, done, work.pace, work.before)
    if missing := len(rounds_of(study)) - len(found.rounds):
        log.warning(
            "%d of %d rounds (repeats and seeds) are compared, since the time budget of %s ended; "
            "the same command with more time goes on",
            len(found.rounds),
            len(found.rounds) + missing,
            study.time_budget,
        )
    return without, found.rounds
