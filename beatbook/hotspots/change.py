"""Has the pattern moved? Andresen's spatial point pattern test between two periods."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.hotspots.significance import Adjustment, adjust

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SimilarityIndex:
    """Share of areas whose share of incidents did not change: 1 the same pattern, 0 none alike.

    ``standard`` counts all areas; ``robust`` leaves out those empty in both periods, which are
    alike only because nothing happens there. Both are None where no area counts.
    """

    standard: float | None
    robust: float | None
    areas: int
    areas_with_incidents: int


@dataclass(frozen=True)
class PatternChange:
    """Result of `pattern_change` and `share_difference`: the global index and a row an area."""

    index: SimilarityIndex
    areas: pd.DataFrame


def similarity_index(local_s: Any, base: Any, test: Any) -> SimilarityIndex:
    """Return S from the local results (0 alike, -1 fell, +1 rose) and both periods' counts."""
    b, t = _counts(base, "base"), _counts(test, "test")
    local = np.asarray(local_s)
    if not local.shape == b.shape == t.shape:
        raise InvalidInput("local_s, base and test must have one value for each area.")
    alike = local == 0
    used = (b + t) > 0
    return SimilarityIndex(
        standard=float(alike.mean()) if alike.size else None,
        robust=float(alike[used].mean()) if used.any() else None,
        areas=int(alike.size),
        areas_with_incidents=int(used.sum()),
    )


def pattern_change(
    base: Any,
    test: Any,
    *,
    method: Literal["subsample", "bootstrap"] = "subsample",
    samples: int = 200,
    percent: float = 85.0,
    confidence: float = 95.0,
    seed: int = 0,
) -> PatternChange:
    """Run the spatial point pattern test: resample the later period, compare the earlier with it.

    Parameters
    ----------
    base, test : incidents of the earlier and the later period by area, in one order.
    method : ``"subsample"`` (default, Andresen's: ``percent`` % of the test incidents without
        replacement) or ``"bootstrap"`` (as many as there are, with replacement).
    samples, percent, confidence : 200 samples of 85 %, and the middle 95 % of them, as published.
    seed : of the resampling.

    Returns
    -------
    PatternChange: its ``areas`` has ``base``, ``test``, ``base_share``, ``test_share``, ``low``,
    ``high`` (of the test share, 0 to 1), ``local_s`` (+1 the share rose from base to test, -1 it
    fell, 0 alike) and ``change``. A period without incidents has no pattern: InvalidInput.

    Notes
    -----
    The index compares shares, not numbers: a city where crime halved everywhere is unchanged. The
    subsample interval is narrow (15 % are left out), many areas are tested and none is adjusted
    for; `share_difference` does adjust.

    Source: Andresen (2009), Testing for similarity in area-based spatial patterns, Applied
    Geography 29; robust form and bootstrap as in Wheeler, Steenbeek and Andresen (2018).
    """
    b, t = _counts(base, "base"), _counts(test, "test")
    _same_areas(b, t)
    if samples < 2 or not 0 < percent <= 100 or not 0 < confidence < 100:
        raise InvalidInput(
            "samples must be 2 or more, percent above 0 to 100, confidence between 0 and 100."
        )
    rng = np.random.default_rng(seed)
    total = int(t.sum())
    if method == "subsample":
        size = max(1, round(percent / 100 * total))
        drawn = rng.multivariate_hypergeometric(t, size, size=samples, method="marginals")
    elif method == "bootstrap":
        size = total
        drawn = rng.multinomial(size, t / total, size=samples)
    else:
        raise InvalidInput(f'method is "subsample" or "bootstrap"; got {method!r}.')
    ordered = np.sort(drawn, axis=0) / size
    tail = (100 - confidence) / 200
    # Rounded first: 0.025 * 200 is 5.000000000000004 in binary.
    low = ordered[int(np.floor(round(tail * samples, 9)))]
    high = ordered[int(np.ceil(round((1 - tail) * samples, 9))) - 1]
    share = b / b.sum()
    local = np.where(share < low - 1e-12, 1, np.where(share > high + 1e-12, -1, 0))
    areas = _areas(base, b, t, local)
    areas.insert(4, "low", low)
    areas.insert(5, "high", high)
    return PatternChange(similarity_index(local, b, t), areas)


def share_difference(
    base: Any,
    test: Any,
    *,
    statistic: Literal["chi2_n_minus_1", "chi2", "yates", "fisher"] = "chi2_n_minus_1",
    adjustment: Adjustment = "fdr_dependent",
    level: float = 0.05,
) -> PatternChange:
    """Test each area's share in both periods as two proportions, adjusted for many tests.

    Parameters
    ----------
    base, test : incidents of the two periods by area, in one order.
    statistic : chi-square with N - 1 (default: best for small expected numbers, as recommended by
        the source), plain, with Yates's correction, or Fisher's exact test.
    adjustment : see `beatbook.hotspots.significance.adjust`. Default Benjamini-Yekutieli: shares
        that add up to one depend on each other negatively.
    level : adjusted p below which a share has changed.

    Returns
    -------
    PatternChange: its ``areas`` has ``base``, ``test``, their shares, ``p``, ``q``, ``local_s``
    and ``change``. Areas empty in both periods have p = q = 1 but are counted as tests, as
    published.

    Source: Wheeler, Steenbeek and Andresen (2018), Testing for similarity in area-based spatial
    patterns: alternative methods to Andresen's spatial point pattern test, Transactions in GIS 22.
    """
    b, t = _counts(base, "base"), _counts(test, "test")
    _same_areas(b, t)
    p = _two_proportions(b, t, statistic)
    q = adjust(p, adjustment)
    gap = t * b.sum() - b * t.sum()
    local = np.where((p < level) & (q < level), np.sign(gap), 0).astype(np.int64)
    areas = _areas(base, b, t, local)
    areas.insert(4, "p", p)
    areas.insert(5, "q", q)
    areas.attrs.update(tests=int(b.size), adjustment=adjustment, level=level)
    return PatternChange(similarity_index(local, b, t), areas)


def _two_proportions(b: IntArray, t: IntArray, statistic: str) -> npt.NDArray[np.float64]:
    from scipy.special import chdtrc

    nb, nt = float(b.sum()), float(t.sum())
    if statistic == "fisher":
        from scipy.stats import fisher_exact

        pairs, where = np.unique(np.column_stack([b, t]), axis=0, return_inverse=True)
        each = [fisher_exact([[i, nb - i], [j, nt - j]])[1] for i, j in pairs]
        return np.minimum(np.asarray(each)[where.ravel()], 1.0)
    if statistic not in ("chi2_n_minus_1", "chi2", "yates"):
        raise InvalidInput(
            f"statistic is chi2_n_minus_1, chi2, yates or fisher; got {statistic!r}."
        )
    n = nb + nt
    cross = np.abs(b * (nt - t) - t * (nb - b))
    if statistic == "yates":
        cross = np.maximum(cross - n / 2, 0.0)
    row = (b + t).astype(np.float64)
    spread = row * (n - row) * nb * nt
    chi2 = np.zeros(b.size)
    np.divide(n * cross**2, spread, out=chi2, where=spread > 0)
    if statistic == "chi2_n_minus_1":
        chi2 *= (n - 1) / n
    return np.asarray(chdtrc(1, chi2))


def _counts(values: Any, name: str) -> IntArray:
    v = np.asarray(values, dtype=np.float64)
    if v.ndim != 1 or not np.all(np.isfinite(v)) or np.any(v < 0) or np.any(v != np.rint(v)):
        raise InvalidInput(
            f"{name} must be whole numbers of incidents, 0 or more, one an area. Net counts below "
            "0 (more cancelled than new) must be set to 0 first."
        )
    return v.astype(np.int64)


def _same_areas(b: IntArray, t: IntArray) -> None:
    if b.shape != t.shape:
        raise InvalidInput(f"base has {b.size} areas and test {t.size}; they must be the same.")
    if b.sum() == 0 or t.sum() == 0:
        which = "base" if b.sum() == 0 else "test"
        raise InvalidInput(
            f"The {which} period holds no incidents, so it has no pattern to compare. Take a "
            "longer period."
        )


def _areas(base: Any, b: IntArray, t: IntArray, local: npt.NDArray[Any]) -> pd.DataFrame:
    names = np.array(["fell", "alike", "rose"])
    return pd.DataFrame(
        {
            "base": b,
            "test": t,
            "base_share": b / b.sum(),
            "test_share": t / t.sum(),
            "local_s": local,
            "change": names[local + 1],
        },
        index=base.index if isinstance(base, pd.Series) else None,
    )
