"""Hotspot maps: what is drawn and said, what must not be said, nothing loaded, the same bytes."""

import json
import re
import shutil
import subprocess

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from beatbook.book.hotspot_cells import around_range, phrases, zone_words
from beatbook.book.hotspot_maps import hotspot_map
from beatbook.errors import InvalidInput
from beatbook.hotspots.zones import zone_frame

CRS = "EPSG:32615"
WEST, SOUTH = 740_000, 4_280_000
NAME = "</script><b>O'Fallon</b> & $x^2$"
LIMIT = 3
# Six rows of six cells from the south; 0:0 is the cell at the south-west corner.
COUNTS = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [0, 12, 4, 3, 0, 0],
        [0, 5, 7, 0, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [0, 0, 0, 2, 0, 0],
        [0, 0, 0, 0, 0, 9],
    ]
)  # fmt: skip


def cells(counts: np.ndarray, **columns: object) -> gpd.GeoDataFrame:
    """A square grid of 250 m with these counts, nothing significant until a test says so."""
    rows, across = counts.shape
    padded = np.pad(counts, 1)
    around = sum(padded[i : i + rows, j : j + across] for i in range(3) for j in range(3))
    places = [(column, row) for row in range(rows) for column in range(across)]
    corners = [(WEST + 250 * column, SOUTH + 250 * row) for column, row in places]
    frame = gpd.GeoDataFrame(
        {
            "cell": [f"{column}:{row}" for column, row in places],
            "incidents": counts.ravel(),
            "around": np.asarray(around).ravel().astype(float),
            "expected_around": 9.4,
            "z": 0.0,
            "q": 0.5,
            "class": "not significant",
            "pattern": "",
            "density_per_km2": 0.0,
            "cells_tested": 2914,
        },
        geometry=[box(x, y, x + 250, y + 250) for x, y in corners],
        crs=CRS,
    )
    return frame.assign(**columns)


def classed(frame: gpd.GeoDataFrame, cell: str, **values: object) -> gpd.GeoDataFrame:
    """The frame with other values in one cell."""
    for column, value in values.items():
        frame.loc[frame["cell"] == cell, column] = value
    return frame


def first_layer() -> gpd.GeoDataFrame:
    frame = cells(COUNTS)
    hot = {"class": "hot", "q": 0.003, "pattern": "persistent hot"}
    classed(frame, "1:1", **hot)
    classed(frame, "4:3", **hot | {"q": 0.012, "pattern": "no pattern"})
    return classed(frame, "0:5", **{"class": "cold", "q": 0.0001})


@pytest.fixture(scope="module")
def outline() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[box(WEST, SOUTH, WEST + 1500, SOUTH + 1500)], crs=CRS)


@pytest.fixture(scope="module")
def areas() -> gpd.GeoDataFrame:
    halves = [box(WEST, SOUTH, WEST + 1500, SOUTH + 750)]
    halves += [box(WEST, SOUTH + 750, WEST + 1500, SOUTH + 1500)]
    return gpd.GeoDataFrame({"code": ["1", "2"], "name": [NAME, "North"]}, geometry=halves, crs=CRS)


@pytest.fixture(scope="module")
def zones() -> gpd.GeoDataFrame:
    table = pd.DataFrame(
        {
            "offense": "Burglary",
            "x": WEST + 500.0,
            "y": SOUTH + 500.0,
            "inner_m": [0.0, 0.1, 100.0],
            "outer_m": [0.1, 100.0, 200.0],
            "opens": pd.Timestamp("2019-12-29"),
            "closes": pd.Timestamp("2020-01-04"),
            "ratio": [3.61, 1.9, 1.4],
            "q": 0.004,
        }
    )
    return zone_frame(table, CRS)


@pytest.fixture(scope="module")
def made(outline, areas, zones):
    burglary = cells(np.zeros((6, 6), dtype=int), share_left_out=0.016, cells_tested=36)
    burglary = burglary.assign(start=pd.Timestamp("2019-12-02"), end=pd.Timestamp("2019-12-29"))
    layers = {"Total Part I, 28 days": first_layer(), "Burglary, 28 days": burglary}
    districts = gpd.GeoDataFrame({"code": ["9"], "name": ["Ninth"]}, geometry=outline.geometry)
    return hotspot_map(
        layers,
        outline.to_crs("EPSG:4326"),
        {"Neighborhood": areas, "District": districts},
        zones,
        "Hotspots of the week",
        LIMIT,
        "12 of 1,582 left out.",
    )


def payload(html: str) -> dict:
    found = re.search(r"drawHotspots\(map_\w+, (\{.*\})\);", html)
    return json.loads(found[1])


def tooltips(data: dict, layer: int = 0) -> dict[str, str]:
    """What the page's script writes: by cell, the phrases joined."""
    said = {}
    for number, _, *used in data["layers"][layer]["rows"]:
        cell = data["cells"][number]
        words = "".join(data["phrases"][phrase] for phrase in used)
        said[cell["name"]] = f"Cell {cell['name']} - {words}{cell['place']}"
    return said


def mapped(layer, limit=LIMIT, outline=None, areas=None, zones=None):
    layers = {"Robbery, 28 days": layer}
    return hotspot_map(layers, outline, areas or {}, zones, "t", limit, "")


def test_a_cell_is_told_in_count_neighbors_expectation_q_and_pattern(made):
    said = tooltips(payload(made.html))
    assert said["1:1"] == (
        "Cell 1:1 - 12 offenses here; 28 in it and its neighbors, 9.4 expected; q 0.003: hot; "
        f"pattern: persistent hot; Neighborhood: {NAME}; District: Ninth"
    )
    assert said["0:5"] == (
        "Cell 0:5 - no offenses here; 0 in it and its neighbors, 9.4 expected; "
        "q under 0.001: cold; Neighborhood: North; District: Ninth"
    )


def test_only_hot_and_cold_cells_and_those_above_the_limit_are_drawn(made):
    data = payload(made.html)
    styles = {data["cells"][row[0]]["name"]: row[1] for row in data["layers"][0]["rows"]}
    assert styles == {
        "1:1": "hot", "4:3": "hot", "0:5": "cold",
        "2:1": "plain", "3:1": "plain", "1:2": "plain", "2:2": "plain", "5:5": "plain",
    }  # fmt: skip
    assert data["layers"][1]["rows"] == []
    assert len(data["cells"]) == len(styles)
    # The order in which the keyboard meets them.
    assert [data["cells"][row[0]]["name"] for row in data["layers"][0]["rows"]][:3] == [
        "1:1",
        "4:3",
        "0:5",
    ]


def test_a_small_count_is_never_told_nor_to_be_had_by_subtraction(made):
    said = tooltips(payload(made.html))
    # 4:3 holds 1 and 3:4, which is not drawn, 2: a reader may know of two cells with 1 or 2 each.
    assert said["4:3"].startswith(
        "Cell 4:3 - fewer than 3 offenses here; 2 to 4 in it and its neighbors, 9.4 expected; "
        "q at most 0.05: hot; Neigh"
    )
    # None of the neighbors of 2:2 is hidden, so its sum may be exact.
    assert "31 in it and its neighbors" in said["2:2"]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_hidden_counts_leave_no_trace_in_the_file(seed, limit):
    chance = np.random.default_rng(seed)
    counts = chance.integers(0, 8, (5, 5))
    hidden = (counts > 0) & (counts < limit)
    others = np.where(hidden, chance.integers(1, limit, counts.shape), counts)
    hot = {"class": "hot", "q": 0.004}
    one, other = cells(counts, **hot), cells(others, **hot)
    bounds = around_range(one, limit)
    assert (bounds.low <= one["around"]).all() and (one["around"] <= bounds.high).all()
    said = phrases(one, bounds, limit, 0.05)
    assert said == phrases(other, around_range(other, limit), limit, 0.05)
    told = [int(count) for words in said for count in re.findall(r"^(\d+) offense", words[0])]
    assert all(count >= limit for count in told)
    assert len(told) == (counts >= limit).sum()


def test_the_whole_file_is_the_same_whatever_the_hidden_counts(outline, areas):
    other = np.where(COUNTS == 2, 1, np.where(COUNTS == 1, 2, COUNTS))
    hot = {"class": "hot", "q": 0.004}
    one, two = (
        mapped(cells(counts, **hot), outline=outline, areas={"Beat": areas})
        for counts in (COUNTS, other)
    )
    assert one == two


def test_a_limit_of_one_hides_nothing():
    layer = classed(cells(COUNTS), "4:3", **{"class": "hot", "q": 0.012})
    said = tooltips(payload(mapped(layer, limit=1).html))
    assert said["4:3"] == (
        "Cell 4:3 - 1 offense here; 3 in it and its neighbors, 9.4 expected; q 0.012: hot"
    )


def test_where_neighbors_cannot_be_told_only_the_least_is_said():
    layer = cells(COUNTS)
    layer["around"] += 7
    assert "at least 28 in it and" in tooltips(payload(mapped(layer).html))["1:1"]


def test_cells_no_one_tested_have_no_q():
    layer = cells(COUNTS, **{"class": "not tested", "q": 1.0, "cells_tested": 0})
    drawn = mapped(layer)
    assert tooltips(payload(drawn.html))["5:5"].endswith("9.4 expected; not tested")
    assert "0 cells tested" in drawn.html


def test_the_legend_tells_tests_rate_and_share_left_out_of_each_layer(made):
    first, second = (layer["legend"] for layer in payload(made.html)["layers"])
    assert first == [
        "Total Part I, 28 days",
        "Hot: above an even spread (2 cells)",
        "Cold: below an even spread (1 cell)",
        "Not significant, 3 or more offenses",
        "2,914 cells tested, 5 % false discoveries",
        "12 of 1,582 left out.",
    ]
    assert second[4:] == [
        "Dec 2 to 29, 2019",
        "36 cells tested, 5 % false discoveries",
        "1.6 % without a usable point left out",
    ]
    # The longest legend has its lines on the page from the start.
    assert all(f'data-line="{number}"' in made.html for number in range(7))
    assert "2,914 cells tested, 5 % false discoveries</p>" in made.html
    assert made.note == "12 of 1,582 left out." and made.caption == "Hotspots of the week"
    assert made.alt == (
        "Hotspots of the week: map of Total Part I, 28 days. Of 2,914 cells tested at 5 % false "
        f"discoveries, 2 hot and 1 cold. Most hot cells: {NAME} (1) and North (1). "
        "Near-repeat zones: Burglary (3). 1 more layer on the screen."
    )


def test_the_page_loads_nothing(made):
    markup = re.sub(r"<(script|style)>.*?</\1>", "", made.html, flags=re.S)
    assert "http:" not in markup.replace("http://www.w3.org/2000/svg", "")
    assert "https:" not in markup
    assert not re.search(r"<(?:script|link|img)[^>]*(?:src|href)=", made.html)
    assert not re.search(r"url\((?!['\"]?(?:data:|#))", made.html.split("</style>")[0])
    assert "Leaflet" in made.html and "user-scalable" not in made.html


def test_a_hostile_name_stays_a_name(outline, areas):
    layer = first_layer()
    drawn = hotspot_map(
        {NAME: layer}, outline, {NAME: areas.assign(name=NAME)}, None, NAME, LIMIT, NAME
    )
    assert "</script><b>" not in drawn.html and "<b>O'Fallon" not in drawn.html
    assert payload(drawn.html)["layers"][0]["legend"][0] == NAME
    assert payload(drawn.html)["layers"][0]["label"].startswith("&lt;/script&gt;")
    assert "<text" not in drawn.svg


def decoded(data: dict, shape: list) -> shapely.Geometry:
    def ring(steps):
        points = np.cumsum([data["origin"], *np.reshape(steps, (-1, 2))], axis=0)[1:]
        return points / 1e5

    parts = [shapely.Polygon(ring(first), [ring(hole) for hole in rest]) for first, *rest in shape]
    return shapely.MultiPolygon(parts)


def test_shapes_come_back_to_a_meter(made, zones):
    data = payload(made.html)
    layer = first_layer().set_index("cell")
    back = gpd.GeoSeries(
        {cell["name"]: decoded(data, cell["shape"]) for cell in data["cells"]}, crs="EPSG:4326"
    ).to_crs(CRS)
    apart = back.hausdorff_distance(layer.geometry.loc[back.index].set_crs(CRS))
    assert apart.max() < 1.0
    # The ring keeps its hole; the smallest is drawn last, over the others.
    ring = decoded(data, data["zones"][0]["shapes"][0])
    assert len(ring.geoms[0].interiors) == 1
    drawn = gpd.GeoSeries([ring], crs="EPSG:4326").to_crs(CRS)
    assert drawn.hausdorff_distance(zones.geometry.iloc[[2]].reset_index(drop=True)).max() < 1.0


def test_a_zone_is_told_by_offense_until_and_times_the_expected(made, zones):
    (layer,) = payload(made.html)["zones"]
    assert layer["label"] == "Near repeats: Burglary"
    assert layer["words"] == [
        "Burglary: risk of a near repeat 100 to 200 m away raised until Jan 4, 2020 "
        "(from Dec 29, 2019), 1.4 times the expected",
        "Burglary: risk of a near repeat within 100 m raised until Jan 4, 2020 "
        "(from Dec 29, 2019), 1.9 times the expected",
        "Burglary: risk of a near repeat at one place in this square raised until Jan 4, 2020 "
        "(from Dec 29, 2019), 3.6 times the expected",
    ]
    bare = zones.drop(columns="inner_m").iloc[2]
    assert "within 200 m" in zone_words(bare.to_dict())


def test_the_picture_tells_cold_from_hot_without_color(made):
    assert made.svg.count("url(#h") == 2  # the hatch of the cold cell and of its swatch
    assert "stroke-dasharray" in made.svg
    assert 'id="cold"' in made.html and "dashArray" in made.html


def test_the_same_map_is_the_same_text(outline, areas, zones):
    def again():
        return mapped(first_layer(), outline=outline, areas={"Beat": areas}, zones=zones)

    assert again() == again()
    assert not re.search(r"_[0-9a-f]{32}", again().html)
    without = mapped(first_layer(), outline=outline, areas={"Beat": areas}, zones=zones.head(0))
    assert "Near repeats" not in without.html and without.svg != again().svg


def test_a_layer_without_anything_to_draw_is_a_map_that_says_so():
    drawn = mapped(cells(np.zeros((4, 4), dtype=int)))
    assert payload(drawn.html)["cells"] == []
    assert "(0 cells)" in drawn.html and drawn.svg.startswith("<svg")
    assert "0 hot and 0 cold" in drawn.alt


def test_refusals(outline, areas, zones):
    layer = first_layer()
    with pytest.raises(InvalidInput, match="no layer"):
        hotspot_map({}, None, {}, None, "t", LIMIT, "")
    with pytest.raises(InvalidInput, match="lack around and q"):
        mapped(layer.drop(columns=["around", "q"]))
    with pytest.raises(InvalidInput, match="no cell"):
        mapped(layer.head(0))
    with pytest.raises(InvalidInput):
        mapped(layer.to_crs("EPSG:4326"))
    with pytest.raises(InvalidInput, match="CRS differs"):
        both = {"a": layer, "b": layer.to_crs("EPSG:26996")}
        hotspot_map(both, None, {}, None, "t", LIMIT, "")
    with pytest.raises(InvalidInput, match="more than one row"):
        mapped(pd.concat([layer, layer.head(1)]))
    with pytest.raises(InvalidInput, match="'warm' is none of"):
        mapped(layer.assign(**{"class": "warm"}))
    with pytest.raises(InvalidInput, match="q is missing"):
        mapped(layer.assign(q=np.nan))
    with pytest.raises(InvalidInput, match="whole numbers"):
        mapped(layer.assign(incidents=0.5))
    with pytest.raises(InvalidInput, match="no polygon"):
        mapped(layer.assign(geometry=None))
    with pytest.raises(InvalidInput, match="never shown below"):
        hotspot_map({"Rape, 28 days": layer}, None, {}, None, "t", LIMIT, "")
    with pytest.raises(InvalidInput, match="never shown below"):
        mapped(layer, zones=zones.assign(offense="Rape"))
    with pytest.raises(InvalidInput, match="zones lack ratio"):
        mapped(layer, zones=zones.drop(columns="ratio"))
    with pytest.raises(InvalidInput, match="outline has no CRS"):
        mapped(layer, outline=outline.set_crs(None, allow_override=True))
    with pytest.raises(InvalidInput, match="Beat lacks name"):
        mapped(layer, areas={"Beat": areas.drop(columns="name")})
    with pytest.raises(InvalidInput, match="Beat has no CRS"):
        mapped(layer, areas={"Beat": areas.set_crs(None, allow_override=True)})


SWITCH = """<script>window.addEventListener("load", function () {
  var asked = document.querySelectorAll(".leaflet-control-layers-selector");
  asked.forEach(function (box) { if (!box.checked && box.type === "checkbox") { box.click(); } });
  var before = document.querySelectorAll(".leaflet-cells-pane path").length;
  asked[1].click();
  var after = document.querySelectorAll(".leaflet-cells-pane path").length;
  asked[0].click();
  document.title = [before, after, document.querySelectorAll(".leaflet-zones-pane path").length,
    document.querySelector('[data-line="0"]').textContent].join("|");
});</script>"""


def browsed(path) -> subprocess.CompletedProcess:
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += ["--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND"]
    command += [f"--user-data-dir={path.parent / 'profile'}", "--virtual-time-budget=3000"]
    return subprocess.run(
        [*command, path.as_uri()], capture_output=True, text=True, timeout=60, check=True
    )


@pytest.mark.browser
@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")
def test_a_browser_without_a_network_switches_layers_and_complains_of_nothing(made, tmp_path):
    path = tmp_path / "map.html"
    path.write_text(made.html.replace("</body>", f"{SWITCH}</body>"), encoding="utf-8")
    done = browsed(path)
    assert "CONSOLE" not in done.stderr
    assert "<title>8|0|3|Total Part I, 28 days</title>" in done.stdout
    assert 'aria-label="Cell 1:1 - 12 offenses here; 28 in it and its neighbors' in done.stdout
    # As in a book: in a sandboxed frame, which may have no size while its page is read.
    frame = made._repr_html_().replace('loading="lazy"', 'style="width: 0"')
    path.write_text(f"<!doctype html><meta charset=utf-8>{frame}", encoding="utf-8")
    assert "CONSOLE" not in browsed(path).stderr
