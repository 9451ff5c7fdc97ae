"""Aoristic weights against a minute-by-minute count, and what bad ranges get."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beatbook import hotspots as hs
from beatbook.errors import InvalidInput

START = pd.Timestamp("2024-01-01")  # a Monday
spans = st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 12_000)), max_size=12)


def ranges(rows):
    start = [START + pd.Timedelta(minutes=s) for s, _ in rows]
    end = [START + pd.Timedelta(minutes=s + length) for s, length in rows]
    return start, end


@settings(max_examples=60, deadline=None)
@given(spans)
def test_weights_equal_a_count_of_minutes(rows):
    found = hs.aoristic_week(*ranges(rows)).to_numpy().T.ravel()
    expected = np.zeros(168)
    for start, length in rows:
        if length >= 7 * 24 * 60:
            expected += 1 / 168
        else:
            minutes = np.arange(start, start + max(length, 1))
            np.add.at(expected, minutes // 60 % 168, 1 / minutes.size)
    assert found == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(spans)
def test_weights_sum_to_one_and_name_each_hour_once(rows):
    weights = hs.aoristic_weights(*ranges(rows))
    sums = weights.groupby("event")["weight"].sum()
    assert len(sums) == len(rows)
    assert sums.to_numpy() == pytest.approx(np.ones(len(rows)))
    assert not weights.duplicated(["event", "hour_bin"]).any()


@settings(max_examples=60, deadline=None)
@given(spans, st.sampled_from([("07:00", "15:00", "23:00"), ("06:30", "14:30", "22:30")]))
def test_the_shifts_of_a_day_share_out_every_incident(rows, shifts):
    start, end = ranges(rows)
    a, b, c = shifts
    total = sum(hs.shift_weights(start, end, *pair) for pair in ((a, b), (b, c), (c, a)))
    assert total == pytest.approx(np.ones(len(rows)))


def test_a_shift_over_midnight():
    weights = hs.shift_weights(
        ["2024-01-01 22:00", "2024-01-01 23:30", "2024-01-01 12:00"],
        ["2024-01-02 02:00", "2024-01-01 23:30", "2024-01-01 12:00"],
        "23:00", "07:00",
    )  # fmt: skip
    assert weights.tolist() == [0.75, 1.0, 0.0]


def test_a_department_without_end_times_is_served_from_its_starts():
    week = hs.aoristic_week(["2024-01-01 09:10", "2024-01-06 23:59"])
    assert week.loc[9, "Mon"] == week.loc[23, "Sat"] == 1.0
    assert week.to_numpy().sum() == 2.0
    assert week.attrs["without_end"] == 2


def test_bad_ranges_are_counted_not_hidden():
    week = hs.aoristic_week(
        ["2024-01-01 09:00", None, "2024-01-01 09:00"],
        ["2024-01-01 08:00", "2024-01-01 08:00", None],
    )
    assert week.to_numpy().sum() == 1.0
    assert week.attrs == {
        "events": 3, "without_end": 1, "without_start": 1, "end_before_start": 1,
    }  # fmt: skip


def test_a_cancelled_record_takes_its_hours_back():
    start, end = ["2024-01-01 09:00"] * 2, ["2024-01-01 11:00"] * 2
    assert hs.aoristic_week(start, end, weights=[1, -1]).to_numpy().sum() == 0.0


def test_empty_and_wrong_inputs():
    assert hs.aoristic_week([], []).to_numpy().sum() == 0.0
    assert len(hs.aoristic_weights([], [])) == 0
    with pytest.raises(InvalidInput, match="time zone"):
        hs.aoristic_weights(pd.Series(pd.to_datetime(["2024-01-01"], utc=True)))
    with pytest.raises(InvalidInput, match="07:00"):
        hs.shift_weights(["2024-01-01"], [None], "noon", "16:00")
    with pytest.raises(InvalidInput, match="1 starts but 2 ends"):
        hs.aoristic_weights(["2024-01-01"], ["2024-01-01", "2024-01-02"])
