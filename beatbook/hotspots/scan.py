"""Prospective space-time scan: where incidents run above their usual level right now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.hotspots.coordinates import FloatArray, as_points, positive
from beatbook.hotspots.times import whole_days

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Cylinders:
    """All zones by window: which zones each location feeds, and how many incidents they expect."""

    start: IntArray  # first entry of each location in ``zone``
    zone: IntArray  # center * number of radii + ring
    expected: FloatArray  # center x radius x window
    needed: IntArray  # fewest incidents that make a cylinder a candidate
    total: int


def poisson_llr(actual: Any, expected: Any, total: float) -> FloatArray:
    """Return Kulldorff's log likelihood ratio of excess incidents.

    ``actual`` of ``total`` incidents fall in the cylinder, ``expected`` would by chance; 0 where
    actual is not above expected.
    """
    c, mu = np.asarray(actual, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    out = np.zeros(np.broadcast(c, mu).shape)
    c, mu = np.broadcast_to(c, out.shape), np.broadcast_to(mu, out.shape)
    more = (c > mu) & (mu > 0)
    a, m = c[more], mu[more]
    rest = total - a
    inner = a * np.log(a / m)
    outer = np.zeros(a.size)
    some = rest > 0
    outer[some] = rest[some] * np.log(rest[some] / (total - m[some]))
    out[more] = inner + outer
    return out


def expected_in_cylinder(in_zone: Any, in_window: Any, total: float) -> FloatArray:
    """Return the incidents expected where place and time do not interact: zone x window / all."""
    return np.asarray(np.asarray(in_zone, float) * np.asarray(in_window, float) / total)


def prospective_scan(
    x: Any,
    y: Any,
    times: Any,
    as_of: Any,
    *,
    radii: Sequence[float] = (250.0, 500.0, 750.0, 1000.0, 1500.0),
    windows: Sequence[int] = (1, 2, 3, 5, 7, 10, 14, 21, 28),
    history_days: int = 365,
    centers: tuple[Any, Any] | None = None,
    permutations: int = 999,
    seed: int = 0,
    least_incidents: int = 3,
    largest_share: float = 0.5,
    most_clusters: int = 10,
    run_every_days: float = 7.0,
) -> pd.DataFrame:
    """Search cylinders (a circle by the last days up to ``as_of``) for an excess of incidents.

    Parameters
    ----------
    x, y, times : incidents, projected coordinates (meters) and dates or numbers of days.
    as_of : last day looked at; later incidents, and those ``history_days`` or more before it, are
        left out.
    radii : of the circles, in the coordinates' unit; the defaults are what a patrol can cover.
    windows : lengths in days; every window ends on ``as_of`` ("alive").
    centers : ``(x, y)`` of circle centers, e.g. the grid's cells; each distinct place of an
        incident if not given.
    permutations, seed : dates are shuffled over incidents, which keeps the places' and the
        calendar's own pattern.
    least_incidents : fewest incidents a cluster may have (3: two are too easily chance, and name
        too much).
    largest_share : a circle with more than this share of all incidents is not looked at.
    most_clusters : after the first, further ones whose circles do not meet an earlier one.
    run_every_days : how often the analysis is run, for ``recurrence_days``.

    Returns
    -------
    One row a cluster, most likely first: ``x``, ``y``, ``radius``, ``first_day``, ``days``,
    ``observed``, ``expected``, ``ratio``, ``llr``, ``p`` and ``recurrence_days`` (such a cluster by
    chance comes about once in so many days of running it). No rows when nothing exceeds its
    expectation, or there are fewer than ``least_incidents``. ``p`` of the further clusters is
    against the largest of each shuffle, so it is on the safe side. ``attrs``: ``incidents``,
    ``cylinders``, ``permutations``.

    Notes
    -----
    Expected comes from the incidents alone (space-time permutation): it needs no population, and
    a citywide rise is no cluster. Circles do not follow rivers or roads.

    Source: Kulldorff (2001), Prospective time periodic geographical disease surveillance using a
    scan statistic, JRSS A 164; Kulldorff et al. (2005), A space-time permutation scan statistic,
    PLoS Medicine 2.
    """
    rings, lengths = _checked(radii, windows, history_days)
    if permutations < 1:
        raise InvalidInput(f"permutations must be at least 1; got {permutations}.")
    positive(run_every_days, "run_every_days")
    days = np.floor(whole_days(times))
    today = float(np.floor(whole_days([as_of])[0]))
    xs, ys = as_points(x, y, largest_distance=float(rings[-1]))
    if days.shape != xs.shape:
        raise InvalidInput(f"{xs.size} points but {days.size} times; each incident needs both.")
    age = (today - days).astype(np.int64)
    use = np.flatnonzero((age >= 0) & (age < history_days))
    # One order whatever the order of rows, so that a seed shuffles the same incidents.
    use = use[np.lexsort((age[use], ys[use], xs[use]))]
    xs, ys, age = xs[use], ys[use], age[use]
    if xs.size < max(least_incidents, 2):
        return _no_clusters(xs.size, permutations)
    places, location = np.unique(np.column_stack([xs, ys]), axis=0, return_inverse=True)
    location = location.ravel()
    if centers is None:
        cx, cy = places[:, 0].copy(), places[:, 1].copy()
    else:
        cx, cy = as_points(*centers, largest_distance=float(rings[-1]))
    cylinders = _cylinders(
        places, location, age, cx, cy, rings, lengths, largest_share, least_incidents
    )
    shape = cylinders.expected.shape

    observed = _counts(cylinders, location, age, lengths)
    llr = np.zeros(shape)
    candidates, scores = _scores(observed, cylinders)
    llr.ravel()[candidates] = scores
    clusters = _separate(llr, cx, cy, rings, most_clusters)
    rng = np.random.default_rng(seed)
    highest = np.empty(permutations)
    for k in range(permutations):
        counts = _counts(cylinders, location, age[rng.permutation(age.size)], lengths)
        highest[k] = _scores(counts, cylinders)[1].max(initial=0.0)
    rows = []
    for flat in clusters:
        c, r, w = np.unravel_index(flat, shape)
        score = float(llr[c, r, w])
        p = (int((highest >= score - 1e-12).sum()) + 1) / (permutations + 1)
        rows.append(
            {
                "x": cx[c], "y": cy[c], "radius": float(rings[r]),
                "first_day": today - lengths[w] + 1, "days": int(lengths[w]),
                "observed": int(observed[c, r, w]),
                "expected": float(cylinders.expected[c, r, w]),
                "ratio": float(observed[c, r, w] / cylinders.expected[c, r, w]),
                "llr": score, "p": p, "recurrence_days": run_every_days / p,
            }
        )  # fmt: skip
    if not rows:
        return _no_clusters(xs.size, permutations, int(np.prod(shape)))
    out = pd.DataFrame(rows)
    if not pd.api.types.is_numeric_dtype(pd.Series(times)):
        stamps = out["first_day"].to_numpy(dtype=np.int64).astype("datetime64[D]")
        out["first_day"] = stamps.astype("datetime64[s]")
    out.attrs.update(
        incidents=int(xs.size), cylinders=int(np.prod(shape)), permutations=permutations
    )
    return out


def _checked(
    radii: Sequence[float], windows: Sequence[int], history_days: int
) -> tuple[FloatArray, IntArray]:
    rings = np.unique(np.asarray(radii, dtype=np.float64))
    lengths = np.unique(np.asarray(windows, dtype=np.int64))
    if rings.size == 0 or not np.all(np.isfinite(rings)) or rings[0] <= 0:
        raise InvalidInput("radii must be distances above 0.")
    if lengths.size == 0 or lengths[0] < 1 or lengths[-1] >= history_days:
        raise InvalidInput(
            "windows must be 1 day or more, and shorter than history_days: what is now is compared "
            "with what was before."
        )
    return rings, lengths


def _cylinders(
    places: FloatArray, location: IntArray, age: IntArray, cx: FloatArray, cy: FloatArray,
    rings: FloatArray, lengths: IntArray, largest_share: float,
    least_incidents: int,
) -> _Cylinders:  # fmt: skip
    from scipy.spatial import cKDTree

    shift = places.min(axis=0)
    reach = rings * (1 + 1e-12) + 1e-9
    tree = cKDTree(np.column_stack([cx, cy]) - shift)
    found = tree.query_ball_point(places - shift, reach[-1])
    count = np.array([len(f) for f in found], dtype=np.int64)
    if count.sum() > 30_000_000:
        raise InvalidInput(
            "Too many circles for this many places. Pass centers=(grid.x, grid.y), shorter radii "
            "or a shorter history."
        )
    center = np.concatenate([np.asarray(f, dtype=np.int64) for f in found])
    row = np.repeat(np.arange(len(places)), count)
    gap = np.hypot(cx[center] - places[row, 0], cy[center] - places[row, 1])
    ring = np.searchsorted(reach, gap, side="left")
    kept = ring < rings.size
    zone = (center * rings.size + ring)[kept]
    start = np.concatenate([[0], np.cumsum(np.bincount(row[kept], minlength=len(places)))])
    each = np.bincount(location, minlength=len(places))
    in_ring = np.bincount(zone, weights=each[row[kept]], minlength=cx.size * rings.size)
    in_zone = np.cumsum(in_ring.reshape(cx.size, rings.size), axis=1)
    in_window = np.array([(age < w).sum() for w in lengths])
    expected = expected_in_cylinder(in_zone[:, :, None], in_window, age.size)
    allowed = (in_zone <= largest_share * age.size)[:, :, None] & (expected > 0)
    needed = np.maximum(np.floor(expected).astype(np.int64) + 1, least_incidents)
    needed[~allowed] = age.size + 1
    return _Cylinders(start, zone, expected, needed, int(age.size))


def _counts(cylinders: _Cylinders, location: IntArray, age: IntArray, lengths: IntArray) -> Any:
    recent = np.flatnonzero(age < lengths[-1])
    window = np.searchsorted(lengths, age[recent], side="right")
    place = location[recent]
    first = cylinders.start[place]
    count = cylinders.start[place + 1] - first
    entry = np.arange(count.sum()) + np.repeat(first - (np.cumsum(count) - count), count)
    cell = cylinders.zone[entry] * lengths.size + np.repeat(window, count)
    shape = cylinders.expected.shape
    out = np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape)
    np.cumsum(out, axis=1, out=out)
    return np.cumsum(out, axis=2, out=out)


def _scores(counts: Any, cylinders: _Cylinders) -> tuple[IntArray, FloatArray]:
    """Flat indices of the cylinders with more than expected, and their scores."""
    some = np.flatnonzero(counts >= cylinders.needed)
    c, mu = counts.ravel()[some], cylinders.expected.ravel()[some]
    return some, poisson_llr(c, mu, cylinders.total)


def _separate(
    llr: FloatArray, cx: FloatArray, cy: FloatArray, rings: FloatArray, most: int
) -> list[int]:
    """Flat indices of the best cylinders whose circles do not meet a better one."""
    best = llr.max(axis=2)
    center, ring = np.nonzero(best > 0)
    score = best[center, ring]
    # Equal scores: the smaller circle, then the shorter window (argmax), then by place.
    order = np.lexsort((cy[center], cx[center], ring, -np.round(score, 10)))
    center, ring = center[order], ring[order]
    chosen: list[int] = []
    while center.size and len(chosen) < most:
        c, r = int(center[0]), int(ring[0])
        window = int(np.argmax(llr[c, r]))
        chosen.append(int(np.ravel_multi_index((c, r, window), llr.shape)))
        apart = np.hypot(cx[center] - cx[c], cy[center] - cy[c]) > rings[ring] + rings[r]
        center, ring = center[apart], ring[apart]
    return chosen


def _no_clusters(incidents: int, permutations: int, cylinders: int = 0) -> pd.DataFrame:
    names = (
        "x", "y", "radius", "first_day", "days", "observed", "expected", "ratio", "llr", "p",
        "recurrence_days",
    )  # fmt: skip
    out = pd.DataFrame({name: pd.Series(dtype="float64") for name in names})
    out.attrs.update(incidents=incidents, cylinders=cylinders, permutations=permutations)
    return out
