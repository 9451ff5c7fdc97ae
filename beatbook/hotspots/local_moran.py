"""Local Moran: cells alike to their neighbors (high-high, low-low) and outliers among them."""

from typing import Any, Literal

import numpy as np
import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.hotspots.conditional_permutation import rank_neighbor_sums
from beatbook.hotspots.getis_ord import cell_values, neighborhood_z
from beatbook.hotspots.significance import adjust, normal_p, permutation_p
from beatbook.hotspots.weights import clean_neighbors, neighbor_counts


def local_moran(
    values: Any,
    neighbors: Any,
    *,
    weights: Literal["row", "binary"] = "row",
    null: Literal["conditional", "total"] = "conditional",
    permutations: int = 0,
    seed: int = 0,
    false_discovery_rate: float = 0.05,
    decide_by: Literal["analytic", "permutation"] = "analytic",
) -> pd.DataFrame:
    """Compare each cell with its neighbors.

    Parameters
    ----------
    values, neighbors, permutations, seed, false_discovery_rate, decide_by : as in
        `beatbook.hotspots.getis_ord.getis_ord`.
    weights : ``"row"`` (default, the neighbors' mean) or ``"binary"`` (their sum).
    null : what z is against. ``"conditional"`` (default) holds the cell's own value and shuffles
        the others, as the permutations do; ``"total"`` shuffles all, Anselin's original moments.

    Returns
    -------
    A frame with ``value``, ``neighbors``, ``local_i`` ((n - 1) z_i sum_j w_ij z_j / sum z^2),
    ``expected``, ``z``, ``p`` (two-sided), ``p_permutation`` (if asked for), ``q``, ``tested`` and
    ``class`` (high-high, low-low, high-low, low-high, not significant, not tested). Nothing is
    missing: cells without neighbors, and layers that are the same everywhere, are "not tested".

    Source: Anselin (1995), Local indicators of spatial association, Geographical Analysis 27;
    Sokal, Oden and Thomson (1998), Local spatial autocorrelation, Geographical Analysis 30.
    """
    index = values.index if isinstance(values, pd.Series) else None
    y = cell_values(values)
    n = y.size
    matrix = clean_neighbors(neighbors, n)
    if weights not in ("binary", "row"):
        raise InvalidInput(f'weights is "binary" or "row"; got {weights!r}.')
    if null not in ("conditional", "total"):
        raise InvalidInput(f'null is "conditional" or "total"; got {null!r}.')
    if decide_by == "permutation" and permutations < 1:
        raise InvalidInput("To decide by permutation say how many, for example permutations=999.")
    k = neighbor_counts(matrix)
    spread = bool(n > 2 and np.ptp(y) > 0)
    c = y - y.mean() if n else y
    around = np.asarray(matrix @ y)
    scale = 1.0 / np.maximum(k, 1) if weights == "row" else np.ones(n)
    lag = scale * (around - k * (y.mean() if n else 0.0))
    squares = float(np.sum(c**2)) if spread else 1.0
    factor = (n - 1) / squares if spread else 0.0
    local = factor * c * lag
    weight = scale * k
    if null == "conditional":
        score, _ = neighborhood_z(y, around, k, star=False)
        z = np.sign(c) * score
        expected = factor * c * (-weight * c / max(n - 1, 1))
    else:
        squared = scale**2 * k
        crossed = weight**2 - squared
        b2 = n * float(np.sum(c**4)) / squares**2
        expected = -weight / max(n, 1)
        if spread:
            variance = (
                squared * (n - b2) / (n - 1)
                + crossed * (2 * b2 - n) / ((n - 1) * (n - 2))
                - (weight / (n - 1)) ** 2
            ) * ((n - 1) / n) ** 2
        else:
            variance = np.zeros(n)
        z = np.zeros(n)
        np.divide(local - expected, np.sqrt(np.abs(variance)), out=z, where=variance > 1e-14)
    tested = (k > 0) & spread & (k < n - 1) if n else np.zeros(0, bool)
    z = np.where(tested, z, 0.0)
    p = np.where(tested, normal_p(z), 1.0)
    out = pd.DataFrame(
        {"value": y, "neighbors": k, "local_i": local, "expected": expected, "z": z, "p": p},
        index=index,
    )
    if permutations:
        ranks = rank_neighbor_sums(y, matrix, around, permutations, seed)
        drawn = permutation_p(ranks.at_least, ranks.at_most, permutations, "two-sided")
        out["p_permutation"] = np.where(tested & (c != 0), drawn, 1.0)
    out["q"] = adjust(out["p" if decide_by == "analytic" else "p_permutation"], tested=tested)
    out["tested"] = tested
    significant = tested & (out["q"].to_numpy() <= false_discovery_rate)
    high, around_high = c > 0, lag > 0
    out["class"] = np.select(
        [
            ~tested,
            significant & high & around_high,
            significant & ~high & ~around_high,
            significant & high & ~around_high,
            significant & ~high & around_high,
        ],
        ["not tested", "high-high", "low-low", "high-low", "low-high"],
        "not significant",
    )
    out.attrs.update(tests=int(tested.sum()), false_discovery_rate=false_discovery_rate)
    return out
