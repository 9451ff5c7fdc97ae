"""One week's forecasts: chosen as known, withdrawn where they fail, the same for the same input."""

import datetime as dt
import sys
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from beatbook.department.forecasts import ForecastSettings, SeriesModel
from beatbook.errors import InvalidInput, SettingsError
from beatbook.forecasts.distribution import CountForecast
from beatbook.forecasts.models import ALL_MODELS, NAIVE, recent_mean, seasonal_naive
from beatbook.forecasts.place_models import PLACE_MODELS, PLACE_NAIVE
from beatbook.forecasts.recent_weeks import recent_weeks
from beatbook.forecasts.week_history import week_history
from beatbook.forecasts.weekly import weekly_forecasts
from beatbook.forecasts.weekly_places import (
    grid_name,
    judge_places,
    place_grid,
    place_layers,
    weekly_places,
)
from beatbook.forecasts.weekly_series import (
    department_models,
    department_shocks,
    judge,
    last_origin,
    weekly_series,
)
from beatbook.tables import TABLES

FAST = {"models": ["recent_mean", "pooled_level"], "place_offenses": ["Burglary"]}
FEW = {name: PLACE_MODELS[name] for name in (PLACE_NAIVE, "kernel_density", "count_regression")}


FOUR = """\
code,match,offense,ucr_code,nibrs_code,against,part,sex_offense,description
03,prefix,Robbery,03,120,property,I,no,Robbery
05,prefix,Burglary,05,220,property,I,no,Burglary
06,prefix,Larceny,06,23H,property,I,no,Larceny
08,prefix,Arson,08,200,property,I,no,Arson
"""
"""The offenses of this department's map; motor vehicle theft is none of its series."""


@pytest.fixture
def department(small_department):
    small_department.write_offenses(FOUR)
    return small_department.set(forecasts=FAST).load()


@pytest.fixture(scope="module")
def incidents(city):
    return city.incidents("2022-01-01")


@pytest.fixture(scope="module")
def made(city, incidents, tmp_path_factory):
    """A week of the made-up city, worked out once, with the department it is of."""
    import importlib.util
    from pathlib import Path

    path = Path(__file__).resolve().parents[2] / "conftest.py"
    spec = importlib.util.spec_from_file_location("small", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    small = module.SmallDepartment(tmp_path_factory.mktemp("home"))
    small.write_offenses(FOUR)
    department = small.set(forecasts=FAST).load()
    said = []
    week = weekly_forecasts(incidents, department, city.week_ending, city.as_of, said.append)
    return week, department, said


class TestOneWeek:
    def test_every_table_is_as_declared(self, made):
        week, _, said = made
        for name, frame in week.tables().items():
            assert len(TABLES[name].conform(frame)) > 0, name
        assert any("back-test: 3 models as of the week of" in line for line in said)
        assert any(line.startswith("places: forecast by ") for line in said)

    def test_one_row_a_series_and_week_is_published_and_the_naive_is_beside_it(self, made):
        table = made[0].forecasts
        shown = table[table["published"]].groupby(["unique_id", "ds"]).size()
        assert (shown == 1).all()
        # Four weeks of four offenses and three totals, in four precincts and the city.
        assert len(shown) == 4 * (4 + 3) * (4 + 1)
        naive = table[table["model"] == NAIVE].groupby(["unique_id", "ds"]).size()
        assert (naive == 1).all() and len(naive) == len(shown)
        assert (table["ds"] > table["cutoff"]).all()
        assert set(table["weeks_ahead"]) == {1, 2, 3, 4}
        assert (table["reason"].str.len() > 10).all()

    def test_what_is_published_adds_up(self, made):
        table = made[0].forecasts
        shown = table[table["published"]]
        parts = shown[(shown["geography_type"] == "precinct") & (shown["offense"] == "Larceny")]
        total = shown[(shown["unique_id"] == "City/Larceny") & ~shown["withdrawn"]]
        sums = parts.groupby("ds")["y_hat"].sum()
        np.testing.assert_allclose(
            total.set_index("ds")["y_hat"], sums.loc[total["ds"]], rtol=1e-12
        )
        naive = table[table["model"] == NAIVE]
        parts = naive[(naive["geography_type"] == "precinct") & (naive["offense"] == "Larceny")]
        total = naive[naive["unique_id"] == "City/Larceny"].set_index("ds")["y_hat"]
        np.testing.assert_allclose(total, parts.groupby("ds")["y_hat"].sum(), rtol=1e-12)

    def test_a_series_without_offenses_says_what_it_got(self, made):
        table = made[0].forecasts
        rows = table[(table["unique_id"] == "2/Arson") & table["published"]]
        assert set(rows["model"]) == {"fallback"}
        assert rows["reason"].str.contains("No offense in any week").all()

    def test_the_scorecard_compares_with_the_naive(self, made):
        card = made[0].forecast_scorecard
        assert card["basis"].str.startswith("back-test as known").all()
        series = card[(card["kind"] == "series") & (card["group"] == "all")]
        assert set(series["geography_type"]) == {"city", "precinct"}
        naive = series[series["model"] == NAIVE]
        np.testing.assert_allclose(naive["over_naive"], 1)
        assert series.groupby("geography_type")["chosen"].sum().eq(1).all()
        places = card[card["kind"] == "places"]
        assert set(places["weeks"]) == {1, 2, 4}
        assert (places["hit_rate_low"] <= places["hit_rate"]).all()
        assert (places.loc[places["model"] == PLACE_NAIVE, "gain"] == 0).all()

    def test_places_hold_every_cell_once(self, made):
        places, department = made[0].place_forecasts, made[1]
        cells = len(place_grid(department))
        assert cells == 64
        for _, part in places.groupby(["offense", "weeks"]):
            assert sorted(part["rank"]) == list(range(1, cells + 1))
            assert part["chosen"].sum() == part["cells_chosen"].iloc[0] == 1  # 2 % of 64
            assert (part["chosen"] == (part["rank"] <= 1)).all()

    def test_nothing_after_the_week_or_the_day_changes_a_bit(self, made, incidents, city):
        week, department, _ = made
        changed = incidents.copy()
        later = changed["known_on"] > pd.Timestamp(city.as_of)
        assert later.any()
        changed.loc[later, ["x", "y"]] += 40.0
        changed.loc[later, "occurred_from"] -= pd.Timedelta(days=40)
        changed.loc[later, "offense"] = "Robbery"
        # Of what is known, nothing that happened after the week is in a forecast either.
        after = (changed["occurred_from"] >= pd.Timestamp("2023-10-30")) & ~later
        assert after.any()
        changed.loc[after, "x"] += 40.0
        changed.loc[after, "precinct"] = "3"
        changed.loc[after, "offense"] = "Larceny"
        # The same bits in any order of the rows, too.
        changed = changed.sample(frac=1, random_state=3)
        again = weekly_forecasts(changed, department, city.week_ending, city.as_of)
        for name, frame in week._asdict().items():
            if name != "nowcasts":  # which are of the days up to the as-of day
                pd.testing.assert_frame_equal(frame, getattr(again, name), check_exact=True)

    def test_officers_drug_records_change_no_place(self, made, incidents, city):
        week, department, _ = made
        drugs = incidents.sample(10_000, replace=True, random_state=1).assign(
            offense="Drug Abuse", origin="officer", x=700_300.0, y=4_270_300.0
        )
        both = pd.concat([incidents, drugs], ignore_index=True)
        again = weekly_places(both, department, city.week_ending, city.as_of)
        pd.testing.assert_frame_equal(again.table, week.place_forecasts, check_exact=True)
        # As burglaries by an officer they stay out too.
        own = pd.concat([incidents, drugs.assign(offense="Burglary")], ignore_index=True)
        again = weekly_places(own, department, city.week_ending, city.as_of)
        rows = again.table.drop(columns="share_left_out")
        pd.testing.assert_frame_equal(
            rows, week.place_forecasts.drop(columns="share_left_out"), check_exact=True
        )


class TestAsKnown:
    def test_a_back_test_knows_what_the_books_of_its_cutoff_held(self, department, incidents, city):
        def run(frame):
            history = week_history(frame, department, city.week_ending, city.as_of)
            models = {NAIVE: seasonal_naive, "recent_mean": recent_mean}
            return weekly_series(history, department, models=models).scored

        first = run(incidents)
        cutoff = sorted(first["cutoff"].unique())[0]
        book = cutoff + pd.Timedelta(days=6) + pd.offsets.MonthEnd(0)
        changed = incidents.copy()
        late = (changed["known_on"] > book) & (changed["occurred_from"] < book)
        assert late.sum() > 5
        changed.loc[late, "count"] = 3
        second = run(changed)
        numbers = ["unique_id", "ds", "model", "y_hat", "lo_80", "hi_95"]
        # Totals take their size from all cutoffs' errors, so only their parts are compared.
        then = [
            f.loc[(f["cutoff"] == cutoff) & ~f["unique_id"].str.contains("Total|City"), numbers]
            for f in (first, second)
        ]
        assert len(then[0]) == 2 * 4 * 4 * 4
        pd.testing.assert_frame_equal(*then, check_exact=True)

    def test_the_last_origin_has_all_its_weeks_settled(self, department, incidents, city):
        history = week_history(incidents, department, city.week_ending, city.as_of)
        # Weeks up to October 1 have settled on October 31: the last origin ends four before it.
        assert last_origin(history, 4) == pd.Timestamp("2023-08-28")


class TestWithdrawal:
    def scored(self, own: float, naive: float, weeks: int = 8) -> pd.DataFrame:
        ds = pd.date_range("2023-08-07", periods=weeks, freq="7D")
        rows = [(d, m, c) for d in ds for m, c in (("recent_mean", own), (NAIVE, naive))]
        frame = pd.DataFrame(rows, columns=["ds", "model", "crps"])
        return frame.assign(unique_id="1/Burglary", cutoff=frame["ds"] - pd.Timedelta("7D"))

    @pytest.mark.parametrize(
        ("own", "naive", "weeks", "gone"),
        [(1.0, 2.0, 8, False), (2.0, 1.0, 8, True), (1.0, 1.0, 8, True), (2.0, 1.0, 7, None)],
    )
    def test_eight_weeks_decide(self, own, naive, weeks, gone):
        found = judge(self.scored(own, naive, weeks), "recent_mean", None, None)
        got = found["withdrawn"].get("1/Burglary")
        assert got is None if gone is None else bool(got) is gone

    def test_published_forecasts_outweigh_the_back_test(self):
        published = pd.DataFrame(
            {"crps": [3.0], "naive_crps": [2.0], "withdrawn": [True], "basis": ["published"]},
            index=pd.Index(["1/Burglary"], name="unique_id"),
        )
        found = judge(self.scored(1.0, 2.0), "recent_mean", published, None)
        assert found.loc["1/Burglary", "basis"] == "published"
        assert len(found) == 1

    def test_a_withdrawn_series_publishes_its_naive_and_says_why(self, department, incidents, city):
        history = week_history(incidents, department, city.week_ending, city.as_of)
        published = pd.DataFrame(
            {"crps": [3.0, 3.0], "naive_crps": [2.0, 2.0], "withdrawn": [True, True],
             "basis": ["published forecasts"] * 2},
            index=pd.Index(["1/Burglary", "City/Total Part I"], name="unique_id"),
        )  # fmt: skip
        models = {NAIVE: seasonal_naive, "recent_mean": recent_mean}
        made = weekly_series(history, department, published=published, models=models)
        table = made.table
        rows = table[table["unique_id"] == "1/Burglary"]
        assert set(rows.loc[rows["published"], "model"]) == {NAIVE}
        assert rows["withdrawn"].all() and len(rows) == 8
        assert (
            rows["reason"]
            .str.startswith(
                "Withdrawn: over the last 8 weeks of published forecasts its CRPS was 3.00, "
                "the naive's 2.00"
            )
            .all()
        )
        # Its total is the sum of what is published, and a withdrawn total says that it is not.
        shown = table[table["published"]]
        parts = shown[(shown["geography_type"] == "precinct") & (shown["offense"] == "Burglary")]
        total = table[(table["unique_id"] == "City/Burglary") & (table["model"] == "bottom_up")]
        np.testing.assert_allclose(total["y_hat"], parts.groupby("ds")["y_hat"].sum())
        whole = table[table["unique_id"] == "City/Total Part I"]
        assert whole["reason"].str.endswith("It does not add up from its parts.").all()

    @pytest.mark.parametrize(("own", "naive", "gone"), [(5, 4, False), (4, 4, True), (3, 4, True)])
    def test_a_layer_must_catch_more_than_its_naive(self, own, naive, gone):
        cutoffs = pd.to_datetime(["2023-07-10", "2023-08-07", "2023-09-04"])
        tested = pd.DataFrame(
            [
                {"cutoff": c, "model": m, "hits": h if c > cutoffs[0] else 99 * (m == PLACE_NAIVE)}
                for c in cutoffs
                for m, h in (("kernel_density", own), (PLACE_NAIVE, naive))
            ]
        )
        found = judge_places(tested, "Burglary", "kernel_density", None)
        assert found["withdrawn"] is gone
        assert f"caught {2 * own}, the naive count {2 * naive}" in found["reason"]
        published = pd.DataFrame({"hits": [9.0], "naive_hits": [8.0]}, index=["Burglary"])
        assert not judge_places(tested, "Burglary", "kernel_density", published)["withdrawn"]


class TestOddDepartments:
    def test_ten_weeks_of_a_feed_are_enough_for_an_answer(self, department, city):
        short = city.incidents("2023-08-01", "2023-10-31")
        week = weekly_forecasts(short, department, city.week_ending, city.as_of)
        for name, frame in week.tables().items():
            TABLES[name].conform(frame)
        shown = week.forecasts[week.forecasts["published"]]
        single = shown[(shown["unique_id"] == "1/Larceny")]
        assert set(single["model"]) == {NAIVE}
        assert set(single["reason"]) == {"No back-test yet: history is too short."}
        assert week.nowcasts["note"].str.contains("too little is known of late records").all()
        assert set(week.place_forecasts["model"]) == {PLACE_NAIVE}
        assert week.forecast_scorecard.empty and week.place_calibration.empty

    def test_one_series_on_which_a_model_fails_stays_alone(self, department, incidents, city):
        def fails_on_one(panel, horizon):
            if any(name == "2/Robbery" for name in panel.ids):
                raise ZeroDivisionError("no level")
            forecast = recent_mean(panel, horizon)
            return CountForecast(forecast.mean * 0.999, forecast.size)

        history = week_history(incidents, department, city.week_ending, city.as_of)
        models = {NAIVE: seasonal_naive, "own": fails_on_one}
        made = weekly_series(history, department, models=models)
        shown = made.table[made.table["published"]]
        bad = shown[shown["unique_id"] == "2/Robbery"]
        assert bad["reason"].str.contains("ZeroDivisionError: no level").all()
        assert "own" in set(made.table.loc[made.table["unique_id"] == "1/Robbery", "model"])

    def test_a_department_that_counts_by_report_has_no_late_records(self, small_department, city):
        department = small_department.set(forecasts=FAST, count_by="report").load()
        frame = city.incidents("2023-06-01", "2023-10-31")
        frame["reported_at"] = frame["occurred_from"]
        table = recent_weeks(frame, department, city.week_ending, city.as_of)
        assert table["expected_final"].isna().all()
        assert table["note"].str.contains("counted by report").all()
        assert table["reported"].sum() > 0

    def test_hexagons_are_forecast_on_squares(self, small_department, incidents, city):
        department = small_department.set(forecasts=FAST, grid={"shape": "hexagonal"}).load()
        places = weekly_places(
            incidents,
            department,
            city.week_ending,
            city.as_of,
            models={PLACE_NAIVE: FEW[PLACE_NAIVE]},
        )
        assert len(places.table) == 3 * 64

    def test_an_offense_without_a_point_is_left_out_and_said(
        self, small_department, incidents, city
    ):
        department = small_department.set(
            forecasts={**FAST, "place_offenses": ["Homicide", "Burglary"]}
        ).load()
        said = []
        places = weekly_places(
            incidents, department, city.week_ending, city.as_of, models=FEW, say=said.append
        )
        assert set(places.table["offense"]) == {"Burglary"}
        assert said[0] == "places: Homicide has no usable points, so its places are not forecast"


class TestSettings:
    def test_every_model_can_be_named(self):
        assert set(get_args(SeriesModel)) == set(ALL_MODELS)
        with pytest.raises(ValidationError):
            ForecastSettings(models=["oracle"])

    def test_prophet_is_chosen_without_being_imported(self, small_department):
        department = small_department.set(forecasts={"models": ["prophet"]}).load()
        assert list(department_models(department)) == [NAIVE, "prophet"]
        assert "prophet" not in sys.modules

    def test_an_enforcement_driven_offense_is_refused_by_name(self, small_department):
        small_department.set(forecasts={"place_offenses": ["Drug Abuse"]})
        with pytest.raises(SettingsError, match="Drug Abuse is recorded where officers look"):
            small_department.load()

    def test_unless_a_reason_allows_it_which_is_carried_along(
        self, small_department, incidents, city
    ):
        forecasts = {
            **FAST,
            "place_offenses": ["Drug Abuse"],
            "allow": {"Drug Abuse": "a study of complaints by residents."},
        }
        department = small_department.set(forecasts=forecasts).load()
        frame = incidents.assign(offense=incidents["offense"].replace("Robbery", "Drug Abuse"))
        places = weekly_places(
            frame, department, city.week_ending, city.as_of, models={PLACE_NAIVE: FEW[PLACE_NAIVE]}
        )
        assert (
            places.table["reason"]
            .str.endswith("Allowed by the settings: a study of complaints by residents.")
            .all()
        )

    def test_known_breaks_become_shocks(self, small_department):
        shock = {"kind": "ignore", "first_day": dt.date(2023, 5, 1), "reason": "A strike."}
        department = small_department.set(
            forecasts={
                "shocks": [
                    {**shock, "last_day": dt.date(2023, 5, 9), "offenses": ["Arson", "Rape"]},
                    {**shock, "kind": "level_shift"},
                ]
            }
        ).load()
        shocks = department_shocks(department)
        assert [(s.series, s.kind) for s in shocks] == [
            ("Arson", "ignore"), ("Rape", "ignore"), ("*", "level_shift"),
        ]  # fmt: skip
        assert shocks[0].end == pd.Timestamp("2023-05-09") and shocks[0].reason == "A strike"

    def test_layers_of_places_are_read_and_missing_ones_told(self, small_department):
        import geopandas as gpd

        layer = {"file": "places/bars.gpkg", "bandwidths_m": [100, 250]}
        department = small_department.set(forecasts={"places": [layer]}).load()
        grid = place_grid(department)
        with pytest.raises(SettingsError, match=r"places/bars\.gpkg is not there"):
            place_layers(department, grid)
        (department.folder / "places").mkdir()
        bars = gpd.GeoDataFrame(
            geometry=gpd.points_from_xy([grid.x[5]], [grid.y[5]]), crs=department.crs
        )
        bars.to_crs("EPSG:4326").to_file(department.folder / layer["file"])
        rows = place_layers(department, grid)
        assert rows.shape == (2, len(grid)) and rows.argmax(axis=1).tolist() == [5, 5]
        np.testing.assert_allclose(rows[:, 5], 1, atol=1e-6)

    def test_an_area_without_a_cell_is_refused(self, small_department, incidents, city):
        department = small_department.set(forecasts={**FAST, "place_share": 0.01}).load()
        with pytest.raises(InvalidInput, match="at least one"):
            weekly_places(incidents, department, city.week_ending, city.as_of, models=FEW)

    def test_the_grid_is_named_with_its_origin(self, small_department):
        assert grid_name(small_department.load()) == "square 250 m from 0, 0"
