"""Nowcast: completeness from the lag history, nothing from after the day, parts that add up."""

import numpy as np
import pandas as pd
import pytest

from beatbook.errors import InvalidInput
from beatbook.forecasts.nowcast import book_dates, lag_history, nowcast, plain_ratio, same_age

AS_OF = pd.Timestamp("2018-06-30")


def late_feed(seed=4, per_day=30.0):
    """Monthly books: a record is coded up to three months after, most within a week or two."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2014-01-01", "2019-03-31")
    n = rng.poisson(per_day, len(days))
    occurred = np.repeat(days.to_numpy(), n)
    lag = rng.exponential(6, n.sum())
    coded = pd.DatetimeIndex(occurred + pd.to_timedelta(lag, unit="D")) + pd.offsets.MonthEnd(0)
    offense = np.where(rng.random(n.sum()) < 0.2, "Robbery", "Larceny")
    out = pd.DataFrame({"occurred_from": occurred, "known_on": coded.normalize(), "count": 1,
                        "offense": offense})  # fmt: skip
    return out


@pytest.fixture(scope="module")
def feed():
    return late_feed()


def test_the_nowcast_finds_what_is_still_to_come(feed):
    final = feed[feed["occurred_from"].between("2018-06-03", "2018-06-30")]["count"].sum()
    row = nowcast(feed, AS_OF).iloc[0]
    assert row["reported"] < 0.9 * final
    assert row["expected_final"] == pytest.approx(final, rel=0.05)
    assert row["lo_95"] <= row["lo_80"] <= row["expected_final"] <= row["hi_80"] <= row["hi_95"]
    assert row["lo_95"] >= row["reported"]
    assert row["completeness"] == pytest.approx(row["reported"] / row["expected_final"])


def test_intervals_cover_about_what_they_say(feed):
    inside = []
    for as_of in pd.date_range("2016-06-30", "2018-09-30", freq="ME"):
        row = nowcast(feed, as_of).iloc[0]
        first = as_of - pd.Timedelta(days=27)
        final = feed[feed["occurred_from"].between(first, as_of)]["count"].sum()
        inside.append(row["lo_80"] <= final <= row["hi_80"])
    assert 0.6 <= np.mean(inside) <= 1.0


def test_what_became_known_later_changes_nothing(feed):
    changed = feed.copy()
    later = changed["known_on"] > AS_OF
    changed.loc[later, "count"] = 7
    changed.loc[later, "occurred_from"] -= pd.Timedelta(days=30)
    spans = ((0, 7), (0, 28))
    first = nowcast(feed, AS_OF, spans=spans, by=["offense"])
    second = nowcast(changed, AS_OF, spans=spans, by=["offense"])
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_parts_add_up_to_the_whole(feed):
    whole = nowcast(feed, AS_OF).iloc[0]
    parts = nowcast(feed, AS_OF, by=["offense"])
    assert parts["reported"].sum() == whole["reported"]
    assert parts["expected_final"].sum() == pytest.approx(whole["expected_final"], rel=1e-9)


def test_younger_weeks_are_less_complete(feed):
    out = nowcast(feed, AS_OF, spans=((0, 7), (7, 14), (14, 21)))
    assert out["completeness"].is_monotonic_increasing
    assert out["last_day"].tolist()[1] == AS_OF - pd.Timedelta(days=7)


def test_without_a_year_of_books_there_is_no_estimate(feed):
    short = feed[feed["known_on"] >= "2018-01-01"]
    out = nowcast(short, AS_OF)
    assert out["expected_final"].isna().all() and out["lo_80"].isna().all()
    assert (out["reported"] > 0).all()


def test_dates_of_the_same_standing(feed):
    monthly = book_dates(feed["known_on"], AS_OF + pd.Timedelta(days=3))
    assert monthly[-1] == AS_OF + pd.Timedelta(days=3)
    assert monthly[-2] == pd.Timestamp("2018-06-03")
    daily = book_dates(feed["occurred_from"], AS_OF)
    assert set(np.diff(daily) / np.timedelta64(1, "D")) == {7.0}
    with pytest.raises(InvalidInput, match="No record was known"):
        book_dates(feed["known_on"], pd.Timestamp("2001-01-01"))


def test_lag_history_and_plain_ratio_by_hand():
    ends = pd.date_range("2018-01-31", periods=9, freq="ME")
    rows = [
        (end - pd.Timedelta(days=1), known, 1)
        for i, end in enumerate(ends) for known in (end, end, end, ends[min(i + 1, 8)])
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["occurred_from", "known_on", "count"])
    history = lag_history(frame, ends, (0, 28))
    np.testing.assert_array_equal(history.known[0, :3, 0], [3, 4, 4])
    assert history.known[8, 0, 0] == 4 and np.isnan(history.known[8, 1, 0])
    assert plain_ratio(history)[0] == pytest.approx(4 / 0.75)
    with pytest.raises(InvalidInput, match="older one"):
        lag_history(frame, ends, (7, 7))


def test_like_for_like_reads_both_periods_at_the_same_age(feed):
    out = same_age(feed, AS_OF, pd.Timestamp("2017-06-30")).iloc[0]
    assert out["prior_now"] > out["prior"]
    assert out["change"] == pytest.approx(out["current"] / out["prior"] - 1)
    assert abs(out["change"]) < 0.12
    settled = out["current"] / out["prior_now"] - 1
    assert settled < out["change"] - 0.05
    with pytest.raises(InvalidInput, match="before"):
        same_age(feed, AS_OF, AS_OF)


def test_the_dates_of_a_daily_feed_end_with_the_day_asked_for():
    known = pd.Series(pd.date_range("2023-01-01", "2023-06-30"))
    for day in ("2023-06-25", "2023-06-28", "2023-06-30"):
        dates = book_dates(known, pd.Timestamp(day))
        assert dates[-1] == pd.Timestamp(day)
        assert set(np.diff(dates) / np.timedelta64(1, "D")) == {7.0}
        assert dates[0] >= pd.Timestamp("2023-02-05")


def test_a_feed_of_one_day_has_that_day():
    one = pd.Series([pd.Timestamp("2023-06-30")])
    assert list(book_dates(one, pd.Timestamp("2023-06-30"))) == [pd.Timestamp("2023-06-30")]
