"""Bad input: a clear sentence, nothing lost, and the last published table stays readable."""

import datetime as dt
import shutil

import pytest

from beatbook.errors import BeatbookError
from beatbook.store import MissingTable
from tests.workshop import DC, workshop_at


def first(rows, offense="ROBBERY"):
    return next(row for row in rows if row["OFFENSE"] == offense)


def assert_tables_stand(shop, before):
    after = shop.table("incidents")
    assert len(after) == len(before)
    assert after.attrs["provenance"] == before.attrs["provenance"]


def broken_header(shop):
    path = shop.folder / "feed" / "Crime_Incidents_in_2024.csv"
    path.write_bytes(path.read_bytes().replace(b"OFFENSE", b"OFFENCE_TEXT", 1))


def cut_in_the_middle(shop):
    path = shop.folder / "feed" / "Crime_Incidents_in_2024.csv"
    path.write_bytes(path.read_bytes()[:700_001])


def emptied(shop):
    (shop.folder / "feed" / "Crime_Incidents_in_2024.csv").write_bytes(b"")


def no_files(shop):
    for path in (shop.folder / "feed").iterdir():
        path.unlink()


def geojson_cut(shop):
    path = shop.folder / "feed" / "crime-incidents-2016-07.geojson"
    path.write_bytes(path.read_bytes()[:90_000])


def all_codes_changed(shop):
    def change(rows):
        for row in rows:
            row["OFFENSE"] = f"NEW {row['OFFENSE']}"

    shop.edit_csv(change)


def all_dates_changed(shop):
    def change(rows):
        for row in rows:
            row["START_DATE"] = row["START_DATE"].replace("/", "-")

    shop.edit_csv(change)


def axes_swapped(shop):
    def change(text):
        for x, y in (("XBLOCK", "YBLOCK"), ("BLOCKXCOORD", "BLOCKYCOORD")):
            text = text.replace(f"x: {x}\n", "x: held\n").replace(f"y: {y}\n", f"y: {x}\n")
            text = text.replace("x: held\n", f"x: {y}\n")
        return text

    shop.settings(change)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (broken_header, "Crime_Incidents_in_2024.csv: the header matches none .* OFFENSE"),
        (cut_in_the_middle, "Crime_Incidents_in_2024.csv: .* probably cut in the middle"),
        (emptied, "Crime_Incidents_in_2024.csv: the file is empty"),
        (no_files, "The feed of washington_dc is empty: no file matches"),
        (geojson_cut, "crime-incidents-2016-07.geojson: .* probably cut in the middle"),
        (all_codes_changed, "Nothing was published: .*most_offenses_are_known"),
        (all_dates_changed, "Nothing was published: .*few_rows_of_a_file_are_refused"),
        (axes_swapped, "Nothing was published: .*most_points_are_in_the_city"),
    ],
)
def test_a_feed_that_cannot_be_right_is_refused_and_harms_nothing(shop, harm, said):
    before = shop.table("incidents")
    harm(shop)
    with pytest.raises(BeatbookError, match=said):
        shop.refresh()
    assert_tables_stand(shop, before)


@pytest.mark.parametrize(
    ("week", "as_of", "said"),
    [
        ("2024-03-24", None, r"2024-03-24 is not covered.* ends on 2024-03-17"),
        ("2024-03-10", "2024-03-05", "had not ended"),
        ((dt.date.today() + dt.timedelta(days=7 + 6 - dt.date.today().weekday())).isoformat(),
         None, "lies in the future"),
    ],
)  # fmt: skip
def test_a_book_that_cannot_be_filled_is_refused(shop, week, as_of, said):
    with pytest.raises(BeatbookError, match=said):
        shop.report(week, as_of=as_of)
    assert len(shop.table("incidents")) == 8_633
    with pytest.raises(MissingTable, match="beatbook report --department washington_dc"):
        shop.table("compstat", week_ending=week)


def test_an_unknown_department_is_told_those_that_exist(shop):
    shop.slug = "atlantis"
    with pytest.raises(BeatbookError, match=r"No department 'atlantis'.*washington_dc"):
        shop.report("2024-03-10")


@pytest.fixture(scope="module")
def odd_rows(published_checkout, tmp_path_factory):
    """A checkout refreshed with a new code, a date that is none and a precinct on no list."""

    def change(rows):
        first(rows).update(OFFENSE="ALIEN ABDUCTION")
        first(rows).update(START_DATE="yesterday evening")
        # A record without a point, so that the map cannot say where it was.
        first(rows, "HOMICIDE").update(DISTRICT="99", XBLOCK="", YBLOCK="")

    root = tmp_path_factory.mktemp("odd_rows")
    shutil.copytree(published_checkout, root, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        shop = workshop_at(root, DC, patch)
        shop.edit_csv(change)
        shop.refresh()
    return shop


def test_an_unmapped_code_is_kept_counted_and_reported(odd_rows):
    incidents = odd_rows.table("incidents")
    unmapped = incidents[incidents["offense"] == "Unmapped"]
    assert list(unmapped["offense_code"]) == ["ALIEN ABDUCTION"]
    counts = odd_rows.table("weekly_counts")
    assert counts["incidents"][counts["offense"] == "Unmapped"].sum() == 1
    queue = odd_rows.table("quality_queue")
    assert queue["observed"].str.contains("ALIEN ABDUCTION").any()


def test_an_unreadable_date_is_refused_with_its_reason_and_the_rest_published(odd_rows):
    rejected = odd_rows.table("rejected_incidents")
    assert len(rejected) == 1 and len(odd_rows.table("incidents")) == 8_632
    row = rejected.iloc[0]
    assert row["source_file"] == "Crime_Incidents_in_2024.csv"
    assert row["reason"] == "unreadable_occurred_from"
    assert row["observed"] == "yesterday evening"
    assert "%Y/%m/%d" in row["expected"]


def test_a_precinct_on_no_list_counts_under_unknown(odd_rows):
    incidents = odd_rows.table("incidents")
    strayed = incidents[incidents["precinct_source"] == "unlisted"]
    assert list(strayed["precinct_recorded"]) == ["99"]
    assert strayed["precinct"].isna().all()
