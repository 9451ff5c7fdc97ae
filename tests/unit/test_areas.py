"""The department's maps: outlines read, codes listed, points looked up."""

import datetime as dt
import json
import os

import numpy as np
import pandas as pd
import pytest

from beatbook.areas import area_codes, code_order, load_outlines, locate
from beatbook.errors import SettingsError

WEST, SOUTH = 700_000, 4_270_000
CRS = "urn:ogc:def:crs:EPSG::32615"


def square(properties, west, south, side=1000.0):
    corners = [(0, 0), (side, 0), (side, side), (0, side), (0, 0)]
    ring = [[WEST + west + x, SOUTH + south + y] for x, y in corners]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(*features, crs=CRS):
    content = {"type": "FeatureCollection", "features": list(features)}
    if crs:
        content["crs"] = {"type": "name", "properties": {"name": crs}}
    return json.dumps(content)


def test_outlines_come_by_code_in_meters(small_department):
    department = small_department.load()
    outlines = load_outlines(department, "neighborhood")
    assert list(outlines.columns) == ["code", "name", "geometry"]
    assert list(outlines["code"]) == ["10", "20", "30", "40"]
    assert list(outlines["name"]) == [f"Quarter {n}" for n in "1234"]
    assert outlines.crs.to_epsg() == 32615
    assert outlines.geometry.area.tolist() == pytest.approx([1e6] * 4)
    city = load_outlines(department, "city")
    assert list(city["code"]) == ["Example City"]
    assert city.geometry.area.iloc[0] == pytest.approx(4e6)
    assert load_outlines(department, "beat").empty
    # Without a column of names, an area is called by its code.
    assert list(load_outlines(department, "precinct")["name"]) == list("1234")


def test_outlines_in_degrees_are_projected(small_department):
    from pyproj import Transformer

    to_degrees = Transformer.from_crs("EPSG:32615", "EPSG:4326", always_xy=True)
    feature = square({"CODE": "1"}, 0, 0)
    ring = feature["geometry"]["coordinates"][0]
    feature["geometry"]["coordinates"][0] = [list(to_degrees.transform(*point)) for point in ring]
    small_department.write_outlines("precincts", collection(feature, crs=None))
    outlines = load_outlines(small_department.load(), "precinct")
    assert outlines.geometry.area.iloc[0] == pytest.approx(1e6, rel=1e-6)


def test_codes_are_text_and_in_peoples_order(small_department):
    codes = [10, 2.0, "Airport", " 7 ", 1]
    small_department.write_outlines(
        "precincts",
        collection(*(square({"CODE": code}, 100 * n, 0, 100) for n, code in enumerate(codes))),
    )
    outlines = load_outlines(small_department.load(), "precinct")
    assert list(outlines["code"]) == ["1", "2", "7", "10", "Airport"]


def test_outlines_that_share_a_code_are_one_area_and_one_without_is_none(small_department):
    small_department.write_outlines(
        "precincts",
        collection(
            square({"CODE": "2"}, 0, 0),
            square({"CODE": "1"}, 1000, 0),
            square({"CODE": "2"}, 0, 1000),
            square({"CODE": None}, 1000, 1000),
        ),
    )
    outlines = load_outlines(small_department.load(), "precinct")
    assert list(outlines["code"]) == ["1", "2"]
    assert outlines.geometry.area.tolist() == pytest.approx([1e6, 2e6])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (collection(square({"Code": "1"}, 0, 0)), "has no column CODE; it has Code"),
        ('{"type": "FeatureCollection", "feat', "cannot be read as a map"),
        (collection(), "holds no outline"),
    ],
)
def test_a_map_that_cannot_be_used_is_named(small_department, content, said):
    small_department.write_outlines("precincts", content)
    with pytest.raises(SettingsError, match=r"example/boundaries/precincts\.geojson") as refused:
        load_outlines(small_department.load(), "precinct")
    assert said in str(refused.value)


def test_a_map_that_changes_is_read_again_and_a_reader_changes_his_own_copy(small_department):
    load_outlines(small_department.load(), "precinct")["name"] = "scribbled over"
    before = load_outlines(small_department.load(), "precinct")
    assert "scribbled over" not in set(before["name"])
    whole = collection(square({"CODE": "77"}, 0, 0, 2000.0))
    small_department.write_outlines("precincts", whole)
    assert list(load_outlines(small_department.load(), "precinct")["code"]) == ["77"]


def test_new_codes_beside_unchanged_outlines_are_read_too(small_department):
    """A shapefile keeps its codes in a file of their own."""
    drawn = load_outlines(small_department.load(), "precinct")[["geometry"]]
    path = small_department.folder / "boundaries" / "drawn.shp"
    drawn.assign(CODE=["1", "2", "3", "4"]).to_file(path)
    small_department.set(areas={"precinct": {"file": "boundaries/drawn.shp"}})
    assert list(load_outlines(small_department.load(), "precinct")["code"]) == ["1", "2", "3", "4"]
    content, held = path.read_bytes(), path.stat()
    drawn.assign(CODE=["5", "6", "7", "8"]).to_file(path)
    path.write_bytes(content)
    os.utime(path, ns=(held.st_atime_ns, held.st_mtime_ns))
    assert list(load_outlines(small_department.load(), "precinct")["code"]) == ["5", "6", "7", "8"]


def test_a_map_that_is_not_there(small_department):
    (small_department.folder / "boundaries" / "city.geojson").unlink()
    with pytest.raises(SettingsError, match=r"areas\.city\.file: there is no boundaries/city"):
        load_outlines(small_department.load(), "city")


def test_codes_listed_in_the_settings_hold_from_their_day(small_department):
    codes = {dt.date(2014, 1, 1): ["1", "2"], dt.date(2008, 1, 1): ["1", "9"]}
    department = small_department.set(areas={"precinct": {"codes": codes}}).load()
    listed = area_codes(department, "precinct")
    changed = pd.Timestamp("2014-01-01")
    assert listed.to_dict("list") == {
        "code": ["1", "9", "1", "2"],
        "valid_from": [pd.Timestamp("1800-01-01")] * 2 + [changed] * 2,
        "valid_to": [changed] * 2 + [pd.Timestamp("2200-01-01")] * 2,
    }


def test_codes_come_from_the_map_where_none_are_listed(small_department):
    department = small_department.load()
    assert list(area_codes(department, "precinct")["code"]) == ["1", "2", "3", "4"]
    nothing = area_codes(department, "beat")
    assert len(nothing) == 0
    assert list(nothing.dtypes.astype(str)) == ["str", "datetime64[us]", "datetime64[us]"]


@pytest.mark.parametrize(
    ("given", "ordered"),
    [
        (["10", "9", "Unknown", "1"], ["1", "9", "10", "Unknown"]),
        (["Unknown", "B", "A", "3"], ["3", "A", "B", "Unknown"]),
    ],
)
def test_people_count_before_they_spell(given, ordered):
    assert sorted(given, key=code_order) == ordered


# --- points ---


def test_points_are_located_as_a_plain_rule_says(small_department):
    rng = np.random.default_rng(20240310)
    x, y = rng.uniform(-500, 2500, (2, 2000))
    points = pd.DataFrame({"feed_x": WEST + x, "feed_y": SOUTH + y})
    points.index = pd.RangeIndex(5, 2005)  # positions, not labels, must count
    found = locate(points, small_department.load())
    inside = (x > 0) & (x < 2000) & (y > 0) & (y < 2000)
    expected = np.where(inside, (1 + (x > 1000) + 2 * (y > 1000)).astype(str), "none")
    assert (found["precinct_map"].fillna("none") == expected).all()
    assert (found["neighborhood_map"].dropna() == found["precinct_map"].dropna() + "0").all()
    assert found["beat_map"].isna().all()
    beyond = np.hypot(np.maximum(abs(x - 1000) - 1000, 0), np.maximum(abs(y - 1000) - 1000, 0))
    assert (found.loc[beyond < 49.5, "quality"] == "block").all()
    assert (found.loc[beyond > 50.5, "quality"] == "outside").all()
    assert found["x"].to_numpy() == pytest.approx(points["feed_x"].to_numpy())
    assert list(found.index) == list(points.index)


def test_a_point_on_a_border_goes_to_the_first_code(small_department):
    small_department.write_outlines(
        "precincts",
        collection(*(square({"CODE": c}, x, 0) for c, x in (("10", 0), ("9", 1000)))),
    )
    points = pd.DataFrame({"feed_x": [WEST + 1000.0], "feed_y": [SOUTH + 300.0]})
    assert locate(points, small_department.load())["precinct_map"].tolist() == ["9"]


def test_no_points_at_all(small_department):
    points = pd.DataFrame({"feed_x": [], "feed_y": []}, dtype="float64")
    found = locate(points, small_department.load())
    assert len(found) == 0
    assert found["quality"].dtype == found["precinct_map"].dtype == "str"


def test_the_tolerance_of_the_outline_is_a_setting(small_department):
    points = pd.DataFrame({"feed_x": [WEST - 80.0], "feed_y": [SOUTH + 300.0]})
    assert locate(points, small_department.load())["quality"].tolist() == ["outside"]
    small_department.set(areas={"city": {"tolerance_m": 100}})
    assert locate(points, small_department.load())["quality"].tolist() == ["block"]


def test_the_neighborhoods_of_st_louis_match_its_map(st_louis_tables):
    incidents = st_louis_tables.incidents
    mapped = incidents[incidents["location_quality"] == "block"]
    # The department's own neighborhoods agree with the published outlines nearly everywhere.
    assert mapped["neighborhood_disagrees"].mean() < 0.05
    assert set(incidents["neighborhood"].dropna()) == {str(n) for n in range(1, 89)} & set(
        load_outlines(st_louis_tables.department, "neighborhood")["code"]
    )
