"""The forecasts of the book before, where that book was made afterwards."""

import datetime as dt

import pandas as pd
import pytest

from beatbook.forecasts.earlier import forecasts_in_hindsight
from beatbook.store import Store
from beatbook.tables import FORECASTS

WEEK = dt.date(2024, 1, 14)


@pytest.fixture
def publish(small_department):
    def publish(week, as_of):
        day = pd.Timestamp("2024-01-08")
        values = {"unique_id": "City/Robbery", "offense": "Robbery", "ds": day, "cutoff": day,
                  "as_of": pd.Timestamp(as_of), "published": True, "withdrawn": False}  # fmt: skip
        row = {
            column.name: values.get(column.name, "x" if column.dtype == "string" else 1)
            for column in FORECASTS.columns
        }
        table = FORECASTS.conform(pd.DataFrame([row]))
        Store("example", small_department.home).publish({"forecasts": table}, {}, partition=week)

    return publish


def test_those_made_from_what_was_known_then(small_department, publish):
    publish("2024-01-07", "2024-01-31")
    made = forecasts_in_hindsight(small_department.load(), WEEK, small_department.home)
    assert list(made["as_of"]) == [pd.Timestamp("2024-01-31")]  # the next monthly publication


def test_none_that_knew_more(small_department, publish):
    publish("2024-01-07", "2024-02-29")
    made = forecasts_in_hindsight(small_department.load(), WEEK, small_department.home)
    assert made.empty and list(made.columns) == FORECASTS.column_names


@pytest.mark.parametrize("week", [None, "2024-01-14", "2023-12-31"])
def test_none_of_another_week(small_department, publish, week):
    if week:
        publish(week, week)
    made = forecasts_in_hindsight(small_department.load(), WEEK, small_department.home)
    assert made.empty and list(made.columns) == FORECASTS.column_names
