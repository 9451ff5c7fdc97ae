"""Knox tables, pairs with one originator, strings and open zones."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beatbook import hotspots as hs
from beatbook.errors import InvalidInput
from beatbook.hotspots.bands import Bands

events = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 30)), min_size=0, max_size=25
)


def columns(rows):
    table = np.array(rows, dtype=float).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def brute_force(rows, distance, days, closed, metric):
    out = np.zeros((len(distance) - 1, len(days) - 1), dtype=int)
    d_bands = Bands.of(distance, closed, "d")
    t_bands = Bands.of(days, closed, "t")
    for i, a in enumerate(rows):
        for b in rows[i + 1 :]:
            dx, dy = abs(a[0] - b[0]), abs(a[1] - b[1])
            gap = dx + dy if metric == "manhattan" else np.hypot(dx, dy)
            s = int(d_bands.index([gap])[0])
            t = int(t_bands.index([abs(a[2] - b[2])])[0])
            if s >= 0 and t >= 0:
                out[s, t] += 1
    return out.tolist()


@settings(max_examples=60, deadline=None)
@given(events, st.sampled_from(["left", "right"]), st.sampled_from(["manhattan", "euclidean"]))
def test_observed_pairs_equal_a_double_loop(rows, closed, metric):
    distance, days = (0, 5, 10, 20), (0, 3, 7, np.inf)
    table = hs.knox(*columns(rows), distance, days, closed=closed, metric=metric, permutations=3)
    assert table.observed.tolist() == brute_force(rows, distance, days, closed, metric)


@settings(max_examples=30, deadline=None)
@given(
    events,
    st.randoms(use_true_random=False),
    st.integers(-5000, 5000),
    st.sampled_from([1.0, 3.2808399, 0.3048]),
)
def test_order_shift_and_unit_change_nothing(rows, random, shift, unit):
    x, y, t = columns(rows)
    order = np.array(random.sample(range(len(rows)), len(rows)), dtype=int)
    plain = hs.knox(x, y, t, (0, 10, 20), (0, 3, 7), permutations=19)
    moved = hs.knox(
        (x[order] + shift) * unit, (y[order] + shift) * unit, t[order],
        (0, 10 * unit, 20 * unit), (0, 3, 7), permutations=19,
    )  # fmt: skip
    assert moved.observed.tolist() == plain.observed.tolist()
    assert moved.p.tolist() == plain.p.tolist()


def test_the_seed_decides_and_the_threads_do_not():
    rng = np.random.default_rng(0)
    x, y, t = rng.integers(0, 2000, 300), rng.integers(0, 2000, 300), rng.integers(0, 90, 300)
    one = hs.knox(x, y, t, threads=1)
    two = hs.knox(x, y, t, threads=2)
    assert (one.expected_mean == two.expected_mean).all()
    other = hs.knox(x, y, t, seed=1)
    assert (one.expected_mean != other.expected_mean).any()


def test_expectation_is_near_the_product_of_close_pairs_in_space_and_in_time():
    rng = np.random.default_rng(5)
    x, y, t = rng.integers(0, 3000, 400), rng.integers(0, 3000, 400), rng.integers(0, 200, 400)
    table = hs.knox(x, y, t, (0, 400), (0, 14))
    gap = np.abs(t[:, None] - t)
    near_time = ((gap < 14).sum() - 400) / 2
    near_space = ((np.abs(x[:, None] - x) + np.abs(y[:, None] - y) < 400).sum() - 400) / 2
    assert table.expected_mean[0, 0] == pytest.approx(
        near_time * near_space / (400 * 399 / 2), rel=0.02
    )


def test_clock_times_count_by_calendar_day_and_numbers_by_fractions():
    late = hs.knox([0, 0], [0, 0], ["2024-01-01 23:50", "2024-01-02 00:10"], (0, 1), (0, 1, 2))
    assert late.observed.tolist() == [[0, 1]]
    numbers = hs.knox([0, 0], [0, 0], [0.99, 1.01], (0, 1), (0, 1, 2))
    assert numbers.observed.tolist() == [[1, 0]]


@pytest.mark.parametrize("n", [0, 1, 6])
def test_no_events_one_event_and_all_on_one_spot(n):
    table = hs.knox([7.0] * n, [7.0] * n, [3.0] * n, (0, 10), (0, 7), permutations=9)
    pairs = n * (n - 1) // 2
    assert table.observed.tolist() == [[pairs]]
    assert table.p.tolist() == [[1.0]]
    frame = table.to_frame()
    if pairs:
        assert frame["ratio_mean"].tolist() == [1.0]
    else:
        assert frame["ratio_mean"].isna().all()
    assert len(hs.near_repeat_strings([7.0] * n, [7.0] * n, [3.0] * n, 5, 1)) == n


def test_same_day_pairs_have_exactly_one_originator():
    when = ["2024-05-01", "2024-05-01", "2024-05-01", "2024-05-03"]
    ids = ["C", "A", "B", "D"]
    pairs = hs.near_repeat_pairs([0, 1, 2, 3], [0, 0, 0, 0], when, 10, 7, record_id=ids)
    found = set(zip(pairs["originator"], pairs["follower"], strict=True))
    assert found == {("A", "B"), ("A", "C"), ("B", "C"), ("A", "D"), ("B", "D"), ("C", "D")}
    assert pairs["same_day"].sum() == 3


def test_the_clock_decides_before_the_record_id():
    when = ["2024-05-01 18:00", "2024-05-01 02:00"]
    pairs = hs.near_repeat_pairs([0, 1], [0, 0], when, 10, 7, record_id=["A", "B"])
    assert pairs[["originator", "follower", "days"]].to_numpy().tolist() == [["B", "A", 0.0]]


@settings(max_examples=30, deadline=None)
@given(events, st.randoms(use_true_random=False))
def test_pairs_and_strings_do_not_depend_on_the_order_of_rows(rows, random):
    x, y, t = columns(rows)
    ids = np.arange(len(rows))
    order = np.array(random.sample(range(len(rows)), len(rows)), dtype=int)
    plain = hs.near_repeat_pairs(x, y, t, 10, 4, record_id=ids)
    moved = hs.near_repeat_pairs(x[order], y[order], t[order], 10, 4, record_id=ids[order])
    pd.testing.assert_frame_equal(plain, moved, check_dtype=False)
    strings = hs.near_repeat_strings(x, y, t, 10, 4)
    other = hs.near_repeat_strings(x[order], y[order], t[order], 10, 4)
    assert strings["string"].to_numpy()[order].tolist() == other["string"].tolist()
    assert strings["size"].to_numpy()[order].tolist() == other["size"].tolist()


@pytest.fixture
def risky() -> hs.KnoxTable:
    rng = np.random.default_rng(2)
    x, y, t = (rng.integers(0, 20_000, 300) for _ in range(3))
    x, y = np.concatenate([x, x + 50]), np.concatenate([y, y])
    t = np.concatenate([t % 300, t % 300 + 2])
    return hs.knox(x, y, t, (0, 100, 200), (0, 7, 14), metric="euclidean")


def test_open_zones_say_where_until_when_and_how_much(risky):
    zones = hs.open_zones([1000.0, 9000.0, 5000.0], [1000.0] * 3, [98.0, 60.0, 101.0], 100, risky)
    assert zones["event"].tolist() == [0]
    zone = zones.iloc[0]
    assert (zone["opens"], zone["closes"], zone["days_left"]) == (98.0, 104.0, 4.0)
    assert (zone["inner_distance"], zone["outer_distance"]) == (0, 100)
    assert zone["ratio"] == pytest.approx(risky.ratio_mean[0, 0])
    assert zone.geometry.area == pytest.approx(np.pi * 100**2, rel=0.01)


def test_open_zones_keep_dates_and_are_empty_without_a_raised_risk(risky):
    dated = hs.open_zones([0.0], [0.0], ["2024-03-01"], "2024-03-04", risky)
    assert dated["closes"].tolist() == [pd.Timestamp("2024-03-07")]
    assert len(hs.open_zones([0.0], [0.0], [99.0], 100, risky, min_ratio=1e6)) == 0


def test_refusals():
    with pytest.raises(InvalidInput, match="ascending"):
        hs.knox([0, 1], [0, 1], [0, 1], (0, 200, 100), (0, 7))
    with pytest.raises(InvalidInput, match="no usable time"):
        hs.knox([0, 1], [0, 1], ["2024-01-01", None], (0, 100), (0, 7))
    with pytest.raises(InvalidInput, match="2 points but 3 times"):
        hs.knox([0, 1], [0, 1], [1, 2, 3], (0, 100), (0, 7))
    with pytest.raises(InvalidInput, match="to_crs"):
        hs.knox([-90.2, -90.25], [38.6, 38.62], [1, 2], (0, 200), (0, 7))
    with pytest.raises(InvalidInput, match="name every event once"):
        hs.near_repeat_pairs([0, 1], [0, 1], [1, 2], 5, 5, record_id=["A", "A"])
    n = 7000
    with pytest.raises(InvalidInput, match="more than fit in memory"):
        hs.knox(np.zeros(n), np.zeros(n), np.arange(n), (0, 10), (0, 7))
