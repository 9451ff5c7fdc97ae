"""The weekly series as the books held them."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from beatbook.errors import InvalidInput
from beatbook.forecasts.book_days import BookDays, book_days, of_its_own_time
from beatbook.forecasts.week_history import series_name, series_places, week_history

MONDAY = pd.Timestamp("2023-10-23")


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


class TestBookDays:
    def test_a_monthly_feed_speaks_at_the_end_of_the_month(self, small_department):
        days = book_days(small_department.load(), dt.date(2023, 10, 29), dt.date(2023, 10, 31))
        assert days.of_week(day("2023-10-01")) == day("2023-10-31")
        assert days.of_week(day("2023-09-03")) == day("2023-09-30")
        # Never later than the present book.
        assert days.of_week(day("2023-11-05")) == day("2023-10-31")

    def test_a_daily_feed_speaks_as_long_after_the_week_as_now(self, small_department):
        department = small_department.set(feed={"publishes": "daily"}).load()
        week = dt.date(2023, 10, 29)
        assert book_days(department, week, dt.date(2023, 10, 31)).lag == 2
        assert book_days(department, week, dt.date(2024, 10, 31)).lag == 7

    def test_a_week_settles_28_days_after_its_end(self):
        daily = BookDays(False, 0, day("2023-10-29"))
        assert daily.settled(day("2023-10-01")) == day("2023-10-29")
        assert daily.is_settled(day("2023-10-01")) and not daily.is_settled(day("2023-10-02"))
        monthly = BookDays(True, 0, day("2023-10-31"))
        # 28 days after October 8 is November 5: known with November's file.
        assert monthly.settled(day("2023-10-08")) == day("2023-11-30")

    @pytest.mark.parametrize(
        ("publishes", "as_of", "own"),
        [
            ("monthly", "2023-10-31", True),
            ("monthly", "2023-11-01", False),
            ("daily", "2023-11-05", True),
            ("daily", "2023-11-06", False),
        ],
    )
    def test_a_book_made_later_is_not_of_its_own_time(
        self, small_department, publishes, as_of, own
    ):
        department = small_department.set(feed={"publishes": publishes}).load()
        made = of_its_own_time(department, dt.date(2023, 10, 29), dt.date.fromisoformat(as_of))
        assert made is own


class TestWeekHistory:
    def make(self, small_department, incidents, **changes):
        small_department.set(**changes)
        return week_history(
            incidents, small_department.load(), dt.date(2023, 10, 29), dt.date(2023, 10, 31)
        )

    def test_counts_are_net_by_precinct_offense_and_week(self, small_department, city):
        history = self.make(
            small_department,
            city.rows(
                {"occurred_from": day("2023-10-09"), "known_on": day("2023-10-31")},
                {},
                {},
                {"count": -1},
                {"precinct": None},
                {"offense": "Vandalism"},
                # After the week, and known after the day: neither is there.
                {"occurred_from": day("2023-10-30")},
                {"known_on": day("2023-11-30")},
            ),
        )
        y = history.long(history.counted(history.days.as_of)).set_index(["unique_id", "ds"])["y"]
        assert y["1/Burglary", MONDAY] == 1
        assert y["1/Burglary", day("2023-10-09")] == 1
        assert y["1/Burglary", day("2023-10-16")] == 0
        assert y["Unknown/Burglary", MONDAY] == 1
        assert y.sum() == 3
        assert history.cutoff == MONDAY
        # The feed speaks for October: whole weeks of it only.
        assert list(history.weeks) == list(pd.date_range("2023-10-02", MONDAY, freq="7D"))

    def test_every_total_is_the_sum_of_its_parts_and_no_other(self, small_department, city):
        history = self.make(small_department, city.rows({}))
        places = series_places(history, small_department.load())
        assert history.totals["City/Burglary"] == [f"{p}/Burglary" for p in "1234"]
        assert len(history.totals["City/Total Part I"]) == 4 * 7  # without arson
        assert history.totals["3/Total Violent"] == [
            f"3/{o}" for o in ("Homicide", "Rape", "Robbery", "Aggravated Assault")
        ]
        assert tuple(places.loc["City/Arson"]) == ("city", "Example City", "Arson")
        assert tuple(places.loc["3/Total Violent"]) == ("precinct", "3", "Total Violent")

    def test_series_start_where_precincts_were_last_redrawn(self, small_department, city):
        incidents = city.incidents("2023-01-01", "2023-10-31")
        history = self.make(small_department, incidents, redistrictings=[dt.date(2023, 6, 1)])
        assert history.weeks[0] == day("2023-06-05")
        assert not (history.names["geography"] == "Unknown").any()

    def test_a_precinct_that_is_no_more_is_not_forecast(self, small_department, city):
        history = self.make(small_department, city.rows({}, {"precinct": "9"}))
        assert set(history.names["geography"]) == {"1", "2", "3", "4", "Unknown"}

    def test_a_gap_of_half_a_year_starts_history_anew(self, small_department, city):
        incidents = pd.concat(
            [city.incidents("2021-01-01", "2021-12-31"), city.incidents("2023-01-01", "2023-10-31")]
        )
        incidents = incidents[~incidents["known_on"].between(day("2022-01-31"), day("2022-12-31"))]
        history = self.make(small_department, incidents)
        assert history.weeks[0] == day("2023-01-02")

    def test_weeks_that_the_feed_does_not_cover_are_missing(self, small_department, city):
        incidents = city.incidents("2023-01-01", "2023-10-31")
        incidents = incidents[incidents["known_on"] != day("2023-05-31")]
        history = self.make(small_department, incidents)
        y = history.outcomes().set_index(["unique_id", "ds"])["y"]["1/Larceny"]
        assert y[day("2023-05-01") : day("2023-05-29")].isna().all()
        assert y[day("2023-04-17")] > 0

    def test_reports_count_by_the_day_they_were_made(self, small_department, city):
        incidents = city.rows({"reported_at": day("2023-10-12")}, {})
        history = self.make(small_department, incidents, count_by="report")
        y = history.long(history.counted(history.days.as_of)).set_index(["unique_id", "ds"])["y"]
        # Without a report time the day it was known counts, which lies after the week.
        assert y["1/Burglary", day("2023-10-09")] == 1 and y.sum() == 1
        assert not history.nowcasting

    def test_no_whole_week_is_told(self, small_department, city):
        with pytest.raises(InvalidInput, match="covers no whole week up to 2023-10-29"):
            self.make(small_department, city.rows({}), redistrictings=[dt.date(2023, 10, 25)])


def test_no_precinct_is_taken_for_the_city_or_splits_a_name():
    assert series_name("City", "Arson") != "City/Arson"
    assert series_name("N/W", "Arson") == "N-W/Arson"


class TestAsKnown:
    @pytest.fixture
    def incidents(self, city):
        return city.incidents("2022-01-01", "2023-11-30")

    def history(self, small_department, incidents):
        return week_history(
            incidents, small_department.load(), dt.date(2023, 10, 29), dt.date(2023, 10, 31)
        )

    def test_recent_weeks_hold_what_is_expected_and_older_ones_what_is(
        self, small_department, incidents
    ):
        history = self.history(small_department, incidents)
        known = history.as_known(history.cutoff).set_index(["unique_id", "ds"])["y"]
        plain = history.long(history.counted(history.days.as_of)).set_index(["unique_id", "ds"])
        last, old = MONDAY, MONDAY - pd.Timedelta(weeks=12)
        total = known.groupby("ds").sum() / plain["y"].groupby("ds").sum()
        # One in seven of the last week comes with the next file.
        assert 1.05 < total[last] < 1.4
        assert total[old] == 1

    def test_nothing_known_after_the_book_of_a_cutoff_changes_it(self, small_department, incidents):
        cutoff = pd.Timestamp("2023-03-13")
        first = self.history(small_department, incidents).as_known(cutoff)
        later = incidents["known_on"] > pd.Timestamp("2023-03-31")
        changed = incidents.copy()
        changed.loc[later, "count"] = 7
        changed.loc[later, "occurred_from"] -= pd.Timedelta(days=30)
        second = self.history(small_department, changed).as_known(cutoff)
        pd.testing.assert_frame_equal(first, second, check_exact=True)

    def test_outcomes_are_settled_weeks_only(self, small_department, incidents):
        outcomes = self.history(small_department, incidents).outcomes()
        y = outcomes[outcomes["unique_id"] == "1/Larceny"].set_index("ds")["y"]
        # 28 days after October 1 is within October; after October 8 it is not.
        assert np.isfinite(y[pd.Timestamp("2023-09-25")])
        assert y[pd.Timestamp("2023-10-02") :].isna().all()
