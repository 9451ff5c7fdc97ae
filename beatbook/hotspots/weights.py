"""Who neighbors whom: sparse matrices that the local statistics take."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array, issparse
from scipy.spatial import cKDTree

from beatbook.errors import InvalidInput
from beatbook.hotspots.coordinates import as_points, positive
from beatbook.hotspots.pairs import coordinate_tolerance, pairs_within


def neighbor_matrix(first: Any, second: Any, size: int) -> csr_array:
    """Build a symmetric binary matrix from pairs of row numbers (each pair once or twice)."""
    i, j = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    if i.size and (min(i.min(), j.min()) < 0 or max(i.max(), j.max()) >= size):
        raise InvalidInput(f"Row numbers of neighbors must lie between 0 and {size - 1}.")
    both = coo_array(
        (np.ones(2 * i.size), (np.concatenate([i, j]), np.concatenate([j, i]))),
        shape=(size, size),
    )
    return clean_neighbors(both, size)


def distance_band(x: Any, y: Any, threshold: float) -> csr_array:
    """Points at most ``threshold`` apart (Euclidean, the threshold included) are neighbors.

    Coordinates are projected; the threshold is in their unit (meters). Two points on one spot are
    neighbors. On a 250 m square grid 250 gives the 4 sides, 354 gives sides and corners.
    """
    threshold = positive(threshold, "threshold")
    pairs = pairs_within(x, y, threshold)
    xs, ys = as_points(x, y)
    near = pairs.distance <= threshold * (1 + 1e-12) + coordinate_tolerance(xs, ys)
    return neighbor_matrix(pairs.first[near], pairs.second[near], xs.size)


def nearest(x: Any, y: Any, k: int) -> csr_array:
    """Each point's ``k`` nearest others; not symmetric. Ties go to the smaller row number."""
    xs, ys = as_points(x, y)
    if not 1 <= k < max(xs.size, 1):
        raise InvalidInput(f"k must lie between 1 and {xs.size - 1} for {xs.size} points; got {k}.")
    points = np.column_stack([xs - xs.min(), ys - ys.min()])
    # A few more than asked for, so that ties at the k-th distance are broken the same way always.
    reach = min(xs.size, k + 17)
    gap, found = cKDTree(points).query(points, k=reach)
    gap = np.where(found == np.arange(xs.size)[:, None], -1.0, np.round(gap, 6))
    order = np.lexsort((found, gap), axis=1)[:, 1 : k + 1]
    chosen = np.take_along_axis(found, order, axis=1)
    rows = np.repeat(np.arange(xs.size), k)
    data = np.ones(rows.size)
    return clean_neighbors(
        coo_array((data, (rows, chosen.ravel())), shape=(xs.size, xs.size)), xs.size
    )


def clean_neighbors(neighbors: Any, size: int) -> csr_array:
    """Return the matrix as binary CSR without a diagonal.

    Accepts any scipy sparse matrix, a dense square array, a list of lists of row numbers, or an
    object with ``.sparse`` (libpysal's W and Graph). Every nonzero entry counts as a neighbor.

    Raises
    ------
    InvalidInput
        If its shape is not ``size`` by ``size``.
    """
    matrix = neighbors
    if not issparse(matrix) and hasattr(matrix, "sparse"):
        matrix = matrix.sparse
    if not issparse(matrix) and isinstance(matrix, list) and len(matrix) == size:
        rows = np.repeat(np.arange(size), [len(r) for r in matrix])
        columns = np.concatenate([np.asarray(r, dtype=np.int64) for r in matrix] or [rows])
        matrix = coo_array((np.ones(rows.size), (rows, columns)), shape=(size, size))
    if matrix.shape != (size, size):
        raise InvalidInput(
            f"Neighbors must be a {size} by {size} matrix, one row a cell in the cells' order; got "
            f"{matrix.shape}."
        )
    coo = coo_array(matrix)
    keep = (coo.row != coo.col) & (coo.data != 0)
    out = csr_array((np.ones(int(keep.sum())), (coo.row[keep], coo.col[keep])), shape=(size, size))
    out.sum_duplicates()
    out.data[:] = 1.0
    out.sort_indices()
    return out


def neighbor_counts(neighbors: csr_array) -> npt.NDArray[np.int64]:
    """Number of neighbors of each row."""
    return np.diff(neighbors.indptr).astype(np.int64)
