"""Exports: each format reads back as the table, says what it is, and gives no small count away."""

import datetime as dt
import json
import shutil
import sqlite3
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from beatbook.errors import BeatbookError, InvalidInput, MissingTable, UnknownDepartment
from beatbook.home import HOME_VARIABLE, Home
from beatbook.hotspots.export import FORMATS, export_hotspots
from beatbook.hotspots.grid import make_grid
from beatbook.hotspots.small_cells import LEVELS, hide_small_cells
from beatbook.hotspots.weekly import weekly_layers
from beatbook.store import Store, load_table

WEEK = "2024-01-28"
CRS = "EPSG:32615"
WEST, SOUTH = 700_000, 4_270_000
PROVENANCE = {"feed_sha256": "ab" * 32, "code_version": "0.1.0", "as_of": "2024-01-31"}
KML = {"k": "http://www.opengis.net/kml/2.2"}

_BUILT: list[Home] = []


@pytest.fixture
def home(make_department) -> Home:
    """A made-up city with a week's layers: a crowd, small cells, and burglaries that repeat."""
    if not _BUILT:  # read by all tests, changed by none
        city = make_department()
        city.set(grid={"origin": [100, 100]})  # off the city's corner, so that cells are cut
        incidents = city.clean(list(offenses(city))).incidents
        department = city.load()
        layers = weekly_layers(
            incidents, department, dt.date.fromisoformat(WEEK), dt.date(2024, 1, 31)
        )
        Store(city.slug, city.home).publish(layers._asdict(), PROVENANCE, partition=WEEK)
        _BUILT.append(city.home)
    return _BUILT[0]


def offenses(city):
    """5 robberies in one cell, 2 in another, 1 in a third; burglaries three times at 9 places."""
    places = [(400, 300, 5), (1130, 1130, 2), (1900, 1900, 1)]
    number = 0
    # The feed starts in December, for the space-time scan compares with the days before.
    yield city.row(Case="L1", Code="061000", Month="2023-12", Date="12/03/2023 10:00")
    for east, north, times in places:
        for k in range(times):
            number += 1
            yield city.row(Case=f"R{number}", X=str(WEST + east), Y=str(SOUTH + north),
                           Date=f"01/{5 + k:02d}/2024 10:00")  # fmt: skip
    for place in range(9):
        for again in range(3):
            number += 1
            day = 4 + (24 if place == 8 else 2 * place) - again
            yield city.row(Case=f"B{number}", Code="051000", Date=f"01/{day:02d}/2024 10:00",
                           Number=str(100 * (place + 1)), Street="ELM & OAK ST",
                           X=str(WEST + 130 + 210 * place), Y=str(SOUTH + 1620))  # fmt: skip


def read(paths: list[Path], name: str) -> pd.DataFrame:
    """One layer of an export, whatever its format."""
    path = next((p for p in paths if p.stem == name), paths[0])
    if path.suffix == ".parquet":
        has_shapes = b"geo" in pq.read_schema(path).metadata
        return gpd.read_parquet(path) if has_shapes else pd.read_parquet(path)
    if path.suffix == ".kml":
        parts = [gpd.read_file(path, layer=layer) for layer, _ in pyogrio.list_layers(path)]
        return pd.concat(parts, ignore_index=True)
    if path.suffix == ".csv":
        return gpd.read_file(path) if name != "repeat_places" else pd.read_csv(path)
    return gpd.read_file(path, layer=name)


def said_in(paths: list[Path]) -> dict:
    """The description inside the first file of an export."""
    path = paths[0]
    if path.suffix == ".gpkg":
        return pyogrio.read_info(path, layer="hotspots")["layer_metadata"]
    if path.suffix == ".parquet":
        return json.loads(pq.read_schema(path).metadata[b"beatbook"])
    if path.suffix == ".geojson":
        return json.loads(path.read_text(encoding="utf-8"))["beatbook"]
    if path.suffix == ".csv":
        return pd.read_csv(path).iloc[0].to_dict()
    text = ElementTree.parse(path).findtext("k:Document/k:description", namespaces=KML)
    return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)


@pytest.mark.parametrize("format", FORMATS)
def test_a_format_reads_back_as_the_table(format, home, tmp_path):
    paths = export_hotspots("example", WEEK, format, tmp_path, home)
    table = load_table("hotspots", "example", week_ending=WEEK, home=home)
    cells = read(paths, "hotspots")
    if format == "kml":  # quiet cells are left out
        table = table[(table["incidents"] != 0) | table["class"].isin(["hot", "cold"])]
        assert len(table)
    key = ["period", "offense", "cell"]
    both = cells.merge(table, on=key, suffixes=("", "_table"), validate="1:1")
    assert len(both) == len(cells) == len(table)
    assert (both["class"] == both["class_table"]).all()
    small = (both["incidents_table"] != 0) & (both["incidents_table"] < 3)
    incidents = pd.to_numeric(both["incidents"])
    assert small.any() and (incidents.isna() == small).all()
    assert (incidents[~small] == both["incidents_table"][~small]).all()
    assert set(both.loc[small, "incidents_shown"]) == {"fewer than 3"}

    shapes = gpd.GeoSeries(both.geometry, crs=cells.crs or CRS)
    assert shapes.crs == ("EPSG:4326" if format in ("geojson", "kml") else CRS)
    shapes = shapes.to_crs(CRS)
    assert shapes.is_valid.all()
    # A hundredth of a percent: seven digits of a degree, or two of a meter.
    assert np.allclose(shapes.area, both["area_m2_table"], rtol=1e-4)
    whole = both["area_m2_table"] == 250**2
    centers = gpd.points_from_xy(both["x_table"], both["y_table"])
    assert shapely.contains(shapes.to_numpy(), np.asarray(centers))[whole].all()
    if format != "kml":
        one = both["offense"] == "Robbery"
        assert not whole.all() and np.isclose(shapes[one].union_all().area, 2000**2, rtol=1e-4)


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_says_what_it_was_made_from(format, home, tmp_path):
    said = said_in(export_hotspots("example", WEEK, format, tmp_path, home))
    wanted = {**PROVENANCE, "department": "example", "week_ending": WEEK, "crs": CRS,
              "false_discovery_rate": "0.05", "small_cell_limit": "3",
              "source": "Made up for tests."}  # fmt: skip
    assert {item: str(said[item]) for item in wanted} == wanted
    if format not in ("csv", "kml"):
        grid = said["grid"] if format != "gpkg" else json.loads(said["grid"])
        assert grid["cell_size_m"] == 250 and grid["shape"] == "square" and grid["cells"] == 81
        left_out = said["share_left_out"] if format != "gpkg" else json.loads(
            said["share_left_out"])  # fmt: skip
        assert left_out["28_days"]["Robbery"] == 0
        assert "offenses" in str(said["columns"])


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_tables_give_the_same_bytes(format, home, tmp_path):
    first, second = (export_hotspots("example", WEEK, format, tmp_path / n, home) for n in "ab")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_a_geopackage_holds_all_layers_and_a_readable_description(home, tmp_path):
    (path,) = export_hotspots("example", WEEK, "gpkg", tmp_path, home)
    assert [name for name, _ in pyogrio.list_layers(path)] == [
        "hotspots", "near_repeat_zones", "space_time_clusters", "repeat_places", "about",
    ]  # fmt: skip
    with sqlite3.connect(path) as database:
        spatial = database.execute("select table_name, srs_id from gpkg_geometry_columns")
        assert set(spatial) == {(n, 32615) for n in ("hotspots", "near_repeat_zones",
                                                     "space_time_clusters")}  # fmt: skip
        about = "select value from about where layer = 'repeat_places' and item = 'as_of'"
        assert database.execute(about).fetchone() == ("2024-01-31",)
    types = dict(zip(*(pyogrio.read_info(path, layer="hotspots")[k] for k in ("fields", "dtypes")),
                     strict=True))  # fmt: skip
    assert types["period_start"] == "datetime64[D]" and types["incidents"] == "int64"


def test_geojson_is_as_its_standard_says(home, tmp_path):
    content = json.loads(
        export_hotspots("example", WEEK, "geojson", tmp_path, home)[0].read_text(encoding="utf-8")
    )
    assert content["type"] == "FeatureCollection" and "crs" not in content
    for feature in content["features"]:
        ring = feature["geometry"]["coordinates"][0]
        assert shapely.LinearRing(ring).is_ccw and ring[0] == ring[-1]
        assert -180 <= ring[0][0] <= 180 and -90 <= ring[0][1] <= 90


def test_kml_has_a_folder_a_layer_and_shows_the_total_first(home, tmp_path):
    root = ElementTree.parse(export_hotspots("example", WEEK, "kml", tmp_path, home)[0]).getroot()
    folders = root.findall("k:Document/k:Folder", KML)
    assert folders[0].findtext("k:name", namespaces=KML) == "28_days, Total Part I"
    assert [f.findtext("k:visibility", namespaces=KML) for f in folders] == ["1"] + ["0"] * (
        len(folders) - 1
    )


@pytest.mark.parametrize("format", FORMATS)
def test_the_other_layers_come_with_it(format, home, tmp_path):
    paths = export_hotspots("example", WEEK, format, tmp_path, home)
    zones = read(paths, "near_repeat_zones")
    table = load_table("near_repeat_zones", "example", week_ending=WEEK, home=home)
    assert len(zones) == len(table) > 0
    if format in ("gpkg", "geoparquet", "csv"):
        places = read(paths, "repeat_places")
        wanted = load_table("repeat_places", "example", week_ending=WEEK, home=home)
        assert list(places["block_address"]) == list(wanted["block_address"])
        assert places["incidents"].min() >= 3
    else:
        assert not any("repeat_places" in path.name for path in paths)


def test_a_zone_at_one_address_is_the_square_it_lies_in(home, tmp_path):
    paths = export_hotspots("example", WEEK, "geoparquet", tmp_path, home)
    zones = read(paths, "near_repeat_zones")
    here = zones[zones["outer_m"] < 100]
    assert len(here) and np.allclose(here.area, 100**2)
    assert (shapely.get_coordinates(here.centroid) == here[["x", "y"]].to_numpy()).all()


def test_a_zone_further_out_is_a_hollow_diamond(home):
    from beatbook.department import load_department
    from beatbook.hotspots.zones import zone_frame

    table = load_table("near_repeat_zones", "example", week_ending=WEEK, home=home).iloc[:2]
    settings = load_department("example", home)
    drawn = zone_frame(table.assign(inner_m=[0.1, 200.0], outer_m=[200.0, 300.0]), settings.crs)
    # A diamond of reach r has the area 2 r r; a hole of an address's size is not drawn.
    assert np.allclose(drawn.area, [2 * 200**2, 2 * 300**2 - 2 * 200**2])
    assert list(drawn["inner_m"]) == [0.1, 200.0]


@pytest.fixture
def layer():
    """Two hot corners and two small cells on a grid of 8 by 8, and the layer's own figures."""
    grid = make_grid(shapely.box(WEST, SOUTH, WEST + 2000, SOUTH + 2000), 250, crs=CRS)

    def made(first_small: int, second_small: int, limit: int = 3):
        counts = np.zeros(len(grid))
        counts[[0, 1, 8, 9]] = 7, 6, 8, 5
        counts[[10, 40]] = first_small, second_small
        from beatbook.hotspots.density import kernel_density
        from beatbook.hotspots.getis_ord import getis_ord

        scores = getis_ord(counts, grid.neighbors())
        density = kernel_density(grid.x, grid.y, grid.x, grid.y, 500, weights=counts) * 1e6
        table = pd.DataFrame(
            {"period": "28_days", "offense": "Robbery", "cell": grid.cell_id,
             "incidents": counts.astype(int), "density_per_km2": density,
             "around": scores["local"], "expected_around": scores["expected"],
             "z": scores["z"], "p": scores["p"], "q": scores["q"]}
        )  # fmt: skip
        return table, hide_small_cells(table, grid, limit, 500)

    return made


FIGURES = ["incidents", "incidents_shown", "around", "expected_around", "z", "density_per_km2"]


def test_no_figure_tells_a_hidden_count(layer):
    """What is shown is the same whichever of the possible counts stands behind it."""
    shown = [layer(a, b)[1][FIGURES] for a in (1, 2) for b in (1, 2)]
    for other in shown[1:]:
        pd.testing.assert_frame_equal(shown[0], other)


def test_figures_that_hide_nothing_stay(layer):
    table, shown = layer(0, 0)
    pd.testing.assert_frame_equal(
        shown[FIGURES[2:]], table[FIGURES[2:]], check_exact=False, atol=1e-9
    )
    assert shown["incidents"].notna().all()


def test_a_limit_of_one_changes_no_figure(layer):
    table, shown = layer(1, 2, limit=1)
    assert (shown["incidents"] == table["incidents"]).all()
    pd.testing.assert_frame_equal(shown[FIGURES[2:]], table[FIGURES[2:]])


def test_what_a_neighborhood_with_a_hidden_count_shows(layer):
    _, shown = layer(1, 2)
    # Cell 9 holds 5; with its neighbors 7 + 6 + 8 + 5, and a hidden one counted as 1.5.
    assert shown.loc[9, "around"] == 27.5
    # Around cell 40 only its own hidden count: a sum below the limit is not shown.
    assert pd.isna(shown.loc[40, "around"]) and shown.loc[63, "around"] == 0
    assert (shown["p_at_most"].isin(LEVELS) & shown["q_at_most"].isin(LEVELS)).all()


def test_p_and_q_are_rounded_up(layer):
    table, shown = layer(1, 2)
    assert (shown["q_at_most"] >= table["q"]).all()
    assert ((shown["q_at_most"] <= 0.05) == (table["q"] <= 0.05)).all()


def test_a_net_count_below_zero_is_hidden_too(layer):
    _, shown = layer(-1, 2)
    assert shown.loc[10, "incidents_shown"] == "fewer than 3"


def test_order_of_rows_does_not_matter(layer):
    table, shown = layer(1, 2)
    grid = make_grid(shapely.box(WEST, SOUTH, WEST + 2000, SOUTH + 2000), 250, crs=CRS)
    mixed = table.sample(frac=1, random_state=3)
    again = hide_small_cells(mixed, grid, 3, 500).set_index("cell").loc[table["cell"]]
    pd.testing.assert_frame_equal(again.reset_index(), shown[again.reset_index().columns])


def test_a_layer_of_another_grid_is_refused(layer):
    table, _ = layer(1, 2)
    other = make_grid(shapely.box(WEST, SOUTH, WEST + 2000, SOUTH + 2000), 500, crs=CRS)
    with pytest.raises(InvalidInput, match="each cell of the grid"):
        hide_small_cells(table, other, 3, 500)


def test_a_week_without_layers_says_what_to_run(home, tmp_path):
    with pytest.raises(MissingTable, match=r"2024-01-21.*2024-01-28.*beatbook report"):
        export_hotspots("example", "2024-01-21", "gpkg", tmp_path, home)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [(("nowhere", WEEK, "gpkg"), UnknownDepartment, "example"),
     (("example", WEEK, "shp"), InvalidInput, "gpkg, geoparquet"),
     (("example", "the last", "gpkg"), InvalidInput, "2019-12-29")],
)  # fmt: skip
def test_a_wrong_request_is_refused(arguments, error, message, home, tmp_path):
    with pytest.raises(error, match=message):
        export_hotspots(*arguments, tmp_path, home)


def test_a_file_in_the_folders_place_is_refused(home, tmp_path):
    taken = tmp_path / "layers"
    taken.write_text("")
    with pytest.raises(InvalidInput, match="is a file"):
        export_hotspots("example", WEEK, "csv", taken, home)


def test_a_grid_changed_since_is_refused_and_leaves_the_last_files(home, tmp_path):
    root = tmp_path / "home"
    shutil.copytree(home.root, root)
    (before,) = export_hotspots("example", WEEK, "gpkg", home=Home(root))
    kept = before.read_bytes()
    path = root / "departments" / "example" / "department.yaml"
    path.write_text(path.read_text().replace("grid:", "grid:\n  size_m: 400"))
    with pytest.raises(BeatbookError, match="beatbook report"):
        export_hotspots("example", WEEK, "gpkg", home=Home(root))
    assert before.read_bytes() == kept
    assert list(before.parent.iterdir()) == [before]


def test_the_command_prints_the_files(home, tmp_path, monkeypatch, capsys):
    from pipelines.cli import main

    monkeypatch.setenv(HOME_VARIABLE, str(home.root))
    request = ["export", "hotspots", "--department", "example", "--format", "geojson"]
    assert main([*request, "--week-ending", WEEK, "--out", str(tmp_path / "o")]) == 0
    said = capsys.readouterr()
    assert [Path(line).name for line in said.out.splitlines()] == [
        "hotspots.geojson", "near_repeat_zones.geojson", "space_time_clusters.geojson",
    ]  # fmt: skip
    assert "repeat places" in said.err
    assert main([*request, "--week-ending", "2024-01-21"]) == 1
    assert capsys.readouterr().err.startswith("beatbook: example has no hotspot layers")


def test_the_command_offers_the_formats_there_are(capsys):
    from pipelines.cli import main

    with pytest.raises(SystemExit):
        main(["export", "hotspots", "--help"])
    assert "{" + ",".join(FORMATS) + "}" in capsys.readouterr().out
