"""Pairs of points within a distance of each other, without an n by n matrix."""

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from beatbook.errors import InvalidInput
from beatbook.hotspots.coordinates import FloatArray, as_points

Metric = Literal["manhattan", "euclidean"]

# 20 million pairs take about 0.7 GB while they are built; memory of a layer is held to 1 GB.
MOST_PAIRS = 20_000_000


class Pairs(NamedTuple):
    """Unordered pairs: row numbers ``first`` < ``second`` and their distance."""

    first: npt.NDArray[np.int32]
    second: npt.NDArray[np.int32]
    distance: FloatArray


def coordinate_tolerance(x: FloatArray, y: FloatArray) -> float:
    """Return the distance below which two coordinates of this size cannot be told apart."""
    if x.size == 0:
        return 0.0
    return float(16 * np.finfo(float).eps * max(np.abs(x).max(), np.abs(y).max()))


def pairs_within(x: Any, y: Any, distance: float, metric: Metric = "euclidean") -> Pairs:
    """Return all pairs at most ``distance`` apart (the distance itself included).

    Parameters
    ----------
    x, y : projected coordinates, one unit for both (meters in Beatbook's tables).
    distance : largest distance, in that unit; may be infinite.
    metric : ``"manhattan"`` (|dx| + |dy|, along a street grid) or ``"euclidean"``.

    Raises
    ------
    InvalidInput
        For bad coordinates, longitude and latitude, or more than 20 million pairs.
    """
    if metric not in ("manhattan", "euclidean"):
        raise InvalidInput(f'metric is "manhattan" or "euclidean"; got {metric!r}.')
    if np.isnan(distance) or distance < 0:
        raise InvalidInput(f"The largest distance must not be negative; got {distance!r}.")
    xs, ys = as_points(x, y, largest_distance=distance if np.isfinite(distance) else None)
    none = np.empty(0, dtype=np.int32)
    if xs.size < 2:
        return Pairs(none, none, np.empty(0))
    p = 1.0 if metric == "manhattan" else 2.0
    # Centered, so that a shift of all coordinates costs no digits in the tree.
    reach = min(distance, float(np.ptp(xs) + np.ptp(ys)) + 1.0)
    reach += coordinate_tolerance(xs, ys)
    tree = cKDTree(np.column_stack([xs - xs.min(), ys - ys.min()]))
    count = (int(tree.count_neighbors(tree, reach, p=p)) - xs.size) // 2
    if count > MOST_PAIRS:
        raise InvalidInput(
            f"{xs.size:,} points make {count:,} pairs within {distance:g}, more than fit in "
            f"memory ({MOST_PAIRS:,}). Take a shorter largest distance or fewer events (a shorter "
            "period, or without piled-up locations)."
        )
    found = tree.query_pairs(reach, p=p, output_type="ndarray")
    first = found.min(axis=1).astype(np.int32)
    second = found.max(axis=1).astype(np.int32)
    order = np.lexsort((second, first)) if len(found) < 2_000_000 else np.argsort(first)
    first, second = first[order], second[order]
    dx, dy = np.abs(xs[first] - xs[second]), np.abs(ys[first] - ys[second])
    return Pairs(first, second, dx + dy if metric == "manhattan" else np.hypot(dx, dy))
