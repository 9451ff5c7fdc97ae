"""How many records came, by offense and precinct, against what used to come.

Two questions. Did the latest period bring as many records as it should (a feed that stopped,
doubled, or lost an offense)? And do its last four weeks hold as many crimes as the last four weeks
of earlier periods held when they were as young (a feed that was cut before its end)? The second
compares like with like: what was known by the end of a period, never what has been coded since.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betainc, pdtr, pdtrc

from beatbook.book.formatting import counted
from beatbook.compstat.change import false_discovery_q
from beatbook.quality.staged import Staged

ALL_OFFENSES = "All offenses"
CITY = "City"
WINDOW = 12
AT_LEAST = 8
HISTORY = 60
"""Periods of history that are looked at: five years of months."""
WEEKS = 4
SLACK = 10.0
"""Records by which a count may leave half or twice the usual before history takes it for odd."""

Floats = npt.NDArray[np.float64]


def volume_limits(
    counts: npt.ArrayLike,
    exposure: npt.ArrayLike,
    groups: Sequence[object] | None = None,
) -> pd.DataFrame:
    """Hold the last column of many series of counts against the columns before it.

    Parameters
    ----------
    counts
        Series by period, the latest last. NaN at the start of a series: not comparable (a precinct
        before a redistricting).
    exposure
        Days of each period; or one row a series, days times season (:func:`season_factors`).
    groups
        Which series share an unrest (one offense); each its own by default.

    Returns
    -------
    DataFrame
        One row a series: ``observed, expected, low, high`` (kept by 999 of 1,000 ordinary
        periods), ``p`` (two-sided; NaN with fewer than eight comparable periods before).

    Notes
    -----
    Expected is the rate of the twelve periods before, times days and season. A negative binomial
    around it carries three uncertainties: Poisson noise; that of the rate itself (of twelve
    periods); and the group's unrest, worked out by moments from how earlier periods differed from
    the twelve before each (errors beyond four standard deviations counted as four). Earlier
    oddities do not hide the next: in the history, a count over twice the median of the twelve
    before it (and ten records), or under half of it, is cut there. After Cameron and Trivedi,
    Regression Analysis of Count Data (NB2).
    """
    y = np.atleast_2d(np.asarray(counts, dtype=float))
    weight = np.broadcast_to(np.asarray(exposure, dtype=float), y.shape)
    group = pd.factorize(np.asarray(groups if groups is not None else range(len(y)), object))[0]
    ran = np.isfinite(y)
    filled, base = np.where(ran, y, 0.0), np.where(ran, weight, 0.0)
    told = (_tamed(filled, base), base, ran.astype(float))
    past_y, past_e, past_n = (_before(values) for values in told)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(past_e > 0, past_y / past_e, np.nan) * weight
        doubt = weight / past_e
    tested = ran & (past_n >= AT_LEAST)
    # A mean of three is enough to learn from, with its doubt allowed for; not enough to judge by.
    unrest = _unrest(y, mean, doubt, ran & (past_n >= 3), group)[:, None]
    now = slice(-1, None)
    mu = np.maximum(mean[:, now], 0.0)
    # Half a record: a series that has been empty for a year is no proof that it stays so.
    floor = 0.5 * doubt[:, now]
    variance = np.maximum(mu, floor) * (1 + doubt[:, now]) + unrest * mu**2
    mu = np.maximum(mu, floor)
    seen = filled[:, now]
    lower, upper = _tails(seen, mu, variance)
    p = np.minimum(1.0, 2 * np.minimum(lower, upper))
    p[~tested[:, now]] = np.nan
    low, high = _interval(mu, variance)
    return pd.DataFrame(
        {"observed": seen[:, 0], "expected": mu[:, 0], "low": low[:, 0], "high": high[:, 0],
         "p": p[:, 0]}
    )  # fmt: skip


def _before(values: Floats) -> Floats:
    """Sum of the twelve columns before each column."""
    total = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    places = np.arange(values.shape[1])
    return total[:, places] - total[:, np.maximum(0, places - WINDOW)]


def _tamed(filled: Floats, base: Floats) -> Floats:
    """The counts as history: what is over twice, or under half, of what was usual is cut there.

    Else one period delivered ten times would make the next twelve look empty.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(base > 0, filled / base, np.nan)
    out = filled.copy()
    for place in range(AT_LEAST, filled.shape[1]):
        before = rate[:, max(0, place - WINDOW) : place]
        known = np.isfinite(before).sum(axis=1) >= AT_LEAST
        if known.any():
            usual = np.nanmedian(before[known], axis=1) * base[known, place]
            out[known, place] = np.clip(filled[known, place], usual / 2 - SLACK, 2 * usual + SLACK)
    return out


def season_factors(counts: npt.ArrayLike, exposure: npt.ArrayLike, season: Sequence[int]) -> Floats:
    """How much more, or less, each series holds in a season than in the year around it.

    Parameters
    ----------
    counts
        Whole series by period, the latest last. The latest, which is to be judged, takes no part.
    exposure
        Days of each period.
    season
        The season of each period: the month of the year.

    Returns
    -------
    array
        A factor for each series and period: the season's records over what the centered years
        around them would give by days, drawn towards 1 by the weight of twenty records. All 1
        with three years or less.
    """
    y = np.atleast_2d(np.asarray(counts, dtype=float))
    days = np.asarray(exposure, dtype=float)
    factor = np.ones_like(y)
    if y.shape[1] <= 3 * WINDOW:
        return factor
    year = np.apply_along_axis(np.convolve, 1, y, np.ones(WINDOW), "same")
    usual = year / np.convolve(days, np.ones(WINDOW), "same") * days
    # Where the year around a period is not whole, it says nothing of the season.
    whole = np.zeros(y.shape[1], dtype=bool)
    whole[WINDOW // 2 : -WINDOW // 2 - 1] = True
    seasons = np.asarray(season)
    for one in np.unique(seasons):
        here = seasons == one
        told = here & whole
        seen, due = y[:, told].sum(axis=1), usual[:, told].sum(axis=1)
        factor[:, here] = ((seen + 20) / (due + 20))[:, None]
    return factor


def _unrest(
    y: Floats, mean: Floats, doubt: Floats, tested: npt.NDArray[np.bool_],
    group: npt.NDArray[np.intp],
) -> Floats:  # fmt: skip
    """The NB2 dispersion of each series' group, from the errors of its earlier periods."""
    past = tested.copy()
    past[:, -1] = False
    past[:, : max(0, y.shape[1] - HISTORY)] = False
    mu = np.where(past, mean, 0.0)
    noise = mu * (1 + np.where(past, doubt, 0.0))
    square = np.where(past, (np.where(past, y, 0.0) - mu) ** 2, 0.0)
    alpha = np.zeros(group.max() + 1)
    for _ in range(4):
        square = np.minimum(square, 16 * (noise + alpha[group][:, None] * mu**2) + 1e-9)
        excess, scale = np.zeros(len(alpha)), np.zeros(len(alpha))
        np.add.at(excess, group, (square - noise).sum(axis=1))
        np.add.at(scale, group, (mu**2).sum(axis=1))
        alpha = np.divide(np.maximum(excess, 0), scale, out=np.zeros_like(scale), where=scale > 0)
        square = np.where(past, (np.where(past, y, 0.0) - mu) ** 2, 0.0)
    return alpha[group]


def _tails(seen: Floats, mu: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """P(count <= seen) and P(count >= seen), negative binomial, or Poisson without unrest."""
    surplus = variance - mu
    broad = surplus > 1e-9 * np.maximum(mu, 1e-9)
    size = np.where(broad, mu**2 / np.where(broad, surplus, 1.0), 1.0)
    chance = size / (size + mu)
    lower = np.where(broad, betainc(size, seen + 1, chance), pdtr(seen, mu))
    above = np.where(
        broad,
        1 - betainc(size, np.maximum(seen, 1), chance),
        pdtrc(np.maximum(seen - 1, 0), mu),
    )
    return lower, np.where(seen <= 0, 1.0, above)


def _interval(mu: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """The counts that leave less than 1 in 2,000 on either side, found by halving."""
    ends = []
    for share in (0.0005, 0.9995):
        low, high = np.full_like(mu, -1.0), mu + 60 * np.sqrt(variance) + 10
        while (high - low > 1).any():
            middle = np.floor((low + high) / 2)
            reached = _tails(middle, mu, variance)[0] >= share
            low, high = np.where(reached, low, middle), np.where(reached, middle, high)
            high = np.floor(np.maximum(high, low + 1))
        ends.append(high)
    return ends[0], ends[1]


def period_volume(staged: Staged) -> pd.DataFrame:
    """Records that the latest period brought, by offense and precinct, against its history.

    Returns
    -------
    DataFrame
        One row a series tested: ``record_key`` (period, precinct and offense), ``field,
        observed, expected`` (as words), ``precinct, offense, records, expected_records, low,
        high, ratio, p, q`` (Benjamini and Hochberg over all rows). Cities and totals are series
        of their own. Only additions count, not cancellations. Precincts start anew at a
        redistricting. Empty without enough history.
    """
    found = staged.ask(
        "SELECT precinct, offense, period, count(*) AS records FROM arrivals "
        "WHERE count = 1 GROUP BY ALL"
    )
    return _evidence(staged, found, "record")


def weekly_volume(staged: Staged) -> pd.DataFrame:
    """Crimes of the last four weeks as known at the latest period's end, against their history.

    Returns
    -------
    DataFrame
        As :func:`period_volume`, one row a series and week, ``week`` 1 being the newest seven
        days. The history of a week is that of weeks of the same age as known at the ends of
        earlier periods, so coding lag does not read as a fall.
    """
    if staged.word == "month":
        found = staged.ask(
            f"SELECT precinct, offense, period, age // 7 + 1 AS week, count(*) AS records "
            f"FROM arrivals WHERE count = 1 AND age BETWEEN 0 AND {7 * WEEKS - 1} GROUP BY ALL"
        )
    else:
        # A crime is in the k-th week before a period's end if it was known by that end.
        found = staged.ask(
            f"SELECT precinct, offense, later.period AS period, "
            f"later.period - crime.period + 1 AS week, count(*) AS records FROM arrivals "
            f"JOIN periods AS crime ON occurred_from >= crime.first_day "
            f"AND occurred_from < crime.last_day + INTERVAL 1 DAY "
            f"JOIN periods AS later ON later.period BETWEEN crime.period "
            f"AND crime.period + {WEEKS - 1} AND arrivals.period <= later.period "
            f"WHERE count = 1 GROUP BY ALL"
        )
    parts = [
        _evidence(staged, found[found["week"] == week].drop(columns="week"), "crime", week)
        for week in sorted(found["week"].unique().tolist())
    ]
    if not parts:
        return _evidence(staged, found.drop(columns="week"), "crime")
    table = pd.concat(parts, ignore_index=True)
    table["q"] = false_discovery_q(table["p"].to_numpy(float))
    return table


def _evidence(staged: Staged, totals: pd.DataFrame, thing: str, week: int = 0) -> pd.DataFrame:
    columns = [
        "record_key", "field", "observed", "expected", "precinct", "offense", "week", "records",
        "expected_records", "low", "high", "ratio", "p", "q",
    ]  # fmt: skip
    if len(staged.periods) < AT_LEAST + 1 or totals.empty:
        return pd.DataFrame(columns=columns)
    series = _with_totals(totals)
    wide = (
        series.pivot_table(
            index=["precinct", "offense"], columns="period", values="records", aggfunc="sum"
        )
        .reindex(columns=range(len(staged.periods)))
        .fillna(0.0)
    )
    periods = staged.periods[-HISTORY - 2 * WINDOW :]
    wide = wide.iloc[:, -len(periods) :]
    values = wide.to_numpy(float).copy()
    places = wide.index.get_level_values("precinct")
    offenses = wide.index.get_level_values("offense")
    starts = [day for day in staged.department.redistricted_on if day <= staged.latest.end]
    if starts:
        earlier = np.array([period.start < starts[-1] for period in periods])
        values[np.ix_(places != CITY, earlier)] = np.nan
    monthly = staged.word == "month"
    days = [(p.end - p.start).days + 1 if monthly and not week else 7 for p in periods]
    exposure = np.broadcast_to(np.array(days, float), values.shape)
    if monthly:
        # The city's season holds for its precincts; theirs are too short after a redistricting.
        city = wide.loc[CITY]
        factors = season_factors(city.to_numpy(float), days, [p.end.month for p in periods])
        exposure = exposure * factors[city.index.get_indexer(offenses)]
    found = volume_limits(
        values,
        exposure,
        # City and precincts of one offense are unrestful in different measure.
        [f"{offense}|{place == CITY}" for place, offense in zip(places, offenses, strict=True)],
    )
    name = staged.latest.name + (f" week {week}" if week else "")
    table = pd.DataFrame(
        {
            "record_key": [f"{name}|{p}|{o}" for p, o in zip(places, offenses, strict=True)],
            "field": "known_on" if not week else "occurred_from",
            "observed": [counted(round(n), thing) for n in found["observed"]],
            "expected": [
                f"about {e:,.0f}, and {low:,.0f} to {high:,.0f} in 999 of 1,000 ordinary "
                f"{staged.word}s"
                for e, low, high in zip(found["expected"], found["low"], found["high"], strict=True)
            ],
            "precinct": places.to_numpy(),
            "offense": offenses.to_numpy(),
            "week": week,
            "records": found["observed"],
            "expected_records": found["expected"],
            "low": found["low"],
            "high": found["high"],
            "ratio": (found["observed"] + 0.5) / (found["expected"] + 0.5),
            "p": found["p"],
        }
    )
    table = table[table["p"].notna()].reset_index(drop=True)
    table["q"] = false_discovery_q(table["p"].to_numpy(float))
    return table


def _with_totals(counted: pd.DataFrame) -> pd.DataFrame:
    """Add the city's series, each precinct's total, and the total of all."""
    return pd.concat(
        [
            counted,
            counted.assign(precinct=CITY),
            counted.assign(offense=ALL_OFFENSES),
            counted.assign(precinct=CITY, offense=ALL_OFFENSES),
        ],
        ignore_index=True,
    )
