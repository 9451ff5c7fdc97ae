"""Panels that the city's book and a packet share."""

import datetime as dt

import numpy as np
import pandas as pd

from beatbook.book.blocks import Callout, ChartGrid, Text
from beatbook.book.panels import (
    CHARTED,
    TIMED,
    base_areas,
    forecast_panel,
    hours_panel,
    method_words,
    printed_provenance,
    two_years,
    weekly_panel,
)
from beatbook.compstat.counts import weekly_counts, weekly_series

WEEK, AS_OF = dt.date(2024, 1, 14), dt.date(2024, 1, 20)


def incidents(start="2020-01-06", end="2024-01-20", seed=1):
    """One to three burglaries a day in the precincts in turn, known on the next day."""
    days = pd.date_range(start, end, freq="D")
    each = days.repeat(np.random.default_rng(seed).integers(1, 4, len(days)))
    frame = pd.DataFrame({"occurred_from": each + pd.Timedelta(hours=22)})
    return frame.assign(
        occurred_to=pd.NaT,
        reported_at=pd.NaT,
        known_on=each + pd.Timedelta(days=1),
        precinct=pd.array([str(1 + n % 2) for n in range(len(frame))], dtype="str"),
        offense="Burglary",
        count=1,
    )


def test_two_years_are_those_of_all_years(small_department):
    department = small_department.set(feed={"publishes": "daily"}).load()
    records = incidents()
    whole = weekly_counts(records, department)
    for precinct in (None, "1"):
        cut = two_years(records, department, WEEK, precinct)
        assert len(cut) < len(whole)
        pd.testing.assert_frame_equal(
            weekly_series(cut, "Burglary", WEEK, precinct=precinct),
            weekly_series(whole, "Burglary", WEEK, precinct=precinct),
        )


def test_a_precincts_charts_begin_with_its_division(small_department):
    department = small_department.set(
        feed={"publishes": "daily"}, redistrictings=["2023-11-01"]
    ).load()
    counts = two_years(incidents(), department, WEEK, "1")
    assert counts["week"].min() == pd.Timestamp("2023-11-06")
    assert isinstance(weekly_panel(counts, department, WEEK, AS_OF, "1"), ChartGrid)
    new = small_department.set(feed={"publishes": "daily"}, redistrictings=["2024-01-10"]).load()
    words = weekly_panel(two_years(incidents(), new, WEEK, "1"), new, WEEK, AS_OF, "1")
    assert isinstance(words, Text) and "since the districts were redrawn" in words.text


def test_the_weekly_panel_has_a_chart_an_offense_with_the_late_weeks_marked(small_department):
    late = {"map_area": "neighborhood", "late_coding": {"weeks": [0.8, 0.9], "source": "x"}}
    department = small_department.set(feed={"publishes": "daily"}, book=late).load()
    panel = weekly_panel(two_years(incidents(), department, WEEK), department, WEEK, AS_OF)
    assert [chart.caption for chart in panel.charts] == list(CHARTED)
    burglary = next(chart for chart in panel.charts if chart.caption == "Burglary")
    assert "The last 1 week is provisional" in burglary.alt


def test_hours_say_how_they_are_known():
    words, panel = hours_panel(incidents(), pd.Timestamp("2024-01-01"), WEEK)
    assert [chart.caption for chart in panel.charts] == list(TIMED)
    assert words.text.startswith("From 2024-01-01 to 2024-01-14. The feed gives no end")
    records = incidents()
    spans = records.assign(occurred_to=records["occurred_from"] + pd.Timedelta(hours=2))
    words, _ = hours_panel(spans, pd.Timestamp("2024-01-01"), WEEK)
    assert "records give a span of time" in words.text


def test_a_week_without_a_forecast_says_so(small_department, monkeypatch):
    monkeypatch.setenv("BEATBOOK_HOME", str(small_department.home.root))
    department = small_department.load()
    found = forecast_panel(pd.DataFrame(), department, WEEK, "1")
    assert isinstance(found, Callout) and found.title == "No forecast"


def test_base_areas_are_those_with_outlines_under_the_departments_words(small_department):
    department = small_department.load()
    assert list(base_areas(department)) == ["District", "Neighborhood"]
    assert list(base_areas(department, ("beat", "neighborhood"))) == ["Neighborhood"]


def test_the_method_names_the_departments_own_choices(small_department):
    words = method_words(small_department.load(), AS_OF)
    assert "the day they occurred, known by 2024-01-20" in words
    assert "Made up for tests." in words
    changed = small_department.set(count_by="report", year_ago="same_weekdays").load()
    words = method_words(changed, AS_OF)
    assert "were reported" in words and "364 days earlier" in words


def test_a_book_prints_feed_code_and_decisions():
    table = pd.DataFrame()
    table.attrs["provenance"] = {"feed_sha256": "f", "code_version": "1", "run_id": "r"}
    assert printed_provenance(table) == {
        "Feed sha256": "f", "Code version": "1", "Decisions sha256": "none",
    }  # fmt: skip
    table.attrs["provenance"]["decisions_sha256"] = "d"
    assert printed_provenance(table)["Decisions sha256"] == "d"
