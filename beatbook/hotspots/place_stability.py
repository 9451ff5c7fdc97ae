"""Do the same places come back? Repeat places of one year beside those of the next."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TopOverlap:
    """How many of one year's top places are top places of the next.

    ``by_chance`` is what drawing next year's top places blindly gives; ``unchanged``, ``low`` and
    ``high`` what comes of it when no place's risk changes and the counts are only noise: the most
    that stability can show.
    """

    top: int
    kept: float
    by_chance: float
    unchanged: float
    low: float
    high: float


def yearly_counts(places: Any, years: Any, weights: Any = None) -> pd.DataFrame:
    """Net incidents of each place by year.

    Parameters
    ----------
    places
        One an incident: hundred block, intersection or cell. Missing ones are left out.
    years
        One an incident.
    weights
        +1, or -1 for a canceled one; 1 if not given.

    Returns
    -------
    DataFrame
        One row a place that ever had an incident, one column a year; a net count below 0 is 0.
    """
    frame = pd.DataFrame({"place": np.asarray(places, dtype=object), "year": np.asarray(years)})
    frame["count"] = 1 if weights is None else np.asarray(weights)
    table = frame.dropna(subset="place").pivot_table(
        index="place", columns="year", values="count", aggfunc="sum", fill_value=0
    )
    return table.clip(lower=0).astype("int64")


def top_overlap(
    first: Any,
    second: Any,
    number_of_places: int,
    *,
    top: int = 100,
    simulations: int = 499,
    confidence: float = 0.95,
    seed: int = 0,
) -> TopOverlap:
    """Count how many of one year's top places stay at the top the next year.

    Parameters
    ----------
    first, second
        Incidents of the same places in the two years, in one order; whole numbers.
    number_of_places
        All places where an incident could have been recorded.
    top
        How many places are the top. Where the last of them ties with others, each of those
        counts with the share of them that fits.
    simulations, seed
        Of a world in which nothing changed: each place's incidents of both years are dealt out
        anew between the years.
    confidence
        Of that world's interval.

    Returns
    -------
    TopOverlap
        In places; fractions come from ties.

    Raises
    ------
    InvalidInput
        If the counts do not pair, or are not whole numbers of 0 or more, or ``top`` exceeds the
        places.

    Notes
    -----
    Below ``low``, places changed more than noise explains; within it, the data cannot tell the
    years apart, however few are kept. That so few repeat is mostly small counts: of places with
    two incidents a year, chance alone returns few.

    Source: the stability of places as in Weisburd, Bushway, Lum and Yang (2004), Trajectories of
    crime at places, Criminology 42; the comparison with re-dealt incidents is the conditional test
    of two Poisson counts, place by place.
    """
    a, b = _whole(first), _whole(second)
    if a.shape != b.shape or number_of_places < a.size:
        raise InvalidInput(
            f"{a.size} and {b.size} places of {number_of_places}: both years need the same places, "
            "no more than there are."
        )
    if not 1 <= top <= number_of_places:
        raise InvalidInput(f"top is {top}; there are {number_of_places} places.")
    rng = np.random.default_rng(seed)
    both = a + b
    share = a.sum() / max(both.sum(), 1)
    drawn = np.empty(simulations)
    for k in range(simulations):
        dealt = rng.binomial(both, share)
        drawn[k] = _kept(dealt, both - dealt, top, number_of_places)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return TopOverlap(
        top=top,
        kept=_kept(a, b, top, number_of_places),
        by_chance=top * top / number_of_places,
        unchanged=float(drawn.mean()),
        low=float(low),
        high=float(high),
    )


def next_year_by_count(
    first: Any, second: Any, *, edges: tuple[int, ...] = (0, 1, 2, 3, 5, 10, 20)
) -> pd.DataFrame:
    """Tell what became, the year after, of places with so many incidents.

    Parameters
    ----------
    first, second
        Incidents of the same places in the two years, in one order.
    edges
        Lowest count of each group; the last is open.

    Returns
    -------
    DataFrame
        One row a group: ``incidents`` ("3 to 4"), ``places``, ``mean`` of the first year and
        ``mean_next``, ``none_next`` (share of the places without any the year after). Groups
        without a place are left out.

    Notes
    -----
    Chosen because it was high, a place falls on average the next year, whatever is done there
    (regression to the mean). A measure at top places is not judged by their own fall.
    """
    a, b = _whole(first), _whole(second)
    if a.shape != b.shape:
        raise InvalidInput("Both years need the same places, in one order.")
    rows = []
    for low, after in zip(edges, [*edges[1:], None], strict=True):
        here = (a >= low) & ((a < after) if after is not None else True)
        if not here.any():
            continue
        label = f"{low} or more" if after is None else str(low)
        if after is not None and after - 1 > low:
            label = f"{low} to {after - 1}"
        rows.append(
            {
                "incidents": label,
                "places": int(here.sum()),
                "mean": float(a[here].mean()),
                "mean_next": float(b[here].mean()),
                "none_next": float((b[here] == 0).mean()),
            }
        )
    return pd.DataFrame(rows, columns=["incidents", "places", "mean", "mean_next", "none_next"])


def _kept(a: npt.NDArray[np.int64], b: npt.NDArray[np.int64], top: int, places: int) -> float:
    one, one_empty = _at_top(a, top, places)
    two, two_empty = _at_top(b, top, places)
    return float(one @ two + (places - a.size) * one_empty * two_empty)


def _at_top(c: npt.NDArray[np.int64], top: int, places: int) -> tuple[FloatArray, float]:
    """The share with which each place is at the top, and that of a place without any incident."""
    # Places that never had any are not in the counts, and may be needed to fill the top.
    full = np.concatenate([c, np.zeros(max(top - c.size, 0), dtype=c.dtype)])
    cut = np.partition(full, full.size - top)[full.size - top]
    above, tied = int((c > cut).sum()), int((c == cut).sum())
    if cut == 0:
        tied += places - c.size
    share = (top - above) / tied
    return np.where(c > cut, 1.0, np.where(c == cut, share, 0.0)), share if cut == 0 else 0.0


def _whole(counts: Any) -> npt.NDArray[np.int64]:
    c = np.asarray(counts, dtype=np.float64)
    if c.ndim != 1 or not np.all(np.isfinite(c)) or np.any(c < 0) or np.any(c != np.rint(c)):
        raise InvalidInput("counts must be whole numbers of incidents, 0 or more, one a place.")
    return c.astype(np.int64)
