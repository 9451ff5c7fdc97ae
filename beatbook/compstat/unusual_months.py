"""Was a month unusual? One month's count against the same season of the years before it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.compstat.change import false_discovery_q
from beatbook.compstat.counts import UNKNOWN, counted_day
from beatbook.compstat.coverage import coverage, covers
from beatbook.department import Department
from beatbook.errors import InvalidInput
from beatbook.offenses import TOTALS

YEARS = 5
"""Years looked back, as in the method's source: enough for a trend, near enough to be like."""

LEAST_REFERENCES = 6


@dataclass(frozen=True)
class MonthVerdict:
    """One month beside what its season lets expect.

    ``low`` and ``high`` hold 95 % of the months that were no exception. ``p`` is the chance of a
    count at least as high in such a month; ``p_looked`` the chance that the highest of ``looks``
    such counts is.
    """

    month: pd.Period
    count: int
    expected: float
    low: int
    high: int
    dispersion: float
    """Variance over mean in the reference months; 1 is Poisson, and the least that is taken."""
    trend: bool
    p: float
    looks: int
    p_looked: float
    references: pd.Series
    """The reference months and their counts."""


def monthly_counts(incidents: pd.DataFrame, department: Department, offense: str) -> pd.Series:
    """Net offenses by month, over the whole months that the feed covers.

    Parameters
    ----------
    incidents
        All of them, ``occurred_from, reported_at, known_on, offense, count``: what the feed
        covers is read from the records of every offense. Limit them by ``known_on`` for counts
        as of a day.
    department
        By which date it counts.
    offense
        A CompStat row, or one of the totals.

    Returns
    -------
    Series
        By ``Period`` of a month; months without any as 0, months not covered whole are absent.
    """
    spans = coverage(incidents["known_on"], department)
    months = [
        month
        for span in spans
        for month in pd.period_range(span.start, span.end, freq="M")
        if covers([span], month.start_time.date(), month.end_time.date())
    ]
    chosen = incidents[incidents["offense"].isin(TOTALS.get(offense, (offense,)))]
    month = counted_day(chosen, department).dt.to_period("M")
    counts = chosen.groupby(month)["count"].sum()
    index = pd.PeriodIndex(months, freq="M", name="month")
    return counts.reindex(index, fill_value=0).rename("incidents")


def reference_months(month: pd.Period, years: int = YEARS) -> pd.PeriodIndex:
    """The months that a month is compared with: itself and both neighbors, in each year before."""
    return pd.PeriodIndex(
        [month - 12 * back + near for back in range(years, 0, -1) for near in (-1, 0, 1)],
        freq="M",
    )


def judge_month(
    counts: pd.Series, month: pd.Period | str, *, years: int = YEARS, looks: int = 1
) -> MonthVerdict:
    """Tell whether a month's count is beyond what its season and trend let expect.

    Parameters
    ----------
    counts
        Net offenses by month (:func:`monthly_counts`).
    month
        The month, ``"2019-07"``.
    years
        How many years back.
    looks
        How many months, offenses or places were looked at before this one was picked. Whoever
        picks the highest of 60 months finds one like it in every 60.

    Returns
    -------
    MonthVerdict

    Raises
    ------
    InvalidInput
        If the month has no count, or fewer than six reference months have one.

    Notes
    -----
    A log-linear trend over the reference months (the month and its neighbors in each of the years
    before), with the days of each month as exposure and a quasi-Poisson dispersion of at least 1.
    The chance of a count is that of a negative binomial with the variance of the prediction: the
    dispersion and the error of the trend. As in the source, the trend is left out with fewer than
    three years, and where it would lead beyond all reference months. Not taken over: the
    down-weighting of past outbreaks, so that a spike in a reference year makes the test milder.

    Source: Farrington, Andrews, Beale and Catchpole (1996), A statistical algorithm for the early
    detection of outbreaks of infectious disease, Journal of the Royal Statistical Society A 159;
    negative binomial limit as in Noufaily et al. (2013), Statistics in Medicine 32.
    """
    from scipy.stats import nbinom, poisson

    period = pd.Period(month, freq="M")
    if period not in counts.index:
        raise InvalidInput(
            f"{period} has no count; there are months from {counts.index.min()} to "
            f"{counts.index.max()}."
        )
    if looks < 1:
        raise InvalidInput(f"looks is {looks}; at least this month was looked at.")
    wanted = reference_months(period, years)
    references = counts[counts.index.isin(wanted)]
    if len(references) < LEAST_REFERENCES:
        raise InvalidInput(
            f"{period} has {len(references)} reference months in the {years} years before it, "
            f"and needs {LEAST_REFERENCES}. Choose a later month."
        )
    y = np.maximum(references.to_numpy(dtype=np.float64), 0)
    months = pd.PeriodIndex(references.index, freq="M")
    days = months.days_in_month.to_numpy(dtype=np.float64)
    when = np.array([(r - period).n / 12 for r in months], dtype=np.float64)
    with_trend = bool(when.min() <= -2.5 and y.sum() > 0)
    fit = _fit(y, days, when, with_trend)
    rate = np.exp(fit.log_rate)
    if with_trend and rate * period.days_in_month > (y / days).max() * period.days_in_month:
        with_trend = False
        fit = _fit(y, days, when, False)
        rate = np.exp(fit.log_rate)
    expected = float(rate * period.days_in_month)
    variance = fit.dispersion * expected + (expected * fit.error) ** 2
    count = int(counts.to_numpy()[counts.index.get_loc(period)])
    if variance > expected * (1 + 1e-9):
        size = expected**2 / (variance - expected)
        law: Any = nbinom(size, size / (size + expected))
    else:
        law = poisson(expected)
    p = float(law.sf(count - 1))
    return MonthVerdict(
        month=period,
        count=count,
        expected=expected,
        low=int(law.ppf(0.025)),
        high=int(law.ppf(0.975)),
        dispersion=fit.dispersion,
        trend=with_trend,
        p=p,
        looks=looks,
        p_looked=float(-np.expm1(looks * np.log1p(-min(p, 1 - 1e-16)))),
        references=references,
    )


def judge_months(counts: pd.Series, last: int = 60, years: int = YEARS) -> pd.DataFrame:
    """Judge each of the last months as if it were the newest: how often does the test fire?

    Returns
    -------
    DataFrame
        ``month, count, expected, low, high, p``; months without enough reference are left out.
        Where nothing is wrong, about one month in twenty has p below 0.05.
    """
    rows = []
    for month in counts.index[-last:]:
        try:
            verdict = judge_month(counts, month, years=years)
        except InvalidInput:
            continue
        rows.append({name: getattr(verdict, name) for name in MONTH_COLUMNS})
    return pd.DataFrame(rows, columns=list(MONTH_COLUMNS))


MONTH_COLUMNS = ("month", "count", "expected", "low", "high", "p")


def where_it_rose(
    incidents: pd.DataFrame,
    department: Department,
    kind: str,
    month: pd.Period | str,
    years: int = 2,
) -> pd.DataFrame:
    """Break a month's rise down by area, each with its test against the years before.

    Parameters
    ----------
    incidents
        Of the offense asked for: ``occurred_from, reported_at, count`` and the column ``kind``.
    department
        By which date it counts.
    kind
        ``precinct``, ``beat`` or ``neighborhood``. Across a redistricting take neighborhoods.
    month
        The month.
    years
        How many years back. Two, not five, because a small area's level drifts.

    Returns
    -------
    DataFrame
        One row an area, the largest rise first: the area, ``incidents`` of the month,
        ``expected`` (mean of the reference months, by days), ``rise``, ``p`` (of so many or more,
        one-sided), ``q`` (Benjamini-Hochberg over the areas). Records without an area are a row,
        Unknown. Net counts below 0 are tested as 0.

    Notes
    -----
    The test is the exact conditional one of two Poisson counts: of the offenses of both spans, the
    month's are binomial with its share of the days. (The E-test of the book is made for spans of
    about equal length; at one month against six it hardly ever finds a rise.) It takes counts for
    Poisson, so a burst of linked offenses reads surer than it is.

    Source: Przyborowski and Wilenski (1940), Homogeneity of results in testing samples from
    Poisson series, Biometrika 31.
    """
    from scipy.stats import binom

    period = pd.Period(month, freq="M")
    wanted = reference_months(period, years)
    when = counted_day(incidents, department).dt.to_period("M")
    area = incidents[kind].fillna(UNKNOWN)
    now = incidents[when == period].groupby(area)["count"].sum()
    before = incidents[when.isin(wanted)].groupby(area)["count"].sum()
    table = pd.DataFrame({"incidents": now, "before": before}).fillna(0).astype("int64")
    days, days_before = period.days_in_month, int(sum(wanted.days_in_month))
    table["expected"] = table["before"] * days / days_before
    table["rise"] = table["incidents"] - table["expected"]
    now_tested, before_tested = table["incidents"].clip(lower=0), table["before"].clip(lower=0)
    share = days / (days + days_before)
    table["p"] = binom.sf(now_tested - 1, now_tested + before_tested, share)
    table["q"] = false_discovery_q(table["p"].to_numpy())
    table = table.drop(columns="before").sort_values("rise", ascending=False, kind="stable")
    return table.rename_axis(kind).reset_index()


@dataclass(frozen=True)
class _Fit:
    log_rate: float
    error: float
    dispersion: float


def _fit(
    y: npt.NDArray[np.float64],
    days: npt.NDArray[np.float64],
    when: npt.NDArray[np.float64],
    with_trend: bool,
) -> _Fit:
    """Quasi-Poisson of counts on time, by iterated weighted least squares; the rate at time 0."""
    design = np.column_stack([np.ones_like(when), when]) if with_trend else np.ones((len(when), 1))
    # Half an offense, where there was none: a rate of 0 would make any single one a wonder.
    start = np.log(max(y.sum(), 0.5) / days.sum())
    beta = np.zeros(design.shape[1])
    beta[0] = start
    mean = np.exp(design @ beta) * days
    if y.sum() > 0:
        for _ in range(50):
            working = design @ beta + (y - mean) / mean
            weighted = design * mean[:, None]
            new = np.linalg.solve(design.T @ weighted, weighted.T @ working)
            mean = np.exp(design @ new) * days
            if np.abs(new - beta).max() < 1e-10:
                beta = new
                break
            beta = new
    freedom = len(y) - design.shape[1]
    dispersion = max(1.0, float(((y - mean) ** 2 / mean).sum() / freedom))
    covariance = dispersion * np.linalg.inv(design.T @ (design * mean[:, None]))
    return _Fit(float(beta[0]), float(np.sqrt(covariance[0, 0])), dispersion)
