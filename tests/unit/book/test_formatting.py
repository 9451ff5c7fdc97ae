"""How figures and dates are written, by hand-worked cases."""

import datetime as dt
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beatbook.book import formatting as f
from beatbook.book.formatting import UNDEFINED


@pytest.mark.parametrize(
    ("value", "note", "text"),
    [
        (12.34, "", "+12.3 %"),
        (-4.0, "", "-4.0 %"),
        (0.0, "", "0.0 %"),
        (-0.04, "", "0.0 %"),
        (0.04, "", "0.0 %"),
        (1234.56, "", "+1,234.6 %"),
        (-100.0, "", "-100.0 %"),
        (math.nan, "", UNDEFINED),
        (math.inf, "", UNDEFINED),
        (pd.NA, "", UNDEFINED),
        (None, "", UNDEFINED),
        (math.nan, "not covered", "n/c"),
        (math.nan, "not comparable", "n/p"),
    ],
)
def test_percent(value, note, text):
    assert f.percent(value, note) == text


@pytest.mark.parametrize(
    ("value", "note", "text"),
    [
        (0, "", "0"),
        (1234567, "", "1,234,567"),
        (-3, "", "-3"),
        (pd.NA, "", UNDEFINED),
        (pd.NA, "not covered", "n/c"),
        (None, "not comparable", "n/p"),
        (7, "not covered", "7"),
    ],
)
def test_count(value, note, text):
    assert f.count(value, note) == text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((20.0, 0.049, 12, 10, ""), ("▲ +20.0 %", True)),
        ((-20.0, 0.01, 8, 10, ""), ("▼ -20.0 %", True)),
        ((20.0, 0.05, 12, 10, ""), ("+20.0 %", False)),
        ((math.nan, 0.001, 15, 0, ""), (f"▲ {UNDEFINED}", True)),
        ((0.0, 0.001, 10, 10, ""), ("0.0 %", False)),
        ((20.0, math.nan, 12, 10, ""), ("+20.0 %", False)),
        ((math.nan, 0.001, 12, pd.NA, ""), (UNDEFINED, False)),
        ((math.nan, 0.001, 12, 10, "not comparable"), ("n/p", False)),
    ],
)
def test_change_is_marked_only_beyond_noise(arguments, expected):
    assert f.change(*arguments, level=0.05) == expected


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2025-11-10", "2025-11-16", "Nov 10 to 16, 2025"),
        ("2025-10-20", "2025-11-16", "Oct 20 to Nov 16, 2025"),
        ("2025-12-29", "2026-01-04", "Dec 29, 2025 to Jan 4, 2026"),
        ("2024-02-29", "2024-02-29", "Feb 29, 2024"),
    ],
)
def test_day_range(start, end, text):
    assert f.day_range(pd.Timestamp(start), pd.Timestamp(end)) == text


def test_days_and_small_words():
    assert f.day(dt.date(2025, 11, 16), weekday=True) == "Sunday, Nov 16, 2025"
    assert f.share(12, 310) == "3.9 %"
    assert f.share(0, 0) == UNDEFINED
    assert f.counted(1, "week") == "1 week"
    assert f.counted(1200, "week") == "1,200 weeks"
    assert f.listed(["a", "b", "c"]) == "a, b and c"
    assert f.listed([]) == ""
    assert f.short_hash("AB" * 32) == "AB" * 6
    assert f.short_hash("version 1.2.3") == "version 1.2.3"


@given(st.floats(min_value=-1e6, max_value=1e6))
def test_a_percentage_reads_back_to_within_its_rounding(value):
    text = f.percent(value)
    assert abs(float(text.removesuffix(" %").replace(",", "")) - value) <= 0.05 + 1e-9
    assert not text.startswith(("-0.0", "+0.0"))


@given(st.integers())
def test_a_count_reads_back_exactly(value):
    assert int(f.count(value).replace(",", "")) == value
