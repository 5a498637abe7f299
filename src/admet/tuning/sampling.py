"""Optuna's part: which settings are tried next, and which trial ends early."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from admet.config.base import LARGEST_SEED
from admet.tuning.space import Parameter
from admet.tuning.trials import Trial

if TYPE_CHECKING:
    import optuna

_RANDOM_TRIALS = 8  # before the estimator knows anything
_NEVER_PRUNED = 4  # trials, of which a median says something


class Sampling:
    """Proposes settings from the trials so far, and from nothing else.

    Each proposal has a seed of its own, so that a search that goes on proposes what one that never
    stopped would have.
    """

    def __init__(self, parameters: Sequence[Parameter], seed: int) -> None:
        self.parameters = parameters
        self.seed = seed

    def propose(self, trials: Sequence[Trial]) -> dict[str, Any]:
        """Gives values of all parameters for the next trial."""
        import optuna  # noqa: PLC0415 - an extra

        study = self._study(trials)
        study.sampler = optuna.samplers.TPESampler(
            n_startup_trials=_RANDOM_TRIALS, seed=(self.seed + len(trials)) % (LARGEST_SEED + 1)
        )
        return dict(study.ask({p.key: p.distribution for p in self.parameters}).params)

    def prunes(self, before: Sequence[Trial], trial: Trial) -> bool:
        """Tells whether a trial's mean loss so far is above the median of those before.

        Args:
            before: The trials before it.
            trial: The trial, with a fold at least.
        """
        import optuna  # noqa: PLC0415 - an extra

        pruner = optuna.pruners.MedianPruner(n_startup_trials=_NEVER_PRUNED, n_warmup_steps=0)
        study = self._study(before)
        own = self._stored(trial)
        return bool(own is not None and pruner.prune(study, own))

    def _study(self, trials: Sequence[Trial]) -> "optuna.Study":
        """Makes a study in memory of what was tried."""
        import optuna  # noqa: PLC0415 - an extra

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(direction="minimize")
        stored = [self._stored(trial) for trial in trials]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            study.add_trials([trial for trial in stored if trial is not None])
        return study

    def _stored(self, trial: Trial) -> "optuna.trial.FrozenTrial | None":
        """Writes a trial as Optuna does; None for one that says nothing to it."""
        import optuna  # noqa: PLC0415 - an extra

        states = {
            "complete": optuna.trial.TrialState.COMPLETE,
            "pruned": optuna.trial.TrialState.PRUNED,
            "running": optuna.trial.TrialState.RUNNING,
        }
        if trial.state not in states:
            return None
        if not trial.number and not all(parameter.holds_own for parameter in self.parameters):
            return None  # the configuration has a value that no trial can have, as "empty"
        means = [sum(trial.losses[: i + 1]) / (i + 1) for i in range(len(trial.losses))]
        return optuna.trial.create_trial(
            state=states[trial.state],
            value=trial.loss if trial.state == "complete" else None,
            params=dict(trial.values),
            distributions={p.key: p.distribution for p in self.parameters},
            intermediate_values=dict(enumerate(means)),
        )
