"""Runs a search: the trials that are missing, then the best configuration."""

import hashlib
import json
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from admet.config import TrainConfig, dump_yaml_config, warn_of_idle_keys
from admet.config.duration import spoken
from admet.config.targets import check_tasks
from admet.config.tune import TuneRun
from admet.data import load_panel
from admet.errors import AdmetError, ConfigError, DataError, RunDirectoryError
from admet.files import atomic, check_folder, sha256_of
from admet.model.chemprop.device import resolve_device
from admet.study.budget import Budget, Clock
from admet.table_files import write_table
from admet.training.extra_inputs import check_extra_inputs
from admet.training.start import following, origin_of, read_start
from admet.training.torch_state import own_torch_state
from admet.tuning.objective import Objective
from admet.tuning.sampling import Sampling
from admet.tuning.space import Parameter, parameters_of, with_values
from admet.tuning.trials import Journal, Trial, Tuning, best_of

log = logging.getLogger(__name__)

JOURNAL, BEST, TABLE, MODEL = "tune.json", "best.yaml", "trials.csv", "model"
"""What a search writes; `MODEL` is where `admet train --config best.yaml` will write."""
# What may change between two runs of one search.
_FREE = {
    "data_path", "save_dir", "tune.trials", "tune.time_budget", "data.cache", "data.cache_dir",
    "training.threads",
}  # fmt: skip


def tune(config: TuneRun, *, overwrite: bool = False, clock: Clock = time.monotonic) -> Tuning:
    """Searches for settings whose trainings have a smaller loss out of fold.

    The panel is divided as `admet train` divides it. Its test side is not looked at; the other
    molecules are divided into folds. The first trial is the configuration as it was given. Optuna
    proposes the others (Akiba et al., KDD 2019) by a tree-structured Parzen estimator (Bergstra et
    al., NeurIPS 2011), and a trial ends before its last fold where its loss so far is above the
    median of the trials before. Each fold is kept when it is done, and a search that was stopped
    goes on as if it had not been.

    Args:
        config: Panel, training, what is searched.
        overwrite: Whether a search of another panel or configuration in `save_dir` is replaced.
        clock: Gives seconds, for `tune.time_budget`.

    Returns:
        The trials and the best configuration; `save_dir` holds them.

    Raises:
        AdmetError: If the configuration, the panel or the machine does not allow it, or no trial
            was completed.
        KeyboardInterrupt: If the user stops it; what was done is kept.
    """
    budget = Budget(config.tune.time_budget, clock)
    _check(config)
    start = read_start(config)
    config = following(config, start)
    parameters = parameters_of(config)
    device = resolve_device(config.training.device, "training.device")
    warn_of_idle_keys(config.idle_keys())
    # Alone from here: what another search writes after the journal is read would be lost.
    with _alone(config.save_dir), own_torch_state(config.training.threads, device):
        journal = _journal(config, origin_of(start), overwrite)
        panel = load_panel(config.data_path, config.data)
        check_tasks(config, panel.task_names)
        objective = Objective.of(config, panel, start)
        _announce(objective)
        _Search(config, parameters, objective, journal, budget).run()
        return _written(config, journal)


def _check(config: TuneRun) -> None:
    """Checks what needs no table.

    Raises:
        ConfigError: If Optuna is missing, or the table lies in the folder to write.
        DataError: If there is no table.
    """
    if find_spec("optuna") is None:
        raise ConfigError(
            "`admet tune` needs optuna, which is not installed. Install it with pip install "
            "'admet-grouping[tune]'."
        )
    if not config.data_path.is_file():
        raise DataError(f"`data_path` {str(config.data_path)!r} is no file. Name the table.")
    check_folder(config.save_dir.parent, "save_dir")
    check_extra_inputs(config)
    if config.data_path.resolve().is_relative_to(config.save_dir.resolve()):
        raise ConfigError(
            f"`data_path` {str(config.data_path)!r} lies in `save_dir`. Name another folder."
        )


def _journal(config: TuneRun, origin: dict[str, Any], overwrite: bool) -> Journal:
    """Opens the search of the folder, or begins one; nothing is written yet.

    Raises:
        RunDirectoryError: If the folder holds something else that must not be replaced.
    """
    folder = config.save_dir
    content = config.only(TuneRun).model_dump(mode="json") | origin
    for key in _FREE:
        section, _, name = key.rpartition(".")
        del (content[section] if section else content)[name]
    key = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    ours = Journal(folder / JOURNAL, sha256_of(config.data_path), key, content, [])
    if overwrite and ours.path.is_file():
        return ours
    earlier = Journal.read(ours.path)
    if earlier is None:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise RunDirectoryError(
                f"`save_dir` {str(folder)!r} exists and is no search. Name another folder."
            )
        return ours
    if (earlier.panel, earlier.key) != (ours.panel, ours.key):
        what = "table" if earlier.panel != ours.panel else "configuration"
        raise RunDirectoryError(
            f"`save_dir` {str(folder)!r} holds a search of another {what}. Name another folder, or "
            "add --overwrite to begin anew."
        )
    log.info("Going on with the search in %s, %d trial(s) so far", folder, len(earlier.trials))
    return earlier


def _announce(objective: Objective) -> None:
    n_folds = len(objective.splits)
    judged = f"in {n_folds} folds" if n_folds > 1 else f"{len(objective.splits[0].test)} judge"
    log.info(
        "%d molecules, %s; the %d of the test side are not looked at",
        len(objective.panel),
        judged,
        objective.n_held_out,
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keeps a second search out of a folder while the context lasts.

    Raises:
        RunDirectoryError: If another one is at work.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.parent / f".{folder.name}.lock"
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise RunDirectoryError(
            f"Another search is writing to `save_dir` {str(folder)!r}. Wait for it, or name "
            "another folder."
        ) from None
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        lock.release()


class _Search:
    """The trials of a search, as they are done."""

    def __init__(
        self,
        config: TuneRun,
        parameters: Sequence[Parameter],
        objective: Objective,
        journal: Journal,
        budget: Budget,
    ) -> None:
        self.config, self.parameters = config, parameters
        self.objective, self.journal, self.budget = objective, journal, budget
        self.sampling = Sampling(parameters, config.seed)
        self._ran = 0  # trials of this process

    def run(self) -> None:
        """Does the trials that are missing while there is time.

        Raises:
            AdmetError: If the configuration as it was given cannot be trained.
            ConfigError: If the time was too short for it.
        """
        trials = self.journal.trials
        n_trials = self.config.tune.trials
        while len(trials) < n_trials or (trials and trials[-1].state == "running"):
            last = trials[-1] if trials and trials[-1].state == "running" else None
            if self.budget.spent():
                break
            if not self._finish(last or self._next()):
                break
        if not trials or trials[0].state == "running":
            raise ConfigError(
                f"`tune.time_budget` {self.budget.text} ended before the first trial, the "
                "configuration as it is, had done all folds. The folds that were done are kept: "
                "give the same command more time."
            )

    def _next(self) -> Trial:
        number = len(self.journal.trials)
        own = {parameter.key: parameter.own for parameter in self.parameters}
        values = self.sampling.propose(self.journal.trials) if number else own
        return Trial(number=number, values=values)

    def _finish(self, trial: Trial) -> bool:
        """Does the folds of a trial that are missing; tells whether there was time for them."""
        config = with_values(self.config, trial.values) if trial.number else self.config
        while trial.state == "running":
            if self.budget.spent():
                return False
            trial = self._with_fold(trial, config)
            self.journal.put(trial)
        _written(self.config, self.journal)  # whenever the user stops it, the best is there
        self._say(trial)
        return True

    def _with_fold(self, trial: Trial, config: TuneRun) -> Trial:
        """Does one fold more.

        Raises:
            AdmetError: If it is the first trial and fails.
        """
        started = time.perf_counter()
        try:
            loss = self.objective.loss(config, len(trial.losses))
        except AdmetError as error:
            if not trial.number:
                raise
            return trial.model_copy(update={"state": "failed", "fault": str(error)})
        seconds = trial.seconds + time.perf_counter() - started
        done = trial.model_copy(update={"losses": (*trial.losses, loss), "seconds": seconds})
        if len(done.losses) == len(self.objective.splits):
            return done.model_copy(update={"state": "complete"})
        pruned = trial.number and self.sampling.prunes(self.journal.trials[: trial.number], done)
        return done.model_copy(update={"state": "pruned"}) if pruned else done

    def _say(self, trial: Trial) -> None:
        self._ran += 1
        trials = self.journal.trials
        best = best_of(trials)
        said = trial.fault if trial.state == "failed" else f"loss {trial.loss:.4f}"
        if trial.state == "pruned":
            said += f" in {len(trial.losses)} of {len(self.objective.splits)} folds, above "
            said += "the median of other trials there, ended early"
        left = self.config.tune.trials - len(trials)
        seconds = sum(t.seconds for t in trials) / len(trials) * left
        time_left = f"; about {spoken(seconds)} left" if left > 0 else ""
        log.info(
            "Trial %d of %d: %s; best %.4f (trial %d)%s",
            trial.number + 1,
            self.config.tune.trials,
            said,
            best.loss,
            best.number + 1,
            time_left,
        )


def _written(config: TuneRun, journal: Journal) -> Tuning:
    """Writes the table of trials and the best configuration."""
    folder: Path = config.save_dir
    best = best_of(journal.trials)
    chosen = with_values(config, best.values) if best.number else config
    chosen = chosen.model_copy(update={"save_dir": folder / MODEL})
    found = Tuning(config, tuple(journal.trials), folder, chosen)
    write_table(folder / TABLE, found.frame)
    with atomic(folder / BEST) as partial:
        partial.write_text(dump_yaml_config(chosen.only(TrainConfig)), encoding="utf-8")
    return found
