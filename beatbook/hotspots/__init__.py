"""Hotspot methods: pure functions on arrays and frames, in projected coordinates (meters).

One module a family: `grid`, `polygons`, `counts`, `density`, `weights`, `getis_ord`,
`local_moran`, `change`, `emerging`, `clusters`, `scan`, `knox`, `near_repeat`, `repeat_places`,
`aoristic`. What belongs here: a method with its test, its source and its limits. What does not:
reading tables, choosing which incidents to show, drawing maps.
"""

from beatbook.hotspots.aoristic import aoristic_week, aoristic_weights, shift_weights
from beatbook.hotspots.change import pattern_change, share_difference, similarity_index
from beatbook.hotspots.clusters import cluster_polygons, density_clusters
from beatbook.hotspots.coordinates import planar_xy, require_projected
from beatbook.hotspots.counts import count_by_cell, rates
from beatbook.hotspots.density import density_ratio, edge_share, kernel_density
from beatbook.hotspots.emerging import emerging_hotspots, mann_kendall
from beatbook.hotspots.getis_ord import getis_ord
from beatbook.hotspots.grid import Grid, make_grid
from beatbook.hotspots.knox import KnoxTable, knox
from beatbook.hotspots.local_moran import local_moran
from beatbook.hotspots.near_repeat import near_repeat_pairs, near_repeat_strings, open_zones
from beatbook.hotspots.polygons import PolygonIndex
from beatbook.hotspots.repeat_places import concentration_curve, generalized_gini, repeat_places
from beatbook.hotspots.scan import expected_in_cylinder, poisson_llr, prospective_scan
from beatbook.hotspots.significance import adjust
from beatbook.hotspots.weights import distance_band, nearest, neighbor_matrix

__all__ = [
    "Grid",
    "KnoxTable",
    "PolygonIndex",
    "adjust",
    "aoristic_week",
    "aoristic_weights",
    "cluster_polygons",
    "concentration_curve",
    "count_by_cell",
    "density_clusters",
    "density_ratio",
    "distance_band",
    "edge_share",
    "emerging_hotspots",
    "expected_in_cylinder",
    "generalized_gini",
    "getis_ord",
    "kernel_density",
    "knox",
    "local_moran",
    "make_grid",
    "mann_kendall",
    "near_repeat_pairs",
    "near_repeat_strings",
    "nearest",
    "neighbor_matrix",
    "open_zones",
    "pattern_change",
    "planar_xy",
    "poisson_llr",
    "prospective_scan",
    "rates",
    "repeat_places",
    "require_projected",
    "share_difference",
    "shift_weights",
    "similarity_index",
]
