"""The affinity of a training with its doubt, and the groups that came of it."""

import numpy as np

from admet.model.chemprop.task_affinity.archive import AffinityArchive
from admet.model.chemprop.task_affinity.groups import STABLE
from admet.model.chemprop.task_affinity.outputs import draw_clustermap, draw_heatmap
from admet.report.content import Block, Pictures, Section, Words
from admet.report.drawn import picture
from admet.report.parts.run_verdict import doubt_of
from admet.report.tables import count, number, of_frame, table, text

_MOST_PAIRS = 200


def section(archive: AffinityArchive | None) -> Section:
    """Draws both heatmaps, then lists groups and pairs."""
    title = "Affinity and groups"
    if archive is None:
        why = "No affinity was measured: the groups were given, or there are none."
        return Section("affinity", title, [Words(why)])
    sure, words = doubt_of(archive.grouping)
    pairs = archive.pairs()
    blocks: list[Block] = [
        Words(
            "Affinity is how far two endpoints ask the same of a model that they share, from −1 to "
            "1, by the estimator that the configuration names. Hatched cells have a 95 % interval "
            "that holds 0: their sign is not known."
        ),
        Words(words, "plain" if sure else "doubt"),
        Pictures(
            (
                picture(draw_heatmap(archive), "Affinity of each pair", "affinity", pairs),
                picture(
                    draw_clustermap(archive), "The same in the order of likeness",
                    "affinity-clustered", pairs,
                ),
            )
        ),
        _groups(archive),
        _pairs(archive),
    ]  # fmt: skip
    return Section("affinity", title, blocks)


def _groups(archive: AffinityArchive) -> Block:
    grouping = archive.grouping
    rows = [
        [
            text(index),
            text(", ".join(group.tasks)),
            text(", ".join(group.serves) if group.serves != group.tasks else "all of them"),
            number(share),
            text("" if np.isnan(share) else "stable" if share >= STABLE else "not stable"),
        ]
        for index, (group, share) in enumerate(
            zip(grouping.groups, grouping.stability, strict=True), start=1
        )
    ]
    caption = (
        "Groups. Stability is how often the tasks of a group stayed together, and apart from the "
        f"others, where the measurement is drawn anew; from {STABLE} on it is called stable."
    )
    return table(caption, "groups", rows, ["group", "tasks", "serves", "stability", ""], "tttnt")


def _pairs(archive: AffinityArchive) -> Block:
    """Lists each pair once, the farthest from 0 first."""
    pairs = archive.pairs()
    places = {name: index for index, name in enumerate(archive.names)}
    symmetric = bool(np.allclose(archive.matrix, archive.matrix.T, equal_nan=True))
    if symmetric:
        first = pairs["source"].map(places) < pairs["target"].map(places)
        pairs = pairs[first]
    order = (-pairs["affinity"].abs()).sort_values(kind="stable").index
    shown = pairs.loc[order].head(_MOST_PAIRS).copy()
    told = (shown["low"] > 0) | (shown["high"] < 0)
    known = shown["low"].notna()
    shown["sign"] = np.where(~known, "not measured", np.where(told, "known", "not known"))
    more = f" The {_MOST_PAIRS} farthest from 0 of {len(pairs):,}." * (len(pairs) > _MOST_PAIRS)
    return of_frame(
        f"Pairs, with the 95 % interval of their affinity.{more}", "pairs", shown,
        {
            "source": ("endpoint", text), "target": ("other", text),
            "affinity": ("affinity", number), "low": ("low", number), "high": ("high", number),
            "sign": ("sign", text), "n_common": ("molecules in common", count),
        },
    )  # fmt: skip
