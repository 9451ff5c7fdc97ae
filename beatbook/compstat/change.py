"""How much a count has changed, and whether that is more than the noise of small numbers."""

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import pdtr, pdtrc

from beatbook.errors import InvalidInput

Values = npt.NDArray[Any] | pd.Series | Sequence[float]
Floats = npt.NDArray[np.float64]

# The sums of the E-test leave out less than this much probability.
_LOST = 1e-12

# Squared statistics that differ by less than this share are one value that rounding has split.
# At equal exposures, t near 3 and counts to 60,000, distinct ones differ by several times it.
_TIE = 1e-12


@overload
def percent_change(current: float, prior: float) -> float: ...
@overload
def percent_change(current: Values, prior: Values) -> Floats: ...
def percent_change(current: Values | float, prior: Values | float) -> Floats | float:
    """Change from a prior count to a current one, in percent of the prior.

    Parameters
    ----------
    current, prior : float or array of float
        Counts, paired by position. A missing count gives a missing change.

    Returns
    -------
    float or numpy.ndarray
        ``100 * (current - prior) / prior``. NaN where the prior count is zero, also when both
        are (never 0 or 100 percent: nothing is a percentage of nothing), and where it is
        negative, as a net count can be when cancellations outnumber offenses.

    Raises
    ------
    InvalidInput
        The two differ in shape, or hold something that is not a number.
    """
    now, before = _pair(current, prior)
    change = np.full(now.shape, np.nan)
    base = before > 0
    change[base] = 100 * (now[base] - before[base]) / before[base]
    return change if change.ndim else float(change)


@overload
def poisson_z(current: float, prior: float) -> float: ...
@overload
def poisson_z(current: Values, prior: Values) -> Floats: ...
def poisson_z(current: Values | float, prior: Values | float) -> Floats | float:
    """Difference of two counts on the scale where a Poisson count's standard error is one.

    Parameters
    ----------
    current, prior : float or array of float
        Counts over spans of equal length, zero or more, paired by position. A missing count
        gives a missing z.

    Returns
    -------
    float or numpy.ndarray
        ``2 * (sqrt(current) - sqrt(prior))``. Twice the square root of a Poisson count has a
        variance of about one, so this is a z score against a prior taken as known. When the
        prior is a count too, the difference has a variance of about two, and a value of 3 is
        2.1 of its standard errors: rank rows by it, and test them with :func:`e_test`.

    Raises
    ------
    InvalidInput
        A count is negative, the two differ in shape, or one is not a number.

    References
    ----------
    Wheeler, A. P. (2016). Tables and graphs for monitoring temporal crime trends.
    International Journal of Police Science & Management, 18(3), 159-172.
    """
    now, before = _pair(current, prior)
    for name, counts in (("current", now), ("prior", before)):
        if (counts < 0).any():
            raise InvalidInput(
                f"A {name} count is {np.nanmin(counts):g}; the Poisson z needs counts of zero or "
                "more. Leave out the rows whose cancellations outnumber their offenses."
            )
    z = 2 * (np.sqrt(now) - np.sqrt(before))
    return z if z.ndim else float(z)


def e_test(
    current: float, prior: float, current_days: float = 1.0, prior_days: float = 1.0
) -> float:
    """Two-sided E-test for the difference of two Poisson rates.

    Parameters
    ----------
    current, prior : int
        Counts, zero or more, not both zero. Whole floats are accepted.
    current_days, prior_days : float
        Exposure of each count, in any one unit (days here); only their ratio matters.

    Returns
    -------
    float
        Probability, were both rates equal to the pooled one, of a standardized difference at
        least as far from zero as the one seen. Exact but for 1e-12 in absolute terms; a value
        below that says only that it is below. Ties with the statistic seen count as extreme,
        whichever way rounding splits them. Equal rates give 1.

    Raises
    ------
    InvalidInput
        Both counts are zero (the test is undefined), a count is negative, missing or not
        whole, or an exposure is not positive.

    Notes
    -----
    The paper's double sum takes minutes of arithmetic at a city's counts. For a given first
    count, ``|T| >= |t|`` is a quadratic inequality in the second, so the second sum is two
    Poisson tails, and the whole is one sum of some 15 standard deviations: milliseconds at
    60,000. Counts must be Poisson for the p value to hold; sprees and repeat victims make real
    counts vary more, so read a p near the threshold as weaker than it looks.

    References
    ----------
    Krishnamoorthy, K. and Thomson, J. (2004). A more powerful test for comparing two Poisson
    means. Journal of Statistical Planning and Inference, 119(1), 23-35.
    """
    if any(np.ndim(value) for value in (current, prior, current_days, prior_days)):
        raise InvalidInput("e_test compares one pair of counts; use e_tests for many.")
    counts = []
    for name, count in (("current", current), ("prior", prior)):
        value = float(_floats(count, name))
        if not (value >= 0 and value.is_integer()):
            raise InvalidInput(
                f"The {name} count is {count}; the E-test needs whole counts of zero or more."
            )
        counts.append(value)
    exposures = []
    for name, length in (("current_days", current_days), ("prior_days", prior_days)):
        value = float(_floats(length, name))
        if not 0 < value < np.inf:
            raise InvalidInput(f"{name} is {length}; the E-test needs a positive exposure.")
        exposures.append(value)
    if counts == [0, 0]:
        raise InvalidInput(
            "Both counts are 0: the E-test is undefined. Show no test for this row, or widen the "
            "window until one of the counts is above zero."
        )
    return _e_test(counts[0], counts[1], exposures[0], exposures[1])


def e_tests(
    current: Values,
    prior: Values,
    current_days: Values | float = 1.0,
    prior_days: Values | float = 1.0,
) -> Floats:
    """Run the E-test on many pairs of counts.

    Parameters
    ----------
    current, prior : array of float
        Whole counts, paired by position.
    current_days, prior_days : float or array of float
        Exposures: one for all pairs, or one for each.

    Returns
    -------
    numpy.ndarray
        p values as of :func:`e_test`, each distinct pair worked out once. NaN where there is no
        test: both counts zero, a negative net count, a missing count, an exposure that is
        missing or not positive (a window that the feed does not cover).

    Raises
    ------
    InvalidInput
        Shapes differ, or a count is not whole (a mean or a rate passed by mistake).
    """
    now, before = _pair(current, prior)
    try:
        exposures = [
            np.broadcast_to(_floats(length, name), now.shape)
            for name, length in (("current_days", current_days), ("prior_days", prior_days))
        ]
    except ValueError as error:
        raise InvalidInput(
            f"The exposures do not pair with counts of shape {now.shape}: {error}."
        ) from error
    rows = np.stack([now, before, *exposures], axis=-1).reshape(-1, 4)
    counts = rows[:, :2]
    known = np.isfinite(rows).all(axis=1)
    if (counts[np.isfinite(counts)] % 1 != 0).any():
        raise InvalidInput("A count is not whole; the E-test needs counts, not means or rates.")
    testable = known & (counts >= 0).all(axis=1) & (counts > 0).any(axis=1)
    testable &= (rows[:, 2:] > 0).all(axis=1)
    p = np.full(len(rows), np.nan)
    distinct, which = np.unique(rows[testable], axis=0, return_inverse=True)
    p[testable] = np.array([_e_test(*map(float, row)) for row in distinct])[which.reshape(-1)]
    return p.reshape(now.shape)


def false_discovery_q(p: Values) -> Floats:
    """Adjust p values so that a threshold bounds the expected share of false discoveries.

    Parameters
    ----------
    p : array of float
        p values of one table's tests, in any order.

    Returns
    -------
    numpy.ndarray
        Benjamini-Hochberg adjusted values, of the same shape. Rows without a test (NaN) are NaN
        and do not count among the tests. Holds for independent or positively dependent tests,
        which totals beside their parts are.

    Raises
    ------
    InvalidInput
        A p value lies outside 0 to 1.

    References
    ----------
    Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate. Journal of the
    Royal Statistical Society B, 57(1), 289-300.
    """
    values = _floats(p, "p")
    tested = np.isfinite(values)
    if ((values[tested] < 0) | (values[tested] > 1)).any():
        raise InvalidInput("A p value lies outside 0 to 1; pass p values, not statistics.")
    q = np.full(values.shape, np.nan)
    if tested.any():
        # scipy.stats is slow to import, and nothing else on the way here needs it.
        from scipy.stats import false_discovery_control

        q[tested] = false_discovery_control(values[tested], method="bh")
    return q


@overload
def band_around(mean: float, z: float = 3.0) -> tuple[float, float]: ...
@overload
def band_around(mean: Values, z: float = 3.0) -> tuple[Floats, Floats]: ...
def band_around(
    mean: Values | float, z: float = 3.0
) -> tuple[float, float] | tuple[Floats, Floats]:
    """Range in which a Poisson count with a given mean is expected to fall.

    Parameters
    ----------
    mean : float or array of float
        Expected count. A negative one (net of cancellations) is taken as 0; NaN stays NaN.
    z : float
        Half-width in standard errors, above 0. With 3 and a mean of 10 or more, about 1 Poisson
        count in 300 strays; with a mean of 5, 1 in 130.

    Returns
    -------
    low, high : float or numpy.ndarray
        ``(sqrt(mean) -/+ z / 2) ** 2``, the low end 0 where ``sqrt(mean) < z / 2``.

    Raises
    ------
    InvalidInput
        `z` is not above 0, or a mean is not a number.
    """
    if not z > 0:
        raise InvalidInput(f"z is {z}; a band needs a width above 0, such as 3.")
    root = np.sqrt(np.maximum(_floats(mean, "mean"), 0))
    low = np.square(np.maximum(root - z / 2, 0))
    high = np.square(root + z / 2)
    return (low, high) if root.ndim else (float(low), float(high))


def noise_band(counts: Values, weeks: int = 8, z: float = 3.0) -> pd.DataFrame:
    """Set each week's count against a band drawn from the weeks before it.

    Parameters
    ----------
    counts : 1-D array of float
        Net counts of consecutive complete weeks, oldest first, weeks without any as 0. A week
        that the feed does not cover is NaN.
    weeks : int
        Complete weeks before each that make its mean. Eight follow the season and still
        steady the mean.
    z : float
        Half-width of the band in standard errors; see :func:`band_around`.

    Returns
    -------
    pandas.DataFrame
        One row a week, by position: ``mean`` of the weeks before, floor 0; ``low`` and ``high``
        of the band; ``outside``, True where the count lies beyond the band. The first `weeks`
        rows, and those with a missing week among the ones before, have no band (NaN) and are
        never outside. The band leaves out the error of the mean itself: of steady Poisson
        series (200,000 simulated weeks, the defaults) 0.5 percent of weeks stray with a mean
        of 100, 0.7 with 10, 0.9 with 5, and 3.5 with 2, where the band is no guide.

    Raises
    ------
    InvalidInput
        `counts` is not one-dimensional, `weeks` is not a whole number above 0, or `z` is not
        above 0.

    References
    ----------
    Wheeler, A. P. (2016). Tables and graphs for monitoring temporal crime trends.
    International Journal of Police Science & Management, 18(3), 159-172.
    """
    series = _floats(counts, "counts")
    if series.ndim != 1:
        raise InvalidInput(f"counts has shape {series.shape}; pass one series of weekly counts.")
    if weeks < 1 or weeks != int(weeks):
        raise InvalidInput(f"weeks is {weeks}; the mean needs a whole number of weeks above 0.")
    weeks = int(weeks)
    mean = np.full(series.shape, np.nan)
    if series.size > weeks:
        # Each mean afresh: a running sum would carry rounding from one week to the next.
        before = np.lib.stride_tricks.sliding_window_view(series[:-1], weeks)
        mean[weeks:] = np.maximum(before.mean(axis=1), 0)
    low, high = band_around(mean, z)
    outside = (series < low) | (series > high)
    return pd.DataFrame({"mean": mean, "low": low, "high": high, "outside": outside})


def _e_test(count_1: float, count_2: float, days_1: float, days_2: float) -> float:
    # The shorter exposure is summed over: fewer terms, and swapping the two changes nothing.
    if (days_1, count_1) > (days_2, count_2):
        count_1, count_2, days_1, days_2 = count_2, count_1, days_2, days_1
    pooled = (count_1 + count_2) / (days_1 + days_2)
    mean_1, mean_2 = pooled * days_1, pooled * days_2
    # T squared with its denominators multiplied out, so that whole days keep ties exact.
    distance = abs(count_1 * days_2 - count_2 * days_1)
    if distance <= _TIE * (count_1 * days_2 + count_2 * days_1):
        return 1.0
    t2 = distance**2 / (count_1 * days_2**2 + count_2 * days_1**2)

    x1, weight = _likely_counts(mean_1)
    ratio = days_2 / days_1
    expected = ratio * x1
    middle = expected + t2 / 2
    half_width = np.sqrt(t2 * expected * (1 + ratio) + t2**2 / 4)
    below, above = np.floor(middle - half_width), np.ceil(middle + half_width)

    def extreme(x2: Floats, side: int) -> npt.NDArray[np.bool_]:
        # On neither side when both counts are zero: no difference, so T is 0 there.
        distance = side * (x2 * days_1 - x1 * days_2)
        variance = x1 * days_2**2 + x2 * days_1**2
        return (distance > 0) & (np.square(distance) >= t2 * variance * (1 - _TIE))

    # The roots are rounded; the counts next to them are asked directly.
    below += np.where(extreme(below + 1, -1), 1, np.where(extreme(below, -1), 0, -1))
    above -= np.where(extreme(above - 1, +1), 1, np.where(extreme(above, +1), 0, -1))
    lower = np.where(below >= 0, pdtr(np.maximum(below, 0), mean_2), 0.0)
    upper = np.where(above > 0, pdtrc(np.maximum(above - 1, 0), mean_2), 1.0)
    return float(min(1.0, np.sum(weight * (lower + upper))))


def _likely_counts(mean: float) -> tuple[Floats, Floats]:
    # Bernstein's and Chernoff's bounds on a Poisson count's tails, half of _LOST each.
    bits = np.log(2 / _LOST)
    low = max(0.0, np.floor(mean - np.sqrt(2 * bits * mean)))
    high = np.ceil(mean + bits / 3 + np.sqrt((bits / 3) ** 2 + 2 * bits * mean))
    counts = np.arange(low, high + 1)
    # From the ratio of neighbors, then scaled to sum to one: through the log of the factorial,
    # rounding alone would cost 1e-10 at 60,000.
    log_weight = np.concatenate([[0.0], np.cumsum(np.log(mean / counts[1:]))])
    weight = np.exp(log_weight - log_weight.max())
    return counts, weight / weight.sum()


def _pair(current: Values | float, prior: Values | float) -> tuple[Floats, Floats]:
    now, before = _floats(current, "current"), _floats(prior, "prior")
    if now.shape != before.shape:
        raise InvalidInput(
            f"current has shape {now.shape} and prior {before.shape}; they are paired by position, "
            "so give as many of one as of the other."
        )
    return now, before


def _floats(values: Values | float, name: str) -> Floats:
    try:
        if isinstance(values, pd.Series):
            return values.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} holds something that is not a number: {error}.") from error
