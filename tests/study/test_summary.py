"""Verdicts read back from their table."""

import pandas as pd
import pytest

from admet.study.outputs import VERDICT
from admet.study.statistics import Contrast
from admet.study.summary import read_verdicts
from admet.study.verdict import ALL, Verdict

NAMES = ["CL, human", "CL", "human, rat", "NA", "others in each fold, or so", "x, "]


def verdict_of(task, company, partners=()):
    gain = Contrast(-0.1, -0.2, 0.0, 0.9, 0.1, 0.0)
    return Verdict(
        task, 9, "kernel", company == "alone", list(partners), {"kernel": 0.5}, "composite", 0.4,
        {"single_task": gain}, company,
    )  # fmt: skip


@pytest.mark.parametrize(
    "partners",
    [
        [], ["CL, human"], ["CL", "human, rat"], ["CL, human", "CL", "NA"], NAMES[1:],
        ["others in each fold, or so", "x, "],
    ],
)  # fmt: skip
def test_partners_come_back_though_names_hold_commas(tmp_path, partners):
    company = f"with {', '.join(partners)}" if partners else "with others in each fold"
    written = [verdict_of(name, "alone") for name in NAMES]
    written += [verdict_of("last", company, partners), verdict_of(ALL, "in groups")]
    pd.DataFrame([own.row() for own in written]).to_csv(tmp_path / VERDICT, index=False)
    found = read_verdicts(tmp_path)
    for own, other in zip(found, written, strict=True):
        assert (own.task, own.company, own.alone) == (other.task, other.company, other.alone)
        assert own.partners == other.partners
        assert own.gains == other.gains


def test_a_company_of_many_is_read_without_deep_calls(tmp_path):
    names = [f"task {i}" for i in range(2000)]
    written = [verdict_of(names[0], f"with {', '.join(names[1:])}", names[1:])]
    written += [verdict_of(name, "alone") for name in names[1:]] + [verdict_of(ALL, "together")]
    pd.DataFrame([own.row() for own in written]).to_csv(tmp_path / VERDICT, index=False)
    assert read_verdicts(tmp_path)[0].partners == names[1:]
