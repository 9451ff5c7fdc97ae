"""Density clusters: places where incidents lie closer together than elsewhere, as polygons."""

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from beatbook.errors import InvalidInput
from beatbook.hotspots.coordinates import FloatArray, as_points, positive
from beatbook.hotspots.pairs import coordinate_tolerance, pairs_within

IntArray = npt.NDArray[np.int64]


def density_clusters(x: Any, y: Any, distance: float = 200.0, min_incidents: int = 10) -> IntArray:
    """Label incidents by density cluster (DBSCAN).

    Parameters
    ----------
    x, y : incidents, projected (meters).
    distance : reach of a neighborhood, itself included. Default 200 m: about a block each way.
    min_incidents : incidents within that reach, oneself included, that make a place dense.
        Default 10; for four weeks of one offense 4 to 5 are usual. Fewer find chance groups.

    Returns
    -------
    One label an incident: 1, 2, ... by falling number of incidents (then by smallest x, y), 0 for
    incidents in no cluster. An incident at the edge of two clusters goes to that of its nearest
    dense incident, so the order of rows changes nothing.

    Notes
    -----
    Clusters have no test: uniform data also give some when ``min_incidents`` is low. Compare with
    Gi* or the scan statistic before acting.

    Source: Ester et al. (1996), A density-based algorithm for discovering clusters.
    """
    distance = positive(distance, "distance")
    if min_incidents < 1:
        raise InvalidInput(f"min_incidents must be at least 1; got {min_incidents}.")
    pairs = pairs_within(x, y, distance)
    xs, ys = as_points(x, y, largest_distance=distance)
    n = xs.size
    near = pairs.distance <= distance * (1 + 1e-12) + coordinate_tolerance(xs, ys)
    first, second, gap = pairs.first[near], pairs.second[near], pairs.distance[near]
    around = 1 + np.bincount(first, minlength=n) + np.bincount(second, minlength=n)
    dense = around >= min_incidents
    both = dense[first] & dense[second]
    graph = coo_array(
        (np.ones(int(both.sum()), dtype=np.int8), (first[both], second[both])), shape=(n, n)
    )
    component = connected_components(graph, directed=False)[1] if n else np.empty(0, np.int64)
    group = np.where(dense, component, -1)
    # Border incidents: the nearest dense neighbor decides, then the smallest x and y.
    forth, back = dense[second] & ~dense[first], dense[first] & ~dense[second]
    edge = np.concatenate([first[forth], second[back]])
    core = np.concatenate([second[forth], first[back]])
    length = np.concatenate([gap[forth], gap[back]])
    if edge.size:
        order = np.lexsort((ys[core], xs[core], np.round(length, 6), edge))
        nearest = order[np.concatenate([[True], np.diff(edge[order]) > 0])]
        group[edge[nearest]] = component[core[nearest]]
    return _number(group, xs, ys)


def cluster_polygons(
    x: Any, y: Any, labels: Any, distance: float = 200.0, *, crs: Any = None
) -> gpd.GeoDataFrame:
    """Draw each cluster: the ground between its linked incidents, and half the distance around.

    Parameters
    ----------
    x, y, labels, distance : as given to and returned by `density_clusters`.
    crs : coordinate system of the result.

    Returns
    -------
    ``cluster``, ``incidents``, ``area`` (square units), ``incidents_per_area`` and ``geometry``,
    one row a cluster in the order of labels; no rows if there are none. A cluster on one spot is a
    disc, never a point, so the polygon does not give away an address by itself; the small-cell
    limit on counts is the caller's to apply.
    """
    distance = positive(distance, "distance")
    xs, ys = as_points(x, y, largest_distance=distance)
    label = np.asarray(labels)
    if label.shape != xs.shape:
        raise InvalidInput("labels must have one value for each point.")
    numbers = [int(k) for k in np.unique(label) if k > 0]
    shapes = []
    for k in numbers:
        held = label == k
        spots = np.unique(np.column_stack([xs[held], ys[held]]), axis=0)
        shapes.append(shapely.buffer(_linked(spots, distance), distance / 2, quad_segs=8))
    incidents = np.array([int((label == k).sum()) for k in numbers], dtype=np.int64)
    area = np.array([shapely.area(s) for s in shapes], dtype=np.float64)
    return gpd.GeoDataFrame(
        {
            "cluster": np.array(numbers, dtype=np.int64),
            "incidents": incidents,
            "area": area,
            "incidents_per_area": incidents / area if area.size else area,
        },
        geometry=gpd.GeoSeries(shapes, crs=crs),
        crs=crs,
    )


def _linked(spots: FloatArray, distance: float) -> Any:
    """Ground between spots that lie within the distance of each other.

    Triangles of the Delaunay net with no side longer than the distance, and its other short
    sides: the net holds the shortest links of a cluster, so nothing falls apart. Far quicker than
    the union of a disc around each of thousands of spots.
    """
    from scipy.spatial import Delaunay, QhullError

    if len(spots) == 1:
        return shapely.Point(spots[0])
    try:
        net = Delaunay(spots - spots[0]).simplices
    except QhullError:  # fewer than three spots, or all on one line (they are sorted along it)
        return shapely.linestrings(spots)
    sides = np.sort(net[:, [[0, 1], [1, 2], [2, 0]]], axis=2)
    span = np.hypot(*(spots[sides[..., 0]] - spots[sides[..., 1]]).transpose(2, 0, 1))
    # A hair more than the distance, which clusters include.
    short = span <= distance * (1 + 1e-9)
    whole = short.all(axis=1)
    inside = np.unique(sides[whole].reshape(-1, 2), axis=0)
    lines = np.unique(sides[short], axis=0)
    known = set(map(tuple, inside.tolist()))
    loose = [pair for pair in lines.tolist() if tuple(pair) not in known]
    pieces = [shapely.multipoints(spots)] if not whole.any() else []
    if whole.any():
        pieces.append(shapely.coverage_union_all(shapely.polygons(spots[net[whole]])))
    if loose:
        pieces.append(shapely.multilinestrings(shapely.linestrings(spots[np.array(loose)])))
    return shapely.geometrycollections(pieces)


def _number(group: Any, x: FloatArray, y: FloatArray) -> IntArray:
    """Renumber groups (-1 none) from 1 by size, then by their smallest (x, y)."""
    out = np.zeros(group.size, dtype=np.int64)
    held = np.flatnonzero(group >= 0)
    if not held.size:
        return out
    order = held[np.lexsort((y[held], x[held]))]
    names, where, size = np.unique(group[order], return_index=True, return_counts=True)
    rank = np.empty(names.size, dtype=np.int64)
    rank[np.lexsort((where, -size))] = np.arange(1, names.size + 1)
    out[held] = rank[np.searchsorted(names, group[held])]
    return out
