"""Many tests at once: p-values adjusted so that a map's false discoveries are held to a rate."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from beatbook.errors import InvalidInput

Adjustment = Literal["none", "bonferroni", "holm", "fdr", "fdr_dependent"]
Alternative = Literal["two-sided", "greater", "less"]


def adjust(
    p: npt.ArrayLike, method: Adjustment = "fdr", tested: npt.ArrayLike | None = None
) -> npt.NDArray[np.float64]:
    """Adjust p-values for the number of tests.

    Parameters
    ----------
    p : p-values.
    method : ``"fdr"`` (Benjamini and Hochberg 1995, the default of every layer: neighboring cells
        depend positively on each other, where it holds), ``"fdr_dependent"`` (Benjamini and
        Yekutieli 2001, any dependence), ``"holm"``, ``"bonferroni"``, ``"none"``.
    tested : True where a test was made; others keep 1 and are not counted.

    Returns
    -------
    Adjusted values (q for the two false-discovery methods), never below p, never above 1.
    """
    values = np.asarray(p, dtype=np.float64)
    use = np.ones(values.shape, bool) if tested is None else np.asarray(tested, dtype=bool)
    if np.any(~((values[use] >= 0) & (values[use] <= 1))):
        raise InvalidInput("p-values lie between 0 and 1.")
    out = np.ones_like(values)
    chosen = values[use]
    m = chosen.size
    if m == 0:
        return out
    order = np.argsort(chosen, kind="stable")
    rank = np.arange(1, m + 1)
    ordered = chosen[order]
    if method == "none":
        adjusted = ordered
    elif method == "bonferroni":
        adjusted = ordered * m
    elif method == "holm":
        adjusted = np.maximum.accumulate(ordered * (m - rank + 1))
    elif method in ("fdr", "fdr_dependent"):
        factor = m * (1.0 if method == "fdr" else float(np.sum(1.0 / rank)))
        adjusted = np.minimum.accumulate((ordered * factor / rank)[::-1])[::-1]
    else:
        raise InvalidInput(
            "method is none, bonferroni, holm, fdr or fdr_dependent; got " + repr(method) + "."
        )
    back = np.empty(m)
    # Multiplied and divided by the same number, a p can come back a hair smaller.
    back[order] = np.clip(adjusted, ordered, 1.0)
    out[use] = back
    return out


def normal_p(z: npt.ArrayLike, alternative: Alternative = "two-sided") -> npt.NDArray[np.float64]:
    """Return the p-value of a standard normal score."""
    from scipy.special import ndtr

    score = np.asarray(z, dtype=np.float64)
    if alternative == "two-sided":
        return np.minimum(2 * ndtr(-np.abs(score)), 1.0)
    if alternative == "greater":
        return np.asarray(ndtr(-score))
    if alternative == "less":
        return np.asarray(ndtr(score))
    raise InvalidInput(f"alternative is two-sided, greater or less; got {alternative!r}.")


def permutation_p(
    at_least: npt.ArrayLike, at_most: npt.ArrayLike, permutations: int, alternative: Alternative
) -> npt.NDArray[np.float64]:
    """Return pseudo p from how many permutations were at least, and at most, the observed.

    The observed arrangement counts as one more, so the smallest one-sided value is
    1 / (permutations + 1). Two-sided is twice the smaller tail.
    """
    upper = (np.asarray(at_least, dtype=np.float64) + 1) / (permutations + 1)
    lower = (np.asarray(at_most, dtype=np.float64) + 1) / (permutations + 1)
    if alternative == "greater":
        return upper
    if alternative == "less":
        return lower
    if alternative == "two-sided":
        return np.minimum(2 * np.minimum(upper, lower), 1.0)
    raise InvalidInput(f"alternative is two-sided, greater or less; got {alternative!r}.")
