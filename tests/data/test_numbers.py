"""Numbers and dates as laboratories write them."""

import numpy as np
import pandas as pd
import pytest

from admet.config import DataConfig
from admet.config.data import LabelRules
from admet.data import load_panel
from admet.data.dates import read_dates
from admet.data.label_columns import read_labels
from admet.data.numbers import looks_like_number, writing_of
from admet.data.table import table_from_frame
from admet.errors import DataError


def labels(cells, decimal="auto", **others):
    table = table_from_frame(pd.DataFrame({"y": cells, **others}, dtype=object))
    found = read_labels(table, ["y"], [LabelRules()], decimal=decimal)
    return found.labels.values[:, 0].tolist()


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,5", "12,25", "3"], [1.5, 12.25, 3]),
        (["0,123", "1,234", "3"], [0.123, 1.234, 3]),
        (["1.234,5", "1.234", "0,5"], [1234.5, 1234, 0.5]),
        (["1.234.567", "1,5"], [1234567, 1.5]),
        (["1,234.5", "1,234", "0.5"], [1234.5, 1234, 0.5]),
        (["1,234,567", "12"], [1234567, 12]),
        (["1.234", "2.5"], [1.234, 2.5]),
        (["1.234", "5.678"], [1.234, 5.678]),
        (["1'234.5", "2"], [1234.5, 2]),
        (["1 234,5", "1\N{NO-BREAK SPACE}234"], [1234.5, 1234]),
        (["\N{MINUS SIGN}1.5", "-2", "+3", "\N{MINUS SIGN}4"], [-1.5, -2, 3, -4]),
        (["\N{MINUS SIGN}1,5", " 2,5 "], [-1.5, 2.5]),
        (["1.2e-3", "1E5"], [0.0012, 1e5]),
        (["1,2E-3", "1,234e2"], [0.0012, 123.4]),
        (["1.2E\N{MINUS SIGN}3", "1"], [0.0012, 1]),
        (["2.1 %", "50%", "0,5 %".replace(",", ".")], [2.1, 50, 0.5]),
        (["2,1 %", "50 %"], [2.1, 50]),
        (["\N{NO-BREAK SPACE}1.5\N{NO-BREAK SPACE}", "2"], [1.5, 2]),
        ([".5", "5."], [0.5, 5]), ([",5", "1"], [0.5, 1]),
    ],
)  # fmt: skip
def test_numbers_are_read_where_it_is_certain(cells, values):
    assert labels(cells) == values


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1,234", "5,678"], "row 1 \\('1,234'\\).*data.decimal: comma"),
        (["1,234", "2.5"], "may be decimal or thousands"),
        (["1,5", "1.234"], "may have both decimal marks"),
        (["1,5", "2.5"], "has both decimal marks.*'1,5'.*'2.5'"),
        (["50%", "0.5"], "some numbers with a percent sign.*'50%'.*'0.5'"),
        (["1,23,4", "1"], "holds text at row 1"),
        (["1,", "2"], "holds text at row 1"),
        (["1 2", "3"], "holds text"),
        (["12.34.56", "1"], "holds text"),
        (["0x10", "1"], "holds text"),
        (["1_000", "1"], "holds text"),
        (["1/2", "1"], "holds text"),
        (["--5", "1"], "holds text"),
        (["5 %%", "1"], "holds text"),
        (["1,5 e3", "2"], "holds text"),
    ],
)
def test_what_is_not_certain_is_asked(cells, message):
    with pytest.raises(DataError, match=message):
        labels(cells)


def test_the_user_may_say_the_decimal_mark():
    assert labels(["1,234", "5,678"], "comma") == [1.234, 5.678]
    assert labels(["1,234", "5,678"], "point") == [1234, 5678]
    assert labels(["1,5", "1.234"], "comma") == [1.5, 1234]
    with pytest.raises(DataError, match="holds text at row 1"):
        labels(["1,5", "2.5"], "point")


def test_the_other_columns_of_the_table_count():
    assert labels(["1,234", "5"], z=["0,5", "2,25"]) == [1.234, 5]
    with pytest.raises(DataError, match="points that may be decimal or thousands"):
        labels(["1.234", "5"], z=["0,5", "2,25"])
    with pytest.raises(DataError, match="commas that may be"):
        labels(["1,234", "5"], z=["0.5", "2.25"])
    names = ["a 1,5 b", "x, 2,5"]
    assert labels(["1.234", "5"], z=names) == [1.234, 5]


def test_a_dialect_is_said(write_csv, caplog):
    text = 'SMILES;"Löslichkeit";z\nCCO;1,5;2.1 %\nCCN;\N{MINUS SIGN}2,5;50 %\nCCC;3;7 %\n'
    with caplog.at_level("INFO"):
        panel = load_panel(write_csv(text), DataConfig(target_columns=["Löslichkeit", "z"]))
    assert panel.labels.values.T.tolist() == [[1.5, -2.5, 3], [2.1, 50, 7]]
    assert [task.unit for task in panel.tasks] == ["", "%"]
    assert "cells are separated by ';'" in caplog.text
    assert "Löslichkeit: 2 decimal commas, such as '1,5'" in caplog.text
    assert "1 minus signs" in caplog.text
    assert "3 percent signs" in caplog.text


def test_limits_do_not_hide_a_dialect():
    table = table_from_frame(pd.DataFrame({"y": ["> 1,5", "<0,2", "~3"]}))
    assert writing_of(table, "y").decimal == ","
    assert looks_like_number(">10,5")
    assert not looks_like_number("high")


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (["2018-03-15", "2018-04-01"], ["2018-03-15", "2018-04-01"]),
        (["15.03.2018", "1.4.2018"], ["2018-03-15", "2018-04-01"]),
        (["01.02.2018", "03.04.2018"], ["2018-02-01", "2018-04-03"]),
        (["15/03/2018", "01/04/2018"], ["2018-03-15", "2018-04-01"]),
        (["03/15/2018", "04/01/2018"], ["2018-03-15", "2018-04-01"]),
        (["3/15/18", "4/1/18"], ["2018-03-15", "2018-04-01"]),
        (["15-03-2018", "01-04-2018"], ["2018-03-15", "2018-04-01"]),
        (["2018/03/15", "2018/04/01"], ["2018-03-15", "2018-04-01"]),
        (["15-Mar-2018", "1 April 2018"], ["2018-03-15", "2018-04-01"]),
        (["15. März 2018", "1. Dez. 2018"], ["2018-03-15", "2018-12-01"]),
        (["Mar 15, 2018", "April 1, 2018"], ["2018-03-15", "2018-04-01"]),
        (["15.03.2018 14:30", "01.04.2018 08:00:01"], ["2018-03-15", "2018-04-01"]),
        (["3/15/2018 2:30 PM", "4/1/2018 12:00 AM"], ["2018-03-15", "2018-04-01"]),
        (["15.03.18", "01.04.99"], ["2018-03-15", "1999-04-01"]),
    ],
)
def test_dates_are_read_where_it_is_certain(cells, days):
    dates = read_dates(pd.Series(cells, dtype=object))
    assert dates.times.dt.strftime("%Y-%m-%d").tolist() == days


def test_dates_that_may_be_either_are_asked(write_csv):
    cells = pd.Series(["03/04/2018", "05/06/2018"], dtype=object)
    assert read_dates(cells).question == "day_first and month_first"
    assert read_dates(cells, "day_first").times.dt.month.tolist() == [4, 6]
    assert read_dates(cells, "month_first").times.dt.month.tolist() == [3, 5]
    path = write_csv("SMILES,y,when\nCCO,1,03/04/2018\nCCN,2,05/06/2018\n")
    data = DataConfig(target_columns=["y"], split_type="time", split_column="when")
    with pytest.raises(DataError, match="line 2.*data.dates: day_first"):
        load_panel(path, data)
    panel = load_panel(path, data.model_copy(update={"dates": "month_first"}))
    assert np.diff(panel.split_values)[0] > 0


@pytest.mark.parametrize("cells", [["31/02/2018"], ["15/13/2018", "13/15/2018"], ["15 Foo 2018"],
                                   ["2018-03-15", "15.03.2018"], ["1.2.3.4"]])  # fmt: skip
def test_what_is_no_date_is_none(cells):
    dates = read_dates(pd.Series(cells, dtype=object))
    assert dates.times is None
    assert not dates.question
