"""The hotspot map of one precinct."""

from typing import TYPE_CHECKING

import pandas as pd

from beatbook.book.blocks import Callout, Map
from beatbook.book.hotspot_maps import hotspot_map, layer_frames
from beatbook.book.map_cut import MapCut
from beatbook.book.panels import base_areas
from beatbook.compstat.precinct_areas import PrecinctOutline
from beatbook.department import Department
from beatbook.hotspots.weekly import TOTAL, department_grid

if TYPE_CHECKING:
    import geopandas as gpd


def precinct_hotspots(
    hotspots: pd.DataFrame,
    zones: "gpd.GeoDataFrame",
    where: PrecinctOutline,
    settings: Department,
    name: str,
) -> Map | Callout:
    """Map a week's hot spots on one precinct's ground.

    Parameters
    ----------
    hotspots : DataFrame
        The table of the week: all cells of the city, by which the cells were classed.
    zones : GeoDataFrame
        Near-repeat zones, of :func:`beatbook.hotspots.zones.zone_frame`.
    where : PrecinctOutline
        The ground; its statement is printed below the map.
    settings : Department
        Its grid, small-cell limit and base areas.
    name : str
        The precinct's, for the caption.

    Returns
    -------
    Map or Callout
        A callout where there is no layer (the feed does not cover the last 28 days whole), or
        the ground holds no cell of the grid.
    """
    if hotspots.empty:
        return Callout(
            "note", "No hotspot map", ["The feed does not cover the last 28 days whole."]
        )
    title = f"Hot spots by cell, {name}: Part I without sex offenses"
    layers = layer_frames(hotspots, department_grid(settings))
    first = next(iter(layers.values()))
    if not MapCut(where.ground, settings.crs, title).holds(first).any():
        return Callout("note", "No hotspot map", [f"No cell of the grid lies in {name}."])
    total = hotspots.loc[hotspots["offense"] == TOTAL, "share_left_out"].max()
    left_out = "Sex offenses are on no map. Cells are classed within the whole city."
    if total > 0:
        most = f"Up to {100 * total:.1f}" if total >= 0.001 else "Under 0.1"
        left_out = (
            f"{most} % of the city's incidents of a layer have no usable point and are on no map; "
            f"they are in every count. {left_out}"
        )
    return hotspot_map(
        layers,
        where.ground,
        base_areas(settings, ("beat", "neighborhood")),
        zones,
        title=title,
        small_cell_limit=settings.small_cell_limit,
        left_out=f"{left_out} {where.statement}".strip(),
        within=where.ground,
    )
