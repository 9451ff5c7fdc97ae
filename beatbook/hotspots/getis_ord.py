"""Getis-Ord Gi and Gi*: cells whose surroundings hold more, or less, than chance would."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.hotspots.conditional_permutation import rank_neighbor_sums
from beatbook.hotspots.significance import Alternative, adjust, normal_p, permutation_p
from beatbook.hotspots.weights import clean_neighbors, neighbor_counts

Weights = Literal["binary", "row", "row_pysal"]
FloatArray = npt.NDArray[np.float64]


def getis_ord(
    values: Any,
    neighbors: Any,
    *,
    star: bool = True,
    weights: Weights = "binary",
    permutations: int = 0,
    seed: int = 0,
    alternative: Alternative = "two-sided",
    false_discovery_rate: float = 0.05,
    decide_by: Literal["analytic", "permutation"] = "analytic",
) -> pd.DataFrame:
    """Score every cell by the sum over its neighborhood against the whole layer.

    Parameters
    ----------
    values : one a cell (counts, rates); a Series keeps its index.
    neighbors : which cells neighbor which, n by n (see `beatbook.hotspots.weights`); its diagonal
        is not read, ``star`` decides whether a cell counts in its own neighborhood.
    star : Gi* (True, the default of hotspot maps) or Gi.
    weights : ``"binary"`` (default; the sum) or ``"row"`` (row-standardized; the mean). With equal
        weights in a row both give one z; they differ in ``expected`` and ``local``.
        ``"row_pysal"`` reproduces figures published with esda's row-standardized form, whose
        variance is that of one draw rather than of a mean of k, so its z are too near 0: for
        comparison only.
    permutations : conditional permutations for ``p_permutation``; 0 for none. 999 is customary.
    seed : of the permutations.
    alternative : ``"two-sided"`` (default: hot and cold), ``"greater"`` or ``"less"``.
    false_discovery_rate : q at or below which a cell is classed hot or cold.
    decide_by : which p the q-values are of. With m permutations p cannot fall below about 2/m, and
        over thousands of cells such a p seldom survives the adjustment; hence ``"analytic"``.

    Returns
    -------
    A frame with ``value``, ``neighbors``, ``local`` (the local sum or mean), ``expected``, ``z``,
    ``p``, ``p_permutation`` (only if asked for), ``q``, ``tested`` and ``class`` (hot, cold, not
    significant, not tested). Nothing in it is missing: a cell without neighbors, or a layer that
    is the same everywhere, has z = 0, p = q = 1 and class "not tested". ``attrs`` holds ``tests``
    and ``false_discovery_rate`` for the legend.

    Raises
    ------
    InvalidInput
        If values are missing or infinite, or do not match the matrix.

    Notes
    -----
    The analytic z leans on sums being near normal; with few incidents (a mean below about one a
    neighborhood) prefer the permutation p. Cells at the city's edge have fewer neighbors, and
    what happens beyond the edge is not seen.

    Source: Ord and Getis (1995), Local spatial autocorrelation statistics, Geographical Analysis
    27; false discoveries after Caldas de Castro and Singer (2006), Geographical Analysis 38.
    """
    index = values.index if isinstance(values, pd.Series) else None
    y = cell_values(values)
    matrix = clean_neighbors(neighbors, y.size)
    if weights not in ("binary", "row", "row_pysal"):
        raise InvalidInput(f'weights is "binary", "row" or "row_pysal"; got {weights!r}.')
    if decide_by == "permutation" and permutations < 1:
        raise InvalidInput("To decide by permutation say how many, for example permutations=999.")
    k = neighbor_counts(matrix)
    around = np.asarray(matrix @ y)
    z, expected = neighborhood_z(y, around, k, star=star)
    size = k + star
    local = around + y if star else around
    if weights != "binary":
        divisor = np.maximum(size, 1)
        local, expected = local / divisor, expected / divisor
    if weights == "row_pysal":
        population = max(y.size - (not star), 2)
        z = z * np.sqrt((population - size) / (np.maximum(size, 1) * (population - 1)))
    spread = np.ptp(y) > 0 if y.size else False
    tested = (k > 0) & spread & (size < y.size)
    p = np.where(tested, normal_p(z, alternative), 1.0)
    out = pd.DataFrame(
        {"value": y, "neighbors": k, "local": local, "expected": expected, "z": z, "p": p},
        index=index,
    )
    if permutations:
        ranks = rank_neighbor_sums(y, matrix, around, permutations, seed)
        drawn = permutation_p(ranks.at_least, ranks.at_most, permutations, alternative)
        out["p_permutation"] = np.where(tested, drawn, 1.0)
    out["q"] = adjust(out["p" if decide_by == "analytic" else "p_permutation"], tested=tested)
    out["tested"] = tested
    significant = tested & (out["q"].to_numpy() <= false_discovery_rate)
    out["class"] = np.select(
        [~tested, significant & (z > 0), significant & (z < 0)],
        ["not tested", "hot", "cold"],
        "not significant",
    )
    out.attrs.update(tests=int(tested.sum()), false_discovery_rate=false_discovery_rate)
    return out


def neighborhood_z(
    y: FloatArray, around: FloatArray, k: npt.NDArray[np.int64], *, star: bool
) -> tuple[FloatArray, FloatArray]:
    """Return z and expectation of a neighborhood sum under random placing of the values.

    ``around`` is the sum over the k neighbors without the cell itself. Cells for which the
    variance is 0 get z = 0.
    """
    n = y.size
    if n < 3:
        return np.zeros(n), np.zeros(n)
    if star:
        w = (k + 1).astype(np.float64)
        local = around + y
        population = float(n)
        mean: Any = y.mean()
        variance: Any = np.mean((y - mean) ** 2)
    else:
        w = k.astype(np.float64)
        local = around
        population = n - 1.0
        # Centered first: the sum of squares of the others would cancel for large values.
        c = y - y.mean()
        others = -c / population
        mean = y.mean() + others
        variance = np.maximum((np.sum(c**2) - c**2) / population - others**2, 0.0)
    expected = w * mean
    spread = np.sqrt(variance * np.maximum(population * w - w**2, 0.0) / (population - 1.0))
    z = np.zeros(n)
    # Rounding leaves a spread of about 1e-8 of the values where the true one is 0.
    floor = 1e-10 * max(float(np.abs(y).max()), np.finfo(float).tiny)
    np.divide(local - expected, spread, out=z, where=spread > floor)
    return z, expected


def cell_values(values: Any) -> FloatArray:
    """Check one value a cell: numbers, none missing."""
    try:
        y = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput("Values must be numbers, one a cell.") from error
    if y.ndim != 1:
        raise InvalidInput(f"Values must be one column, one value a cell; got shape {y.shape}.")
    bad = int((~np.isfinite(y)).sum())
    if bad:
        raise InvalidInput(
            f"{bad} of {y.size} cells have a missing or infinite value. Leave those cells out, or "
            "give them 0 if nothing happened there."
        )
    return y
