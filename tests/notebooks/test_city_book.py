"""The notebook of the city book, as of another day than the newest."""

from beatbook.book import markup
from beatbook.home import Home
from tests.workshop import DC, WEEK


def test_a_book_of_an_earlier_day_says_nothing_of_todays_checks(run_cells, book):
    _, names = run_cells(
        "compstat.ipynb", Home(book[0].parents[3]), department=DC, week_ending=WEEK,
        as_of="2024-03-12",
    )  # fmt: skip
    then = "".join(markup.render(block) for block in names["book"].blocks)
    today = book[0].read_text(encoding="utf-8")
    assert "checks are met" in today and "not as of" not in today
    assert "checks are met" not in then and "as it stands, not as of 2024-03-12" in then
    # Nor does it count records that were not yet known.
    assert "8,633" in today and "8,633" not in then
