"""Repeat places: how few blocks hold how many incidents, and how few would by chance."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput

FloatArray = npt.NDArray[np.float64]


def repeat_places(places: Any, weights: Any = None, *, small_cell_limit: int = 0) -> pd.DataFrame:
    """Rank places by incidents.

    Parameters
    ----------
    places : one an incident: hundred block, intersection or address key. Missing ones are left
        out and counted in ``attrs["without_place"]``.
    weights : one an incident (+1, -1 for a cancelled one); 1 if not given. Places whose sum is 0
        or less are not listed.
    small_cell_limit : for a public file the department's limit: places with fewer incidents are
        put together in one row, ``place`` <NA>, so that totals still add up. If that row would
        itself hold too few to be safe (below the limit, or one place alone), the next smallest
        places join it. 0 (default) lists every place: for the analyst, not for publication.

    Returns
    -------
    ``place``, ``places`` (1, or the number put together), ``incidents``, ``share``,
    ``cumulative_share``, ``cumulative_places``; largest first, ties by name. An empty input gives
    an empty frame.
    """
    names = pd.Series(places).reset_index(drop=True)
    weight = pd.Series(1 if weights is None else weights, index=names.index, dtype="float64")
    if len(weight) != len(names) or not np.all(np.isfinite(weight)):
        raise InvalidInput("weights must be one finite number an incident.")
    if small_cell_limit < 0:
        raise InvalidInput(f"small_cell_limit must not be negative; got {small_cell_limit}.")
    known = names.notna()
    sums = weight[known].groupby(names[known].astype("string")).sum()
    sums = sums[sums > 0].sort_index()
    sums = sums.sort_values(ascending=False, kind="stable")
    place = pd.array(sums.index.to_numpy(dtype=object), dtype="string")
    count = sums.to_numpy(dtype=np.float64)
    merged = np.ones(count.size, dtype=np.int64)
    low = count < small_cell_limit
    if low.any():
        keep = int((~low).sum())
        # Alone, or too small together, the remainder could be worked out; hide one more.
        while keep > 0 and (count.size - keep < 2 or count[keep:].sum() < small_cell_limit):
            keep -= 1
        merged = np.append(merged[:keep], count.size - keep)
        rest = float(count[keep:].sum())
        place = pd.array([*place[:keep], pd.NA], dtype="string")
        count = np.append(count[:keep], rest)
        if rest < small_cell_limit:
            place, count, merged = place[:keep], count[:keep], merged[:keep]
    total = count.sum() if count.size else 1.0
    out = pd.DataFrame(
        {
            "place": place,
            "places": merged,
            "incidents": count,
            "share": count / total,
            "cumulative_share": np.cumsum(count) / total,
            "cumulative_places": np.cumsum(merged),
        }
    )
    out.attrs.update(without_place=int((~known).sum()), small_cell_limit=small_cell_limit)
    return out


def concentration_curve(
    counts: Any,
    number_of_places: int,
    *,
    shares: Any = (0.25, 0.5, 0.8),
    simulations: int = 199,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Say which share of places holds 25, 50 and 80 % of incidents, and what chance would give.

    Parameters
    ----------
    counts : incidents of each place that had any (zeros may be among them), whole numbers.
    number_of_places : all places where an incident could have been recorded, those without any
        included; without them the answer is about repeat places among victims only.
    shares : shares of incidents asked for.
    simulations, seed : incidents thrown on places at random, each as likely as another.
    confidence : of the chance interval.

    Returns
    -------
    One row a share: ``incident_share``, ``places`` (fewest that hold it), ``place_share``,
    ``expected_places``, ``expected_place_share``, ``low``, ``high`` (of the expected share), and
    ``more_concentrated`` (observed share of places below ``low``). No incidents give no rows.

    Notes
    -----
    With fewer incidents than places some concentration is sure: 100 incidents cannot cover 1,000
    places, and "all crime at 10 % of places" then means nothing. Hence the chance column.

    Source: Weisburd (2015), The law of crime concentration, Criminology 53; chance expectation as
    argued by Levin, Rosenfeld and Deckard (2017) and Bernasco and Steenbeek (2017), Journal of
    Quantitative Criminology 33.
    """
    c = _whole(counts)
    wanted = np.asarray(shares, dtype=np.float64)
    if np.any((wanted <= 0) | (wanted > 1)):
        raise InvalidInput("shares lie above 0, up to 1.")
    if number_of_places < (c > 0).sum() or number_of_places < 1:
        raise InvalidInput(
            f"{int((c > 0).sum())} places had incidents, more than number_of_places "
            f"({number_of_places}). Count every place, with and without incidents."
        )
    total = int(c.sum())
    if total == 0:
        wanted = wanted[:0]
    observed = _fewest(c, wanted)
    rng = np.random.default_rng(seed)
    drawn = np.empty((simulations, wanted.size))
    for row in drawn:
        throw = np.bincount(rng.integers(0, number_of_places, total))
        row[:] = _fewest(throw, wanted)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0) if wanted.size else (np.empty(0),) * 2
    expected = drawn.mean(axis=0)
    return pd.DataFrame(
        {
            "incident_share": wanted,
            "places": observed,
            "place_share": observed / number_of_places,
            "expected_places": expected,
            "expected_place_share": expected / number_of_places,
            "low": low / number_of_places,
            "high": high / number_of_places,
            "more_concentrated": observed < low,
        }
    )


def generalized_gini(counts: Any, number_of_places: int) -> float:
    """Gini of incidents over places, against the most even spread so few incidents allow.

    0: as even as possible (no place has two before all have one); near 1: all at one place. With at
    least as many incidents as places it is the plain Gini.

    Source: Bernasco and Steenbeek (2017), More places than crimes, Journal of Quantitative
    Criminology 33.
    """
    c = np.sort(_whole(counts))
    total, n = int(c.sum()), int(number_of_places)
    if total == 0 or n < max(int((c > 0).sum()), 1):
        raise InvalidInput("There must be incidents, and at least as many places as had any.")
    full = np.concatenate([np.zeros(max(n - c.size, 0)), c[max(c.size - n, 0) :]])
    gini = float(2 * np.sum(np.arange(1, n + 1) * full) / (n * total) - (n + 1) / n)
    share = n / total
    return max(share, 1.0) * (gini - 1.0) + 1.0


def _fewest(counts: npt.NDArray[Any], shares: FloatArray) -> FloatArray:
    running = np.cumsum(np.sort(counts)[::-1])
    need = shares * (running[-1] if running.size else 0)
    return (np.searchsorted(running, need - 1e-9, side="left") + 1).astype(np.float64)


def _whole(counts: Any) -> npt.NDArray[np.int64]:
    c = np.asarray(counts, dtype=np.float64)
    if c.ndim != 1 or not np.all(np.isfinite(c)) or np.any(c < 0) or np.any(c != np.rint(c)):
        raise InvalidInput("counts must be whole numbers of incidents, 0 or more, one a place.")
    return c.astype(np.int64)
