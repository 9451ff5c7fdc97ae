"""Before and after: published answers, answers worked out by hand, and simulated worlds."""

import numpy as np
import pandas as pd
import pytest

from beatbook.compstat.before_after import (
    Counts,
    before_and_after,
    daily_counts,
    displacement_difference,
    displacement_quotient,
    grounds,
    placebo_dates,
    placebo_share,
    relative_change,
)
from beatbook.errors import InvalidInput


def test_the_published_displacement_difference(known_answer):
    case = known_answer("WDD-1")
    given, expected = case["inputs"], case["expected"]
    worked = displacement_difference(
        given["treated"], given["control"], given["disp_treated"], given["disp_control"]
    )
    close = {"abs": case.get("tolerance", expected.get("tolerance", 1e-9)) or 1e-9}
    assert worked.local.value == expected["Est_Local"]
    assert worked.displaced.value == expected["Est_Displace"]
    assert worked.total.value == expected["Est_Total"]
    assert worked.standard_error == pytest.approx(expected["SE_Total"], **close)
    assert worked.z == pytest.approx(expected["Z"], **close)
    assert worked.total.low == pytest.approx(expected["LowCI"], **close)
    assert worked.total.high == pytest.approx(expected["HighCI"], **close)
    # The halves' standard errors, from their intervals.
    for part, name in ((worked.local, "SE_Local"), (worked.displaced, "SE_Displace")):
        assert (part.high - part.low) / (2 * 1.959963984540054) == pytest.approx(expected[name])


def test_the_published_difference_without_a_buffer(known_answer):
    case = known_answer("WDD-2")
    given, expected = case["inputs"], case["expected"]
    worked = displacement_difference(
        given["treated"], given["control"], confidence=1 - given["alpha"]
    )
    assert worked.total.value == expected["Est"]
    assert worked.standard_error == pytest.approx(expected["SE"])
    assert worked.z == pytest.approx(expected["Z"])
    assert worked.total.low == pytest.approx(expected["LowCI"])
    assert worked.total.high == pytest.approx(expected["HighCI"])
    assert np.isnan(worked.displaced.p)


def test_a_change_by_hand():
    # 100 to 60 while elsewhere 1000 to 1200: 0.6 / 1.2.
    figures = relative_change((100, 60), (1000, 1200))
    assert figures.value == pytest.approx(0.5)
    error = np.sqrt(1 / 100 + 1 / 60 + 1 / 1000 + 1 / 1200)
    assert figures.low == pytest.approx(0.5 * np.exp(-1.959964 * error), rel=1e-6)
    assert figures.p < 0.001
    assert relative_change((100, 60), (100, 60)).value == 1
    assert relative_change((100, 60), (100, 60)).p == 1


@pytest.mark.parametrize("ground", [(0, 5), (5, 0), (-1, 5)])
def test_no_ratio_of_nothing(ground):
    assert all(np.isnan(figure) for figure in relative_change(ground, (10, 10)))


def test_a_quotient_by_hand():
    # Target from 0.10 to 0.05 of the comparison, buffer from 0.10 to 0.12: -0.02 / 0.05.
    quotient = displacement_quotient((100, 50), (100, 120), (1000, 1000))
    assert quotient.value == pytest.approx(-0.4)
    assert quotient.low < -0.4 < quotient.high
    assert quotient.defined > 0.99


def test_nothing_is_displaced_where_nothing_fell():
    quotient = displacement_quotient((50, 100), (100, 50), (1000, 1000))
    assert np.isnan(quotient.value) and quotient.defined < 0.05
    nothing = displacement_quotient((10, 5), (10, 10), (0, 0))
    assert np.isnan(nothing.value) and np.isnan(nothing.low) and nothing.defined == 0


def test_the_quotient_is_that_of_its_seed():
    case = ((100, 50), (100, 120), (1000, 1000))
    assert displacement_quotient(*case, seed=3) == displacement_quotient(*case, seed=3)
    assert displacement_quotient(*case, seed=3) != displacement_quotient(*case, seed=4)


def test_the_interval_of_the_relative_change_covers_the_truth():
    rng = np.random.default_rng(1)
    means = np.array([80, 80 * 0.7 * 1.1, 2000, 2000 * 1.1])
    hits = [
        figures.low <= 0.7 <= figures.high
        for draw in rng.poisson(means, (1000, 4))
        for figures in [relative_change(draw[:2], draw[2:])]
    ]
    assert 0.93 < np.mean(hits) < 0.97


def test_points_fall_on_their_ground_borders_inward():
    x = [0, 300, 300.1, 600, 600.1]
    told = grounds(x, [0] * 5, (0, 0), 300, 300)
    assert told.tolist() == ["target", "target", "buffer", "buffer", "comparison"]


@pytest.mark.parametrize(
    ("x", "radius", "said"), [([np.nan], 300, "Every point needs"), ([1.0], 0, "must be above 0")]
)
def test_what_has_no_ground_is_refused(x, radius, said):
    with pytest.raises(InvalidInput, match=said):
        grounds(x, [0.0], (0, 0), radius, 100)


def days_of(target, buffer, comparison, start="2020-01-01"):
    index = pd.date_range(start, periods=len(target), freq="D", unit="us")
    return pd.DataFrame({"target": target, "buffer": buffer, "comparison": comparison}, index)


def test_days_are_counted_net_and_empty_ones_are_zero():
    daily = daily_counts(
        ["target", "target", "comparison", "target"],
        pd.to_datetime(["2020-01-01", "2020-01-01", "2020-01-03", "2019-12-31"]),
        [1, -1, 1, 1],
        "2020-01-01",
        "2020-01-03",
    )
    assert daily.to_numpy().tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1]]
    with pytest.raises(InvalidInput, match=r"ends .* before it starts"):
        daily_counts([], [], [], "2020-01-02", "2020-01-01")


def test_the_day_itself_belongs_to_the_time_after():
    daily = days_of([1, 2, 4, 8], [0] * 4, [1] * 4)
    counted = before_and_after(daily, "2020-01-03", 2)
    assert counted["target"] == Counts(3, 12)
    assert counted["comparison"] == Counts(2, 2)
    with pytest.raises(InvalidInput, match="there are counts from 2020-01-01 to 2020-01-04"):
        before_and_after(daily, "2020-01-03", 3)


def test_placebo_dates_end_before_the_real_one():
    daily = days_of([1] * 100, [1] * 100, [5] * 100)
    dates = placebo_dates(daily, "2020-03-01", days=10, step=7)
    assert dates["date"].max() == pd.Timestamp("2020-02-20")  # its time after ends on Feb 29
    assert dates["date"].min() >= pd.Timestamp("2020-01-11")
    assert (dates["target"] == 1).all()
    assert placebo_dates(daily, "2020-01-15", days=10).empty


def test_how_rare_the_real_change_is():
    earlier = pd.Series([1.0, 0.5, 1.1, 0.9])
    assert placebo_share(0.5, earlier) == pytest.approx(2 / 5)
    assert placebo_share(2.0, earlier) == pytest.approx(2 / 5)  # either way
    assert placebo_share(0.1, earlier) == pytest.approx(1 / 5)
    assert np.isnan(placebo_share(0.5, earlier[:0])) and np.isnan(placebo_share(np.nan, earlier))


def test_a_world_without_an_effect_is_seldom_called_one():
    """Overdispersed days: the Poisson interval errs often, the placebo dates do not."""
    rng = np.random.default_rng(2)
    plain, honest = [], []
    for _ in range(60):
        level = np.repeat(rng.gamma(4, 0.25, 120), 20)  # a level that drifts, 2,400 days
        daily = days_of(rng.poisson(0.6 * level), rng.poisson(1.0, 2400), rng.poisson(30, 2400))
        real = relative_change(
            *[before_and_after(daily, daily.index[2000], 182)[g] for g in ("target", "comparison")]
        )
        plain.append(real.p < 0.05)
        shares = placebo_dates(daily, daily.index[2000], 182, 28)["target"]
        honest.append(placebo_share(real.value, shares) <= 0.05)
    assert np.mean(plain) > 0.12
    assert np.mean(honest) < 0.12
