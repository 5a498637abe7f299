"""The estimator that asks what each task's fitted head leaves unexplained."""

import itertools
from dataclasses import replace

from admet.config import TaskAffinityConfig
from admet.model.chemprop.task_affinity.estimators.estimate import AffinityEstimate
from admet.model.chemprop.task_affinity.estimators.halves import HalvedSums
from admet.model.chemprop.task_affinity.estimators.proxy import TOO_FEW, looks
from admet.model.chemprop.task_affinity.problems.base import FOLDS, AffinityProblem

_FIRST = list(itertools.combinations(range(FOLDS), FOLDS // 2))
"""The ways to divide the folds into two parts, one of two folds and one of three."""
_DIVIDED = 4
"""Runs whose molecules are divided, which takes most of the time; the others add to the matrix."""


class ResidualAffinity:
    """Compares the encoder gradients of the tasks' profiled losses.

    At every look of `proxy.looks`, each task's linear head w is fitted in closed form to the
    embeddings Z of up to `affinity_max_labels` of its molecules. The task's loss with this head is
    then differentiated with respect to the encoder; since the head is the best one, that is the
    gradient of the loss as a function of the encoder alone (variable projection: Golub and Pereyra,
    SIAM J. Numer. Anal. 1973, 10, 413). It follows what the head leaves unexplained, r = y − Z w:
    how the embedding should change so that the task is explained better. Two tasks are akin where
    the same change serves both. What a head explains already, and so needs no change of the
    encoder, does not enter; `AlignedAffinity` takes the labels y in place of r.

    Most of such a gradient is noise of single labels. How much is measured by two parts of the
    molecules whose heads and gradients know nothing of each other. The doubt has two sources: other
    molecules (each fold is left out, heads fitted anew: the delete-a-group jackknife, at the first
    four runs), and other initial weights and orders of the batches (the spread of the runs).
    """

    def estimate(self, problem: AffinityProblem, config: TaskAffinityConfig) -> AffinityEstimate:
        """Measures it; see the protocol."""
        sums = HalvedSums(len(problem.kinds), problem.device, config.affinity_runs)
        for look in looks(problem, config):
            first = _FIRST[look.run] if look.run < _DIVIDED else None
            G = look.examples.look_at_residuals(look.network, config.encoder_param_patterns, first)
            sums.add(G, first, look.examples.tasks, look.run)
        return replace(sums.result(config, problem.n_common()), unknown=TOO_FEW)
