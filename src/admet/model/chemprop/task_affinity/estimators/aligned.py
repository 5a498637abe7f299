"""The estimator whose heads are fitted, not random.

The product of two tasks' encoder gradients holds the product of their heads' output weights. With
random heads its expectation is zero, and its sign and size depend on the seed. Here each task's
head is the best one for the encoder as it is, so that the gradient says in which direction the task
itself would move the encoder.
"""

from dataclasses import replace

from admet.config import TaskAffinityConfig
from admet.model.chemprop.task_affinity.estimators.estimate import AffinityEstimate
from admet.model.chemprop.task_affinity.estimators.proxy import TOO_FEW, looks
from admet.model.chemprop.task_affinity.estimators.sums import ResampledSums
from admet.model.chemprop.task_affinity.problems.base import FOLDS, AffinityProblem


class AlignedAffinity:
    """Compares the encoder gradients of tasks whose heads point in their final direction.

    At every look of `proxy.looks`, each task's linear head w is fitted in closed form to the
    embeddings of up to `affinity_max_labels` of its molecules. The sum of y · Z w is then
    differentiated with respect to the encoder: how far this head's outputs Z w follow the centred
    labels y. That is the gradient of a squared error or cross-entropy whose head points along w but
    is still small, as at the start of a training. Each such look is a step of `GradientSums`.

    What the head explains already is in this gradient. It holds something common to tasks that is
    neither's own: on AstraZeneca's panel sister assays come out as opposed. `ResidualAffinity`
    leaves it out.

    The doubt has two sources. One is other molecules: each of `FOLDS` folds of them is left out
    (the delete-a-group jackknife). The other is other initial weights and orders of the batches:
    the spread of the runs.
    """

    def estimate(self, problem: AffinityProblem, config: TaskAffinityConfig) -> AffinityEstimate:
        """Measures it; see the protocol."""
        sums = ResampledSums(len(problem.kinds), problem.device, FOLDS, config.affinity_runs)
        for look in looks(problem, config):
            G = look.examples.look(look.network, config.encoder_param_patterns)
            sums.add(G, look.examples.tasks, look.run)
        return replace(sums.result(config, problem.n_common()), unknown=TOO_FEW)
