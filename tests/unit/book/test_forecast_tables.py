"""Tables of forecasts: every figure, and plain words for one that does not beat the naive."""

import pandas as pd
import pytest

from beatbook.book import Callout, Table
from beatbook.book.forecast_tables import (
    forecast_table,
    last_forecast_table,
    model_words,
    scorecard_table,
)
from beatbook.book.formatting import UNDEFINED
from beatbook.errors import InvalidInput

WEEK = pd.Timestamp("2024-03-25")


def cells(table):
    return [row.cells for row in table.rows]


@pytest.fixture
def judged():
    return pd.DataFrame(
        {
            "offense": ["Robbery", "Burglary", "Total Part I"],
            "week": WEEK,
            "cutoff": WEEK - pd.Timedelta(days=7),
            "y_hat": [17.2, 3.44, 1234.4],
            "lo_80": [15.0, 1.0, 1100.0],
            "hi_80": [20.0, 6.0, 1300.0],
            "reported": [14.0, 9.0, 1200.0],
            "final": [17.5, float("nan"), 1250.2],
            "verdict": ["inside", "above", "inside"],
        }
    )


def test_what_was_forecast_and_what_came(judged):
    table = last_forecast_table(judged, "back-test", "Example")
    assert cells(table) == [
        ["Robbery", "17", "15 to 20", "14", "18", "inside"],
        ["Burglary", "3.4", "1 to 6", "9", UNDEFINED, "above"],
        ["Total Part I", "1,234", "1,100 to 1,300", "1,200", "1,250", "inside"],
    ]
    assert table.caption.startswith("Example: the forecast for Mar 25 to 31, 2024, by back-test")
    assert "counts up to Mar 24, 2024" in table.notes[0]
    assert table.notes[1].startswith("1 of 3 counts lies outside")
    assert table.rows[2].style == "total" and table.rows[1].strong == [5]
    published = last_forecast_table(judged, "published")
    assert published.caption.startswith("the forecast for") and "as it went on record" in (
        published.caption
    )


def test_no_earlier_forecast_is_said(judged):
    block = last_forecast_table(judged.iloc[:0], "published")
    assert isinstance(block, Callout)
    with pytest.raises(InvalidInput, match="basis"):
        last_forecast_table(judged, "guess")


def scorecard(**columns):
    row = {
        "basis": "back-test as known, 13 origins", "kind": "series", "geography_type": "city",
        "group": "Burglary", "weeks": 4, "model": "pooled_level", "chosen": True, "forecasts": 52,
        "over_naive": 0.724, "bias": 0.031, "coverage_80": 0.806, "coverage_95": 0.951,
        "hit_rate": 0.1123, "pai": 5.61, "pai_low": 4.8, "pai_high": 6.4, "pei_star": 0.312,
        "gain": 0.061, "gain_low": 0.012, "gain_high": 0.11,
    }  # fmt: skip
    return row | columns


def test_a_series_scorecard_stands_beside_the_naive():
    frame = pd.DataFrame(
        [
            scorecard(group="all", over_naive=0.9),
            scorecard(),
            scorecard(model="mix", chosen=False),
            scorecard(group="Robbery", over_naive=1.043, bias=-0.2),
            scorecard(group="Homicide", model="seasonal_naive", over_naive=1.0),
            scorecard(group="Arson", over_naive=float("nan"), coverage_80=float("nan")),
            scorecard(kind="places"),
        ]
    )
    table = scorecard_table(frame, "How good")
    assert cells(table) == [
        ["Homicide", "the same weeks a year ago (naive)", "the naive itself: no model beat it",
         "81 %", "95 %", "+3 %", "52"],
        ["Robbery", "shared season, recent level", "does not beat it: 4 % more",
         "81 %", "95 %", "-20 %", "52"],
        ["Burglary", "shared season, recent level", "28 % less", "81 %", "95 %", "+3 %", "52"],
        ["Arson", "shared season, recent level", "not scored yet", UNDEFINED, "95 %", "+3 %", "52"],
        ["All offenses", "shared season, recent level", "10 % less", "81 %", "95 %", "+3 %", "52"],
    ]  # fmt: skip
    assert table.notes[-1] == "Scored on: back-test as known, 13 origins."


def test_a_places_scorecard_says_what_could_be_chance():
    frame = pd.DataFrame(
        [
            scorecard(kind="places", weeks=1),
            scorecard(kind="places", weeks=4, gain_low=-0.02),
            scorecard(kind="places", weeks=4, group="Robbery", gain=-0.03, gain_low=-0.1,
                      gain_high=0.02),
            scorecard(kind="places", weeks=1, group="Larceny", model="long_run_count"),
        ]
    )  # fmt: skip
    table = scorecard_table(frame, "How good", "places")
    said = {row.cells[0]: row.cells[2] for row in table.rows}
    assert said == {
        "Burglary, 1 week": "+6 % (+1 to +11 %)",
        "Burglary, 4 weeks": "+6 % (-2 to +11 %), could be chance",
        "Robbery, 4 weeks": "does not beat it: -3 % (-10 to +2 %)",
        "Larceny, 1 week": "the naive itself: no model beat it",
    }
    assert table.rows[0].cells[3:] == ["11 %", "5.6 (4.8 to 6.4)", "0.31", "52"]


def test_an_empty_scorecard_and_a_lacking_one():
    empty = pd.DataFrame([scorecard()]).iloc[:0]
    assert isinstance(scorecard_table(empty, "How good"), Callout)
    with pytest.raises(InvalidInput, match="over_naive"):
        scorecard_table(pd.DataFrame([scorecard()]).drop(columns="over_naive"), "How good")
    with pytest.raises(InvalidInput, match="kind"):
        scorecard_table(empty, "How good", "persons")


def test_the_weeks_to_come():
    frame = pd.DataFrame(
        [
            {
                "geography_type": "city", "geography": "Example", "offense": offense,
                "ds": WEEK + pd.Timedelta(weeks=week), "y_hat": 20.4 + week, "lo_80": 15.0,
                "hi_80": 26.0, "published": True, "withdrawn": offense == "Robbery",
                "model": "seasonal_naive" if offense == "Robbery" else "mix",
            }
            for offense in ("Burglary", "Robbery")
            for week in (1, 2)
        ]
    )  # fmt: skip
    table = forecast_table(frame, "Forecasts")
    assert cells(table) == [
        ["Robbery", "21 (15 to 26)", "22 (15 to 26)", "withdrawn: naive"],
        ["Burglary", "21 (15 to 26)", "22 (15 to 26)", "mix of two models"],
    ]
    assert [column.label for column in table.columns][1:3] == ["Apr 1, 2024", "Apr 8, 2024"]
    with pytest.raises(InvalidInput, match="nothing is forecast"):
        forecast_table(frame, "Forecasts", geography="9")


def test_an_unknown_model_goes_by_its_own_name():
    assert model_words("my_new_model") == "my new model"
    assert isinstance(scorecard_table(pd.DataFrame([scorecard()]), "x"), Table)
