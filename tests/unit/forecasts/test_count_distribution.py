"""Forecast distributions: hand-worked quantiles and scores, and their properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from beatbook.errors import InvalidInput
from beatbook.forecasts.distribution import CountForecast, moment_size

means = st.floats(0.01, 80)
sizes = st.floats(0.3, 500)


def one(mean, size=np.inf):
    return CountForecast(np.array([mean]), np.array([size]))


def test_crps_of_a_near_certain_zero_is_the_distance():
    # With all mass at 0 the CRPS is |y|.
    np.testing.assert_allclose(one(1e-6).crps(np.array([3.0])), 3, atol=1e-4)


def test_crps_by_hand():
    # Poisson(1), y = 1: sum over k of (F(k) - 1{k >= 1})^2.
    f = poisson.cdf(np.arange(60), 1.0)
    expected = f[0] ** 2 + ((1 - f[1:]) ** 2).sum()
    np.testing.assert_allclose(one(1.0).crps(np.array([1.0])), expected, rtol=1e-10)


def test_a_negative_outcome_is_scored_and_a_missing_one_is_not():
    two = CountForecast(np.array([2.0, 2.0]), np.array([5.0, 5.0]))
    below, missing = two.crps(np.array([-1.0, np.nan]))
    assert below == pytest.approx(one(2.0, 5.0).crps(np.array([0.0]))[0] + 1)
    assert np.isnan(missing)


@settings(deadline=None, max_examples=40)
@given(means, sizes, st.integers(0, 120))
def test_crps_is_e_abs_difference_minus_half_the_spread(mean, size, y):
    k = np.arange(int(mean + 40 * np.sqrt(mean + mean**2 / size)) + 150)
    p = nbinom.pmf(k, size, size / (size + mean))
    f = nbinom.cdf(k, size, size / (size + mean))
    energy = (p * np.abs(k - y)).sum() - (f * (1 - f)).sum()
    assert one(mean, size).crps(np.array([y]))[0] == pytest.approx(energy, rel=1e-4, abs=1e-5)


@settings(deadline=None, max_examples=40)
@given(means, sizes)
def test_intervals_are_whole_nested_and_not_below_zero(mean, size):
    forecast = one(mean, size)
    (lo80, hi80), (lo95, hi95) = forecast.interval(0.8), forecast.interval(0.95)
    assert 0 <= lo95 <= lo80 <= hi80 <= hi95
    assert all(float(v) == int(v) for v in (*lo80, *hi80, *lo95, *hi95))
    assert forecast.cdf(hi95)[0] - forecast.cdf(lo95 - 1)[0] >= 0.95 - 1e-9


def test_the_randomized_pit_of_right_forecasts_is_even():
    rng = np.random.default_rng(1)
    mean, size = np.full(20_000, 0.7), np.full(20_000, 2.0)
    y = rng.poisson(rng.gamma(2.0, 0.35, 20_000)).astype(float)
    pit = CountForecast(mean, size).randomized_pit(y, rng)
    assert np.mean((pit > 0.1) & (pit < 0.9)) == pytest.approx(0.8, abs=0.01)


def test_moment_size_finds_the_size():
    rng = np.random.default_rng(2)
    mean = np.full(50_000, 10.0)
    y = rng.poisson(rng.gamma(4.0, 2.5, 50_000)).astype(float)
    assert moment_size(y, mean) == pytest.approx(4, rel=0.05)
    assert moment_size(rng.poisson(3, 7) * 1.0, np.full(7, 3.0)) == 1e3
    assert moment_size(np.full(20, 3.0), np.full(20, 3.0)) == 1e3


def test_what_is_no_forecast_is_refused():
    with pytest.raises(InvalidInput, match="missing or infinite"):
        one(np.nan)
    with pytest.raises(InvalidInput, match="above 0"):
        one(1.0, 0.0)
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        one(1.0).quantile(1.0)
    with pytest.raises(InvalidInput, match="do not pair"):
        one(1.0).crps(np.array([1.0, 2.0]))
