"""Where offenses rose or fell against a year before, as a map, or as words if nowhere."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from beatbook.book import formatting
from beatbook.book.blocks import Callout, Map
from beatbook.book.hotspot_maps import _area_lines
from beatbook.book.hotspot_page import Legend, Pieces, hotspot_page
from beatbook.book.map_panels import MOST_PANELS, Panel, draw_panels
from beatbook.book.maps import _bounds
from beatbook.book.place_forecast_map import _limit
from beatbook.compstat.area_change import COLUMNS, LEVEL
from beatbook.errors import InvalidInput

if TYPE_CHECKING:
    import geopandas as gpd

_NAMED = 5


def change_map(
    changes: pd.DataFrame,
    areas: "gpd.GeoDataFrame",
    outline: "gpd.GeoDataFrame | None",
    title: str,
    area_label: str,
    small_cell_limit: int,
) -> Map | Callout:
    """Map the areas whose share of the city's offenses rose or fell beyond chance.

    Parameters
    ----------
    changes : DataFrame
        From :func:`beatbook.compstat.area_change.area_change`: one row an offense and area.
    areas : GeoDataFrame
        The same areas: ``code``, ``name``, polygons in a projected or any other CRS.
    outline : GeoDataFrame or None
        The city's limit; any CRS.
    title : str
        The map's caption.
    area_label : str
        The word for one area (Neighborhood).
    small_cell_limit : int
        A count of 1 up to below it is told as "fewer than 3".

    Returns
    -------
    Map or Callout
        A layer for each offense that changed anywhere, on paper a panel each, at most four. Where
        nothing changed beyond chance, or nothing could be compared, a note that says so.

    Raises
    ------
    InvalidInput
        Where a column is missing or an area of the changes has no polygon.
    """
    missing = [name for name in COLUMNS if name not in changes.columns]
    if missing:
        raise InvalidInput(f"Map {title!r}: the changes lack {formatting.listed(missing)}")
    word = area_label.lower()
    if changes.empty:
        return Callout(
            "note",
            title,
            ["The feed does not cover the last 28 days and those of a year ago with the same "
             f"{word}s, so nothing is compared."],
        )  # fmt: skip
    unknown = sorted(set(changes["code"].astype(str)) - set(areas["code"].astype(str)))
    if unknown:
        raise InvalidInput(f"Map {title!r}: {area_label} {unknown[0]} has no polygon")
    first = changes.iloc[0]
    spans = (
        f"{formatting.day_range(first['start'], first['end'])} against "
        f"{formatting.day_range(first['before_start'], first['before_end'])}, as it stood then"
    )
    moved = changes[changes["change"] != "alike"]
    tested = changes["offense"].drop_duplicates().tolist()
    rule = (
        f"Tested: each {word}'s share of the city's offenses, chi-square test, "
        f"{100 * LEVEL:g} % false discoveries over the {word}s of an offense."
    )
    if moved.empty:
        return Callout(
            "note",
            title,
            [
                f"{spans}: no {word}'s share of the city's offenses rose or fell by more than "
                f"chance would bring ({formatting.listed(tested)}). {rule}"
            ],
        )
    crs = (
        areas.crs if areas.crs is not None and areas.crs.is_projected else areas.estimate_utm_crs()
    )
    ground = _area_lines(areas, area_label, title, crs)
    limit = _limit(outline, crs, title)
    layers, said, legends, panels = {}, {}, {}, []
    for offense in moved["offense"].drop_duplicates():
        cells = _cells(moved[moved["offense"] == offense], ground)
        layers[offense] = cells
        said[offense] = [_phrases(row, small_cell_limit) for row in cells.to_dict("records")]
        rose, fell = (int((cells["class"] == class_).sum()) for class_ in ("hot", "cold"))
        elsewhere = int(changes.loc[changes["offense"] == offense, "elsewhere"].iloc[0])
        legends[offense] = Legend(
            offense,
            f"Share rose ({formatting.counted(rose, word)})",
            f"Share fell ({formatting.counted(fell, word)})",
            "",
            [spans, rule, *_outside(elsewhere, word)],
        )
        panels.append(Panel(offense, f"{rose} rose, {fell} fell", cells))
    framed = ground if limit is None else limit
    west, south, east, north = (float(x) for x in framed.to_crs("EPSG:4326").total_bounds)
    html = hotspot_page(
        Pieces(layers, said, legends, (west, south, east, north), limit,
               {area_label: ground}, None, unit=area_label),
        title,
    )  # fmt: skip
    classes = {class_ for cells in layers.values() for class_ in cells["class"]}
    still = [offense for offense in tested if offense not in layers]
    return Map(
        html=html,
        svg=draw_panels(
            panels[:MOST_PANELS],
            _bounds(ground, limit),
            limit,
            {area_label: ground},
            "Share of the city's offenses rose" if "hot" in classes else "",
            "Share fell" if "cold" in classes else "",
        ),
        alt=_alt(title, spans, layers, still, word),
        caption=title,
        note=_note(spans, rule, layers, still, word),
    )


def _cells(moved: pd.DataFrame, ground: "gpd.GeoDataFrame") -> "gpd.GeoDataFrame":
    import geopandas as gpd

    places = ground.assign(code=ground["code"].astype(str)).set_index("code")
    rows = moved.assign(code=moved["code"].astype(str)).sort_values("q", kind="stable")
    here = places.loc[rows["code"]]
    frame = rows.reset_index(drop=True).assign(
        cell=here["name"].astype(str).to_numpy(),
        **{"class": np.where(rows["change"] == "rose", "hot", "cold")},
    )
    return gpd.GeoDataFrame(frame, geometry=here.geometry.to_numpy(), crs=ground.crs)


def _phrases(row: Mapping[Any, Any], small_cell_limit: int) -> tuple[str, ...]:
    q = "q under 0.001" if row["q"] < 0.001 else f"q {row['q']:.3f}"
    return (
        f"share {row['change']}: ",
        f"{_count(int(row['now']), small_cell_limit)} against ",
        f"{_count(int(row['before']), small_cell_limit)} a year ago; ",
        q,
    )


def _count(number: int, small_cell_limit: int) -> str:
    if 0 < number < small_cell_limit:
        return f"fewer than {small_cell_limit}"
    return formatting.count(number)


def _outside(elsewhere: int, word: str) -> list[str]:
    if elsewhere <= 0:
        return []
    verb = "lies" if elsewhere == 1 else "lie"
    return [f"{formatting.counted(elsewhere, 'offense')} of the 28 days {verb} in no {word}"]


def _named(layers: Mapping[str, "gpd.GeoDataFrame"]) -> str:
    said = []
    for offense, cells in layers.items():
        for change in ("rose", "fell"):
            names = cells.loc[cells["change"] == change, "cell"].tolist()
            more = len(names) - _NAMED
            names = names[:_NAMED] + ([f"{more} more"] if more > 0 else [])
            if names:
                said.append(f"{offense} {change} in {formatting.listed(names)}")
    return "; ".join(said)


def _still(still: list[str], word: str) -> str:
    if not still:
        return ""
    return f" No {word} changed beyond chance in {formatting.listed(still)}."


def _alt(
    title: str, spans: str, layers: Mapping[str, "gpd.GeoDataFrame"], still: list[str], word: str
) -> str:
    return f"{title}: {spans}. Share of the city's: {_named(layers)}.{_still(still, word)}"


def _note(
    spans: str, rule: str, layers: Mapping[str, "gpd.GeoDataFrame"], still: list[str], word: str
) -> str:
    return f"{spans}. {_named(layers)}.{_still(still, word)} {rule}"
