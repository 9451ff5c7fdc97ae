"""Forecast panels: the figures they say, withdrawn ones that say so, places left clear."""

import datetime as dt
import re

import numpy as np
import pandas as pd
import pytest

from beatbook.book import Callout, ChartGrid
from beatbook.book.forecast_panels import KEY, LATE_KEY, forecast_chart, forecast_grid
from beatbook.compstat.late_weeks import last_forecast, weeks_in_the_end
from beatbook.errors import InvalidInput

WEEK_ENDING = dt.date(2024, 3, 31)  # a Sunday
FIRST = pd.Timestamp("2024-03-25")


def forecasts_of(offense, withdrawn=False, geography_type="city", geography="Example"):
    rows = []
    for model, level in (("pooled_level", 20.0), ("seasonal_naive", 31.0)):
        if withdrawn and model != "seasonal_naive":
            continue
        for ahead in (1, 2):
            rows.append(
                {
                    "unique_id": f"City/{offense}",
                    "geography_type": geography_type,
                    "geography": geography,
                    "offense": offense,
                    "ds": FIRST + pd.Timedelta(weeks=ahead),
                    "model": model,
                    "y_hat": level + ahead,
                    "lo_80": 15.0,
                    "hi_80": 26.0,
                    "lo_95": 12.0,
                    "hi_95": 30.0,
                    "published": withdrawn or model != "seasonal_naive",
                    "withdrawn": withdrawn,
                    "reason": "CRPS 1.07 of the naive's over 8 weeks." if withdrawn else "best",
                    "cutoff": FIRST,
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture
def history():
    """Forty weeks of 10; the last, of March 25, holds 7 so far."""
    weeks = pd.date_range(end=FIRST, periods=40, freq="7D")
    return pd.DataFrame({"week": weeks, "incidents": [10] * 39 + [7]})


@pytest.fixture
def nowcasts():
    """As of April 2: the seven days to it, and the seven before."""
    first = pd.to_datetime(["2024-03-27", "2024-03-20"])
    return pd.DataFrame(
        {
            "geography_type": "city",
            "geography": "Example",
            "offense": "Robbery",
            "span": ["week_1", "week_2"],
            "first_day": first,
            "last_day": first + pd.Timedelta(days=6),
            "reported": pd.array([6, 9], dtype="Int64"),
            "expected_final": [9.5, 10.0],
            "lo_80": [8.0, 9.0],
            "hi_80": [12.0, 11.0],
        }
    )


def test_a_week_comes_to_its_count_and_the_records_still_to_come(history, nowcasts):
    # March 25 to 31 is four days in the span from March 27: 7 reported and 9.5 - 6 to come.
    ends = weeks_in_the_end(history, nowcasts).set_index("week")
    last = ends.loc[FIRST]
    assert (last["reported"], last["final"], last["low"], last["high"]) == (7, 10.5, 9, 13)
    before = ends.loc[FIRST - pd.Timedelta(weeks=1)]
    assert (before["reported"], before["final"]) == (10, 11)
    assert len(ends) == 2


def test_a_span_far_from_every_week_says_nothing(history, nowcasts):
    late = nowcasts.assign(first_day=nowcasts["first_day"] + pd.Timedelta(weeks=8))
    assert weeks_in_the_end(history, late).empty
    assert weeks_in_the_end(history, None).empty
    assert weeks_in_the_end(history, nowcasts.assign(expected_final=np.nan)).empty


def test_a_nowcast_never_lowers_a_count(history, nowcasts):
    lower = nowcasts.assign(expected_final=1.0, lo_80=0.0, hi_80=2.0)
    assert (weeks_in_the_end(history, lower)["final"] == [10, 7]).all()


def test_the_words_say_the_figures(history, nowcasts):
    chart = forecast_chart(history, forecasts_of("Robbery"), "Robbery", nowcasts)
    assert "Robbery: 26 weeks of counts" in chart.alt
    assert "the week of Mar 25, 2024 has 7 reported, still provisional." in chart.alt
    assert "should come to 10 (80 % interval 9 to 13)" in chart.alt
    assert "the week of Apr 1, 2024 21 (80 % 15 to 26, 95 % 12 to 30)" in chart.alt
    assert "The naive forecast says 32 and 33." in chart.alt
    assert chart.key == KEY + LATE_KEY
    assert chart.caption == "Robbery"


def test_without_nowcasts_nothing_is_provisional(history):
    chart = forecast_chart(history, forecasts_of("Robbery"), "Robbery")
    assert chart.key == KEY
    assert "provisional" not in chart.alt


def test_a_withdrawn_forecast_says_so_in_picture_caption_and_words(history):
    chart = forecast_chart(history, forecasts_of("Robbery", withdrawn=True), "Robbery")
    assert chart.caption == "Robbery (withdrawn: naive shown)"
    why = "Robbery: forecast withdrawn and the naive one shown. Why: CRPS 1.07 of the naive's"
    assert why in chart.alt and why in chart.key
    kept = forecast_chart(history, forecasts_of("Robbery"), "Robbery")
    assert chart.svg != kept.svg


def test_no_forecast_leaves_the_history_and_says_so(history):
    chart = forecast_chart(history, forecasts_of("Robbery").iloc[:0], "Robbery")
    assert chart.alt.endswith("There is no forecast.")


def test_the_same_chart_has_the_same_bytes_and_two_sizes(history, nowcasts):
    make = lambda size: forecast_chart(  # noqa: E731
        history, forecasts_of("Robbery"), "Robbery", nowcasts, size=size
    )
    assert make("small").svg == make("small").svg
    width = float(re.search(r'width="([\d.]+)pt"', make("wide").svg)[1])
    assert width > 500


def test_one_week_ahead_is_drawn_too(history):
    one = forecasts_of("Robbery")
    one = one[one["ds"] == one["ds"].min()]
    assert "Forecast: the week of Apr 1, 2024 21" in forecast_chart(history, one, "Robbery").alt


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda h, f: (h.drop(columns="incidents"), f), "lack incidents"),
        (lambda h, f: (pd.concat([h, h.tail(1)]), f), "a week is there twice"),
        (lambda h, f: (h.assign(incidents=np.nan), f), "no week has a count"),
        (lambda h, f: (h, f.drop(columns="published")), "lack published"),
        (lambda h, f: (h, pd.concat([f, f])), "forecast twice"),
    ],
)
def test_what_cannot_be_drawn_is_refused(history, change, words):
    given, forecasts = change(history, forecasts_of("Robbery"))
    with pytest.raises(InvalidInput, match=words):
        forecast_chart(given, forecasts, "Robbery")


@pytest.fixture
def weekly(history):
    parts = [
        history.assign(precinct=precinct, offense=offense)
        for precinct in ("1", "2")
        for offense in ("Robbery", "Burglary")
    ]
    return pd.concat(parts, ignore_index=True)


def test_a_grid_has_a_panel_an_offense_in_the_books_order(weekly, nowcasts):
    forecasts = pd.concat([forecasts_of("Burglary"), forecasts_of("Robbery", withdrawn=True)])
    grid = forecast_grid(weekly, forecasts, nowcasts, WEEK_ENDING)
    assert isinstance(grid, ChartGrid)
    assert [chart.caption for chart in grid.charts] == [
        "Robbery (withdrawn: naive shown)",
        "Burglary",
    ]
    # Both precincts together: twice the seven.
    assert "the week of Mar 25, 2024 has 14 reported" in grid.charts[0].alt
    # One key for all, then the reason.
    assert grid.keys[0] == KEY + LATE_KEY
    assert len(grid.keys) == 2 and grid.keys[1].startswith("Robbery: forecast withdrawn")


def test_a_grid_of_a_precinct_holds_its_own_counts(weekly):
    forecasts = forecasts_of("Robbery", geography_type="precinct", geography="2")
    grid = forecast_grid(weekly, forecasts, None, WEEK_ENDING, geography="2")
    assert "has 7 reported" in grid.charts[0].alt
    assert isinstance(forecast_grid(weekly, forecasts, None, WEEK_ENDING, geography="1"), Callout)


def test_without_a_forecast_the_place_is_left_clear(weekly):
    block = forecast_grid(weekly, forecasts_of("Robbery").iloc[:0], None, WEEK_ENDING)
    assert isinstance(block, Callout) and "Nothing is forecast" in block.lines[0]


def test_last_weeks_forecast_is_judged_by_what_is_expected_in_the_end(weekly, nowcasts):
    made = pd.DataFrame(
        {
            "unique_id": ["City/Robbery", "City/Robbery", "City/Burglary", "1/Robbery"],
            "ds": FIRST,
            "cutoff": FIRST - pd.to_timedelta([7, 14, 7, 7], unit="D"),
            "y_hat": [17.0, 99.0, 20.0, 5.0],
            "lo_80": [15.0, 98.0, 15.0, 1.0],
            "hi_80": [20.0, 100.0, 25.0, 6.0],
        }
    )
    judged = last_forecast(made, weekly, nowcasts, WEEK_ENDING).set_index("offense")
    # 14 reported and 3.5 to come is inside 15 to 20; burglary has no nowcast and is judged as is.
    robbery, burglary = judged.loc["Robbery"], judged.loc["Burglary"]
    assert (robbery["y_hat"], robbery["reported"], robbery["final"]) == (17, 14, 17.5)
    assert robbery["verdict"] == "inside"
    assert (burglary["reported"], burglary["verdict"]) == (14, "below")
    assert np.isnan(burglary["final"])
    mine = last_forecast(made, weekly, None, WEEK_ENDING, geography="1")
    assert mine["verdict"].tolist() == ["above"]


def test_only_what_was_published_counts_and_two_models_are_refused(weekly):
    row = {"unique_id": "City/Robbery", "ds": FIRST, "cutoff": FIRST - pd.Timedelta(days=7)}
    made = pd.DataFrame(
        [
            row | {"y_hat": 1.0, "lo_80": 0.0, "hi_80": 2.0, "published": False},
            row | {"y_hat": 14.0, "lo_80": 9.0, "hi_80": 20.0, "published": True},
        ]
    )
    assert last_forecast(made, weekly, None, WEEK_ENDING)["y_hat"].tolist() == [14.0]
    with pytest.raises(InvalidInput, match="keep one model"):
        last_forecast(made.drop(columns="published"), weekly, None, WEEK_ENDING)
    later = made.assign(cutoff=FIRST)
    assert last_forecast(later, weekly, None, WEEK_ENDING).empty
