"""The shapes of near-repeat zones, for maps and exports."""

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    import geopandas as gpd

#: Centers of zones are published to this; a zone at the place itself is drawn as large.
ZONE_STEP_M = 100.0


def zone_frame(near_repeat_zones: pd.DataFrame, crs: Any) -> "gpd.GeoDataFrame":
    """Give the ``near_repeat_zones`` table its shapes.

    Parameters
    ----------
    near_repeat_zones : DataFrame
        The table as declared, one department and week.
    crs : any
        The department's CRS (meters), in which the table's centers are.

    Returns
    -------
    GeoDataFrame
        The table with diamonds (the distance is Manhattan), hollow up to ``inner_m``. A zone no
        wider than the step to which centers are published (100 m) is the square of that step:
        the place lies somewhere in it.
    """
    import geopandas as gpd
    import shapely

    def diamond(x: float, y: float, reach: float) -> Any:
        return shapely.Polygon([(x + reach, y), (x, y + reach), (x - reach, y), (x, y - reach)])

    shapes = []
    columns = ("x", "y", "inner_m", "outer_m")
    for x, y, inner, outer in zip(*(near_repeat_zones[name] for name in columns), strict=True):
        if outer < ZONE_STEP_M:
            half = ZONE_STEP_M / 2
            shapes.append(shapely.box(x - half, y - half, x + half, y + half))
        elif inner < ZONE_STEP_M / 2:
            shapes.append(diamond(x, y, outer))
        else:
            shapes.append(diamond(x, y, outer).difference(diamond(x, y, inner)))
    return gpd.GeoDataFrame(near_repeat_zones.reset_index(drop=True), geometry=shapes, crs=crs)
