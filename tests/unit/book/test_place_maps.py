"""Maps of the forecast area and of change: what is drawn, what is never said, words if empty."""

import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

from beatbook.book import Callout, Map
from beatbook.book.change_map import change_map
from beatbook.book.place_forecast_map import place_forecast_map
from beatbook.errors import InvalidInput
from beatbook.hotspots.grid import make_grid

CRS = "EPSG:26915"


@pytest.fixture
def outline():
    return gpd.GeoDataFrame(geometry=[box(700_000, 4_200_000, 702_500, 4_202_000)], crs=CRS)


@pytest.fixture
def grid(outline):
    return make_grid(outline, 500.0)


@pytest.fixture
def areas():
    half = [
        box(700_000, 4_200_000, 701_250, 4_202_000),
        box(701_250, 4_200_000, 702_500, 4_202_000),
    ]
    return gpd.GeoDataFrame({"code": ["1", "2"], "name": ["West $x$ <b>", "East"]}, geometry=half,
                            crs=CRS)  # fmt: skip


@pytest.fixture
def places(grid):
    """20 cells; 4 chosen for each of two offenses and horizons, the count shares 2 of them."""
    parts = []
    for offense in ("Burglary", "Robbery"):
        for weeks in (1, 4):
            rank = np.arange(1, len(grid) + 1)
            parts.append(
                pd.DataFrame(
                    {
                        "offense": offense,
                        "weeks": weeks,
                        "cell": grid.cell_id,
                        "area_m2": grid.area,
                        "expected": np.where(rank <= 4, 17.13171, 1.0),
                        "rank": rank,
                        "chosen": rank <= 4,
                        "model": "kernel_density",
                        "naive_chosen": (rank > 2) & (rank <= 6),
                        "withdrawn": False,
                        "reason": "",
                        "cutoff": pd.Timestamp("2024-03-25"),
                        "share_left_out": 0.034,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def payload(map_):
    text = re.search(r"drawHotspots\(\w+, (\{.*\})\);", map_.html)[1]
    return json.loads(text)


def test_the_forecast_area_and_what_only_the_count_picks(places, grid, outline, areas):
    made = place_forecast_map(places, grid, outline, {"Neighborhood": areas}, "Where")
    assert isinstance(made, Map)
    data = payload(made)
    assert [layer["label"] for layer in data["layers"]] == [
        "Burglary, next week", "Robbery, next week", "Burglary, next 4 weeks",
        "Robbery, next 4 weeks",
    ]  # fmt: skip
    rows = data["layers"][0]["rows"]
    assert [row[1] for row in rows] == ["hot"] * 4 + ["cold"] * 2
    said = ["".join(data["phrases"][n] for n in row[2:]) for row in rows]
    assert said[0] == "rank 1 of 4 in the forecast area"
    assert said[2] == "rank 3 of 4 in the forecast area; the simple count picks it too"
    assert said[4] == "picked by the simple count of all years alone"
    # 4 of 20 cells; 4 x 17.13 of 4 x 17.13 + 16.
    legend = data["layers"][0]["legend"]
    assert legend[:4] == [
        "Burglary, next week", "Forecast area (4 cells)",
        "Only by the simple count of all years (2 cells)", "",
    ]  # fmt: skip
    assert legend[4:] == [
        "Apr 1 to 7, 2024", "20.0 % of the city, 81 % of what is expected", "By kernel density",
        "3.4 % of the records have no usable point",
    ]  # fmt: skip
    assert "Apr 1 to 28, 2024" in data["layers"][2]["legend"]
    assert "4 cells (20.0 % of the city) hold 81 % of the offenses expected" in made.alt
    assert "2 more layers on the screen." in made.alt


@pytest.mark.parametrize(
    ("share", "of_the_layer", "of_all"),
    [
        (0.0, "No record is without a usable point", "No record is without a usable point."),
        (0.0004, "Under 0.1 % of the records have", "Under 0.1 % of an offense's records have"),
        (0.034, "3.4 % of the records have", "Up to 3.4 % of an offense's records have"),
    ],
)
def test_the_share_that_no_map_shows_is_said(places, grid, outline, share, of_the_layer, of_all):
    places["share_left_out"] = share
    made = place_forecast_map(places, grid, outline, {}, "Where")
    assert payload(made)["layers"][0]["legend"][-1].startswith(of_the_layer)
    assert made.note.startswith(of_all)


def test_what_is_expected_in_a_cell_is_nowhere_in_the_page(places, grid, outline, areas):
    made = place_forecast_map(places, grid, outline, {"Neighborhood": areas}, "Where")
    for text in (made.html, made.svg, made.alt):
        assert "17.1" not in text
    assert not re.search(r"https?://(?!www\.w3\.org)[\w.]+/\S+\.(js|css|png)", made.html)


def test_a_withdrawn_layer_says_so(places, grid, outline):
    places.loc[places["offense"] == "Robbery", ["withdrawn", "reason"]] = [True, "No gain."]
    made = place_forecast_map(places, grid, outline, {}, "Where")
    said = "Forecast withdrawn, the simple count shown. Why: No gain."
    assert said in payload(made)["layers"][1]["legend"] and said in made.alt


def test_the_same_map_has_the_same_bytes(places, grid, outline, areas):
    first, second = (
        place_forecast_map(places, grid, outline, {"Neighborhood": areas}, "Where")
        for _ in range(2)
    )
    assert first == second


def test_nothing_forecast_is_a_note(places, grid, outline):
    assert isinstance(place_forecast_map(places.iloc[:0], grid, outline, {}, "Where"), Callout)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p.drop(columns="rank"), "lack rank"),
        (lambda p: p.assign(offense="Rape"), "never shown below the neighborhood"),
        (lambda p: p.assign(cell="x" + p["cell"]), "not in the grid"),
    ],
)
def test_refusals(places, grid, outline, change, words):
    with pytest.raises(InvalidInput, match=words):
        place_forecast_map(change(places), grid, outline, {}, "Where")


def test_an_unknown_horizon_is_refused(places, grid, outline):
    with pytest.raises(InvalidInput, match="no forecast for 2 weeks"):
        place_forecast_map(places, grid, outline, {}, "Where", paper_weeks=2)


def changes(*kinds):
    rows = []
    for offense, (first, second) in zip(("Total Part I", "Robbery"), kinds, strict=True):
        for code, kind in (("1", first), ("2", second)):
            rows.append(
                {
                    "offense": offense, "code": code, "before": 2, "now": 1240,
                    "before_share": 0.1, "now_share": 0.2, "p": 0.0001, "q": 0.0004,
                    "change": kind, "elsewhere": 5,
                    "before_start": pd.Timestamp("2023-03-04"),
                    "before_end": pd.Timestamp("2023-03-31"),
                    "start": pd.Timestamp("2024-03-04"), "end": pd.Timestamp("2024-03-31"),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def test_a_change_is_mapped_and_named(areas, outline):
    frame = changes(("rose", "fell"), ("alike", "alike"))
    made = change_map(frame, areas, outline, "Change", "Neighborhood", 3)
    data = payload(made)
    assert data["unit"] == "Neighborhood"
    layer = data["layers"][0]
    assert [row[1] for row in layer["rows"]] == ["hot", "cold"]
    assert layer["legend"][:2] == ["Total Part I", "Share rose (1 neighborhood)"]
    assert "5 offenses of the 28 days lie in no neighborhood" in layer["legend"]
    said = "".join(data["phrases"][n] for n in layer["rows"][0][2:])
    # Two a year ago is under the limit.
    assert said == "share rose: 1,240 against fewer than 3 a year ago; q under 0.001"
    assert "Total Part I rose in West $x$ <b>; Total Part I fell in East." in made.note
    assert "No neighborhood changed beyond chance in Robbery." in made.note
    assert "<b>" not in made.html.split("drawHotspots(")[-1].split("</script>")[0]


def test_no_change_is_words_not_an_empty_map(areas, outline):
    block = change_map(changes(("alike",) * 2, ("alike",) * 2), areas, outline, "Change",
                       "Neighborhood", 3)  # fmt: skip
    assert isinstance(block, Callout)
    assert "no neighborhood's share of the city's offenses rose or fell" in block.lines[0]
    assert "Total Part I and Robbery" in block.lines[0]
    nothing = change_map(changes(("alike",) * 2, ("alike",) * 2).iloc[:0], areas, outline, "Change",
                         "Neighborhood", 3)  # fmt: skip
    assert "nothing is compared" in nothing.lines[0]


def test_a_change_without_an_outline_of_its_area_is_refused(areas, outline):
    with pytest.raises(InvalidInput, match="Neighborhood 2 has no polygon"):
        change_map(changes(("rose", "fell"), ("alike",) * 2), areas.iloc[:1], outline, "Change",
                   "Neighborhood", 3)  # fmt: skip


def test_a_wide_picture_takes_the_width_of_the_page_and_a_tall_one_its_height(empty_book):
    from beatbook.book import Heading, TitleBlock
    from beatbook.book.pdf import paper_data

    def picture(width, height):
        return Map(
            "", f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"/>', "A map"
        )

    empty_book.add(TitleBlock())
    empty_book.add(Heading("Where"))
    for size in ((720, 300), (300, 540)):
        empty_book.add(picture(*size))
    blocks = paper_data(empty_book)["runs"][0]["parts"][0]["blocks"]
    assert [block["by_width"] for block in blocks if block["kind"] == "map"] == [True, False]
