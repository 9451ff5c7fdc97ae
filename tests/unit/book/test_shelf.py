"""The shelf leads to what is there, and says what is not."""

import re
from types import SimpleNamespace

import pytest

from beatbook.book import shelf
from beatbook.book.shelf import write_shelf

CSV = "department,week_ending,as_of\nexample,2024-01-14,2024-01-20\n"


@pytest.fixture
def home(small_department):
    return small_department.home


def put(home, *names, content="x"):
    for name in names:
        path = home.reports / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def put_week(home, week="2024-01-14", slug="example"):
    put(home, *(f"{slug}/{week}/compstat.{suffix}" for suffix in ("html", "pdf")))
    put(home, f"{slug}/{week}/compstat.csv", content=CSV)


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_a_checkout_without_a_book_says_what_to_run(home):
    page = write_shelf(home).read_text(encoding="utf-8")
    assert "Nothing has been made yet. Run: beatbook report --department example" in words(page)
    assert "<table" not in page and "Search" not in words(page)


def test_every_link_leads_to_a_file_by_a_relative_address(home):
    put_week(home)
    put(home, "example/2024-01-14/packets/1.html", "example/2024-01-14/packets/1.pdf",
        "example/2024-01-14/packets/3-4 ü#.html", "example/2024-01-14/layers/hotspots.gpkg",
        "example/2024-01-14/burglary_spike.html", "example/quality/index.html")  # fmt: skip
    page = write_shelf(home).read_text(encoding="utf-8")
    links = [link for link in re.findall(r'href="([^"]+)"', page) if link[0] != "#"]
    assert len(links) > 8
    from urllib.parse import unquote

    for link in links:
        if link == "data:,":
            continue
        assert "\\" not in link and "//" not in link and not link.startswith("/")
        assert (home.reports / unquote(link)).is_file(), link
    text = words(page)
    assert "Burglary spike" in text and "hotspots.gpkg" in text and "Quality page" in text
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?:https?:)?//""", page)


def test_weeks_stand_newest_first_with_both_dates(home):
    for week in ("2024-01-07", "2024-01-14", "2023-12-31"):
        put_week(home, week)
    page = write_shelf(home).read_text(encoding="utf-8")
    assert re.findall(r'data-ending="([\d-]+)"', page) == ["2024-01-14", "2024-01-07", "2023-12-31"]
    assert "Latest book: week ending Jan 14, 2024 , as of Jan 20, 2024" in words(page)


def test_packets_are_called_by_their_precinct_in_its_order(home, small_department):
    small_department.set(
        areas={
            "precinct": {"file": None, "code": None, "codes": {"2020-01-01": ["2", "10", "N/W"]}}
        }
    )
    put(home, *(f"example/2024-01-14/packets/{name}.html" for name in ("10", "2", "N-W")))
    page = write_shelf(home).read_text(encoding="utf-8")
    assert re.findall(r'data-name="([^"]+)"', page) == ["District 2", "District 10", "District N/W"]


def test_a_hold_is_told_with_the_last_good_book(home, monkeypatch):
    put_week(home)
    put(home, "example/quality/index.html")
    held = SimpleNamespace(
        held=True, held_by=("no_future_dates",), last_checked="2024-01-20T11:00:00+00:00",
        open_items={"critical": 2, "warning": 1, "info": 0},
    )  # fmt: skip
    monkeypatch.setattr(shelf, "_quality", lambda slug, home: held)
    page = write_shelf(home).read_text(encoding="utf-8")
    text = words(page)
    assert 'class="bb-box bb-hold"' in page
    assert "Nothing has been published since: no_future_dates." in text
    assert "The last good book, of the week ending Jan 14, 2024, stays in force" in text
    assert "Data last checked Jan 20, 2024, 05:00 CST." in text
    assert 'href="example/2024-01-14/compstat.html"' in page


def test_without_a_check_there_is_no_hold(home):
    put_week(home)
    assert "bb-box bb-hold" not in write_shelf(home).read_text(encoding="utf-8")


def test_a_department_whose_settings_break_keeps_its_books(home, small_department):
    put_week(home)
    (small_department.folder / "department.yaml").write_text("name: <b>x", encoding="utf-8")
    page = write_shelf(home).read_text(encoding="utf-8")
    assert "The settings cannot be read" in page and "<b>x" not in page
    assert 'href="example/2024-01-14/compstat.pdf"' in page


def test_files_under_way_and_stray_folders_are_not_shown(home):
    put_week(home)
    put(home, ".making-1/compstat.html", "example/.making-2/x.html", "example/notes/a.html",
        "example/2024-01-14/packets/.1.html.abc", "failed-compstat.ipynb")  # fmt: skip
    page = write_shelf(home).read_text(encoding="utf-8")
    shown = set(re.findall(r'href="(example/[^"]+)"', page))
    assert shown == {f"example/2024-01-14/compstat.{kind}" for kind in ("html", "pdf", "csv")}
    assert "failed-" not in page and "not made" in words(page)


def test_the_same_reports_give_the_same_page(home):
    put_week(home)
    first = write_shelf(home).read_bytes()
    assert write_shelf(home).read_bytes() == first
