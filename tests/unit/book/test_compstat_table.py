"""The CompStat table: layout, marks and legend, by hand-worked cases."""

import numpy as np
import pandas as pd
import pytest

from beatbook.book.formatting import UNDEFINED
from beatbook.book.tables import compstat_table, frame_table
from beatbook.errors import InvalidInput


def put(frame, offense, window, comparison, **values):
    chosen = (
        (frame["geography"] == "3")
        & (frame["offense"] == offense)
        & (frame["window"] == window)
        & (frame["comparison"] == comparison)
    )
    assert chosen.sum() == 1
    for name, value in values.items():
        frame.loc[chosen, name] = value


def test_the_header_says_the_dates_of_dw_1(compstat):
    table = compstat_table(compstat, "3", "District 3")
    assert [(g.label, g.span) for g in table.groups] == [
        ("", 1),
        ("Week", 5),
        ("28 days", 5),
        ("Year to date", 3),
    ]
    assert table.groups[1].lines == [
        "Mar 4 to 10, 2024",
        "Prior: Feb 26 to Mar 3, 2024",
        "Year ago: Mar 6 to 12, 2023",
    ]
    assert table.groups[3].lines == [
        "Jan 1 to Mar 10, 2024",
        "Last year: Jan 1 to Mar 10, 2023",
    ]
    labels = [c.label for c in table.columns]
    assert labels[:6] == ["Offense", "This", "Prior", "Change", "Year ago", "Change"]
    assert labels[11:] == ["This", "Last year", "Change"]
    assert {c.align for c in table.columns[1:]} == {"right"}
    assert table.wide


def test_a_row_is_written_in_the_order_of_its_columns(compstat):
    put(compstat, "Robbery", "week", "prior_period", prior=1500, percent_change=-20.0, q_value=0.01)
    put(compstat, "Robbery", "week", "prior_year", prior=0, percent_change=np.nan, q_value=0.001)
    row = compstat_table(compstat, "3", "c").rows[0]
    assert row.cells[:6] == ["Robbery", "1,200", "1,500", "▼ -20.0 %", "0", f"▲ {UNDEFINED}"]
    assert row.strong == [3, 5]
    assert row.cells[11:] == ["1,200", "1,000", "+20.0 %"]


def test_what_the_feed_does_not_cover_is_said_and_explained(compstat):
    absent = {"prior": pd.NA, "percent_change": np.nan, "q_value": np.nan}
    put(compstat, "Burglary", "28_days", "prior_year", note="not covered", **absent)
    put(compstat, "Burglary", "year_to_date", "prior_year", note="not comparable", **absent)
    table = compstat_table(compstat, "3", "c")
    burglary = table.rows[1].cells
    assert burglary[6:11] == ["1,200", "1,000", "+20.0 %", "n/c", "n/c"]
    assert burglary[11:] == ["1,200", "n/p", "n/p"]
    legend = " ".join(table.notes)
    assert "n/c not covered by the feed" in legend and "n/p not comparable" in legend
    assert "no percentage" not in legend


def test_a_current_count_is_taken_from_the_comparison_that_has_it(compstat):
    absent = {"current": pd.NA, "prior": pd.NA, "percent_change": np.nan, "q_value": np.nan}
    put(compstat, "Robbery", "week", "prior_period", note="not comparable", **absent)
    assert compstat_table(compstat, "3", "c").rows[0].cells[1:4] == ["1,200", "n/p", "n/p"]
    put(compstat, "Robbery", "week", "prior_year", note="not covered", **absent)
    assert compstat_table(compstat, "3", "c").rows[0].cells[1] == "n/p"


def test_totals_are_totals_and_the_legend_names_the_test(compstat):
    table = compstat_table(compstat, "3", "c")
    assert [row.style for row in table.rows] == ["plain", "plain", "total", "total"]
    assert "Poisson E-test" in table.notes[0]
    assert "false-discovery rate 5 % over all tests of this book" in table.notes[0]
    assert len(table.notes) == 1, "symbols that do not occur need no explanation"


def test_refusals_name_what_is_wrong(compstat):
    with pytest.raises(InvalidInput, match=r"No CompStat row for geography '9'.*3 and Unknown"):
        compstat_table(compstat, "9", "c")
    with pytest.raises(InvalidInput, match="lacks the columns q_value"):
        compstat_table(compstat.drop(columns="q_value"), "3", "c")
    with pytest.raises(InvalidInput, match="two rows for Robbery / week / prior_period"):
        compstat_table(pd.concat([compstat, compstat.head(1)]), "3", "c")
    with pytest.raises(InvalidInput, match="No row for Robbery / week / prior_period"):
        compstat_table(compstat.drop(index=0), "3", "c")
    gone = compstat[compstat["comparison"] != "prior_period"]
    with pytest.raises(InvalidInput, match="week window needs"):
        compstat_table(gone, "3", "c")
    put(compstat, "Robbery", "week", "prior_year", prior_end=pd.Timestamp("2023-03-13"))
    with pytest.raises(InvalidInput, match="more than one set of dates"):
        compstat_table(compstat, "3", "c")


def test_an_end_that_is_not_in_its_week_is_refused(compstat):
    week = compstat["window"] == "week"
    compstat.loc[week, "current_end"] += pd.Timedelta(days=1)
    with pytest.raises(InvalidInput, match="not 7 days with both ends included"):
        compstat_table(compstat, "3", "c")


def test_any_frame_makes_a_plain_table():
    frame = pd.DataFrame(
        {
            "model": ["pooled", None],
            "error": [0.784, np.nan],
            "series": pd.array([1234, None], dtype="Int64"),
            "day": pd.to_datetime(["2025-11-16", None]),
            "beats": [True, False],
        }
    )
    table = frame_table(frame, "Errors", columns={"model": "Model", "error": "Error"})
    assert [c.label for c in table.columns] == ["Model", "Error"]
    assert [c.align for c in table.columns] == ["left", "right"]
    table = frame_table(frame, "Errors", formats={"error": lambda v: f"{v:.1f}x"})
    assert table.rows[0].cells == ["pooled", "0.8x", "1,234", "Nov 16, 2025", "yes"]
    assert table.rows[1].cells == [UNDEFINED, "nanx", UNDEFINED, UNDEFINED, "no"]
    with pytest.raises(InvalidInput, match="no column missing"):
        frame_table(frame, "Errors", columns={"missing": "Missing"})
