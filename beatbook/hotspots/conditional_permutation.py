"""Conditional permutation of neighbor sums, shared by Gi, Gi* and local Moran.

Each cell keeps its own value and draws its k neighbors from all other cells. Drawing anew for
every cell costs cells x permutations x k. Here one sequence of k + 1 distinct cells is drawn for
each permutation and used for all of them: a cell takes the first k, and where it meets itself
among them it takes the spare one in its stead. The first k of a random sequence with oneself
struck out is again a uniform draw from the others, so each cell's distribution is exact; as in
esda, cells share their draws. Nearly all cells of one k then have the very same reference sums,
which are sorted once, and only the few meetings are corrected.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from beatbook.errors import InvalidInput
from beatbook.hotspots.weights import neighbor_counts

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class Ranks(NamedTuple):
    """Permutations whose neighbor sum was at least, and at most, the observed one."""

    at_least: IntArray
    at_most: IntArray


def rank_neighbor_sums(
    values: FloatArray, neighbors: csr_array, sums: FloatArray, permutations: int, seed: int
) -> Ranks:
    """Rank each cell's observed sum over its neighbors among conditional permutations.

    Parameters
    ----------
    values : one a cell.
    neighbors : binary, without diagonal; cells with no neighbors rank as all ties.
    sums : observed sum over the neighbors, the cell itself left out.
    permutations, seed : how many, and the seed of the draws. The same seed gives a cell the same
        answer whatever the order of rows (cells that nothing in the layer tells apart excepted).
    """
    if permutations < 1:
        raise InvalidInput(f"permutations must be at least 1; got {permutations}.")
    order = _canonical_order(values, neighbors)
    ranks = _rank(values[order], neighbor_counts(neighbors)[order], sums[order], permutations, seed)
    back = np.empty_like(order)
    back[order] = np.arange(order.size)
    return Ranks(ranks.at_least[back], ranks.at_most[back])


def _canonical_order(values: FloatArray, neighbors: csr_array) -> IntArray:
    """Order cells by a hash of their own value and of all that surrounds them.

    Integer sums wrap around and do not depend on the order of terms, so neither does the hash.
    Each round carries it one cell farther; 32 reach across a mid-sized city of 250 m cells.
    """
    odd = np.uint64(0x9E3779B97F4A7C15)
    adjacency = csr_array(
        (np.ones(neighbors.nnz, dtype=np.uint64), neighbors.indices, neighbors.indptr),
        shape=neighbors.shape,
    )
    own = np.ascontiguousarray(values + 0.0).view(np.uint64) * odd
    state = own
    for _ in range(32):
        around = adjacency @ state
        state = ((state ^ (state >> np.uint64(29))) * odd + around) ^ own
        state = (state ^ (state >> np.uint64(31))) * odd
    return np.argsort(state, kind="stable").astype(np.int64)


def _rank(
    values: FloatArray, counts: IntArray, sums: FloatArray, permutations: int, seed: int
) -> Ranks:
    n = values.size
    at_least = np.full(n, permutations, dtype=np.int64)
    at_most = np.full(n, permutations, dtype=np.int64)
    most = int(counts.max()) if n else 0
    if most == 0:
        return Ranks(at_least, at_most)
    rng = np.random.default_rng(seed)
    draws = np.empty((permutations, most + 1), dtype=np.int64)
    for row in draws:
        row[:] = rng.choice(n, most + 1, replace=False)
    drawn = values[draws]
    running = np.cumsum(drawn, axis=1)
    # Sums of the same values in another order differ in their last digits; those are ties.
    slack = 1e-12 * float(np.abs(values).sum())
    for k in np.unique(counts[counts > 0]):
        cells = np.flatnonzero(counts == k)
        reference = running[:, k - 1]
        ordered = np.sort(reference)
        at_least[cells] = permutations - np.searchsorted(ordered, sums[cells] - slack, side="left")
        at_most[cells] = np.searchsorted(ordered, sums[cells] + slack, side="right")
        met = counts[draws[:, :k]] == k
        where, _ = np.nonzero(met)
        cell = draws[:, :k][met]
        plain = reference[where]
        mended = plain - values[cell] + drawn[where, k]
        low, high = sums[cell] - slack, sums[cell] + slack
        np.add.at(at_least, cell, (mended >= low).astype(np.int64) - (plain >= low))
        np.add.at(at_most, cell, (mended <= high).astype(np.int64) - (plain <= high))
    return Ranks(at_least, at_most)
