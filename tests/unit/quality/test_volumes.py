"""The limits of volumes and shares: worked by hand, and honest on made-up ordinary feeds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from beatbook.quality.shares import share_limits
from beatbook.quality.volumes import _tails, season_factors, volume_limits

THIRTY = np.full(13, 30.0)


def test_a_steady_series_has_a_poisson_limit_widened_by_what_the_rate_is_known():
    counts = [100.0] * 12 + [0.0]
    (row,) = volume_limits([counts], THIRTY).to_dict("records")
    assert row["expected"] == pytest.approx(100) and row["observed"] == 0
    # No unrest: the variance is 100 and 100/12 for the rate, which is that of 1,200 counts.
    variance = 100 + 100 / 12
    size = 100**2 / (variance - 100)
    law = nbinom(size, size / (size + 100))
    assert row["low"] == law.ppf(0.0005) and row["high"] == law.ppf(0.9995)
    assert row["p"] == pytest.approx(2 * law.cdf(0))


def test_days_are_exposure():
    days = np.array([30.0] * 12 + [15.0])
    found = volume_limits([[60.0] * 12 + [30.0]], days)
    assert found["expected"].iloc[0] == pytest.approx(30) and found["p"].iloc[0] > 0.9


@pytest.mark.parametrize(("last", "surely"), [(0, True), (200, True), (100, False), (120, False)])
def test_a_stop_and_a_doubling_are_told_and_noise_is_not(last, surely):
    rng = np.random.default_rng(7)
    history = rng.poisson(100, 40).astype(float)
    p = volume_limits([[*history, last]], np.full(41, 30.0))["p"].iloc[0]
    assert bool(p < 1e-6) == surely


def test_unrest_widens_the_limits_and_one_earlier_oddity_does_not():
    rng = np.random.default_rng(8)
    steady = rng.poisson(100, 60).astype(float)
    odd = steady.copy()
    odd[30] = 1000
    unrestful = rng.negative_binomial(5, 5 / 105, 60).astype(float)
    days = np.full(61, 30.0)
    found = [volume_limits([[*series, 200.0]], days)["p"].iloc[0]
             for series in (steady, odd, unrestful)]  # fmt: skip
    assert found[0] < 1e-6 and found[1] < 1e-3 and found[2] > 1e-3


def test_a_season_is_learned_by_hand_and_allowed_for():
    months = [1 + i % 12 for i in range(85)]
    counts = np.array([200.0 if month == 1 else 100.0 for month in months])
    days = np.full(85, 30.0)
    # A year holds 1,300: a month of 30 days in 360 is due 108.33; six Januaries have whole years.
    factors = season_factors(counts, days, months)[0]
    assert months[-1] == 1
    assert factors[-1] == pytest.approx((6 * 200 + 20) / (6 * 1300 / 12 + 20))
    plain = volume_limits(counts, days)
    seasonal = volume_limits(counts, days * factors)
    assert seasonal["expected"].iloc[0] == pytest.approx(200, rel=0.02)
    assert plain["expected"].iloc[0] == pytest.approx(1300 / 12)
    assert plain["p"].iloc[0] < 1e-3 < 0.5 < seasonal["p"].iloc[0]


def test_three_years_are_too_few_for_a_season():
    assert (season_factors(np.arange(36.0), np.full(36, 30.0), [1] * 36) == 1).all()


def test_seven_periods_are_too_few():
    assert np.isnan(volume_limits([[5.0] * 7 + [0.0]], np.full(8, 7.0))["p"].iloc[0])


def test_a_series_that_begins_late_is_judged_from_its_own_start():
    counts = [[np.nan] * 20 + [10.0] * 9, [np.nan] * 24 + [10.0] * 5]
    p = volume_limits(counts, np.full(29, 7.0))["p"]
    assert p.iloc[0] > 0.5 and np.isnan(p.iloc[1])


def test_false_alarms_on_poisson_feeds_are_as_rare_as_said():
    rng = np.random.default_rng(9)
    counts = rng.poisson(rng.gamma(2, 10, (2000, 1)), (2000, 30)).astype(float)
    p = volume_limits(counts, np.full(30, 30.0))["p"].to_numpy()
    assert (p < 0.01).mean() < 0.013 and (p < 0.001).mean() <= 0.0025


@given(st.lists(st.integers(0, 500), min_size=9, max_size=30))
def test_p_is_a_probability_and_the_limits_hold_the_middle(counts):
    found = volume_limits([counts], np.full(len(counts), 30.0)).iloc[0]
    assert 0 <= found["p"] <= 1
    assert found["low"] <= found["expected"] + 1 and found["high"] >= np.floor(found["expected"])


def test_the_tails_are_scipys():
    lower, upper = _tails(np.array([[12.0]]), np.array([[4.0]]), np.array([[4.0]]))
    assert lower[0, 0] == pytest.approx(poisson(4).cdf(12))
    assert upper[0, 0] == pytest.approx(poisson(4).sf(11))
    lower, upper = _tails(np.array([[12.0]]), np.array([[4.0]]), np.array([[12.0]]))
    assert lower[0, 0] == pytest.approx(nbinom(2, 1 / 3).cdf(12))
    assert upper[0, 0] == pytest.approx(nbinom(2, 1 / 3).sf(11))


def test_an_ordinary_share_passes_and_a_leap_does_not():
    rng = np.random.default_rng(3)
    records = np.full(30, 4000)
    hits = rng.binomial(4000, 0.02, 30)
    ordinary = share_limits(hits, records)
    assert ordinary.p > 0.001 and ordinary.low < 0.02 < ordinary.high
    hits[-1] = 400
    leap = share_limits(hits, records)
    assert leap.p < 1e-6 and leap.high < 0.1
    assert leap.expected == pytest.approx(0.02, abs=0.003)


def test_one_odd_period_does_not_move_what_is_usual():
    hits, records = [20] * 20 + [20], [1000] * 21
    odd = hits.copy()
    odd[15] = 900
    assert share_limits(odd, records).expected == pytest.approx(
        share_limits(hits, records).expected
    )


def test_too_short_a_history_says_nothing():
    assert np.isnan(share_limits([1] * 8, [10] * 8).p)
    assert np.isnan(share_limits([1] * 9, [10] * 8 + [0]).p)
