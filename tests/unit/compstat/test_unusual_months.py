"""Unusual months: hand-worked expectations, the price of looking, and quiet worlds."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

from beatbook.compstat.unusual_months import (
    judge_month,
    judge_months,
    monthly_counts,
    reference_months,
    where_it_rose,
)
from beatbook.errors import InvalidInput


def months(values, start="2012-01"):
    return pd.Series(values, pd.period_range(start, periods=len(values), freq="M"))


def test_a_month_is_compared_with_itself_and_its_neighbors():
    wanted = reference_months(pd.Period("2019-01", "M"), years=2)
    assert [str(month) for month in wanted] == [
        "2016-12", "2017-01", "2017-02", "2017-12", "2018-01", "2018-02",
    ]  # fmt: skip


def test_steady_months_expect_their_own_rate_by_days():
    counts = months([3 * p.days_in_month for p in pd.period_range("2012-01", periods=96, freq="M")])
    verdict = judge_month(counts, "2019-07")
    assert verdict.expected == pytest.approx(93)
    assert verdict.dispersion == 1 and len(verdict.references) == 15
    assert verdict.low < 93 < verdict.high
    assert 0.4 < verdict.p < 0.6


def test_with_references_that_do_not_vary_it_is_nearly_the_poisson_tail():
    counts = months([100] * 96)
    counts[:] = [round(100 * p.days_in_month / 31) for p in counts.index]
    counts[pd.Period("2019-07", "M")] = 130
    verdict = judge_month(counts, "2019-07")
    # The error of the trend makes it a little milder than the bare tail.
    assert poisson.sf(129, 100) < verdict.p < 4 * poisson.sf(129, 100)


def test_a_trend_is_followed_and_not_beyond_what_was_seen():
    falling = months([round(400 * 0.98**k) for k in range(96)])
    verdict = judge_month(falling, "2019-07")
    assert verdict.trend and verdict.expected == pytest.approx(400 * 0.98**90, rel=0.05)
    rising = months([round(50 * 1.02**k) for k in range(96)])
    verdict = judge_month(rising, "2019-07")
    assert not verdict.trend  # it would lead beyond every reference month
    assert verdict.expected < 50 * 1.02**80


def test_months_that_vary_make_the_test_milder():
    rng = np.random.default_rng(0)
    steady = months(rng.poisson(100, 96))
    wild = months(rng.negative_binomial(4, 4 / 104, 96))
    for counts in (steady, wild):
        counts[pd.Period("2019-07", "M")] = 140
    assert judge_month(steady, "2019-07").p < 0.01
    assert judge_month(wild, "2019-07").dispersion > 5
    assert judge_month(wild, "2019-07").p > 0.05


def test_the_price_of_having_picked_it():
    counts = months([100] * 96)
    counts[pd.Period("2019-07", "M")] = 120
    once, often = judge_month(counts, "2019-07"), judge_month(counts, "2019-07", looks=12)
    assert often.p == once.p == pytest.approx(once.p_looked)
    assert often.p_looked == pytest.approx(1 - (1 - once.p) ** 12)


def test_years_without_any_expect_next_to_none():
    counts = months([0] * 96)
    assert judge_month(counts, "2019-07").p == 1
    counts[pd.Period("2019-07", "M")] = 1
    verdict = judge_month(counts, "2019-07")
    assert 0 < verdict.expected < 0.2 and verdict.p < 0.2
    assert np.isfinite(verdict.p)


def test_in_a_quiet_world_it_fires_once_in_twenty():
    rng = np.random.default_rng(5)
    share = np.mean(
        [
            (judge_months(months(rng.poisson(80, 144)), last=72)["p"] < 0.05).mean()
            for _ in range(12)
        ]
    )
    assert 0.02 < share < 0.08


@pytest.mark.parametrize(
    ("month", "looks", "said"),
    [("2030-01", 1, "has no count"), ("2012-08", 1, "needs 6"), ("2019-07", 0, "looks is 0")],
)
def test_what_cannot_be_judged_is_refused(month, looks, said):
    with pytest.raises(InvalidInput, match=said):
        judge_month(months([10] * 96), month, looks=looks)


def records(days, **columns):
    day = pd.to_datetime(days).astype("datetime64[us]")
    frame = pd.DataFrame({"occurred_from": day, "reported_at": pd.NaT, "known_on": day})
    return frame.assign(**{"offense": "Burglary", "count": 1, **columns})


def test_months_are_net_and_only_whole_ones(small_department):
    settings = small_department.load()
    days = [*pd.date_range("2023-01-01", "2023-03-31", freq="7D"), "2023-03-31"]
    frame = records(days, offense="Larceny")
    burglaries = records(["2023-01-05", "2023-01-06", "2023-03-02"], count=[1, -1, 1])
    frame = pd.concat([frame, burglaries])
    frame["known_on"] += pd.offsets.MonthEnd(0)
    counts = monthly_counts(frame, settings, "Burglary")
    assert {str(month): count for month, count in counts.items()} == {
        "2023-01": 0, "2023-02": 0, "2023-03": 1,
    }  # fmt: skip
    assert monthly_counts(frame, settings, "Total Property")[pd.Period("2023-03", "M")] > 3


def test_where_it_rose_adds_up_and_is_tested(small_department):
    references = [f"{year}-{month:02d}-10" for year in (2021, 2022) for month in (6, 7, 8)]
    frame = pd.concat(
        [
            records(references * 4, precinct="1"),
            records(["2023-07-01"] * 4, precinct="1"),
            records(["2023-07-02"] * 12, precinct="2"),
            records(["2023-07-03"], precinct=None),
        ],
        ignore_index=True,
    )
    rises = where_it_rose(frame, small_department.load(), "precinct", "2023-07")
    assert rises["precinct"].tolist() == ["2", "Unknown", "1"]
    first = rises.set_index("precinct")
    assert first.loc["1", "expected"] == pytest.approx(24 * 31 / 184)
    assert rises["rise"].sum() == pytest.approx(17 - 24 * 31 / 184)
    # Twelve of twelve in 31 of 215 days; three areas are tested.
    assert first.loc["2", "p"] == pytest.approx((31 / 215) ** 12)
    assert first.loc["2", "q"] == pytest.approx(3 * (31 / 215) ** 12)
    assert first.loc["1", "p"] > 0.05
