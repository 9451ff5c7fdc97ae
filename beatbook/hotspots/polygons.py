"""Which polygon holds each of millions of points: a raster answers, the exact test settles edges.

The polygons' bounding box is cut into small squares. A square that no boundary crosses lies in
one set of polygons as a whole, so its points need no geometry at all; only points in crossed
squares are tested exactly. Boundaries are found by splitting squares in four, level by level,
where a boundary segment passes.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from beatbook.errors import InvalidInput
from beatbook.hotspots.coordinates import require_projected

IntArray = npt.NDArray[np.int64]
_CROSSED = -2
_NONE = -1


class PolygonIndex:
    """Locate points in polygons (precincts, neighborhoods, tracts).

    Parameters
    ----------
    polygons : GeoDataFrame, GeoSeries or array of shapely (multi)polygons. A frame must be
        projected unless ``allow_degrees``: containment itself needs no distance.
    levels : the raster is 2**levels squares a side. Default 10 (1,024): on a city of 25 km
        squares of 25 m, of which boundaries cross a few percent.
    allow_degrees : take longitude and latitude too (points must then be in it as well).

    Notes
    -----
    A point on a boundary belongs to the polygon of the smallest row number that touches it; so
    does a point where polygons overlap. Rows are those of the frame given, from 0.
    """

    def __init__(self, polygons: Any, *, levels: int = 10, allow_degrees: bool = False) -> None:
        if hasattr(polygons, "geometry"):
            if not allow_degrees:
                require_projected(polygons)
            shapes = polygons.geometry.to_numpy()
        else:
            shapes = np.asarray(polygons, dtype=object)
        if not 1 <= levels <= 12:
            raise InvalidInput(f"levels must lie between 1 and 12; got {levels}.")
        shapes = _ground_only(shapes)
        missing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
        if shapes.size == 0 or missing.all():
            raise InvalidInput("There are no polygons to locate points in.")
        self._shapes = shapes
        self._tree = shapely.STRtree(shapes)
        shapely.prepare(shapes)
        bounds = shapely.total_bounds(shapes[~missing])
        self._left, self._low = float(bounds[0]), float(bounds[1])
        side = max(float(bounds[2] - bounds[0]), float(bounds[3] - bounds[1]))
        self._squares = 2**levels
        # A hair larger, so that the upper edge falls inside the last square.
        self._step = side * (1 + 1e-9) / self._squares
        self._raster = self._build(levels, shapes[~missing])

    def __len__(self) -> int:
        return int(self._shapes.size)

    def _build(self, levels: int, shapes: Any) -> npt.NDArray[np.int32]:
        start, end = _segments(shapes)
        n = self._squares
        crossed = np.zeros((n, n), dtype=bool)
        u0, v0 = (start - (self._left, self._low)).T / self._step
        u1, v1 = (end - (self._left, self._low)).T / self._step
        # Each segment is sampled so densely that no crossed square lies more than one square from
        # a sample's own; marking a sample's 3 x 3 squares is then a safe superset.
        count = np.ceil(np.maximum(np.abs(u1 - u0), np.abs(v1 - v0))).astype(np.int64) + 1
        which = np.repeat(np.arange(count.size), count)
        first = np.repeat(np.cumsum(count) - count, count)
        share = (np.arange(which.size) - first) / np.maximum(np.repeat(count, count) - 1, 1)
        c = np.floor(u0[which] + share * (u1 - u0)[which]).astype(np.int64)
        r = np.floor(v0[which] + share * (v1 - v0)[which]).astype(np.int64)
        for dc in (-1, 0, 1):
            for dr in (-1, 0, 1):
                crossed[np.clip(c + dc, 0, n - 1), np.clip(r + dr, 0, n - 1)] = True
        raster = np.full((n, n), _CROSSED, dtype=np.int32)
        # Squares of one row between two crossed ones lie in one polygon together: one exact test
        # at the start of each such run settles the whole run.
        free = ~crossed
        run = free.copy()
        run[:, 1:] &= crossed[:, :-1]
        rc, rr = np.nonzero(run)
        answer = self._exact(
            self._left + (rc + 0.5) * self._step, self._low + (rr + 0.5) * self._step
        )
        number = np.cumsum(run.ravel()) - 1
        flat = raster.ravel()
        flat[free.ravel()] = answer[number[free.ravel()]]
        return raster

    def _exact(self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> IntArray:
        out = np.full(x.size, len(self), dtype=np.int64)
        if x.size:
            point, shape = self._tree.query(shapely.points(x, y))
            order = np.argsort(shape, kind="stable")
            point, shape = point[order], shape[order]
            cuts = np.flatnonzero(np.diff(shape)) + 1
            for rows in np.split(np.arange(shape.size), cuts):
                if rows.size:
                    p, s = point[rows], int(shape[rows[0]])
                    held = p[shapely.intersects_xy(self._shapes[s], x[p], y[p])]
                    out[held] = np.minimum(out[held], s)
        out[out == len(self)] = _NONE
        return out

    def locate(self, x: Any, y: Any) -> IntArray:
        """Return the row number of the polygon that holds each point; -1 for none.

        A missing or infinite coordinate is in no polygon: -1.
        """
        xs = np.ascontiguousarray(x, dtype=np.float64)
        ys = np.ascontiguousarray(y, dtype=np.float64)
        if xs.shape != ys.shape or xs.ndim != 1:
            raise InvalidInput(f"x and y must be columns of one length; {xs.shape}, {ys.shape}.")
        out = np.full(xs.size, _NONE, dtype=np.int64)
        n = self._squares
        u, v = (xs - self._left) / self._step, (ys - self._low) / self._step
        # NaN compares false, so missing coordinates stay outside.
        inside = (u >= 0) & (v >= 0) & (u < n) & (v < n)
        rows = np.flatnonzero(inside)
        square = u[rows].astype(np.int64) * n + v[rows].astype(np.int64)
        label = self._raster.ravel()[square]
        out[rows] = label
        edge = rows[label == _CROSSED]
        out[edge] = self._exact(xs[edge], ys[edge])
        return out


def _ground_only(shapes: Any) -> Any:
    """Leave out stray lines and points, which repairing a boundary file can leave behind."""
    out = np.array(shapes, dtype=object)
    for k in np.flatnonzero(shapely.get_type_id(out) == 7):
        parts = shapely.get_parts(out[k])
        out[k] = shapely.union_all(parts[shapely.area(parts) > 0])
    return out


def _segments(shapes: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    rings = shapely.get_rings(shapely.get_parts(shapes))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return points[:-1][same], points[1:][same]
