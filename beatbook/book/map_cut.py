"""A map cut to one precinct's ground."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from beatbook.errors import InvalidInput

if TYPE_CHECKING:
    import geopandas as gpd

# Shared borders are equal to rounding only; less than this is no common ground.
_BORDER_M = 1.0


class MapCut:
    """The ground that a map shows, and what of a city's layers lies on it.

    Parameters
    ----------
    within : GeoDataFrame
        The ground, any CRS.
    crs : any
        Of the layers, projected in meters.
    title : str
        Of the map, for the messages.

    Raises
    ------
    InvalidInput
        If the ground has no CRS or no area.
    """

    def __init__(self, within: "gpd.GeoDataFrame", crs: Any, title: str) -> None:
        import shapely

        if within.crs is None:
            raise InvalidInput(f"Map {title!r}: the ground that it is cut to has no CRS")
        self.title = title
        self.ground = shapely.union_all(within.to_crs(crs).geometry.make_valid().to_numpy())
        self._core = self.ground.buffer(-_BORDER_M)
        if self._core.is_empty:
            raise InvalidInput(f"Map {title!r}: the ground that it is cut to has no area")
        shapely.prepare(self._core)

    def holds(self, frame: "gpd.GeoDataFrame") -> npt.NDArray[np.bool_]:
        """Tell of each row whether its polygon shares ground with the cut."""
        import shapely

        return np.asarray(shapely.intersects(self._core, frame.geometry.to_numpy()))

    def nearby(self, layers: Mapping[str, "gpd.GeoDataFrame"]) -> dict[str, "gpd.GeoDataFrame"]:
        """Keep each layer's cells on the ground, and the neighbors their sums are made of.

        Raises
        ------
        InvalidInput
            If no cell of a layer lies on the ground: it is another city's.
        """
        import shapely

        near = {}
        for name, layer in layers.items():
            shapes = layer.geometry.to_numpy()
            inside = self.holds(layer)
            if not inside.any():
                raise InvalidInput(
                    f"Map {self.title!r}, layer {name!r}: no cell lies on the ground it is cut to"
                )
            rows, _ = shapely.STRtree(shapes[inside]).query(shapes, "dwithin", distance=_BORDER_M)
            near[name] = layer.iloc[np.unique(rows)]
        return near

    def shown(self, layers: Mapping[str, "gpd.GeoDataFrame"]) -> dict[str, "gpd.GeoDataFrame"]:
        """Keep the cells on the ground alone."""
        return {name: layer[self.holds(layer)] for name, layer in layers.items()}

    def zones(self, zones: "gpd.GeoDataFrame | None") -> "gpd.GeoDataFrame | None":
        """Keep the zones that share ground with the cut; None where there is none."""
        kept = None if zones is None else zones[self.holds(zones)]
        return kept if kept is not None and len(kept) else None

    def areas(self, areas: Mapping[str, "gpd.GeoDataFrame"]) -> dict[str, "gpd.GeoDataFrame"]:
        """Cut base areas at the ground's border; those that only touch it are left out."""
        import geopandas as gpd
        import shapely

        cut = {}
        for label, frame in areas.items():
            kept = frame[self.holds(frame)].reset_index(drop=True)
            if kept.empty:
                continue
            shapes = shapely.intersection(kept.geometry.to_numpy(), self.ground)
            cut[label] = gpd.GeoDataFrame(
                kept.drop(columns="geometry"), geometry=shapes, crs=kept.crs
            )
        return cut
