"""The steward's page in a real browser, the network off: filters, sorting, plot, commands."""

import datetime as dt
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from beatbook.home import Home
from beatbook.quality.loop import after_checks
from beatbook.quality.page import write_page
from beatbook.store import Store
from beatbook.tables import TABLES
from expectations.checking import check_staged, findings, result_rows

DATA = Path(__file__).resolve().parents[1] / "data" / "quality"


def made_up(name: str) -> pd.DataFrame:
    frame = pd.read_csv(DATA / f"{name}.csv", dtype="str")
    for column in TABLES[name].columns:
        if column.dtype == "bool":
            frame[column.name] = frame[column.name] == "True"
        elif column.dtype != "string":
            frame[column.name] = pd.to_numeric(frame[column.name])
        elif column.required:
            frame[column.name] = frame[column.name].fillna("")
    return frame


@pytest.fixture
def page(small_department, browser_page):
    """The page of the made-up tables, opened as from a file share."""
    tables = {name: made_up(name) for name in ("quality_results", "quality_queue", "corrections")}
    Store("example", small_department.home).publish(tables, {"run_id": "made up"})
    browser_page.goto(write_page("example", small_department.home).as_uri())
    return browser_page


def shown(page: Any) -> int:
    return page.locator(".bq-item:visible").count()


def column(page: Any, number: int) -> list[str]:
    cells = page.locator(f".bq-item:visible > tr:first-child > :nth-child({number})")
    return [" ".join(text.split()) for text in cells.all_inner_texts()]


def test_filters(page):
    count = page.locator("#queue-count")
    assert count.get_attribute("aria-live") == "polite"
    assert shown(page) == 12  # the open ones
    assert count.inner_text() == "12 of 31 items shown."

    page.get_by_label("State").select_option("")
    assert shown(page) == 31
    page.get_by_label("Severity").select_option("critical")
    assert shown(page) == 1 and column(page, 1) == ["■ critical"]
    page.get_by_label("Severity").select_option("")
    page.get_by_label("Rule", exact=True).select_option("offense_is_known")
    assert shown(page) == 14 and set(column(page, 8)) == {"fixed at source"}
    page.get_by_label("Text").fill("099013")
    assert count.inner_text() == "1 of 31 items shown."
    page.get_by_label("Text").fill("nothing like it")
    assert shown(page) == 0 and count.inner_text() == "0 of 31 items shown: no item fits."

    page.get_by_role("button", name="Show all open").click()
    page.wait_for_function("document.querySelector('#queue-count').textContent.startsWith('12 ')")
    page.get_by_label("State").select_option("waived")
    assert shown(page) == 1 and "waived until 2024-06-30" in column(page, 8)[0]


def test_a_failed_rule_leads_to_its_items_and_its_plot(page):
    page.get_by_role("button", name="9 in the queue").click()
    assert page.evaluate("document.activeElement.id") == "queue"
    assert shown(page) == 9 and {text.split(" in")[0] for text in column(page, 2)} == {
        "occurred before known"
    }
    page.get_by_role("button", name=re.compile("Over the runs.*: times heap at midnight")).click()
    assert page.evaluate("document.activeElement.id") == "history"
    assert page.locator("#plot-title").inner_text().startswith("times heap at midnight (incidents)")
    assert "371 of 4,143 failing" in page.locator("#plot-reading").inner_text()


def test_sorting_by_keyboard(page):
    headings = page.locator("#queue-table th[aria-sort]")
    orders = [headings.nth(i).get_attribute("aria-sort") for i in range(headings.count())]
    assert orders == ["ascending"] + ["none"] * 7

    runs = page.locator("#queue-table").get_by_role("button", name="Runs")
    runs.focus()
    page.keyboard.press("Enter")
    times = [int(text) for text in column(page, 7)]
    assert times == sorted(times) and times[0] == 1
    page.keyboard.press("Enter")
    times = [int(text) for text in column(page, 7)]
    assert times == sorted(times, reverse=True) and times[0] == 12
    assert runs.locator("xpath=..").get_attribute("aria-sort") == "descending"
    assert page.locator('#queue-table th[aria-sort="descending"]').count() == 1

    page.locator("#queue-table").get_by_role("button", name="First seen").click()
    seen = page.locator(".bq-item:visible td[data-v].bq-day")
    values = [seen.nth(i).get_attribute("data-v") for i in range(seen.count())]
    assert values == sorted(values)


def test_sorting_the_rules_by_share(page):
    page.locator("#rules-table").get_by_role("button", name="Share").click()
    page.locator("#rules-table").get_by_role("button", name="Share").click()
    shares = page.locator("#rules-table .bq-rule td:nth-child(6)").all_inner_texts()
    assert shares[:3] == ["100.0 %", "9.0 %", "2.1 %"]


def test_an_items_commands_open_copy_and_close(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = page.get_by_role("button", name="Decide about occurred before known").first
    item = page.locator(".bq-item:visible").nth(1).get_attribute("data-item")
    button.click()
    assert button.get_attribute("aria-expanded") == "true"
    opened = page.locator(".bq-more:visible")
    assert "A crime cannot be on the books before it happened" in opened.inner_text()
    commands = opened.locator("code").all_inner_texts()
    assert commands[0] == (
        f"beatbook quality decide --department example --item {item} "
        '--action correct --field occurred_from --value "NEW VALUE" --note "WHY"'
    )
    assert [command.split("--action ")[1].split()[0] for command in commands] == [
        "correct", "not_an_error", "waive", "assign", "comment",
    ]  # fmt: skip
    copy = page.get_by_role("button", name="Copy the command: It is not an error")
    copy.click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == commands[1]
    button.click()
    assert page.locator(".bq-more:visible").count() == 0


def test_a_file_has_no_field_to_correct_and_a_closed_item_can_be_opened(page):
    page.get_by_role("button", name="Decide about few rows").click()
    assert "--action correct" not in page.locator(".bq-more:visible").inner_text()
    page.get_by_role("button", name="Decide about few rows").click()
    page.get_by_label("State").select_option("waived")
    page.get_by_role("button", name="Decide about points pile up").click()
    assert "--action reopen" in page.locator(".bq-more:visible").inner_text()


def test_the_plot_is_read_by_keyboard_and_pointer(page):
    reading, slider = page.locator("#plot-reading"), page.get_by_label("Run", exact=True)
    assert reading.inner_text() == (
        "Jan 22, 2024, 06:00: 6 of 9 rules failed, a critical one among them; "
        "2 more than in the run before."
    )
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert reading.inner_text() == (
        "Jan 15, 2024, 06:00: 4 of 9 rules failed; 1 more than in the run before."
    )
    assert slider.get_attribute("aria-valuetext") == reading.inner_text()
    page.keyboard.press("Home")
    assert reading.inner_text() == "Nov 6, 2023, 06:00: 3 of 9 rules failed."

    page.get_by_label("Plot").select_option(label="offense is known (incidents)")
    assert page.locator("#plot-title").inner_text() == (
        "offense is known (incidents): failing by run"
    )
    assert page.locator("#plot .point").count() == 12
    assert page.locator("#plot .bq-failed").count() == 2
    assert reading.inner_text().endswith("0 of 4,143 failing, rule met; as in the run before.")
    page.locator("#plot .bq-failed").first.scroll_into_view_if_needed()
    box = page.locator("#plot .bq-failed").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"])
    assert "14 of 4,065 failing, rule not met; 14 more" in reading.inner_text()


def test_it_is_accessible_and_no_wider_than_the_window(page, axe_violations):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "bb-skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.locator(".bq-decide:visible").first.click()
    for width in (1280, 820):
        page.set_viewport_size({"width": width, "height": 900})
        assert axe_violations(page, impacts=("moderate", "serious", "critical")) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_on_paper_and_without_script(page):
    plain = page.context.browser.new_context(java_script_enabled=False).new_page()
    plain.goto(page.url)
    assert plain.locator(".bq-item:visible").count() == 31
    page.emulate_media(media="print")
    assert page.locator(".bq-controls:visible").count() == 0
    assert shown(page) == 12


def test_a_page_without_any_table(small_department, browser_page, axe_violations):
    browser_page.goto(write_page("example", small_department.home).as_uri())
    assert "No check of this department is on record" in browser_page.inner_text("#standing")
    assert axe_violations(browser_page) == []


def test_the_day_the_columns_changed(st_louis_tables, tmp_path, browser_page, axe_violations):
    """St. Louis' own checks, as they would have run at the end of June 2013."""
    feed, home, day = st_louis_tables, Home(tmp_path / "home"), dt.date(2013, 6, 30)
    shutil.copytree(
        feed.department.folder,
        home.departments / "st_louis",
        ignore=shutil.ignore_patterns("feed", "census_*"),
    )
    staging = feed.cleaned.incidents.parent
    results = check_staged(staging, feed.department, as_of=day, snapshot=feed.snapshot)
    checked = dt.datetime(2013, 7, 1, 11, 0, tzinfo=dt.UTC)
    rows, found = result_rows(results, feed.snapshot.sha256), findings(results)
    after_checks("st_louis", rows, found, "made up", home, now=checked)

    page = browser_page
    page.goto((home.reports / "st_louis" / "quality" / "index.html").as_uri())
    assert "Last checked\nJul 1, 2013, 06:00" in page.inner_text(".bb-facts")
    page.get_by_label("Rule", exact=True).select_option("no_columns_are_new")
    assert shown(page) == 1 and "2013-06.csv.xz" in column(page, 3)[0]
    page.get_by_label("Rule", exact=True).select_option("occurred_since_1990")
    assert shown(page) == 46 and set(column(page, 1)) == {"▲ warning"}
    page.locator("#queue-table").get_by_role("button", name="Field and observed").click()
    seen = column(page, 4)
    assert seen == sorted(seen) and all(text.startswith("occurred_from ") for text in seen)
    page.get_by_label("Plot").select_option(label="age is plausible (incidents)")
    assert "174 of " in page.locator("#plot-reading").inner_text()
    assert axe_violations(page) == []
