"""Faults of whole files: those that stop the reading, and those that the rules on files find."""

from tests.quality_faults.city import City
from tests.quality_faults.fault import REFUSED, Fault
from tests.quality_faults.ordinary_feed import LATEST, MONTHS, Row

NEW = f"{LATEST}.csv"


def cut_in_a_row(city: City) -> None:
    content = city.read(NEW)
    city.write(NEW, content[: len(content) // 2])


def cut_in_a_row_that_ends(city: City) -> None:
    content = city.read(NEW)
    lines = content.split(b"\r\n")
    city.write(NEW, b"\r\n".join([*lines[:200], lines[200][:40], b""]))


def only_the_header(city: City) -> None:
    city.write(NEW, city.read(NEW).splitlines(keepends=True)[0])


def cut_between_rows(city: City) -> None:
    rows = city.rows("2023-06")
    city.put("2023-06", rows[: len(rows) // 2])


def renamed_column(city: City) -> None:
    city.write(NEW, city.read(NEW).replace(b"Code", b"UCR Code", 1))


def column_twice(city: City) -> None:
    city.write(NEW, city.read(NEW).replace(b"Reported", b"Date", 1))


def another_encoding(city: City) -> None:
    city.write(NEW, city.read(NEW).replace(b"ROBBERY", b"ROBBER\xdd"))


def delivered_again(city: City) -> None:
    city.write("2023-11_copy.csv", city.read("2023-11.csv"))


def delivered_again_in_another_order(city: City) -> None:
    city.put("2023-09", city.rows("2023-09")[::-1], "2023-09_copy.csv")


def gone(*months: str):
    def remove(city: City) -> None:
        for month in months:
            (city.folder / "feed" / f"{month}.csv").unlink()

    return remove


def new_column(rows: list[Row]) -> None:
    for row in rows:
        row["Weapon"] = "none"


def new_system(rows: list[Row]) -> None:
    for row in rows:
        row["Complaint"] = row.pop("Case")
        del row["Reported"]


def one_again(city: City) -> None:
    """The newest file holds a record of the month before once more."""
    city.write(NEW, city.read(NEW) + city.read("2023-11.csv").splitlines(keepends=True)[7])


def other_dates(month: str):
    def change(city: City) -> None:
        rows = city.rows(month)
        for row in rows:
            day, hour = row["Date"].split(" ")
            m, d, y = day.split("/")
            row["Date"] = f"{y}-{m}-{d} {hour}"
        city.put(month, rows)

    return change


def day_before_month(city: City) -> None:
    rows = city.rows("2023-11")
    for row in rows:
        row["Date"] = f"{row['Date'][3:5]}/{row['Date'][:2]}{row['Date'][5:]}"
    city.put("2023-11", rows)


def no_codes(city: City) -> None:
    city.put("2023-10", [{**row, "Code": ""} for row in city.rows("2023-10")])


def settings_of_another_format(city: City) -> None:
    city.set(feed={"date_formats": ["%Y/%m/%d %H:%M:%S"]})


def first_third(rows: list[Row]) -> None:
    del rows[len(rows) // 3 :]


def each_twice(rows: list[Row]) -> None:
    rows.extend([dict(row) for row in rows])


_REFUSED = [
    ("File cut in the middle of a row", cut_in_a_row, NEW, "probably cut in the middle"),
    ("File cut in a row, the line ended", cut_in_a_row_that_ends, NEW,
     "near line 201 does not have the header's 15 columns"),
    ("Empty file", lambda city: city.write(NEW, b""), NEW, "the file is empty"),
    ("A header and no rows", only_the_header, NEW, "a header and no rows"),
    ("Column renamed", renamed_column, NEW, "which also expects: Code"),
    ("Two columns of one name", column_twice, NEW, "the header names Date twice"),
    ("Other encoding than before", another_encoding, NEW, "it holds the bytes dd, which are not"),
    ("The same file under two names", delivered_again, "2023-11_copy.csv",
     "are the same file, byte for byte"),
    ("No file at all", gone(*MONTHS), "feed/*", "no file matches"),
]  # fmt: skip

FEED_FAULTS = [
    *(
        Fault(name, name, "", REFUSED, record, sees, files=files)
        for name, files, record, sees in _REFUSED
    ),
    Fault("An older file cut between two rows", "files", "published_files_are_whole", "warning",
          "2023-06.csv", "194 rows", files=cut_between_rows),
    Fault("A month's file gone", "files", "published_files_are_still_there", "warning",
          "2023-08.csv", "the file is gone", files=gone("2023-08")),
    Fault("A month missing", "files", "no_days_are_missing", "warning",
          "2023-08-01 to 2023-08-31", "no record known from 2023-08-01 to 2023-08-31"),
    Fault("Most of the feed gone", "wrong files", "most_of_the_feed_is_still_there", "critical",
          "all files", "7,271 rows", files=gone(*MONTHS[:5])),
    Fault("A new column", "layout", "no_columns_are_new", "warning", NEW,
          "new columns: Complaint, Weapon", rows=new_column),
    Fault("Another of the known layouts", "layout", "layout_is_that_of_the_file_before", "warning",
          NEW, "layout 'new system'", rows=new_system),
    Fault("A column gone", "layout", "no_columns_are_gone", "warning", NEW,
          "columns gone: Case, Reported"),
    Fault("A month delivered again in another order", "wrong files", "no_file_repeats_another",
          "critical", "2023-09_copy.csv", "384 records that an earlier file holds",
          files=delivered_again_in_another_order),
    Fault("A record in two files", "records", "no_record_is_in_two_files", "warning", NEW,
          "1 record that an earlier file holds", files=one_again),
    Fault("Dates of one file in another format", "wrong files",
          "few_rows_of_a_file_are_refused", "critical", NEW, "361, 361",
          files=other_dates(LATEST)),
    Fault("Day and month swapped throughout a file", "wrong files",
          "few_rows_of_a_file_are_refused", "critical", "2023-11.csv",
          "228, 369", files=day_before_month),
    Fault("Code column emptied", "wrong files", "few_rows_of_a_file_are_refused", "critical",
          "2023-10.csv", "413, 413", files=no_codes),
    Fault("Every date unreadable", "nothing", "there_are_records", "critical", "incidents", "0",
          files=settings_of_another_format),
    Fault("The feed stopped within the month", "short month", "feed_did_not_stop", "critical",
          f"{LATEST}|City|All offenses", "117 records", rows=first_third),
    Fault("A month doubled within its file", "doubled", "feed_did_not_double", "critical",
          f"{LATEST}|City|All offenses", "714 records", rows=each_twice),
]  # fmt: skip
