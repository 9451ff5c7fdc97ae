"""Changes between counts, their tests and their noise, against known and brute-force answers."""

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import poisson, poisson_means_test

from beatbook.compstat import change
from beatbook.compstat.change import (
    band_around,
    e_test,
    e_tests,
    false_discovery_q,
    noise_band,
    percent_change,
    poisson_z,
)
from beatbook.errors import InvalidInput

ANSWERS = json.loads((Path(__file__).parents[2] / "known_answers.json").read_text("utf-8"))
count = st.integers(0, 40)
exposure = st.integers(1, 60)


def answer(name):
    return next(entry for entry in ANSWERS if entry["id"] == name)


def double_sum(current, prior, current_days=1, prior_days=1):
    """The E-test as its paper writes it, with ties settled in whole numbers."""
    pooled = (current + prior) / (current_days + prior_days)
    axes = []
    for mean in (pooled * current_days, pooled * prior_days):
        axes.append(np.arange(int(mean + 10 * math.sqrt(mean) + 40)))
    x1, x2 = np.meshgrid(*axes, indexing="ij")
    distance = (x1 * prior_days - x2 * current_days) ** 2
    variance = x1 * prior_days**2 + x2 * current_days**2
    seen_distance = (current * prior_days - prior * current_days) ** 2
    seen_variance = current * prior_days**2 + prior * current_days**2
    extreme = distance * seen_variance >= seen_distance * variance
    # Two zeros: no difference, T is 0.
    extreme[0, 0] = seen_distance == 0
    mass = np.outer(
        poisson.pmf(axes[0], pooled * current_days), poisson.pmf(axes[1], pooled * prior_days)
    )
    return float(mass[extreme].sum())


# Percent change


def test_dw_4_a_zero_base_has_no_percentage():
    pairs = answer("DW-4")["inputs"]["pairs"]
    found = [percent_change(current, prior) for current, prior in pairs]
    assert math.isnan(found[0]) and math.isnan(found[1])
    assert found[2] == -100


def test_percent_change_by_hand():
    assert percent_change(9, 4) == 125
    assert isinstance(percent_change(9, 4), float)
    assert percent_change(-1, 4) == -125
    assert math.isnan(percent_change(3, -2))
    assert math.isnan(percent_change(3, math.nan))
    np.testing.assert_array_equal(
        percent_change([5, 5, 0, 5], np.array([4, 0, 0, np.nan])), [25, np.nan, np.nan, np.nan]
    )


def test_percent_change_takes_nullable_columns_by_position():
    current = pd.Series([3, pd.NA, 8], dtype="Int64", index=[7, 8, 9])
    prior = pd.Series([4, 4, 4], dtype="int64")
    np.testing.assert_array_equal(percent_change(current, prior), [-25, np.nan, 100])


@pytest.mark.parametrize("call", [percent_change, poisson_z, e_tests])
def test_pairs_that_do_not_pair_are_refused(call):
    with pytest.raises(InvalidInput, match="paired by position"):
        call([1, 2], [1, 2, 3])
    with pytest.raises(InvalidInput, match="not a number"):
        call(["many"], [1])


# Poisson z


def test_pz_1():
    known = answer("PZ-1")
    current, prior = np.array(known["inputs"]["pairs"]).T
    np.testing.assert_allclose(
        poisson_z(current, prior), known["expected"]["z"], rtol=0, atol=known["tolerance"]
    )
    assert poisson_z(25, 16) == 2.0


def test_poisson_z_refuses_negatives_and_passes_missing():
    with pytest.raises(InvalidInput, match="current count is -2"):
        poisson_z([3, -2, np.nan], [1, 1, 1])
    with pytest.raises(InvalidInput, match="prior count is -1"):
        poisson_z(3, -1)
    assert math.isnan(poisson_z(math.nan, 4))


# E-test


def test_et_1():
    known = answer("ET-1")
    cases, expected = known["inputs"]["cases"], known["expected"]["p"]
    found = [e_test(*case) for case in cases]
    np.testing.assert_allclose(found, expected, rtol=0, atol=known["tolerance"])
    np.testing.assert_array_equal(e_tests(*np.array(cases).T), found)


def test_et_3_is_refused():
    for case in answer("ET-3")["inputs"]["cases"]:
        with pytest.raises(InvalidInput):
            e_test(*case)


@pytest.mark.parametrize(
    "case",
    [
        (2.5, 1),
        (math.nan, 1),
        (math.inf, 1),
        (3, None),
        (3, pd.NA),
        (3, 1, 0, 7),
        (3, 1, 7, math.nan),
        (3, 1, math.inf, 7),
        ([3, 4], [1, 2]),
    ],
)
def test_the_e_test_refuses_what_it_cannot_answer(case):
    with pytest.raises(InvalidInput):
        e_test(*case)


def test_one_count_to_none_by_hand():
    # Pooled mean 0.5 each, t = 1. Only T = 0 at (0, 0) and pairs with (a - b)^2 < a + b are
    # within: the smallest are (1, 1), (1, 2), (2, 1) and (2, 2).
    within = 0.0
    for a in range(30):
        for b in range(30):
            if (a, b) == (0, 0) or (a - b) ** 2 < a + b:
                within += 0.5 ** (a + b) * math.exp(-1) / math.factorial(a) / math.factorial(b)
    assert e_test(1, 0) == pytest.approx(1 - within, abs=1e-12)


@settings(max_examples=150, deadline=None)
@given(count, count, exposure, exposure)
def test_the_e_test_agrees_with_the_double_sum(current, prior, current_days, prior_days):
    pooled = (current + prior) / (current_days + prior_days)
    assume(0 < pooled * max(current_days, prior_days) < 250)
    expected = double_sum(current, prior, current_days, prior_days)
    assert e_test(current, prior, current_days, prior_days) == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("total", range(1, 13))
def test_every_small_pair_agrees_with_the_double_sum(total):
    # Small counts tie most: (1, 0), (3, 1), (6, 3) and (10, 6) all have T = 1.
    for current in range(total + 1):
        for exposures in ((1, 1), (7, 28), (28, 7), (69, 70)):
            expected = double_sum(current, total - current, *exposures)
            found = e_test(current, total - current, *exposures)
            assert found == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize(
    "case", [(1000, 1080, 1, 1), (900, 1300, 28, 35), (1500, 40, 365, 7), (1, 0, 1, 400)]
)
def test_large_and_lopsided_counts_agree_with_the_double_sum(case):
    assert e_test(*case) == pytest.approx(double_sum(*case), abs=1e-11)


@pytest.mark.parametrize("case", [(9, 7, 20, 28), (0, 2, 6, 5), (41, 30, 80, 28)])
def test_the_e_test_agrees_with_scipy(case):
    current, current_days, prior, prior_days = case
    expected = poisson_means_test(current, current_days, prior, prior_days).pvalue
    assert e_test(current, prior, current_days, prior_days) == pytest.approx(expected, abs=1e-8)


def test_a_city_year_to_date_is_close_to_the_normal():
    # At 60,000 the Poisson is all but normal, and T with it.
    for prior in (60_100, 60_700, 61_400):
        t = (prior - 60_000) / math.sqrt(prior + 60_000)
        assert e_test(60_000, prior) == pytest.approx(math.erfc(t / math.sqrt(2)), rel=0.01)
    assert 0 <= e_test(60_000, 1_000) < 1e-12


@settings(deadline=None)
@given(st.integers(0, 3000), st.integers(0, 3000), exposure, exposure)
def test_swapping_the_spans_changes_nothing(a, b, days_a, days_b):
    assume(a + b > 0)
    p = e_test(a, b, days_a, days_b)
    assert 0 <= p <= 1
    assert e_test(b, a, days_b, days_a) == p
    assert e_test(a, b) == e_test(b, a)


@settings(deadline=None)
@given(count, count, exposure, exposure, st.sampled_from([0.5, 3, 24, 1 / 7]))
def test_only_the_ratio_of_the_exposures_matters(a, b, days_a, days_b, unit):
    assume(a + b > 0)
    scaled = e_test(a, b, days_a * unit, days_b * unit)
    assert scaled == pytest.approx(e_test(a, b, days_a, days_b), abs=1e-11)


@settings(deadline=None)
@given(st.integers(1, 2000))
def test_a_wider_gap_is_never_less_unusual(total):
    step = max(1, total // 20)
    p = [e_test(current, total - current) for current in range((total + 1) // 2, total + 1, step)]
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(p))


def test_equal_rates_give_one():
    assert e_test(20, 20) == 1
    assert e_test(4, 16, 7, 28) == 1
    assert e_test(3, 9, 0.1, 0.3) == 1


def test_e_tests_leave_a_gap_where_there_is_no_test(monkeypatch):
    worked = []
    original = change._e_test
    monkeypatch.setattr(change, "_e_test", lambda *row: worked.append(row) or original(*row))
    p = e_tests(
        [3, 0, -1, np.nan, 3, 6, 3, 3, np.inf],
        [0, 0, 4, 4, 0, 2, 0, 0, 1],
        [7, 7, 7, 7, 7, 7, 0, np.nan, 7],
        7,
    )
    np.testing.assert_array_equal(
        np.isnan(p), [False, True, True, True, False, False, True, True, True]
    )
    assert sorted(worked) == [(3, 0, 7, 7), (6, 2, 7, 7)]
    assert p[0] == p[4] == e_test(3, 0)
    assert p[5] == e_test(6, 2)


def test_e_tests_keep_the_shape_and_refuse_means():
    grid = np.array([[3, 6], [10, 0]])
    found = e_tests(grid, grid[::-1], np.array([[7], [28]]), 7)
    assert found.shape == (2, 2)
    assert found[1, 1] == e_test(0, 6, 28, 7)
    assert e_tests([], []).shape == (0,)
    assert np.isnan(e_tests([0], [0])).all()
    with pytest.raises(InvalidInput, match="not whole"):
        e_tests([2.5], [1])
    with pytest.raises(InvalidInput, match="exposures do not pair"):
        e_tests([2, 3], [1, 1], [7, 7, 7])
    nullable = pd.Series([3, pd.NA], dtype="Int64")
    np.testing.assert_array_equal(e_tests(nullable, pd.Series([0, 1])), [e_test(3, 0), np.nan])


# False discoveries


def test_benjamini_hochberg_by_hand():
    # Four tests: .01*4/1, .02*4/2, .03*4/3 and .5*4/4, each no more than those after it.
    q = false_discovery_q([0.5, np.nan, 0.02, 0.01, 0.03])
    np.testing.assert_allclose(q, [0.5, np.nan, 0.04, 0.04, 0.04])


def test_no_tests_no_discoveries():
    assert np.isnan(false_discovery_q([np.nan, np.nan])).all()
    assert false_discovery_q([]).shape == (0,)
    with pytest.raises(InvalidInput, match="outside 0 to 1"):
        false_discovery_q([0.2, 2.1])


@given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=30))
def test_adjusting_raises_p_and_keeps_its_order(p):
    q = false_discovery_q(p)
    tested = ~np.isnan(p)
    np.testing.assert_array_equal(np.isnan(q), ~tested)
    values, adjusted = np.array(p)[tested], q[tested]
    assert (adjusted >= values * (1 - 1e-12)).all() and (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(values)]) >= -1e-12).all()


# Noise band


def test_wb_1_weeks():
    known = answer("WB-1")
    band = noise_band(known["inputs"]["counts"])
    assert list(band.columns) == ["mean", "low", "high", "outside"]
    assert band["outside"].dtype == bool
    assert band.loc[:7, ["mean", "low", "high"]].isna().all(axis=None)
    assert not band.loc[:7, "outside"].any()
    for row, week in ((8, "week9"), (9, "week10")):
        expected = known["expected"][week]
        for column in ("mean", "low", "high"):
            assert band.loc[row, column] == pytest.approx(expected[column], abs=known["tolerance"])
        assert band.loc[row, "outside"] == expected["outside"]


@pytest.mark.parametrize("mean", [4, 9, 25, 0.5])
def test_wb_1_bands(mean):
    known = answer("WB-1")
    expected = known["expected"]["other"]["mean" + str(mean).replace(".", "_")]
    assert band_around(mean) == pytest.approx(expected, abs=known["tolerance"])


def test_bands_of_arrays_and_of_nothing():
    low, high = band_around([4, -3, np.nan])
    np.testing.assert_allclose(low, [0.25, 0, np.nan])
    np.testing.assert_allclose(high, [12.25, 2.25, np.nan])
    assert band_around(9, z=2) == (4, 16)


def test_a_count_beyond_either_end_is_outside():
    band = noise_band([25] * 8 + [12, 13, 43], weeks=8)
    assert list(band["outside"][8:]) == [True, False, True]
    # The end itself is within: 25 of mean gives 12.25 to 42.25; 4 and z = 2 give 1 to 9.
    for week in (1, 9):
        assert not noise_band([4, 4, week], weeks=2, z=2)["outside"].any()
    for week in (0, 10):
        assert noise_band([4, 4, week], weeks=2, z=2).loc[2, "outside"]


def test_the_mean_leaves_out_the_week_itself_and_older_ones():
    band = noise_band([100, 1, 2, 3, 50], weeks=3)
    np.testing.assert_allclose(band["mean"], [np.nan, np.nan, np.nan, 103 / 3, 2])


def test_a_net_negative_past_is_taken_as_none():
    band = noise_band([-1, -2, 1, 3], weeks=2)
    np.testing.assert_allclose(band["mean"], [np.nan, np.nan, 0, 0])
    assert list(band["outside"]) == [False, False, False, True]


def test_a_missing_week_leaves_no_band_until_it_has_passed():
    counts = pd.Series([4, 4, pd.NA, 4, 4, 90], dtype="Int64", index=list("abcdef"))
    band = noise_band(counts, weeks=2)
    assert list(band.index) == list(range(6))
    np.testing.assert_allclose(band["mean"], [np.nan, np.nan, 4, np.nan, np.nan, 4])
    assert list(band["outside"]) == [False] * 5 + [True]


def test_short_series_have_no_band():
    assert noise_band([]).shape == (0, 4)
    assert noise_band([5] * 8)["mean"].isna().all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: noise_band([[1, 2], [3, 4]]),
        lambda: noise_band([1, 2, 3], weeks=0),
        lambda: noise_band([1, 2, 3], weeks=1.5),
        lambda: noise_band([1, 2, 3], z=0),
        lambda: noise_band(["a few"]),
        lambda: band_around(4, z=-1),
        lambda: band_around(4, z=math.nan),
    ],
)
def test_a_band_that_cannot_be_drawn_is_refused(call):
    with pytest.raises(InvalidInput):
        call()


@given(st.lists(st.integers(0, 500), min_size=1, max_size=40), st.integers(1, 12))
def test_a_band_holds_its_mean(counts, weeks):
    band = noise_band(counts, weeks=weeks)
    assert len(band) == len(counts)
    drawn = band.iloc[weeks:]
    assert (drawn["low"] <= drawn["mean"]).all() and (drawn["mean"] < drawn["high"]).all()
    assert (drawn["low"] >= 0).all()
