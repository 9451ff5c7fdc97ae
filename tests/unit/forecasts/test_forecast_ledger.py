"""The ledger: what was published stays as it was, and is scored once."""

import datetime as dt
import threading

import numpy as np
import pandas as pd
import pytest

from beatbook.forecasts.distribution import CountForecast
from beatbook.forecasts.ledger import (
    append,
    empty_ledger,
    judged_places,
    judged_series,
    settle,
)
from beatbook.forecasts.models import NAIVE
from beatbook.forecasts.place_models import PLACE_NAIVE
from beatbook.forecasts.scorecard import _published_places, _published_series
from beatbook.forecasts.weekly import keep_entries, weekly_forecasts
from beatbook.forecasts.weekly_places import grid_name, place_grid
from beatbook.store import Store
from beatbook.tables import FORECAST_SCORES

CUTOFF, DS = pd.Timestamp("2023-09-18"), pd.Timestamp("2023-09-25")


def entry(**changes):
    """One entry: a forecast of 2.5 burglaries in precinct 1 in the week of September 25."""
    usual = {
        "kind": "series", "unique_id": "1/Burglary", "model": "recent_mean", "cutoff": CUTOFF,
        "ds": DS, "weeks": 1, "published": True, "withdrawn": False,
        "made_as_of": pd.Timestamp("2023-09-30"), "y_hat": 2.5, "median": 2.0, "lo_80": 1.0,
        "hi_80": 4.0, "lo_95": 0.0, "hi_95": 6.0, "size": 1e7, "naive_y_hat": 4.0, "scale": 2.0,
    }  # fmt: skip
    return {**usual, **changes}


def entries(*rows):
    frame = pd.DataFrame([entry(**row) for row in rows])
    return FORECAST_SCORES.conform(frame.reindex(columns=FORECAST_SCORES.column_names))


@pytest.fixture
def department(small_department):
    return small_department.load()


@pytest.fixture
def happened(city):
    """Three burglaries of that week: two in precinct 1, one of them known in November only."""
    when = pd.Timestamp("2023-09-26 10:00")
    known = pd.Timestamp("2023-09-30")
    return city.rows(
        {"occurred_from": when, "known_on": known},
        {"occurred_from": when, "known_on": known, "precinct": "3", "x": 700_400, "y": 4_271_900},
        {"occurred_from": when, "known_on": pd.Timestamp("2023-11-30")},
        {"occurred_from": pd.Timestamp("2023-10-12"), "known_on": pd.Timestamp("2023-10-31")},
    )


class TestScores:
    def test_a_series_is_scored_with_what_was_known_by_its_day(self, department, happened):
        ledger = entries({}, {"model": NAIVE, "y_hat": 4.0, "published": False})
        # The week ends on October 1; 28 days on is October 29, known with October's file.
        early = settle(ledger, happened, department, dt.date(2023, 10, 30))
        assert early["scored_as_of"].isna().all()
        done = settle(ledger, happened, department, dt.date(2023, 12, 31)).iloc[0]
        assert done["scored_as_of"] == pd.Timestamp("2023-10-31")
        assert done["y"] == 1 and done["error"] == 1.5
        crps = CountForecast(np.array([2.5]), np.array([np.inf])).crps([1.0])[0]
        naive = CountForecast(np.array([4.0]), np.array([np.inf])).crps([1.0])[0]
        assert done["crps"] == pytest.approx(crps) and done["naive_crps"] == pytest.approx(naive)
        assert done["scaled_crps"] == pytest.approx(crps / 2)
        assert bool(done["in_80"]) and bool(done["in_95"])

    def test_totals_and_the_city_are_counted_whole(self, department, happened):
        ledger = entries(
            {"unique_id": "City/Burglary"}, {"unique_id": "City/Total Part I"},
            {"unique_id": "3/Total Property"}, {"unique_id": "4/Arson"},
        )  # fmt: skip
        done = settle(ledger, happened, department, dt.date(2023, 10, 31))
        assert done["y"].tolist() == [2, 2, 1, 0]

    def test_a_week_that_the_feed_does_not_cover_stays_open(self, department, happened):
        without = happened[happened["known_on"] != pd.Timestamp("2023-10-31")]
        done = settle(entries({}), without, department, dt.date(2023, 11, 30))
        # October 1 is the last day of the week, and October is not there.
        assert done["scored_as_of"].isna().all()

    def test_a_precinct_redrawn_in_between_is_never_scored(self, small_department, happened):
        department = small_department.set(redistrictings=[dt.date(2023, 9, 27)]).load()
        ledger = entries({}, {"unique_id": "City/Burglary"})
        done = settle(ledger, happened, department, dt.date(2023, 12, 31))
        assert done["scored_as_of"].isna().tolist() == [True, False]

    def places(self, department, grid, **changes):
        at = grid.locate(np.array([700_400.0, 700_400.0, 701_900.0]),
                         np.array([4_270_300.0, 4_271_900.0, 4_270_100.0]))  # fmt: skip
        cells = [str(grid.cell_id[i]) for i in at]
        usual = {"kind": "places", "unique_id": "City/Burglary", "grid": grid_name(department),
                 "y_hat": 1.0, "naive_y_hat": 0.5}  # fmt: skip
        return entries(
            {**usual, "model": "kernel_density", "cells": " ".join(cells[:2]), **changes},
            {**usual, "model": PLACE_NAIVE, "cells": " ".join(cells[1:]), "published": False,
             **changes},
        )  # fmt: skip

    def test_places_are_scored_by_the_cells_that_were_published(self, department, happened):
        grid = place_grid(department)
        ledger = self.places(department, grid)
        done = settle(ledger, happened, department, dt.date(2023, 10, 31))
        assert done["hits"].tolist() == [2, 1] and done["naive_hits"].tolist() == [1, 1]
        assert done["best_hits"].tolist() == [2, 2] and done["events"].tolist() == [2, 2]
        assert done["area_share"].tolist() == [2 / 64] * 2
        assert done["pai"].tolist() == [32, 16] and done["pei_star"].tolist() == [1, 0.5]

    def test_cells_of_another_grid_are_never_scored(self, department, happened):
        ledger = self.places(department, place_grid(department))
        ledger["grid"] = "square 100 m from 0, 0"
        done = settle(ledger, happened, department, dt.date(2023, 12, 31))
        assert done["hits"].isna().all() and done["scored_as_of"].isna().all()

    def test_published_scores_are_summed_up(self, department, happened):
        grid = place_grid(department)
        both = pd.concat(
            [self.places(department, grid), entries({}, {"model": NAIVE, "published": False})],
            ignore_index=True,
        )
        done = settle(both, happened, department, dt.date(2023, 10, 31))
        place = pd.DataFrame(
            {"geography_type": "precinct", "geography": "1", "offense": "Burglary"},
            index=["1/Burglary"],
        )
        series = _published_series(done, place, dt.date(2023, 10, 31))
        assert sorted(series["model"]) == ["published", NAIVE]
        assert series["scaled_error"].tolist() == [0.75, 0.75]
        assert len(_published_series(done, place, dt.date(2023, 10, 30))) == 0
        places = _published_places(done, dt.date(2023, 10, 31))
        assert places.set_index("model")["hits"].to_dict() == {"published": 2, PLACE_NAIVE: 1}


class TestWrittenOnce:
    def test_a_week_made_again_leaves_what_was_published_first(self):
        first = append(empty_ledger(), entries({}))
        again = append(first, entries({"y_hat": 9.0}, {"model": "pooled_level"}))
        pd.testing.assert_frame_equal(again, first)
        assert len(append(first, entries({"ds": DS + pd.Timedelta(weeks=1)}))) == 2

    def test_a_score_is_never_written_again(self, department, happened):
        done = settle(entries({}), happened, department, dt.date(2023, 10, 31))
        changed = pd.concat([happened] * 3, ignore_index=True)
        again = settle(done, changed, department, dt.date(2024, 6, 30))
        pd.testing.assert_frame_equal(again, done)

    def test_weeks_may_be_filled_in_in_any_order(self, department, happened):
        one, two = entries({}), entries({"cutoff": CUTOFF - pd.Timedelta(weeks=1)})
        days = [dt.date(2023, 10, 31), dt.date(2023, 12, 31)]
        forward = keep_entries(None, one, happened, department, days[0])
        forward = keep_entries(forward, two, happened, department, days[1])
        backward = keep_entries(None, two, happened, department, days[1])
        backward = keep_entries(backward, one, happened, department, days[0])
        last = [settle(x, happened, department, days[1]) for x in (forward, backward)]
        order = ["unique_id", "cutoff"]
        a, b = (x.sort_values(order).reset_index(drop=True) for x in last)
        assert a["scored_as_of"].notna().all()
        pd.testing.assert_frame_equal(a, b)

    def test_two_runs_at_once_both_enter(self, small_department):
        store = Store("example", small_department.home)
        week = pd.Timedelta(weeks=1)

        def run(number: int) -> None:
            added = entries({"ds": DS + number * week})
            store.publish(
                {}, {}, changes={
                    "forecast_scores": lambda held: append(
                        empty_ledger() if held is None else held, added
                    )
                },
            )  # fmt: skip

        threads = [threading.Thread(target=run, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        held = store.held("forecast_scores")
        assert sorted(held["ds"]) == [DS + n * week for n in range(3)]


class TestJudging:
    WEEK, AS_OF = dt.date(2023, 10, 29), dt.date(2023, 10, 31)

    def scored(self, weeks=8, own=1.0, naive=2.0, **changes):
        # The last settled week is that of September 25.
        return entries(
            *(
                {"ds": DS - pd.Timedelta(weeks=k), "cutoff": DS - pd.Timedelta(weeks=k + 1),
                 "crps": own, "naive_crps": naive, "scored_as_of": pd.Timestamp("2023-10-31"),
                 **changes}
                for k in range(weeks)
            )
        )  # fmt: skip

    @pytest.mark.parametrize(("own", "naive", "gone"), [(1, 2, False), (2, 2, True), (3, 2, True)])
    def test_eight_published_weeks_decide(self, department, own, naive, gone):
        found = judged_series(self.scored(own=own, naive=naive), department, self.WEEK, self.AS_OF)
        assert bool(found.loc["1/Burglary", "withdrawn"]) is gone
        assert found.loc["1/Burglary", "basis"] == "published forecasts"

    @pytest.mark.parametrize(
        "changes",
        [
            {"weeks": 7},
            {"model": NAIVE},
            {"scored_as_of": pd.Timestamp("2023-11-30")},  # not yet, on the day of this book
            {"cutoff": pd.Timestamp("2023-10-23")},  # this book's own
        ],
    )
    def test_fewer_do_not(self, department, changes):
        assert judged_series(self.scored(**changes), department, self.WEEK, self.AS_OF).empty

    def test_of_each_week_the_latest_forecast_counts(self, department):
        old = self.scored(own=9.0)
        old["cutoff"] -= pd.Timedelta(weeks=2)
        both = pd.concat([self.scored(), old], ignore_index=True)
        found = judged_series(both, department, self.WEEK, self.AS_OF)
        assert found.loc["1/Burglary", "crps"] == 1.0

    def test_layers_need_forecasts_over_all_eight_weeks(self, department):
        def layer(starts):
            return entries(
                *(
                    {"kind": "places", "unique_id": "City/Burglary", "model": "kernel_density",
                     "ds": pd.Timestamp(start), "cutoff": pd.Timestamp(start) - pd.Timedelta("7D"),
                     "weeks": 4, "hits": 3.0, "naive_hits": 2.0,
                     "scored_as_of": pd.Timestamp("2023-10-31")}
                    for start in starts
                )
            )  # fmt: skip

        # Eight weeks up to that of September 25 begin on August 7.
        found = judged_places(
            layer(["2023-08-07", "2023-09-04"]), department, self.WEEK, self.AS_OF
        )
        assert found.loc["Burglary"].tolist() == [6, 4]
        short = judged_places(
            layer(["2023-08-14", "2023-09-04"]), department, self.WEEK, self.AS_OF
        )
        assert short.empty


def test_a_book_made_in_hindsight_publishes_nothing(small_department, city):
    small_department.write_offenses(
        "code,match,offense,ucr_code,nibrs_code,against,part,sex_offense,description\n"
        "05,prefix,Burglary,05,220,property,I,no,Burglary\n"
    )
    forecasts = {"models": ["recent_mean"], "place_offenses": ["Burglary"]}
    department = small_department.set(forecasts=forecasts).load()
    incidents = city.incidents("2023-06-01", "2023-12-31")
    said = []
    late = weekly_forecasts(
        incidents, department, city.week_ending, dt.date(2023, 12, 31), said.append
    )
    assert late.entries.empty and len(late.forecasts)
    assert "enter no score" in said[-1]
    own = weekly_forecasts(incidents, department, city.week_ending, city.as_of)
    assert len(own.entries) == len(own.forecasts) + 3  # one naive area a horizon
    # Of back-tests there is nothing: every entry is of weeks after this book's.
    assert set(own.entries["cutoff"]) == {pd.Timestamp("2023-10-23")}
    assert (own.entries["ds"] > own.entries["cutoff"]).all()
    held = keep_entries(None, own.entries, incidents, department, city.as_of)
    again = keep_entries(held, own.entries.assign(y_hat=0.5), incidents, department, city.as_of)
    pd.testing.assert_frame_equal(again, held)
