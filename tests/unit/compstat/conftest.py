"""A made-up department with listed precincts, and incidents written by hand."""

import datetime as dt

import pandas as pd
import pytest


def month_end(day):
    return pd.Timestamp(day) + pd.offsets.MonthEnd(0)


def incidents_of(rows):
    """Incidents from ``(day, offense, precinct)``, optionally with ``count`` and ``known_on``.

    Without the last, a record is known at the end of its month.
    """
    full = [(*row, *(1, None)[len(row) - 3 :]) for row in rows]
    frame = pd.DataFrame(
        full, columns=["occurred_from", "offense", "precinct", "count", "known_on"]
    )
    occurred = pd.to_datetime(frame["occurred_from"], format="mixed")
    frame["occurred_from"] = occurred.astype("datetime64[us]")
    ends = frame["occurred_from"].dt.normalize() + pd.offsets.MonthEnd(0)
    known = pd.to_datetime(frame["known_on"]).astype("datetime64[us]")
    frame["known_on"] = known.fillna(ends).astype("datetime64[us]")
    frame["reported_at"] = frame["occurred_from"] + pd.Timedelta(days=1)
    frame["precinct"] = frame["precinct"].astype("str")
    frame["offense"] = frame["offense"].astype("str")
    frame["count"] = frame["count"].astype("int64")
    frame["source_file"] = "feed.csv"
    return frame


@pytest.fixture(scope="session")
def make_incidents():
    return incidents_of


@pytest.fixture
def department_with(small_department):
    """The made-up department with precincts 1 to 4 as a list, and with other settings."""

    def department_with(codes=None, **changes):
        listed = codes or {"2008-01-01": ["1", "2", "3", "4"]}
        precinct = {
            "file": None,
            "code": None,
            "codes": {dt.date.fromisoformat(day): held for day, held in listed.items()},
        }
        return small_department.set(areas={"precinct": precinct}, **changes).load()

    return department_with


@pytest.fixture
def department(department_with):
    return department_with()
