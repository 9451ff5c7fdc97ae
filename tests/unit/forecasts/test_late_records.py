"""What a book says of late records: estimated where there is history, silent where not."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from beatbook.department import load_department
from beatbook.forecasts.late_records import nowcast_rows
from beatbook.home import Home

ROOT = Path(__file__).resolve().parents[3]
AS_OF = dt.date(2018, 12, 31)


@pytest.fixture(scope="module")
def department():
    return load_department("st_louis", Home(ROOT))


def coded_late(years: float, late_share: float = 0.3, seed: int = 1) -> pd.DataFrame:
    """Offenses coded at their month's end, a share of them a month later."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp(AS_OF) - pd.Timedelta(days=int(365.25 * years))
    days = pd.date_range(start, AS_OF, freq="D")
    occurred = days.repeat(rng.poisson(20, len(days)))
    late = rng.random(len(occurred)) < late_share
    known = occurred + pd.offsets.MonthEnd(0)
    known = known.where(~late, known + pd.offsets.MonthEnd(1))
    frame = pd.DataFrame(
        {
            "occurred_from": occurred,
            "known_on": known,
            "offense": rng.choice(["Burglary", "Larceny"], len(occurred)),
            "count": 1,
        }
    )
    return frame[frame["known_on"] <= pd.Timestamp(AS_OF)]


def test_late_records_are_expected_and_the_parts_add_up(department):
    rows = nowcast_rows(coded_late(5), department, AS_OF).set_index("offense")
    assert list(rows.index) == ["Burglary", "Larceny", "Total Part I"]
    total = rows.loc["Total Part I"]
    parts = rows.drop(index="Total Part I")
    assert parts["reported"].sum() == total["reported"]
    assert parts["expected_final"].sum() == pytest.approx(total["expected_final"], rel=1e-6)
    # Seven of ten are coded in time, so about 560 of 20 a day in 28 days are due in the end.
    assert total["reported"] < 450 < 500 < total["expected_final"] < 620
    assert (rows["last_day"] - rows["first_day"]).dt.days.eq(27).all()


def test_a_year_ago_is_taken_as_it_stood_then(department):
    rows = nowcast_rows(coded_late(5), department, AS_OF).set_index("offense")
    total = rows.loc["Total Part I"]
    # Like for like: both miss their late records, so the change is noise around nothing.
    assert abs(total["change"]) < 0.15
    assert total["change"] == pytest.approx(total["reported"] / total["prior"] - 1)


def test_without_a_year_of_history_nothing_is_said(department):
    assert nowcast_rows(coded_late(0.4), department, AS_OF).empty


def test_a_department_that_counts_by_report_has_no_late_records(department):
    by_report = department.model_copy(update={"count_by": "report"})
    assert nowcast_rows(coded_late(5), by_report, AS_OF).empty
