"""What a study found, in words, one picture and one table."""

import math
from collections.abc import Sequence

from admet.report.content import Block, Cell, Pictures, Points, Section, Words
from admet.report.drawn import picture
from admet.report.pictures import changes
from admet.report.study_record import StudyRecord
from admet.report.tables import LISTED, change, count, names_of, number, table, text
from admet.study.statistics import Contrast
from admet.study.verdict import NOT_KNOWN, Verdict, what_settles

_MARKS = {"better": "▲ ", "worse": "▼ ", "same": "= ", "unclear": "? "}


def section(record: StudyRecord) -> Section:
    """Says whether what is served is better than the baselines, and how to train each endpoint."""
    *tasks, whole = record.verdicts
    blocks: list[Block] = [Words(_lead(whole, base), "lead") for base in record.baselines]
    if not record.baselines:
        blocks.append(
            Words("Neither single-task nor multi-task was compared: there is no baseline.", "lead")
        )
    blocks.append(Points(tuple(_counts(tasks, record.baselines))))
    numbers = record.pictures["differences"]
    if record.baselines and len(numbers):
        drawn = changes.shown(numbers)
        left = len(numbers) > len(drawn)
        note = (
            f"The {changes.MOST - 1} endpoints that change most; the CSV has all." if left else ""
        )
        title = "Change of the loss by what is served"
        figure = changes.draw(drawn)
        blocks.append(Pictures((picture(figure, title, "verdict", numbers, note),)))
    blocks += [
        Words(
            "The single way of training with the lowest loss, which need not be told from the "
            "others:"
        ),
        Points(tuple(_ways(tasks))),
        *_open(record.verdicts),
        _table(record.verdicts, record.baselines),
    ]
    return Section("verdict", "Verdict", blocks)


def _open(verdicts: Sequence[Verdict]) -> list[Block]:
    """Says what would settle what is open, if something is."""
    lines = what_settles(verdicts)
    if not lines:
        return []
    return [
        Words("What would settle the others, if the differences stay as they are:"),
        Points(tuple(lines)),
    ]


def said(arm: str) -> str:
    """Gives an arm as it is said in a sentence."""
    return {"single_task": "single-task models", "multi_task": "one multi-task model"}.get(
        arm, arm.replace("_", " ")
    )


def _lead(whole: Verdict, base: str) -> str:
    found, who = whole.gains[base], f"the {said(whole.served)}"
    if math.isnan(found.mean):
        return f"Whether {who} is better than {said(base)} is not known: there are too few folds."
    size = f"{100 * abs(found.mean):.0f} % {'lower' if found.mean < 0 else 'higher'}"
    low, high = (f"{100 * end:+.0f}".replace("-", "−") for end in (found.low, found.high))
    ends = f"95 % interval of the change {low} to {high} %"
    start = f"Over all endpoints, the loss of {who} is {size} than that of {said(base)} ({ends})"
    words = {
        "better": f"{start}: it is better, with a probability of {_chance(found.better)}.",
        "worse": f"{start}: it is worse, with a probability of {_chance(found.worse)}.",
        "same": f"{start}: no difference that matters (probability {_chance(found.same)}).",
        "unclear": f"{start}. That is not enough evidence to call it better or worse.",
    }
    return words[found.verdict]


def _chance(share: float) -> str:
    return "more than 99 %" if share > 0.99 else f"{100 * share:.0f} %"


def _ways(verdicts: Sequence[Verdict]) -> list[str]:
    """Lists which single arm has the lowest loss for which endpoints."""
    by_arm: dict[str, list[str]] = {}
    for own in verdicts:
        company = "in company" if own.partners else own.company
        way = NOT_KNOWN if own.best == NOT_KNOWN else f"{said(own.best)}, {company}"
        by_arm.setdefault(way, []).append(own.task)
    lines = [
        f"{way}: {names_of(names)}"
        for way, names in sorted(by_arm.items(), key=lambda pair: -len(pair[1]))
    ]
    if len(lines) > LISTED:
        lines = [*lines[:LISTED], f"and {len(lines) - LISTED} more ways; see the table"]
    return lines


def _counts(verdicts: Sequence[Verdict], baselines: Sequence[str]) -> list[str]:
    """Counts the endpoints for which what is served is told from a baseline."""
    lines = []
    for base in baselines:
        words = [own.gains[base].verdict for own in verdicts]
        parts = {
            "better for": words.count("better"),
            "worse for": words.count("worse"),
            "no different for": words.count("same"),
            "not told apart for": words.count("unclear"),
        }
        counted = ", ".join(f"{word} {n}" for word, n in parts.items() if n)
        lines.append(f"Against {said(base)}, of {len(verdicts)} endpoints: {counted}")
    return lines


def _with(own: Verdict, n_tasks: int) -> str:
    """Says with whom the best arm trains an endpoint; short where it is everybody."""
    return "with all others" if len(own.partners) == n_tasks - 1 > 1 else own.company


def _table(verdicts: Sequence[Verdict], baselines: Sequence[str]) -> Block:
    cells = [
        [
            text(own.task),
            count(own.n),
            number(own.loss),
            *[_gain(own.gains[base]) for base in baselines],
            text(own.evidence),
            text(own.best.replace("_", " ")),
            text(_with(own, len(verdicts) - 1)),
        ]
        for own in verdicts
    ]
    heads = [
        "endpoint", "labels", "loss served",
        *[f"change to {base.replace('_', ' ')}" for base in baselines], "evidence",
        "best single arm", "company",
    ]  # fmt: skip
    caption = (
        "Loss is the mean absolute error, or 1 − AUROC; of all endpoints relative to predicting "
        "the mean. Changes with 95 % intervals: ▲ better, ▼ worse, = no difference, each with a "
        "probability of 90 %; ? not enough evidence."
    )
    return table(caption, "verdict", cells, heads, "tnn" + "n" * len(baselines) + "ttt")


def _gain(found: Contrast) -> Cell:
    if math.isnan(found.mean):
        return Cell("not known")
    word = found.verdict
    return Cell(_MARKS[word] + change(found.mean, found.low, found.high), repr(found.mean), word)
