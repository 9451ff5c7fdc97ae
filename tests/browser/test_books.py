"""The shelf, a book and a packet of each department as a reader meets them, network blocked."""

import datetime as dt
import re
import shutil
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
import yaml

from assets.kernels import Task, side_by_side
from assets.packets import packet_tasks
from assets.rendering import write_book
from beatbook.book.shelf import write_shelf
from beatbook.compstat.table import compstat_table
from beatbook.department import load_department
from beatbook.forecasts.weekly import keep_entries, weekly_forecasts
from beatbook.home import Home
from beatbook.hotspots.weekly import weekly_layers
from beatbook.store import Store, load_table
from beatbook.tables import TABLES

ROOT = Path(__file__).resolve().parents[2]
WEEKS = {"st_louis": ("2019-12-29", dt.date(2019, 12, 31)),
         "washington_dc": ("2024-03-10", dt.date(2024, 3, 17))}  # fmt: skip
DEPARTMENTS = pytest.mark.parametrize("slug", list(WEEKS))
DESKTOP, TABLET = {"width": 1280, "height": 900}, {"width": 820, "height": 1100}


class Shelf(NamedTuple):
    """A checkout in which a book and a packet of each department have been made."""

    home: Home

    def page(self, slug: str, name: str) -> str:
        return (self.home.reports / slug / WEEKS[slug][0] / name).as_uri()


@pytest.fixture(scope="session")
def shelf(chromium, book, tmp_path_factory, st_louis_tables) -> Shelf:
    """Washington's week by real jobs; beside it one of St. Louis, without Dagster."""
    home = Home(tmp_path_factory.mktemp("shelf"))
    made = book[0].parents[3]
    shutil.copytree(made, home.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".dagster"))
    slug = "st_louis"
    week, as_of = WEEKS[slug]
    shutil.copytree(
        ROOT / "departments" / slug,
        home.departments / slug,
        ignore=shutil.ignore_patterns("feed", "census_*", "tracts.geojson"),
    )
    _fewer_forecasts(home.departments / slug / "department.yaml")
    department, store = load_department(slug, home), Store(slug, home)
    cleaned = st_louis_tables.cleaned
    # Copied, for publishing moves a file that others read.
    made_from = {"feed_sha256": "0" * 64, "code_version": "test"}
    tables = {"incidents": cleaned.incidents, "rejected_incidents": cleaned.rejected}
    held = tmp_path_factory.mktemp("held")
    copies = {name: Path(shutil.copy(path, held / name)) for name, path in tables.items()}
    store.publish(copies, made_from)
    incidents = load_table("incidents", slug, home=home)
    last = dt.date.fromisoformat(week)
    layers = weekly_layers(incidents, department, last, as_of)
    ahead = weekly_forecasts(incidents, department, last, as_of)
    figures = {"compstat": compstat_table(incidents, department, last, as_of)}
    store.publish(figures | layers._asdict() | ahead.tables(), made_from, partition=week)
    scores = keep_entries(None, ahead.entries, incidents, department, as_of)
    unfound = {name: TABLES[name].conform(pd.DataFrame(columns=TABLES[name].column_names))
               for name in ("quality_results", "quality_queue")}  # fmt: skip
    store.publish({"forecast_scores": scores} | unfound, made_from)
    tasks = [Task(slug, partial(write_book, slug, week, home))]
    tasks += packet_tasks(slug, week, home, ["3"])
    for outcome in side_by_side(tasks, home, 2):
        assert not outcome.error, outcome.error
    write_shelf(home)
    return Shelf(home)


def _fewer_forecasts(settings: Path) -> None:
    """What is drawn is the same; how well each model does is measured elsewhere."""
    chosen = yaml.safe_load(settings.read_text(encoding="utf-8"))
    few = {"models": ["recent_mean", "pooled_level"], "place_offenses": ["Burglary"]}
    chosen["forecasts"] = chosen.get("forecasts", {}) | few
    settings.write_text(yaml.safe_dump(chosen), encoding="utf-8")


def scrolled_through(page) -> None:
    """Bring every frame into view: a map is drawn when it is first seen."""
    for frame in page.locator("iframe").all():
        frame.scroll_into_view_if_needed()
        page.wait_for_timeout(300)
    page.wait_for_load_state("networkidle")


def assert_it_fits(page) -> None:
    """Nothing but a table's own box scrolls sideways."""
    wide, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= window


def test_the_book_of_st_louis_is_reconciled_with_the_published_figures(shelf):
    page = shelf.home.reports / "st_louis" / WEEKS["st_louis"][0] / "compstat.html"
    assert "Reconciled with the published annual figures" in page.read_text(encoding="utf-8")


def test_the_shelf_is_searched_and_sorted(shelf, browser_page, axe_violations):
    page = browser_page
    page.goto((shelf.home.reports / "index.html").as_uri())
    for size in (DESKTOP, TABLET):
        page.set_viewport_size(size)
        assert_it_fits(page)
    assert axe_violations(page) == []
    rows = page.locator("tbody tr:visible")
    assert rows.count() == 2

    search = page.get_by_role("searchbox", name="Search weeks, precincts, reports")
    search.fill("columbia march district 3")
    assert rows.count() == 1
    assert page.get_by_role("status").inner_text() == "1 of 2 weeks"
    assert page.get_by_text("No week of St. Louis Metropolitan Police Department").is_visible()
    search.fill("")
    assert rows.count() == 2 and page.get_by_role("status").inner_text() == ""

    head = page.locator("th[data-sort='ending']").first
    assert head.get_attribute("aria-sort") == "descending"
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"


def test_sorting_turns_the_order_of_weeks(shelf, browser_page, tmp_path):
    page = browser_page
    home = Home(tmp_path)
    shutil.copytree(shelf.home.departments / "washington_dc", home.departments / "washington_dc")
    for week in ("2024-02-25", "2024-03-03", "2024-03-10"):
        folder = home.reports / "washington_dc" / week
        folder.mkdir(parents=True)
        (folder / "compstat.html").write_text("<title>x</title>", encoding="utf-8")
    page.goto(write_shelf(home).as_uri())
    order = "[...document.querySelectorAll('tbody tr')].map(row => row.dataset.ending)"
    assert page.evaluate(order) == ["2024-03-10", "2024-03-03", "2024-02-25"]
    page.get_by_role("button", name="Week ending").click()
    assert page.evaluate(order) == ["2024-02-25", "2024-03-03", "2024-03-10"]


@DEPARTMENTS
def test_the_shelf_leads_to_the_book_and_the_packet(shelf, browser_page, slug):
    page = browser_page
    page.goto((shelf.home.reports / "index.html").as_uri())
    section = page.locator(f"#{slug}")
    section.get_by_role("link", name="Open the page").click()
    assert page.locator("h1").inner_text() == "CompStat"
    page.go_back()
    section.get_by_role("link", name=re.compile("District 3, packet of the week.*page")).click()
    assert page.locator("h1").inner_text() == "District 3 packet"


@DEPARTMENTS
@pytest.mark.parametrize("name", ["compstat.html", "packets/3.html"])
def test_a_page_is_whole_and_open_to_everybody(shelf, browser_page, axe_violations, slug, name):
    page = browser_page
    page.goto(shelf.page(slug, name))
    for size in (DESKTOP, TABLET):
        page.set_viewport_size(size)
        scrolled_through(page)
        assert_it_fits(page)
    assert axe_violations(page) == []
    # Each entry of the contents leads to its heading.
    missing = page.evaluate(
        "[...document.querySelectorAll('.bb-toc a')]"
        ".filter(link => !document.querySelector(link.getAttribute('href'))).length"
    )
    assert missing == 0


@DEPARTMENTS
@pytest.mark.parametrize("name", ["compstat.html", "packets/3.html"])
def test_layers_switch_and_cells_tell_their_count(shelf, browser_page, slug, name):
    page = browser_page
    page.goto(shelf.page(slug, name))
    scrolled_through(page)
    frame = page.frame_locator("iframe[title^='Hot spots by cell']")
    title = frame.locator("[data-line='0']")
    assert title.inner_text() == "Total Part I, 28 days"
    cells = frame.locator(".leaflet-cells-pane path")
    assert cells.count() > 0

    # By the keyboard: the first cell has focus and speaks, the arrow goes to the next.
    first = frame.locator(".leaflet-cells-pane path[tabindex='0']")
    first.focus()
    words = frame.locator(".leaflet-tooltip.words")
    said = words.inner_text()
    assert re.match(r"Cell \d+:\d+ - .* here; .* expected; q", said)
    page.keyboard.press("ArrowRight")
    page.wait_for_function("true")
    assert frame.locator(".leaflet-tooltip.words").last.inner_text() != said

    # By the mouse, where no tooltip may stand that another test left.
    larceny = frame.get_by_label("Larceny, 28 days")
    larceny.check()
    assert title.inner_text() == "Larceny, 28 days"
    areas = frame.locator(".leaflet-control-layers-overlays label")
    assert areas.count() >= 1
    lines = frame.locator(".leaflet-lines-pane path")
    before = lines.count()
    areas.first.locator("input").uncheck()
    assert lines.count() < before


@DEPARTMENTS
@pytest.mark.parametrize("name", ["compstat.html", "packets/3.html"])
def test_the_tables_show_every_column_on_a_tablet(shelf, browser_page, slug, name):
    page = browser_page
    page.set_viewport_size(TABLET)
    page.goto(shelf.page(slug, name))
    cut = page.evaluate(
        "[...document.querySelectorAll('.bb-scroll')].filter(box => box.scrollWidth > "
        "box.clientWidth).map(box => box.querySelector('caption').innerText)"
    )
    assert cut == []


@pytest.mark.parametrize("size", [DESKTOP, TABLET], ids=["desktop", "tablet"])
def test_no_area_lies_under_the_legend(shelf, browser_page, size):
    page = browser_page
    page.set_viewport_size(size)
    page.goto(shelf.page("washington_dc", "compstat.html"))
    scrolled_through(page)
    frame = page.frame_locator("iframe[title^='Part I offenses of the week by']")
    legend = frame.locator(".key").bounding_box()
    areas = [area.bounding_box() for area in frame.locator("path.leaflet-interactive").all()]
    assert len(areas) > 50
    assert max(area["x"] + area["width"] for area in areas) <= legend["x"]


def test_without_scripts_every_file_can_be_reached(shelf):
    text = (shelf.home.reports / "index.html").read_text(encoding="utf-8")
    text = re.sub(r"<script>.*?</script>", "", text, flags=re.S)
    reports = shelf.home.reports
    files = {path.relative_to(reports).as_posix() for path in reports.rglob("*.*")}
    linked = {link for link in re.findall(r'href="([^"#]+)"', text) if not link.startswith("data:")}
    assert linked == files - {"index.html"}
