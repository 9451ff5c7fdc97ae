"""The system of the coordinates is found by which one puts the points into the city."""

import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from beatbook.onboarding.column_values import look_at
from beatbook.onboarding.coordinates import find_pairs, guess_timezone, metric_crs, settle

CITY = shapely.box(-90.32, 38.53, -90.17, 38.77)


def points(crs: str = "EPSG:4326", x: str = "X", y: str = "Y", number: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    lon, lat = rng.uniform(-90.31, -90.18, number), rng.uniform(38.54, 38.76, number)
    east, north = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
    digits = 6 if crs == "EPSG:4326" else 2
    return pd.DataFrame(
        {x: [f"{v:.{digits}f}" for v in east], y: [f"{v:.{digits}f}" for v in north]}, dtype="str"
    )


@pytest.mark.parametrize(
    "crs",
    ["ESRI:102696", "EPSG:26915"],
    ids=["state plane feet", "UTM meters"],
)
def test_the_system_is_found_with_an_outline(crs):
    found = settle([look_at(points(crs))], CITY)
    assert (found.crs, found.sure) == (crs, True)
    assert (found.pairs[0].x, found.pairs[0].y) == ("X", "Y")


def test_a_system_that_leaves_a_third_outside_is_not_sure():
    some = points("ESRI:102696")
    some.loc[:99, "Y"] = [f"{float(y) + 400_000:.2f}" for y in some.loc[:99, "Y"]]
    found = settle([look_at(some)], CITY)
    assert (found.crs, found.sure) == ("ESRI:102696", False)
    assert "67% of the points" in found.evidence


def test_without_an_outline_meters_and_feet_are_left_open():
    found = settle([look_at(points("ESRI:102696"))], None)
    assert found.crs is None and not found.sure
    assert "state plane" in found.evidence
    assert "UTM" in settle([look_at(points("EPSG:26915"))], None).evidence


def test_degrees_need_no_outline_when_they_are_named():
    found = settle([look_at(points(x="LONGITUDE", y="LATITUDE"))], None)
    assert (found.crs, found.sure) == ("EPSG:4326", True)


def test_names_that_say_nothing_are_paired_by_the_map():
    found = settle([look_at(points(x="B", y="A")[["A", "B"]])], CITY)
    assert (found.pairs[0].x, found.pairs[0].y, found.crs) == ("B", "A", "EPSG:4326")


def test_points_elsewhere_are_said():
    away = points()
    away["X"] = [f"{float(x) + 5:.6f}" for x in away["X"]]
    found = settle([look_at(away)], CITY)
    assert not found.sure


def test_a_default_outside_the_city_is_an_unknown_point():
    some = points()
    some.iloc[:40] = ["-85.000000", "40.000000"]
    some.iloc[40:60] = ["0", "0"]
    assert settle([look_at(some)], CITY).unknown == ((0.0, 0.0), (-85.0, 40.0))


@pytest.mark.parametrize(
    ("x", "y"),
    [("X-Coord", "Y-Coord"), ("BLOCKXCOORD", "BLOCKYCOORD"), ("geometry.x", "geometry.y"),
     ("Long_WGS", "Lat_WGS"), ("EASTING", "NORTHING")],
)  # fmt: skip
def test_names_of_axes(x, y):
    pairs = [(p.x, p.y) for p in find_pairs(look_at(points(x=x, y=y))) if p.named]
    assert pairs == [(x, y)]


def test_the_system_to_measure_in():
    assert metric_crs(-90.2, 38.6, "EPSG:26996") == "EPSG:26996"
    assert metric_crs(-90.2, 38.6, "ESRI:102696") == "EPSG:32615"
    assert metric_crs(-90.2, 38.6, "EPSG:3857") == "EPSG:32615"
    assert metric_crs(13.4, 52.5, None) == "EPSG:32633"


@pytest.mark.parametrize(
    ("lon", "lat", "zone"),
    [(-77.0, 38.9, "America/New_York"), (-90.2, 38.6, "America/Chicago"),
     (-122.4, 37.8, "America/Los_Angeles"), (13.4, 52.5, "Europe/Berlin"),
     (-157.9, 21.3, "Pacific/Honolulu")],
)  # fmt: skip
def test_time_zones(lon, lat, zone):
    assert guess_timezone(lon, lat) == zone
