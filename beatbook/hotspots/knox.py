"""The Knox test: are events that are close in space also close in time, and how much more?"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.hotspots.bands import Bands, Closed
from beatbook.hotspots.coordinates import FloatArray, as_points
from beatbook.hotspots.pairs import Metric, Pairs, coordinate_tolerance, pairs_within
from beatbook.hotspots.significance import adjust
from beatbook.hotspots.times import whole_days

# Permutations are drawn in batches of this size, each from its own stream of the seed, so that
# the answer does not depend on how many threads ran. 500 of them fill a cache line run well.
_BATCH = 500
# Rows summed at once; 255 is the most that an unsigned byte can count without overflow.
_ROWS = 255
_DAY_TOLERANCE = 1e-9


@dataclass(frozen=True)
class KnoxTable:
    """Observed and expected pairs by distance band (rows) and time band (columns).

    ``ratio_mean`` and ``ratio_median`` are observed over the mean and the median of the
    permutations; missing (NaN) where that expectation is 0, since no risk can be estimated there.
    ``p`` is one-sided: the share of arrangements, the observed one included, with at least as
    many pairs.
    """

    observed: npt.NDArray[np.int64]
    expected_mean: FloatArray
    expected_median: FloatArray
    ratio_mean: FloatArray
    ratio_median: FloatArray
    p: FloatArray
    distance_bands: Bands
    time_bands: Bands
    metric: Metric
    events: int
    permutations: int
    seed: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row a band pair, with ``q`` over all bands (Benjamini-Hochberg).

        Ratios without an expectation are <NA>.
        """
        rows, columns = self.observed.shape
        d, t = self.distance_bands, self.time_bands
        return pd.DataFrame(
            {
                "distance_band": np.repeat(d.labels, columns),
                "time_band": np.tile(t.labels, rows),
                "distance_from": np.repeat(d.edges[:-1], columns),
                "distance_to": np.repeat(d.edges[1:], columns),
                "days_from": np.tile(t.edges[:-1], rows),
                "days_to": np.tile(t.edges[1:], rows),
                "observed": self.observed.ravel(),
                "expected_mean": self.expected_mean.ravel(),
                "expected_median": self.expected_median.ravel(),
                "ratio_mean": pd.array(self.ratio_mean.ravel(), dtype="Float64"),
                "ratio_median": pd.array(self.ratio_median.ravel(), dtype="Float64"),
                "p": self.p.ravel(),
                "q": adjust(self.p.ravel()),
            }
        )


def knox(
    x: Any,
    y: Any,
    times: Any,
    distance_edges: Sequence[float] = (0, 0.1, 100, 200, 300, 400),
    time_edges: Sequence[float] = (0, 7, 14, 21, 28),
    *,
    closed: Closed = "left",
    metric: Metric = "manhattan",
    permutations: int = 999,
    seed: int = 0,
    threads: int = 2,
) -> KnoxTable:
    """Compare pairs close in space and time with what shuffled dates would give.

    Parameters
    ----------
    x, y : projected coordinates; the unit of ``distance_edges`` (meters).
    times : dates, timestamps (their calendar day counts) or numbers of days.
    distance_edges, time_edges : edges of the bands, in the coordinates' unit and in days. The
        first default band, below 0.1 m, holds repeats at one address; the others are one to four
        blocks and one to four weeks, the reach found in most near-repeat studies.
    closed : ``"left"`` reads every band as [a, b), ``"right"`` as (a, b] with the first one
        [a, b]. The table's labels say which. For whole days, left-closed edges (0, 4, 7) are the
        bands "0-3 days" and "4-6 days"; right-closed edges (0, 3, 6) are the same two.
    metric : ``"manhattan"`` (default: how one gets around a street grid) or ``"euclidean"``.
    permutations : Monte-Carlo arrangements, times shuffled over places.
    seed : of the arrangements; the same seed gives the same table on any number of threads.
    threads : threads used; does not change the answer.

    Returns
    -------
    KnoxTable

    Raises
    ------
    InvalidInput
        For missing coordinates or times, longitude and latitude, bad edges, fewer than one
        permutation, or more than 20 million pairs within the longest distance.

    Notes
    -----
    Fewer than two events, or none within the bands, give a table of zeros with p = 1. The test
    assumes that the background does not change over time: an area that grew or was policed
    differently within the period also gives close pairs. It says nothing of who did it.

    Source: Knox (1964), The detection of space-time interactions, Applied Statistics 13; Monte
    Carlo form as in Johnson et al. (2007), Space-time patterns of risk, Journal of Quantitative
    Criminology 23; interval notation as in the NearRepeat package (Steenbeek).
    """
    space = Bands.of(distance_edges, closed, "distance_edges")
    time = Bands.of(time_edges, closed, "time_edges")
    if permutations < 1:
        raise InvalidInput(f"permutations must be at least 1; got {permutations}.")
    days = whole_days(times)
    reach = space.edges[-1]
    xs, ys = as_points(x, y, largest_distance=reach if np.isfinite(reach) else None)
    if days.shape != xs.shape:
        raise InvalidInput(f"{xs.size} points but {days.size} times; each event needs both.")
    # One order whatever the order of rows, so that a seed shuffles the same events alike.
    order = np.lexsort((days, ys, xs))
    xs, ys, days = xs[order], ys[order], days[order]
    pairs = pairs_within(xs, ys, reach, metric)
    grouped = _by_band(pairs, space, coordinate_tolerance(xs, ys))
    days, limits = _comparable(days, time)
    observed = _count(days[:, None], grouped, limits)[:, :, 0]

    starts = range(0, permutations, _BATCH)
    streams = np.random.SeedSequence(seed).spawn(len(starts))
    sizes = [min(_BATCH, permutations - s) for s in starts]

    def batch(job: tuple[np.random.SeedSequence, int]) -> npt.NDArray[np.int64]:
        stream, size = job
        rng = np.random.default_rng(stream)
        shuffled = np.empty((size, days.size), dtype=days.dtype)
        for row in shuffled:
            row[:] = days[rng.permutation(days.size)]
        return _count(np.ascontiguousarray(shuffled.T), grouped, limits)

    jobs = list(zip(streams, sizes, strict=True))
    if threads > 1 and len(jobs) > 1:
        with ThreadPoolExecutor(threads) as pool:
            simulated = np.concatenate(list(pool.map(batch, jobs)), axis=2)
    else:
        simulated = np.concatenate([batch(job) for job in jobs], axis=2)

    mean, median = simulated.mean(axis=2), np.median(simulated, axis=2)
    p = ((simulated >= observed[:, :, None]).sum(axis=2) + 1) / (permutations + 1)
    return KnoxTable(
        observed=observed,
        expected_mean=mean,
        expected_median=median,
        ratio_mean=_ratio(observed, mean),
        ratio_median=_ratio(observed, median),
        p=p,
        distance_bands=space,
        time_bands=time,
        metric=metric,
        events=int(days.size),
        permutations=permutations,
        seed=seed,
    )


def _ratio(observed: npt.NDArray[np.int64], expected: FloatArray) -> FloatArray:
    out = np.full(observed.shape, np.nan)
    np.divide(observed, expected, out=out, where=expected > 0)
    return out


def _by_band(pairs: Pairs, bands: Bands, tolerance: float) -> list[tuple[Any, Any]]:
    band = bands.index(pairs.distance, tolerance)
    chosen = [np.flatnonzero(band == b) for b in range(len(bands.edges) - 1)]
    return [(pairs.first[c], pairs.second[c]) for c in chosen]


def _comparable(days: FloatArray, bands: Bands) -> tuple[Any, list[Any]]:
    """Return times in the smallest dtype that holds their differences, and one limit an edge.

    A pair lies below edge k when its difference is <= limit k. Whole days fit 16 bits, four
    times as many to a vector register as floats, which is where the permutations' time goes.
    """
    strict = [bands.closed == "left" or k == 0 for k in range(len(bands.edges))]
    days = days - (days.min() if days.size else 0.0)
    span = days.max() if days.size else 0.0
    if np.all(days == np.rint(days)) and span < 2**31 - 1:
        dtype = np.int16 if span < 2**15 - 1 else np.int32
        limits = []
        for edge, below in zip(bands.edges, strict, strict=True):
            edge = min(edge, span + 1)
            limits.append(int(np.ceil(edge)) - 1 if below else int(np.floor(edge)))
        return days.astype(dtype), limits
    return days, [
        edge - _DAY_TOLERANCE if below else edge + _DAY_TOLERANCE
        for edge, below in zip(bands.edges, strict, strict=True)
    ]


def _count(times: Any, grouped: list[tuple[Any, Any]], limits: list[Any]) -> Any:
    """Count pairs by space band, time band and arrangement; ``times`` is events by arrangements."""
    arrangements = times.shape[1]
    below = np.zeros((len(grouped), len(limits), arrangements), dtype=np.int64)
    gap = np.empty((_ROWS, arrangements), dtype=times.dtype)
    other = np.empty_like(gap)
    under = np.empty((_ROWS, arrangements), dtype=bool)
    for s, (first, second) in enumerate(grouped):
        for start in range(0, first.size, _ROWS):
            rows = min(_ROWS, first.size - start)
            d, o, u = gap[:rows], other[:rows], under[:rows]
            np.take(times, first[start : start + rows], axis=0, out=d, mode="clip")
            np.take(times, second[start : start + rows], axis=0, out=o, mode="clip")
            np.subtract(d, o, out=d)
            np.abs(d, out=d)
            for k, limit in enumerate(limits):
                if limit < 0:
                    continue
                np.less_equal(d, limit, out=u)
                below[s, k] += np.add.reduce(u.view(np.uint8), axis=0, dtype=np.uint8)
    return np.diff(below, axis=1)
