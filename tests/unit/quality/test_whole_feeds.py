"""Evidence on a made-up feed: each oddity is found by name, and an ordinary feed shows none."""

import datetime as dt

import pandas as pd
import pytest

from beatbook.quality.cancellations import unmatched_cancellations
from beatbook.quality.codes import code_drift, descriptions
from beatbook.quality.feed_drift import (
    files_against_published,
    layout_changes,
    missing_days,
    shared_records,
)
from beatbook.quality.locations import block_addresses, swapped_points
from beatbook.quality.shares import shares
from beatbook.quality.staged import Period, periods_of
from beatbook.quality.sums import compstat_sums, weekly_sums
from beatbook.quality.volumes import period_volume, weekly_volume
from tests.unit.quality.conftest import MONTHS, month_rows

LAST = f"{MONTHS[-1]}.csv"


def test_an_ordinary_feed_shows_nothing(opened, two_years):
    with opened(two_years) as staged:
        assert staged.latest == Period(dt.date(2023, 12, 1), dt.date(2023, 12, 31), "2023-12")
        assert (period_volume(staged)["q"] > 0.5).all()
        assert (weekly_volume(staged)["q"] > 0.5).all()
        assert (shares(staged)["q"].dropna() > 0.5).all()
        assert code_drift(staged).empty and missing_days(staged).empty
        assert not shared_records(staged)["shared"].any()
        assert unmatched_cancellations(staged).empty and swapped_points(staged).empty
        changes = layout_changes(staged)
        assert list(changes["record_key"]) == [LAST]
        assert changes[["columns_added", "columns_gone"]].isna().all(axis=None)


def test_a_feed_that_stopped_is_told_for_the_city_and_each_precinct(opened, two_years):
    two_years[LAST] = two_years[LAST][:2]
    with opened(two_years) as staged:
        volume = period_volume(staged).set_index("record_key")
    city = volume.loc["2023-12|City|All offenses"]
    assert city["records"] == 2 and city["expected_records"] == pytest.approx(30.5, abs=0.7)
    assert city["q"] < 1e-4 and city["ratio"] < 0.1
    assert city["observed"] == "2 records" and city["expected"].startswith("about 3")


def test_a_week_cut_off_the_end_is_told_though_the_month_is_not(
    opened, two_years, small_department
):
    for month in MONTHS:
        two_years[f"{month}.csv"] = month_rows(small_department, month, 280)
    whole = two_years[LAST]
    two_years[LAST] = [row for row in whole if row["Date"] < "12/22"]
    with opened(two_years) as staged:
        weeks = weekly_volume(staged)
        oldest = weeks[(weeks["precinct"] == "City") & (weeks["offense"] == "All offenses")]
    # Days 25 to 31 of a month of 31 hold 4 of the first 28 days.
    assert oldest.set_index("week").loc[1, "q"] < 1e-3
    assert oldest.set_index("week").loc[4, "q"] > 0.05


def test_the_past_is_judged_as_it_stood(opened, two_years):
    two_years[LAST] = []
    del two_years[LAST]
    two_years["2023-11.csv"] = two_years["2023-11.csv"] * 3
    with opened(two_years, as_of=dt.date(2023, 10, 31)) as staged:
        assert staged.latest.name == "2023-10"
        assert (period_volume(staged)["q"] > 0.5).all()
        assert "2023-11.csv" not in set(staged.ask("SELECT file FROM feed_files")["file"])


def test_new_and_vanished_codes_are_named(opened, two_years):
    for i, row in enumerate(two_years[LAST]):
        row["Code"] = "062000" if i < 12 else "031000"
        if row["District"] == "4":
            row["District"], row["Area"] = "3", "30"
    with opened(two_years) as staged:
        drift = code_drift(staged).set_index("record_key")
    new = drift.loc["2023-12|offense_code|062000"]
    assert new["drift"] == "new" and new["records"] == 12
    gone = drift.loc["2023-12|precinct_recorded|4"]
    assert gone["drift"] == "gone" and gone["usual"] == 7 and gone["p"] < 0.01
    assert gone["expected"] == "about 7 a month"


def test_a_code_that_lacked_before_is_not_gone_again(opened, two_years):
    for month in ("2023-11", "2023-12"):
        for row in two_years[f"{month}.csv"]:
            if row["District"] == "4":
                row["District"] = "3"
    with opened(two_years) as staged:
        assert "2023-12|precinct_recorded|4" not in set(code_drift(staged)["record_key"])


def test_heaps_lags_and_lost_places_leap_in_their_own_measure(opened, two_years, small_department):
    for month in MONTHS:
        two_years[f"{month}.csv"] = month_rows(small_department, month, 200)
    for i, row in enumerate(two_years[LAST]):
        if i < 60:
            row["Date"] = row["Date"][:10] + " 00:01"
        if 60 <= i < 120:
            row["X"] = ""
        if 120 <= i < 180:
            row["Date"] = "06/01/2023 10:00"
    with opened(two_years) as staged:
        found = shares(staged).set_index("measure")
    odd = set(found.index[found["q"] < 0.001])
    assert odd == {"one_past_midnight", "no_place", "late"}
    assert found.loc["no_place", "observed"] == "60 of 200 records without a point (30.0%)"


def test_a_cancellation_needs_its_crime(opened, two_years, small_department):
    first = two_years["2022-01.csv"][0]
    minus = {"Count": "-1", "Month": "2023-12"}
    two_years[LAST] += [
        {**first, **minus},
        # The same crime cannot be canceled twice.
        {**first, **minus, "Source": "again"},
        # No number: the words match 2022-02's first record (offense, day, precinct).
        {**two_years["2022-02.csv"][0], **minus, "Case": ""},
        # A crime that the feed never held.
        small_department.row(**minus, Case="99", Date="05/05/2023 03:00"),
        # From before the feed: it need not hold it.
        small_department.row(**minus, Case="98", Date="05/05/2021 03:00"),
    ]
    two_years["2022-02.csv"][0]["Case"] = ""
    with opened(two_years) as staged:
        found = unmatched_cancellations(staged)
    rows = found.set_index("source_row")["unmatched"].to_dict()
    assert rows == {31: rows[31], 32: rows[32], 33: False, 34: True}
    # Which of the two falls by the order within the same day; one of them does.
    assert sorted([rows[31], rows[32]]) == [False, True] or rows[31] == rows[32] is True


def test_swapped_axes_are_told_without_the_coordinates(opened, two_years):
    row = two_years[LAST][3]
    row["X"], row["Y"] = row["Y"], row["X"]
    two_years[LAST][4]["X"] = "1"
    with opened(two_years) as staged:
        found = swapped_points(staged)
    assert list(found["source_row"]) == [4] and found["swapped"].all()
    assert (
        not found.astype("str")
        .apply(lambda c: c.str.contains("4270|4271|700", regex=True))
        .any(axis=None)
    )


def test_a_file_delivered_twice_under_another_name_is_told(opened, two_years):
    two_years["copy.csv"] = [*two_years[LAST][::-1]]
    with opened(two_years) as staged:
        found = shared_records(staged).set_index("record_key")
    assert found.loc["copy.csv", "share"] == 1 and found.loc[LAST, "shared"] == 0


def test_a_missing_month_is_a_gap_and_an_old_one_is_not(opened, two_years):
    del two_years["2023-06.csv"]
    with opened(two_years) as staged:
        (gap,) = missing_days(staged).to_dict("records")
    assert gap["record_key"] == "2023-06-01 to 2023-06-30" and gap["days"] == 30


def test_changed_columns_are_named(opened, two_years, small_department):
    two_years[LAST] = [{**row, "Weather": "rain"} for row in two_years[LAST]]
    two_years["2023-11.csv"] = [{**row, "Old": ""} for row in two_years["2023-11.csv"]]
    with opened(two_years) as staged:
        (row,) = layout_changes(staged).to_dict("records")
    assert row["columns_added"] == "Weather" and row["columns_gone"] == "Old"
    assert row["layout"] == row["layout_before"] == "monthly"


def test_a_published_file_that_shrank_or_went_is_told(opened, two_years):
    published = pd.DataFrame(
        {"file": [LAST, "2021-12.csv"], "sha256": ["0", "1"], "rows": [60, 40],
         "layout": ["monthly", "monthly"], "unused_columns": ["Weather", ""]}
    )  # fmt: skip
    with opened(two_years, published_files=published) as staged:
        found = files_against_published(staged).set_index("record_key")
        (changed,) = layout_changes(staged).to_dict("records")
    assert found.loc[LAST, "share_left"] == 0.5
    assert found.loc["2021-12.csv", "observed"] == "the file is gone"
    # The feed as a whole holds more than was published: files may be named anew.
    assert found.loc["all files", "share_left"] == 7.2
    # Held against its own last version, not against the month before.
    assert changed["columns_gone"] == "Weather"


def test_a_code_called_something_else_is_told(opened, two_years, small_department):
    small_department.set(
        feed={"layouts": [{"name": "monthly", "columns": {
            **small_department.settings["feed"]["layouts"][0]["columns"],
            "offense_description": "Words"}}]}
    )  # fmt: skip
    for name, rows in two_years.items():
        for i, row in enumerate(rows):
            row["Code"], row["Words"] = ("062000", "LARCENY") if i % 2 else ("031000", "ROBBERY")
            if name == LAST and i == 0:
                row["Words"] = "LARCENY"
            if name == LAST and i == 1:
                row["Words"] = "LARCENY FROM A BOAT"
    with opened(two_years) as staged:
        found = descriptions(staged).set_index("record_key")
    odd = found[found["code_means"] != found["words_mean"]]
    assert list(odd.index) == ["031000|LARCENY"]
    assert odd["source_file"].iloc[0] == LAST and odd["source_row"].iloc[0] == 1
    assert set(found.index[found["new_words"].astype(bool)]) == {
        "031000|LARCENY", "062000|LARCENY FROM A BOAT",
    }  # fmt: skip


def test_addresses_are_looked_at_once_and_never_shown(opened, two_years):
    with opened(two_years) as staged:
        found = block_addresses(staged)
    assert len(found) == 1 and found["block_address"].iloc[0] == "1500 block of MAIN ST"
    assert "MAIN" not in found["observed"].iloc[0]


def test_weekly_counts_add_up_or_are_told(opened, two_years, small_department):
    from beatbook.compstat.counts import weekly_counts

    with opened(two_years) as staged:
        incidents = staged.ask("SELECT * FROM incidents")
        counts = weekly_counts(incidents, small_department.load())
        assert (lambda t: t["parts"] == t["whole"])(weekly_sums(staged, counts)).all()
        counts.loc[counts["incidents"].idxmax(), "incidents"] += 1
        sums = weekly_sums(staged, counts)
    wrong = sums[sums["parts"] != sums["whole"]]
    assert len(wrong) == 2 and set(wrong["field"]) == {"week", "offense"}


def test_a_book_whose_parts_do_not_add_up_is_told():
    rows = [
        ("city", "X", "Robbery", 5), ("precinct", "1", "Robbery", 3),
        ("precinct", "Unknown", "Robbery", 1),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["geography_type", "geography", "offense", "current"])
    table = table.assign(window="week", comparison="prior_year", prior=pd.NA)
    table = table.astype({"current": "Int64", "prior": "Int64"})
    sums = compstat_sums(table)
    (wrong,) = sums[sums["parts"] != sums["whole"]].to_dict("records")
    assert wrong["record_key"] == "precincts|week|prior_year|Robbery"
    assert (wrong["parts"], wrong["whole"]) == (4, 5)


def test_periods_of_a_daily_feed_are_whole_weeks(small_department):
    from beatbook.compstat.coverage import Span

    department = small_department.set(feed={"publishes": "daily"}).load()
    periods = periods_of([Span(dt.date(2024, 1, 3), dt.date(2024, 1, 30))], department)
    assert [p.end for p in periods] == [
        dt.date(2024, 1, 14), dt.date(2024, 1, 21), dt.date(2024, 1, 28),
    ]  # fmt: skip
    assert periods_of([], department) == []
