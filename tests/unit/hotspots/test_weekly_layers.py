"""The layers of a week: which incidents count, which periods, what is left out and said."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from beatbook.department import Department, load_department
from beatbook.home import Home
from beatbook.hotspots.hours import offense_hours
from beatbook.hotspots.weekly import LAYER_OFFENSES, department_grid, weekly_layers
from beatbook.hotspots.zones import zone_frame
from beatbook.tables import TABLES

ROOT = Path(__file__).resolve().parents[3]
WEEK = dt.date(2024, 3, 10)
# A crowded square in the middle of the city, in its CRS.
CENTER = (398_000.0, 137_000.0)


@pytest.fixture(scope="module")
def city() -> Department:
    return load_department("washington_dc", Home(ROOT))


def incidents(days: int = 500, seed: int = 5) -> pd.DataFrame:
    """Records up to the week: spread over the city, a crowd in the middle, some near repeats."""
    rng = np.random.default_rng(seed)
    n = 3_000
    repeats = slice(0, 400), slice(400, 800)
    end = pd.Timestamp(WEEK)
    occurred = end - pd.to_timedelta(rng.integers(0, days, n), unit="D")
    crowd = rng.random(n) < 0.3
    x = np.where(crowd, CENTER[0] + rng.normal(0, 200, n), rng.uniform(394_000, 402_000, n))
    y = np.where(crowd, CENTER[1] + rng.normal(0, 200, n), rng.uniform(132_000, 142_000, n))
    occurred = occurred.to_numpy().copy()
    offense = rng.choice(["Burglary", "Larceny", "Robbery", "Rape"], n)
    first, again = repeats
    # A burglary, and another some steps and some days away.
    offense[first] = offense[again] = "Burglary"
    x[again], y[again] = x[first] + rng.uniform(-40, 40, 400), y[first] + rng.uniform(-40, 40, 400)
    later = occurred[first] + rng.integers(1, 6, 400).astype("timedelta64[D]")
    occurred[again] = np.minimum(later, end.to_numpy())
    frame = pd.DataFrame(
        {
            "record_id": [f"{i:05d}" for i in range(n)],
            "offense": offense,
            "count": 1,
            "occurred_from": occurred,
            "reported_at": occurred,
            "known_on": occurred,
            "x": x,
            "y": y,
            "location_quality": "block",
            "block_address": [f"{100 * int(v)} block of A ST" for v in rng.integers(1, 90, n)],
        }
    )
    sex = frame["offense"] == "Rape"
    frame.loc[sex, ["x", "y"]] = np.nan
    frame.loc[sex, "location_quality"] = "missing"
    frame.loc[sex, "block_address"] = None
    return frame


@pytest.fixture(scope="module")
def layers(city):
    return weekly_layers(incidents(), city, WEEK, WEEK)


def test_every_layer_is_as_declared(layers):
    for name, frame in layers._asdict().items():
        TABLES[name].conform(frame)
        assert len(frame), name


def test_no_layer_speaks_of_sex_offenses(layers):
    for name, frame in layers._asdict().items():
        assert "Rape" not in set(frame["offense"]), name
    total = layers.hotspots.query("period == '28_days' and offense == 'Total Part I'")
    parts = layers.hotspots.query("period == '28_days' and offense != 'Total Part I'")
    assert total["incidents"].sum() == parts["incidents"].sum()


def test_the_crowd_is_the_hot_spot(layers):
    year = layers.hotspots.query("period == '365_days' and offense == 'Total Part I'")
    hot = year[year["class"] == "hot"]
    assert len(hot)
    assert np.hypot(hot["x"] - CENTER[0], hot["y"] - CENTER[1]).max() < 1_500
    assert (hot["q"] <= 0.05).all() and (hot["around"] > hot["expected_around"]).all()
    assert year["cells_tested"].iloc[0] == len(year)


def test_a_sparse_layer_is_decided_by_shuffling_and_calls_no_lone_incident_hot(city):
    few = incidents().query("offense == 'Robbery'").tail(12)
    frame = weekly_layers(few, city, WEEK, WEEK).hotspots
    robbery = frame.query("offense == 'Robbery'")
    assert set(robbery["p_from"]) == {"permutation"}
    assert set(robbery["class"]) <= {"not significant", "not tested"}


def test_default_locations_stay_out_and_their_share_is_said(city):
    frame = incidents()
    burglary = frame.index[frame["offense"] == "Burglary"]
    piled = burglary[::4]
    frame.loc[piled, "location_quality"] = "pile_up"
    frame.loc[piled, ["x", "y"]] = CENTER
    layer = weekly_layers(frame, city, WEEK, WEEK).hotspots.query(
        "period == '365_days' and offense == 'Burglary'"
    )
    recent = frame["occurred_from"] > pd.Timestamp(WEEK) - pd.Timedelta(days=364)
    of_year = frame[recent & (frame["offense"] == "Burglary")]
    grid = department_grid(city)
    on_grid = grid.locate(of_year["x"], of_year["y"]) >= 0
    kept = (of_year["location_quality"] == "block").to_numpy()
    assert layer["incidents"].sum() == (kept & on_grid).sum()
    assert layer["share_left_out"].iloc[0] == pytest.approx(1 - kept.mean())


def test_a_period_that_is_not_covered_has_no_layer(city):
    frame = weekly_layers(incidents(days=60), city, WEEK, WEEK)
    assert set(frame.hotspots["period"]) == {"28_days"}
    first = incidents(days=60)["occurred_from"].min()
    assert set(frame.near_repeats["start"]) == {first}


def test_what_becomes_known_later_changes_nothing(city):
    frame = incidents()
    before = weekly_layers(frame, city, WEEK, WEEK)
    late = frame.sample(400, random_state=1).assign(
        known_on=pd.Timestamp(WEEK) + pd.Timedelta("1D")
    )
    late["record_id"] = "late" + late["record_id"]
    after = weekly_layers(pd.concat([frame, late]), city, WEEK, WEEK)
    for name, one, two in zip(before._fields, before, after, strict=True):
        pd.testing.assert_frame_equal(one, two, obj=name)


def test_the_order_of_rows_changes_nothing(city, layers):
    shuffled = incidents().sample(frac=1, random_state=3)
    for name, one, two in zip(
        layers._fields, layers, weekly_layers(shuffled, city, WEEK, WEEK), strict=True
    ):
        pd.testing.assert_frame_equal(one, two, obj=name, rtol=1e-9)


def test_small_counts_of_a_block_are_not_listed(city, layers):
    assert layers.repeat_places["incidents"].min() >= city.small_cell_limit
    assert set(layers.repeat_places["offense"]) <= set(LAYER_OFFENSES)


def test_zones_point_at_no_address(layers):
    for axis in ("x", "y"):
        assert (layers.near_repeat_zones[axis] % 100 == 0).all()
        assert ((layers.space_time_clusters[axis] - 125) % 250 == 0).all()


def test_zones_are_drawn_as_wide_as_they_are_said(layers, city):
    shapes = zone_frame(layers.near_repeat_zones, city.crs)
    wide = shapes[shapes["outer_m"] >= 100]
    inner = wide["inner_m"].where(wide["inner_m"] >= 50, 0)
    assert np.allclose(wide.area, 2 * (wide["outer_m"] ** 2 - inner**2))
    # A repeat at the place itself is drawn as the square that the place is published to.
    assert np.allclose(shapes[shapes["outer_m"] < 100].area, 100.0**2)
    assert shapes.crs == city.crs


def test_hours_share_a_span_and_count_a_moment_where_it_is():
    frame = pd.DataFrame(
        {
            "offense": ["Burglary"] * 3 + ["Rape"],
            "count": [1, 1, -1, 1],
            "occurred_from": pd.to_datetime(["2024-01-01 22:00", "2024-01-02 03:00"] * 2),
            "occurred_to": pd.to_datetime(["2024-01-02 02:00", None, None, None]),
        }
    )
    found = offense_hours(frame, "Burglary")
    assert (found.incidents, found.ranged) == (3, 1)
    assert found.week.loc[22, "Mon"] == pytest.approx(0.25 - 1)
    assert found.week.loc[1, "Tue"] == pytest.approx(0.25)
    assert found.week.loc[3, "Tue"] == pytest.approx(1)
    assert offense_hours(frame, "Total Part I").incidents == 3


def test_the_victims_of_one_moment_are_one_event(city):
    frame = incidents()
    burglary = frame[frame["offense"] == "Burglary"]
    victims = pd.concat([burglary, burglary.assign(record_id="again" + burglary["record_id"])])
    once = weekly_layers(burglary, city, WEEK, WEEK)
    twice = weekly_layers(victims, city, WEEK, WEEK)
    pd.testing.assert_frame_equal(once.near_repeats, twice.near_repeats)
    assert twice.hotspots["incidents"].sum() == 2 * once.hotspots["incidents"].sum()


@pytest.mark.parametrize("days", [1, 8, 28])
def test_a_feed_of_a_few_days_has_layers_for_what_it_covers(city, days):
    short = weekly_layers(incidents(days=days), city, WEEK, WEEK)
    for name, frame in short._asdict().items():
        TABLES[name].conform(frame)
    assert set(short.hotspots["period"]) == ({"28_days"} if days == 28 else set())
