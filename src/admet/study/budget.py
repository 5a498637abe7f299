"""How long a study may take, and what of it can be compared when the time is over."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from admet.config.duration import as_duration, seconds_of
from admet.config.study import StudyConfig
from admet.errors import ConfigError
from admet.study.jobs import Job
from admet.study.pace import Pace

Clock = Callable[[], float]
Round = tuple[int, int]
"""Repeat and seed: one prediction of all molecules by each arm."""


class Budget:
    """The time that a study may take, from the making of this object on."""

    def __init__(self, text: str | None, clock: Clock = time.monotonic) -> None:
        """Starts the clock.

        Args:
            text: Length of time; None is no limit.
            clock: Gives seconds.
        """
        self.text = text
        self._seconds = None if text is None else seconds_of(text)
        self._clock = clock
        self._start = clock()

    @property
    def used(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._start

    @property
    def left(self) -> float | None:
        """Seconds until the end, at least 0; None where there is no limit."""
        return None if self._seconds is None else max(0.0, self._seconds - self.used)

    def spent(self) -> bool:
        """Tells whether no further fit may begin."""
        return self.left == 0


@dataclass(frozen=True)
class Comparable:
    """What of a study can be compared.

    Attributes:
        rounds: Rounds of which every arm that is compared has all folds.
        left_out: Arm → why it has none of them.
    """

    rounds: tuple[Round, ...]
    left_out: dict[str, str]


def rounds_of(study: StudyConfig) -> list[Round]:
    """Lists the rounds of a study, in the order in which they are begun."""
    return [(r, s) for r in range(study.repeats) for s in range(study.seeds)]


def jobs_of(study: StudyConfig, left_out: Collection[str]) -> list[Job]:
    """Lists the fits of the arms that can run, in the order in which they are begun.

    All arms have done a fold before any begins the next, so that they can be compared whenever
    the time is over.
    """
    return [
        Job(arm, repeat, fold, seed)
        for repeat, seed in rounds_of(study)
        for fold in range(study.folds)
        for arm in study.arms
        if arm not in left_out
    ]


def comparable(study: StudyConfig, arms: Sequence[str], done: Collection[Job]) -> Comparable:
    """Finds what can be compared: a mixture needs predictions of all molecules by every arm.

    Where no round was finished by all arms, those stay that have finished the round that most have.

    Args:
        study: Folds, repeats, seeds, time.
        arms: The arms that did not fail.
        done: The fits that were done.

    Returns:
        Rounds and arms; no round where no arm has finished any.
    """
    n_done = {
        (arm, *own): sum(Job(arm, own[0], fold, own[1]) in done for fold in range(study.folds))
        for arm in arms
        for own in rounds_of(study)
    }

    def having(own: Round) -> list[str]:
        return [arm for arm in arms if n_done[arm, *own] == study.folds]

    chosen = max(rounds_of(study), key=lambda own: len(having(own)))  # the first of equals
    kept = having(chosen)
    if not kept:
        return Comparable((), {})
    left_out = {
        arm: f"the time budget of {study.time_budget} ended before its {_named(chosen)} was done "
        f"({n_done[arm, *chosen]} of {study.folds} folds)"
        for arm in arms
        if arm not in kept
    }
    whole = [own for own in rounds_of(study) if set(kept) <= set(having(own))]
    return Comparable(tuple(whole), left_out)


def _named(own: Round) -> str:
    repeat, seed = own
    return "first round" if own == (0, 0) else f"round of repeat {repeat + 1}, seed {seed + 1}"


def too_short(
    budget: Budget, jobs: Sequence[Job], done: Collection[Job], pace: Pace, before: float
) -> ConfigError:
    """Makes the error for a time in which no arm has finished a round.

    Args:
        budget: The time.
        jobs: All fits, in their order.
        done: Those that were done.
        pace: How long fits take.
        before: Seconds until the first fit could begin.
    """
    first = [job for job in jobs if (job.repeat, job.seed) == (0, 0) and job not in done]
    needed = pace.seconds(first)
    if needed is None:
        hint = "Give more time, or none, which sets no limit."
    else:
        hint = (
            f"To finish the first round of all arms takes about {as_duration(before + needed)} "
            "more: give the same command with this `study.time_budget` or more, or without one, "
            "and it goes on."
        )
    return ConfigError(
        f"`study.time_budget` {budget.text} ended before any arm had done all folds of a round: "
        f"{len(done)} of {len(jobs)} fits were done, and are kept. {hint}"
    )
