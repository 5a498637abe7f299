"""What a training gave, in words, one picture and one table."""

import math

from admet.evaluation import PRIMARY, Scores, remarks
from admet.evaluation.metrics import KNOWS_NOTHING
from admet.model.chemprop.task_affinity.groups import STABLE
from admet.model.chemprop.task_affinity.groups.grouping import Grouping
from admet.model.composite import networks_of
from admet.report.content import Block, Cell, Pictures, Points, Section, Words
from admet.report.drawn import picture
from admet.report.pictures import scores as picture_of
from admet.report.run_record import RunRecord
from admet.report.tables import LISTED, count, interval, names_of, table, text

_WAYS = {
    "task_affinity": "in groups by their affinity",
    "multi_task": "together",
    "single_task": "each alone",
    "manual_groups": "in the groups that were given",
}


def section(record: RunRecord) -> Section:
    """Says what was trained, how sure the groups are, and how the test went."""
    blocks: list[Block] = [Words(_what(record), "lead")]
    if record.affinity is not None:
        sure, words = doubt_of(record.affinity.grouping)
        blocks.append(Words(words, "plain" if sure else "doubt"))
    scores = record.scores.get("test")
    if scores is None:
        blocks.append(Words(_untested(record), "doubt"))
        return Section("verdict", "Verdict", blocks)
    blocks.append(Points(tuple(_told(scores))))
    drawn = []
    for metric in KNOWS_NOTHING:
        numbers = picture_of.numbers(scores, metric)
        if len(numbers):
            title = f"{metric} on the test side, with 95 % intervals"
            figure = picture_of.draw(numbers, metric)
            drawn.append(picture(figure, title, f"test-{metric}", numbers))
    blocks.append(Pictures(tuple(drawn)))
    blocks += [_table(scores, kind) for kind in scores.macro]
    blocks.append(
        Words(
            "One split cannot tell whether these groups are better than one head for all, or than "
            "a model for each endpoint: `admet study` compares them on the same folds."
        )
    )
    return Section("verdict", "Verdict", blocks)


def doubt_of(grouping: Grouping) -> tuple[bool, str]:
    """Says how far a grouping can be trusted, and whether it can."""
    if grouping.co_assignment is None:
        return True, "How stable the groups are was not measured, or there is only one choice."
    stable = grouping.agreement >= STABLE
    words = (
        f"The groups are {'stable' if stable else 'not stable'}: two measurements with other seeds "
        f"and molecules would agree to {grouping.agreement:.2f} (adjusted Rand index; 1 is the "
        f"same, {STABLE} and more is called stable)."
    )
    if not math.isnan(grouping.chance):
        share = f"{100 * grouping.chance:.0f} %"
        words += (
            f" They are told from chance: where all pairs are alike but for the noise, groups as "
            f"distinct come out in {share} of matrices."
            if grouping.is_told_from_chance
            else " There is no evidence for them: where all pairs are alike but for the noise, "
            f"groups as distinct come out in {share} of matrices."
        )
    return stable and grouping.is_told_from_chance, words


def _what(record: RunRecord) -> str:
    n_tasks = len(record.model.spec.tasks)
    own, times = networks_of(record.model.predictor.spec)
    if own is None:
        return f"A mixture of models that a study trained, for {n_tasks} endpoints."
    networks, groups = len(own.plan.networks), own.plan.groups
    shown = "; ".join(names_of(list(group.tasks)) for group in groups[:LISTED])
    more = f"; and {len(groups) - LISTED} more" if len(groups) > LISTED else ""
    how = f"{networks} network{'s' * (networks > 1)}, {len(groups)} head{'s' * (len(groups) > 1)}"
    how += f", the mean of {times} trainings" if times > 1 else ""
    way = f"{n_tasks} endpoints were trained {_WAYS[own.plan.arm]} ({how}): {shown}{more}."
    return f"{way} The model was imported." if record.origin.imported else way


def _untested(record: RunRecord) -> str:
    if networks_of(record.model.predictor.spec)[0] is not None:
        return "There is no test side, so nothing is known of its errors on new molecules."
    return (
        "It has learnt from all molecules, so it has no test side. How good it is stands in the "
        "report of its study, in the folder above."
    )


def _told(scores: Scores) -> list[str]:
    """Counts the endpoints that are told from a model that knows nothing."""
    lines = []
    for metric, (limit, lower) in KNOWS_NOTHING.items():
        known = picture_of.numbers(scores, metric)
        if known.empty:
            continue
        sure = known["high"] < limit if lower else known["low"] > limit  # False where not known
        what = "predicting the mean" if lower else "ranking by chance"
        left = known["task"][~sure].tolist()
        text = f"Surely better than {what} (95 % interval): {sure.sum()} of {len(known)} endpoints"
        lines.append(text + (f"; not so: {names_of(left)}" if left else ""))
    return lines + remarks(scores)


def _table(scores: Scores, kind: str) -> Block:
    metrics = list(scores.macro[kind])
    rows = []
    for name, task in scores.of_kind(kind).items():
        cells = [interval(v.value, v.low, v.high) for v in (task.values[m] for m in metrics)]
        rows.append([text(name), count(task.n), *cells])
    means = [interval(scores.macro[kind][m], None, None) for m in metrics]
    rows.append([Cell("mean over endpoints"), Cell("–"), *means])
    caption = f"Test side: {kind}, with 95 % intervals; {PRIMARY[kind]} is what counts first."
    return table(
        caption, f"test-{kind}", rows, ["endpoint", "n", *metrics], "tn" + "n" * len(means)
    )
