"""Maps: classes by hand, no gaps, nothing loaded, hostile names, the same bytes."""

import json
import re

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon, box

from beatbook.book.maps import ZERO, area_map, class_breaks
from beatbook.errors import InvalidInput

NAME = "</script><b>O'Fallon</b> & $x^2$"


@pytest.fixture(scope="module")
def areas() -> gpd.GeoDataFrame:
    """Nine squares of a kilometer near St. Louis (UTM zone 15 north)."""
    squares = [
        box(740_000 + 1000 * i, 4_280_000 + 1000 * j, 741_000 + 1000 * i, 4_281_000 + 1000 * j)
        for i in range(3)
        for j in range(3)
    ]
    return gpd.GeoDataFrame(
        {
            "code": [str(number) for number in range(9)],
            "name": [NAME, *(f"Area {number}" for number in range(1, 9))],
            "incidents": [12, 0, 1, 2, 3, 4, 5, 6, 1],
        },
        geometry=squares,
        crs="EPSG:32615",
    )


@pytest.fixture(scope="module")
def made(areas):
    outline = gpd.GeoDataFrame(geometry=[areas.union_all()], crs=areas.crs).to_crs("EPSG:4326")
    return area_map(areas, outline, "Part I, last 28 days", "neighborhood", "2 of 36 left out.")


def features(html: str) -> list[dict]:
    data = re.search(r'\{"features": .*?"type": "FeatureCollection"\}', html, flags=re.S)
    return json.loads(data[0])["features"]


def test_classes_by_hand():
    classes = class_breaks([0, -1, 1, 1, 2, 3, 4, 5, 6, 12])
    assert [(c.low, c.high) for c in classes] == [(-1, 0), (1, 1), (2, 3), (4, 4), (5, 6), (12, 12)]
    assert [c.label for c in classes[:3]] == ["-1 to 0", "1", "2 to 3"]
    assert classes[0].color == ZERO and ZERO not in {c.color for c in classes[1:]}
    assert [c.label for c in class_breaks([0, 0])] == ["0"]
    assert [c.label for c in class_breaks([7])] == ["7"]


@given(st.lists(st.integers(min_value=-3, max_value=500), min_size=1, max_size=60))
def test_every_count_is_in_exactly_one_class(counts):
    classes = class_breaks(counts)
    for count in counts:
        assert sum(c.low <= count <= c.high for c in classes) == 1
    assert all(any(c.low <= count <= c.high for count in counts) for c in classes)
    assert len({c.color for c in classes}) == len(classes) <= 6


def test_the_frame_loads_nothing(made):
    markup = re.sub(r"<(script|style)>.*?</\1>", "", made.html, flags=re.S)
    assert "http:" not in markup and "https:" not in markup
    assert not re.search(r"<(?:script|link|img)[^>]*(?:src|href)=", made.html)
    assert not re.search(r"url\((?!['\"]?(?:data:|#))", made.html.split("</style>")[0])
    assert "sourceMappingURL" not in made.html
    assert "Leaflet" in made.html and "data:image/png;base64," in made.html
    assert "user-scalable" not in made.html


def test_a_hostile_name_stays_a_name(made):
    assert "</script><b>" not in made.html and "<b>O'Fallon" not in made.html
    first = features(made.html)[0]["properties"]
    assert first["spoken"] == f"{NAME}: 12 incidents"
    assert first["words"] == "&lt;/script&gt;&lt;b&gt;O&#x27;Fallon&lt;/b&gt; &amp; $x^2$: " + (
        "12 incidents"
    )
    assert "<text" not in made.svg


def test_each_area_is_drawn_in_its_class_with_shared_borders(made):
    drawn = features(made.html)
    assert len(drawn) == 9
    shapes = [shapely.from_geojson(json.dumps(feature["geometry"])) for feature in drawn]
    assert shapely.coverage_is_valid(shapes)
    colors = {feature["properties"]["color"] for feature in drawn}
    assert drawn[1]["properties"]["color"] == ZERO and len(colors) == 6


def test_a_crooked_border_stays_shared_when_simplified():
    # The same border in both areas, but their rings begin at different places of it.
    border = [(500_000 + 40 * np.sin(y / 60), 4_280_000 + y) for y in range(0, 3000, 5)]
    left = [(498_000, 4_283_000), (498_000, 4_280_000), *border]
    right = [*border[300:], (502_000, 4_283_000), (502_000, 4_280_000), *border[:301]]
    areas = gpd.GeoDataFrame(
        {"code": ["1", "2"], "name": ["1", "2"], "incidents": [1, 2]},
        geometry=[Polygon(left), Polygon(right)],
        crs="EPSG:32615",
    )
    drawn = features(area_map(areas, None, "t", "beat", "").html)
    shapes = [shapely.from_geojson(json.dumps(feature["geometry"])) for feature in drawn]
    assert shapely.coverage_is_valid(shapes)
    assert shapely.get_num_coordinates(shapes).sum() < 600
    metric = gpd.GeoSeries(shapes, crs="EPSG:4326").to_crs("EPSG:32615")
    assert metric.hausdorff_distance(areas.geometry).max() < 20


def test_the_words_and_the_share_left_out(made):
    assert made.alt == (
        "Part I, last 28 days: map of 9 areas (each one neighborhood), 34 incidents in all. "
        f"Most incidents: {NAME} (12), Area 7 (6), Area 6 (5), Area 5 (4) and Area 4 (3). "
        "1 area with none. Classes: 0, 1, 2 to 3, 4, 5 to 6 and 12."
    )
    assert made.note == "2 of 36 left out."


def test_the_same_map_is_the_same_text(areas, made):
    again = area_map(areas, None, "t", "beat", "")
    assert again == area_map(areas, None, "t", "beat", "")
    assert not re.search(r"_[0-9a-f]{32}", made.html)


def test_the_crs_does_not_matter(areas):
    words = area_map(areas.to_crs("EPSG:4326"), None, "t", "beat", "").alt
    assert words == area_map(areas, None, "t", "beat", "").alt


def test_refusals(areas):
    def made_of(frame, outline=None):
        return area_map(frame, outline, "t", "beat", "")

    with pytest.raises(InvalidInput, match="lack incidents"):
        made_of(areas.drop(columns="incidents"))
    with pytest.raises(InvalidInput, match="no CRS"):
        made_of(areas.set_crs(None, allow_override=True))
    with pytest.raises(InvalidInput, match="outline has no CRS"):
        made_of(areas, areas.set_crs(None, allow_override=True))
    with pytest.raises(InvalidInput, match="no area"):
        made_of(areas.head(0))
    with pytest.raises(InvalidInput, match="whole number"):
        made_of(areas.assign(incidents=0.5))
    lost = areas.copy()
    lost.loc[3, "geometry"] = None
    with pytest.raises(InvalidInput, match=r"without a boundary.*Area 3"):
        made_of(lost)
