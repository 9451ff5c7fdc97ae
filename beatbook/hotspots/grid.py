"""A fixed grid over a department: the same cells every week, clipped to the outline."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.sparse import csr_array

from beatbook.errors import InvalidInput
from beatbook.hotspots.coordinates import FloatArray, as_points, positive, require_projected
from beatbook.hotspots.weights import neighbor_matrix

Shape = Literal["square", "hexagonal"]
IntArray = npt.NDArray[np.int64]

_ROW = float(np.sqrt(3) / 2)  # distance between rows of hexagons one unit wide
# A sliver where the outline only touches a cell is rounding, not land.
_LEAST_SHARE = 1e-9


@dataclass(frozen=True)
class Grid:
    """Cells that overlap the outline. Made by `make_grid`.

    ``column`` and ``row`` are whole steps from the origin, so a cell keeps its name when the
    outline is redrawn; ``x`` and ``y`` are the center of the whole cell, also where it is clipped;
    ``area`` is that of the clipped cell, in the square of the coordinates' unit (square meters).
    """

    shape: Shape
    cell_size: float
    origin: tuple[float, float]
    crs: Any
    outline: Any
    column: IntArray
    row: IntArray
    x: FloatArray
    y: FloatArray
    area: FloatArray

    def __len__(self) -> int:
        return int(self.column.size)

    @property
    def cell_id(self) -> npt.NDArray[np.str_]:
        """Stable name of each cell: column and row counted from the origin."""
        pairs = zip(self.column, self.row, strict=True)
        return np.array([f"{c}:{r}" for c, r in pairs], dtype=np.str_)

    @property
    def full_area(self) -> float:
        """Area of a cell that is not clipped."""
        return self.cell_size**2 * (1.0 if self.shape == "square" else _ROW)

    @cached_property
    def _lookup(self) -> tuple[int, int, npt.NDArray[np.int64]]:
        if not len(self):
            return 0, 0, np.full((1, 1), -1, dtype=np.int64)
        left, low = int(self.column.min()), int(self.row.min())
        table = np.full((int(np.ptp(self.column)) + 1, int(np.ptp(self.row)) + 1), -1, np.int64)
        table[self.column - left, self.row - low] = np.arange(len(self))
        return left, low, table

    def _cell_at(self, column: IntArray, row: IntArray) -> IntArray:
        left, low, table = self._lookup
        c, r = column - left, row - low
        inside = (c >= 0) & (r >= 0) & (c < table.shape[0]) & (r < table.shape[1])
        out = np.full(column.shape, -1, dtype=np.int64)
        out[inside] = table[c[inside], r[inside]]
        return out

    def locate(self, x: Any, y: Any) -> IntArray:
        """Return the row number of the cell that holds each point, -1 for none.

        A square cell holds its lower and left edge, not its upper and right one; a hexagon holds
        the points nearest its center. A point just outside the outline but within a cell that
        overlaps it counts in that cell (streets on the boundary); ``location_quality`` decides
        beforehand which points are outside.
        """
        xs, ys = as_points(x, y, largest_distance=self.cell_size)
        column, row = steps(self.shape, self.cell_size, self.origin, xs, ys)
        return self._cell_at(column, row)

    def neighbors(self, kind: Literal["queen", "rook"] = "queen") -> csr_array:
        """Return which cells touch: 8 (queen) or 4 (rook) around a square, 6 around a hexagon.

        Only cells of the grid count, so cells at the edge have fewer.
        """
        if kind not in ("queen", "rook"):
            raise InvalidInput(f'kind is "queen" or "rook"; got {kind!r}.')
        here = np.arange(len(self))
        if self.shape == "square":
            offsets = [(1, 0), (0, 1)] + ([(1, 1), (-1, 1)] if kind == "queen" else [])
            moves = [(here, self.column + c, self.row + r) for c, r in offsets]
        else:
            odd = self.row % 2
            moves = [
                (here, self.column + 1, self.row),
                (here, self.column + odd, self.row + 1),
                (here, self.column + odd - 1, self.row + 1),
            ]
        first, second = [], []
        for rows, column, row in moves:
            other = self._cell_at(column, row)
            first.append(rows[other >= 0])
            second.append(other[other >= 0])
        return neighbor_matrix(np.concatenate(first), np.concatenate(second), len(self))

    def polygons(self, *, clipped: bool = True) -> gpd.GeoSeries:
        """Return each cell's polygon, cut at the outline unless ``clipped=False``."""
        whole = cell_polygons(self.shape, self.cell_size, self.x, self.y)
        if clipped and len(self):
            cut = self.area < self.full_area * (1 - _LEAST_SHARE)
            whole[cut] = shapely.intersection(whole[cut], self.outline)
        return gpd.GeoSeries(whole, crs=self.crs)

    def to_frame(self) -> gpd.GeoDataFrame:
        """Return ``cell``, ``x``, ``y``, ``area`` and the clipped polygons."""
        frame = pd.DataFrame({"cell": self.cell_id, "x": self.x, "y": self.y, "area": self.area})
        return gpd.GeoDataFrame(frame, geometry=self.polygons(), crs=self.crs)


def make_grid(
    outline: Any,
    cell_size: float = 250.0,
    *,
    shape: Shape = "square",
    origin: tuple[float, float] = (0.0, 0.0),
    crs: Any = None,
) -> Grid:
    """Lay a grid of fixed origin over an outline and keep the cells that overlap it.

    Parameters
    ----------
    outline : GeoDataFrame, GeoSeries (all parts are kept) or shapely (multi)polygon, projected.
    cell_size : side of a square, or distance between opposite sides of a hexagon (equal to the
        distance between the centers of neighbors), in the outline's unit. Default 250 (meters):
        about two city blocks; finer cells mostly hold 0 or 1 incident in four weeks in a
        mid-sized city.
    shape : ``"square"`` or ``"hexagonal"``.
    origin : a corner of a square, or the center of a hexagon. The default is the origin of the
        coordinate system itself, which no redrawing of the outline can move.
    crs : needed for a bare shapely outline only if the result should carry one.

    Returns
    -------
    Grid, its cells ordered by row, then column.

    Raises
    ------
    InvalidInput
        For longitude and latitude, an empty outline, a size not above 0, or more than two million
        cells (a unit mistake).
    """
    cell_size = positive(cell_size, "cell_size")
    if shape not in ("square", "hexagonal"):
        raise InvalidInput(f'shape is "square" or "hexagonal"; got {shape!r}.')
    area, system = _outline(outline, crs)
    left, low, right, high = area.bounds
    require_projected((np.array([left, right]), np.array([low, high])), largest_distance=cell_size)
    if (right - left) * (high - low) / cell_size**2 > 2e6:
        raise InvalidInput(
            f"A {cell_size:g} cell makes over two million cells in this outline. Check that the "
            "cell size and the outline are in one unit (meters)."
        )
    corners = np.array([[left, low], [right, high]])
    columns, rows = steps(shape, cell_size, origin, corners[:, 0], corners[:, 1])
    across, up = np.meshgrid(
        np.arange(columns[0] - 1, columns[1] + 2), np.arange(rows[0] - 1, rows[1] + 2)
    )
    c, r = across.ravel(), up.ravel()
    x, y = centers(shape, cell_size, origin, c, r)
    polygons = cell_polygons(shape, cell_size, x, y)
    full = cell_size**2 * (1.0 if shape == "square" else _ROW)
    shapely.prepare(area)
    touching = shapely.intersects(area, polygons)
    inside = np.zeros(touching.shape, dtype=bool)
    inside[touching] = shapely.contains_properly(area, polygons[touching])
    size = np.where(inside, full, 0.0)
    edge = touching & ~inside
    size[edge] = shapely.area(shapely.intersection(polygons[edge], area))
    size = np.minimum(size, full)
    keep = size > full * _LEAST_SHARE
    return Grid(
        shape, cell_size, (float(origin[0]), float(origin[1])), system, area,
        c[keep], r[keep], x[keep], y[keep], size[keep],
    )  # fmt: skip


def steps(
    shape: Shape, size: float, origin: tuple[float, float], x: FloatArray, y: FloatArray
) -> tuple[IntArray, IntArray]:
    """Return column and row of the cell that holds each point of the unbounded grid."""
    u, v = (x - origin[0]) / size, (y - origin[1]) / size
    if shape == "square":
        return np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
    # The nearest center lies in one of the two rows around the point.
    lower = np.floor(v / _ROW).astype(np.int64)
    best: tuple[IntArray, IntArray] | None = None
    nearest = np.full(u.shape, np.inf)
    for row in (lower, lower + 1):
        column = np.floor(u - (row % 2) / 2 + 0.5).astype(np.int64)
        gap = (u - column - (row % 2) / 2) ** 2 + (v - row * _ROW) ** 2
        if best is None:
            best, nearest = (column, row), gap
        else:
            closer = gap < nearest
            best = (np.where(closer, column, best[0]), np.where(closer, row, best[1]))
    assert best is not None
    return best


def centers(
    shape: Shape, size: float, origin: tuple[float, float], column: IntArray, row: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the centers of cells given by column and row."""
    if shape == "square":
        x, y = origin[0] + (column + 0.5) * size, origin[1] + (row + 0.5) * size
        return np.asarray(x, np.float64), np.asarray(y, np.float64)
    x = origin[0] + (column + (row % 2) / 2) * size
    return np.asarray(x, np.float64), np.asarray(origin[1] + row * (_ROW * size), np.float64)


def cell_polygons(shape: Shape, size: float, x: FloatArray, y: FloatArray) -> Any:
    """Return whole cells around the centers, as an array of shapely polygons."""
    if shape == "square":
        h = size / 2
        return shapely.box(x - h, y - h, x + h, y + h)
    angle = np.pi / 6 + np.arange(7) * np.pi / 3
    radius = size / np.sqrt(3)
    ring = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    ring[6] = ring[0]
    return shapely.polygons(np.stack([x, y], axis=1)[:, None, :] + ring[None, :, :])


def _outline(outline: Any, crs: Any) -> tuple[Any, Any]:
    if hasattr(outline, "geometry"):
        require_projected(outline)
        area, system = shapely.union_all(outline.geometry.to_numpy()), outline.crs
    else:
        area, system = outline, crs
        if crs is not None:
            require_projected(crs)
    if area is None or shapely.is_empty(area) or shapely.area(area) == 0:
        raise InvalidInput(
            "The outline is empty or has no area. Check the department's boundary file."
        )
    return (area if shapely.is_valid(area) else shapely.make_valid(area)), system
