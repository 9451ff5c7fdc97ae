"""Before and after a date at a place: did counts move there, and did they move next door?

Three grounds are counted alike: the place itself (``target``), a ring around it where offenses
could have gone or the benefit could have spread (``buffer``), and the rest (``comparison``), which
stands for what would have happened anyway. No method here shows a cause: something else may have
changed at the place at the same time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr, ndtri

from beatbook.errors import InvalidInput

GROUNDS = ("target", "buffer", "comparison")


class Counts(NamedTuple):
    """Net offenses of one ground in two spans of equal length."""

    before: float
    after: float


class Estimate(NamedTuple):
    """A figure with its interval and its two-sided p."""

    value: float
    low: float
    high: float
    p: float


class Quotient(NamedTuple):
    """A weighted displacement quotient, its interval, and how often it could be worked out.

    ``defined`` is the share of the resamples in which the target fell against the comparison: only
    then does the quotient mean anything. The interval is of those.
    """

    value: float
    low: float
    high: float
    defined: float


@dataclass(frozen=True)
class DisplacementDifference:
    """Change beyond that of the comparison: in the target, next door, and both together."""

    local: Estimate
    displaced: Estimate
    total: Estimate
    standard_error: float
    """Of the total."""
    z: float
    """Of the total."""


def grounds(
    x: Any, y: Any, center: tuple[float, float], radius_m: float, buffer_m: float
) -> npt.NDArray[np.str_]:
    """Say of each point whether it lies in the target, in the buffer, or in the comparison.

    Parameters
    ----------
    x, y
        Projected coordinates, meters.
    center
        Of the place, in the same coordinates.
    radius_m
        The target is the circle up to this far, the border included.
    buffer_m
        The buffer is the ring from there to this much farther. Two to three blocks (300 m) are
        usual: displacement beyond is rarely found (Bowers et al. 2011).

    Raises
    ------
    InvalidInput
        If a point is missing, or a distance is not positive.
    """
    if not (radius_m > 0 and buffer_m > 0):
        raise InvalidInput(f"radius_m ({radius_m}) and buffer_m ({buffer_m}) must be above 0.")
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if xs.shape != ys.shape or not (np.isfinite(xs).all() and np.isfinite(ys).all()):
        raise InvalidInput(
            "Every point needs x and y. Leave out the incidents without a usable point "
            "(location_quality exact or block), and say how many those are."
        )
    distance = np.hypot(xs - center[0], ys - center[1])
    return np.where(
        distance <= radius_m,
        "target",
        np.where(distance <= radius_m + buffer_m, "buffer", "comparison"),
    )


def daily_counts(ground: Any, day: Any, count: Any, start: Any, end: Any) -> pd.DataFrame:
    """Net offenses of each ground by day, from ``start`` to ``end``, days without any as 0.

    Parameters
    ----------
    ground
        One of ``GROUNDS`` an incident, as :func:`grounds` gives it.
    day, count
        Its day, and +1 or -1.
    start, end
        First and last day; incidents outside are left out. Choose days that the feed covers: a
        day that it does not speak for would count as quiet.
    """
    days = pd.date_range(start, end, freq="D", unit="us")
    if days.empty:
        raise InvalidInput(f"The span ends ({end}) before it starts ({start}).")
    frame = pd.DataFrame({"ground": np.asarray(ground), "day": pd.Series(day).to_numpy()})
    frame["count"] = np.asarray(count, dtype=np.float64)
    table = frame.pivot_table(index="day", columns="ground", values="count", aggfunc="sum")
    return table.reindex(index=days, columns=list(GROUNDS)).fillna(0.0)


def before_and_after(daily: pd.DataFrame, on: Any, days: int = 364) -> dict[str, Counts]:
    """Count each ground over the same number of days before a date and from it on.

    Parameters
    ----------
    daily
        As :func:`daily_counts` gives it.
    on
        The first day of the new state; it belongs to the time after.
    days
        Length of both spans. 52 weeks by default, so that both hold every season and weekday.

    Raises
    ------
    InvalidInput
        If a span reaches beyond the days given.
    """
    first, last = daily.index[0], daily.index[-1]
    when = pd.Timestamp(on)
    start, end = when - pd.Timedelta(days=days), when + pd.Timedelta(days=days - 1)
    if start < first or end > last:
        raise InvalidInput(
            f"{days} days before and after {when:%Y-%m-%d} reach from {start:%Y-%m-%d} to "
            f"{end:%Y-%m-%d}; there are counts from {first:%Y-%m-%d} to {last:%Y-%m-%d}. Choose "
            "fewer days or another date."
        )
    before = daily.loc[start : when - pd.Timedelta(days=1)].sum()
    after = daily.loc[when:end].sum()
    return {name: Counts(float(before[name]), float(after[name])) for name in GROUNDS}


def relative_change(
    ground: Counts | Sequence[float],
    comparison: Counts | Sequence[float],
    confidence: float = 0.95,
) -> Estimate:
    """Tell how a ground changed, over and above the change of the comparison.

    Parameters
    ----------
    ground, comparison
        Counts before and after, over spans of equal length.
    confidence
        Of the interval.

    Returns
    -------
    Estimate
        ``value`` is (after / before of the ground) / (after / before of the comparison): 0.80 is a
        fall by a fifth beyond what happened elsewhere, 1 no difference. With a count of zero or
        less every value is NaN: there is no ratio.

    Notes
    -----
    The interval takes counts for Poisson. Real counts vary more, so it is too narrow; set the
    figure beside those of dates when nothing happened (:func:`placebo_dates`).

    Source: the relative effect size of Welsh and Farrington (2009), Public area CCTV and crime
    prevention, Justice Quarterly 26, with its Poisson variance.
    """
    four = np.array([*ground, *comparison], dtype=np.float64)
    if not np.all(four > 0):
        return Estimate(np.nan, np.nan, np.nan, np.nan)
    log = np.log(four[1] / four[0]) - np.log(four[3] / four[2])
    error = np.sqrt((1 / four).sum())
    reach = float(ndtri(0.5 + confidence / 2)) * error
    return Estimate(
        float(np.exp(log)),
        float(np.exp(log - reach)),
        float(np.exp(log + reach)),
        float(2 * ndtr(-abs(log) / error)),
    )


def displacement_difference(
    target: Counts | Sequence[float],
    comparison: Counts | Sequence[float],
    buffer: Counts | Sequence[float] = (0, 0),
    buffer_comparison: Counts | Sequence[float] = (0, 0),
    confidence: float = 0.95,
) -> DisplacementDifference:
    """Work out the weighted displacement difference: offenses prevented, net of those displaced.

    Parameters
    ----------
    target, comparison
        Counts before and after. The comparison must be ground of about the same number of
        offenses: the difference is in offenses, not in percent, so the rest of a city is none.
    buffer, buffer_comparison
        The same for where offenses could have moved to; left out, nothing is said of that.
    confidence
        Of the intervals.

    Returns
    -------
    DisplacementDifference
        Below 0: fewer offenses than the comparison's change lets expect. Variances are sums of the
        counts (Poisson).

    Raises
    ------
    InvalidInput
        If a count is negative.

    Notes
    -----
    Source: Wheeler and Ratcliffe (2018), A simple weighted displacement difference test to
    evaluate place based crime interventions, Crime Science 7.
    """
    spans = [np.asarray(pair, dtype=float) for pair in (target, comparison, buffer)]
    spans.append(np.asarray(buffer_comparison, dtype=float))
    if any((span < 0).any() or span.shape != (2,) for span in spans):
        raise InvalidInput("Each ground needs two counts, before and after, of zero or more.")
    change = [float(span[1] - span[0]) for span in spans]
    variance = [float(span.sum()) for span in spans]

    def estimate(value: float, square: float) -> Estimate:
        error = np.sqrt(square)
        reach = float(ndtri(0.5 + confidence / 2)) * error
        p = float(2 * ndtr(-abs(value) / error)) if error > 0 else np.nan
        return Estimate(value, float(value - reach), float(value + reach), p)

    local, displaced = change[0] - change[1], change[2] - change[3]
    error = float(np.sqrt(sum(variance)))
    total = local + displaced
    return DisplacementDifference(
        local=estimate(local, variance[0] + variance[1]),
        displaced=estimate(displaced, variance[2] + variance[3]),
        total=estimate(total, sum(variance)),
        standard_error=error,
        z=total / error if error > 0 else np.nan,
    )


def displacement_quotient(
    target: Counts | Sequence[float],
    buffer: Counts | Sequence[float],
    comparison: Counts | Sequence[float],
    *,
    draws: int = 4999,
    confidence: float = 0.95,
    seed: int = 0,
) -> Quotient:
    """Work out the weighted displacement quotient: what the buffer did with the target's fall.

    Parameters
    ----------
    target, buffer, comparison
        Counts before and after, over spans of equal length.
    draws, seed
        Poisson resamples of the six counts, for the interval.
    confidence
        Of the interval.

    Returns
    -------
    Quotient
        ``value`` above 0: the benefit spread to the buffer (above 1: more than in the target);
        below 0: offenses were displaced (below -1: by more than the target's fall). NaN where
        the target did not fall against the comparison, as then there is nothing to displace, or
        where the comparison has no count.

    Notes
    -----
    A quotient of two small differences: the interval is wide, and it is worthless where
    ``defined`` is well below 1.

    Source: Bowers and Johnson (2003), Measuring the geographical displacement and diffusion of
    benefit effects of crime prevention activity, Journal of Quantitative Criminology 19.
    """
    given = np.array([*target, *buffer, *comparison], dtype=np.float64)
    if (given < 0).any() or given.shape != (6,):
        raise InvalidInput("Each ground needs two counts, before and after, of zero or more.")
    value = float(_quotients(given[:, None])[0])
    drawn = np.random.default_rng(seed).poisson(given[:, None], (6, draws)).astype(np.float64)
    quotients = _quotients(drawn)
    usable = quotients[np.isfinite(quotients)]
    tail = (1 - confidence) / 2
    low, high = np.quantile(usable, [tail, 1 - tail]) if usable.size else (np.nan, np.nan)
    return Quotient(value, float(low), float(high), usable.size / draws)


def _quotients(six: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        target = six[1] / six[5] - six[0] / six[4]
        buffer = six[3] / six[5] - six[2] / six[4]
        return np.where(target < 0, buffer / target, np.nan)


def placebo_dates(daily: pd.DataFrame, on: Any, days: int = 364, step: int = 28) -> pd.DataFrame:
    """Work out the same figures for earlier dates, when nothing happened.

    Parameters
    ----------
    daily
        As :func:`daily_counts` gives it; the longer it reaches back, the better.
    on
        The real date. Placebo dates are so early that their time after ends before it.
    days
        Length of both spans, as for the real date.
    step
        Days from one placebo date to the next.

    Returns
    -------
    DataFrame
        ``date``, ``target`` and ``buffer`` (the ratio of :func:`relative_change`), the latest
        first. Empty where the counts do not reach back far enough.

    Notes
    -----
    Spans overlap, so 40 dates are far fewer independent trials: with two spans of a year, about
    one in every two years.
    """
    rows = []
    when = pd.Timestamp(on) - pd.Timedelta(days=days)
    while when - pd.Timedelta(days=days) >= daily.index[0]:
        counted = before_and_after(daily, when, days)
        rows.append(
            {
                "date": when,
                "target": relative_change(counted["target"], counted["comparison"]).value,
                "buffer": relative_change(counted["buffer"], counted["comparison"]).value,
            }
        )
        when -= pd.Timedelta(days=step)
    return pd.DataFrame(rows, columns=["date", "target", "buffer"])


def placebo_share(real: float, placebos: pd.Series) -> float:
    """Tell how often a date when nothing happened gave a change at least as large, either way.

    The real date counts as one of them, so the share is never 0. NaN where there is no real
    figure or no placebo.
    """
    known = placebos.dropna()
    if known.empty or not np.isfinite(real):
        return float("nan")
    as_large = (np.log(known).abs() >= abs(np.log(real)) - 1e-12).sum()
    return float((as_large + 1) / (len(known) + 1))
