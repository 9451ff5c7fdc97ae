"""Past weeks are made in order, each as of its own time; one that fails fails alone."""

import datetime as dt

import dagster as dg
import pytest

from beatbook.errors import BeatbookError
from pipelines import launch
from pipelines.cli import main
from pipelines.launch import backfill, weeks_between

WEEKS = ["2024-02-25", "2024-03-03", "2024-03-10"]


def day(text):
    return dt.date.fromisoformat(text)


@pytest.fixture
def tables_only(monkeypatch):
    """Make the weeks' CompStat tables with the real job, without their notebooks."""
    real, ran = launch.run_job, []

    def run_job(definitions, job, instance, partition, config=None, *, home=None):
        ran.append((job, str(partition)))
        if job == "refresh":
            real(definitions, job, instance, partition, config, home=home)
            return
        result = definitions.resolve_job_def(job).execute_in_process(
            instance=instance,
            partition_key=partition,
            run_config=config,
            asset_selection=[dg.AssetKey("compstat")],
        )
        assert result.success

    monkeypatch.setattr(launch, "run_job", run_job)
    return ran


@pytest.fixture
def weeks_only(monkeypatch, tables_only):
    """The same without the refresh: the tables of ``shop`` are published."""
    usual = launch.run_job

    def run_job(definitions, job, *rest, **options):
        if job != "refresh":
            usual(definitions, job, *rest, **options)

    monkeypatch.setattr(launch, "run_job", run_job)


def as_of(shop, week):
    return str(shop.table("compstat", week_ending=week)["as_of"].iloc[0].date())


def test_weeks_are_made_in_order_as_of_their_own_time_after_one_refresh(shop, tables_only):
    said = []
    done = backfill(shop.home, shop.slug, day("2024-02-20"), day("2024-03-16"), said.append)

    assert tables_only == [
        ("refresh", shop.slug), *(("make_book", f"{shop.slug}|{week}") for week in WEEKS)
    ]  # fmt: skip
    assert [week.isoformat() for week in done.made] == WEEKS and done.failed == {}
    assert {week: as_of(shop, week) for week in WEEKS} == {week: week for week in WEEKS}
    assert said[0] == "Week 1 of 3: 2024-02-25"
    assert [path.name for path in done.made[day(WEEKS[0])]] == [
        "compstat.html", "compstat.pdf", "compstat.csv", "index.html"
    ]  # fmt: skip


def test_weeks_as_of_now_hold_all_that_the_feed_holds(shop, weeks_only):
    week = day(WEEKS[1])
    backfill(shop.home, shop.slug, week, week, lambda _: None, as_of_then=False)
    assert as_of(shop, WEEKS[1]) == "2024-03-17"


def test_a_week_that_fails_is_named_and_the_rest_are_made(shop, weeks_only, monkeypatch, capsys):
    usual = launch.run_job

    def run_job(definitions, job, instance, partition, config=None, *, home=None):
        if str(partition).endswith("2024-03-03"):
            raise BeatbookError("notebooks/compstat.ipynb failed in cell 7")
        usual(definitions, job, instance, partition, config, home=home)

    monkeypatch.setattr(launch, "run_job", run_job)
    # The last week of the feed is not whole; it fails for a reason of its own.
    command = ["backfill", "--department", shop.slug, "--from", WEEKS[0], "--to", "2024-03-24"]
    assert main(command) == 1

    shown = capsys.readouterr()
    assert [line.split("/")[2] for line in shown.out.splitlines() if "compstat.html" in line] == [
        WEEKS[0], WEEKS[2], "2024-03-17"
    ]  # fmt: skip
    assert "beatbook: 2 weeks were not made:" in shown.err
    assert "  2024-03-03: notebooks/compstat.ipynb failed in cell 7" in shown.err
    assert "  2024-03-24: The feed of washington_dc holds nothing that became known" in shown.err


def test_a_refresh_that_fails_makes_no_week_of_old_tables(shop, tables_only):
    (shop.folder / "feed" / "Crime_Incidents_in_2024.csv").write_bytes(b"")
    with pytest.raises(BeatbookError, match="the file is empty"):
        backfill(shop.home, shop.slug, day(WEEKS[0]), day(WEEKS[2]), lambda _: None)
    assert tables_only == [("refresh", shop.slug)]


@pytest.mark.parametrize(
    ("week_start", "first", "last", "weeks"),
    [
        ("monday", "2024-03-03", "2024-03-10", ["2024-03-03", "2024-03-10"]),
        ("monday", "2024-03-04", "2024-03-16", ["2024-03-10"]),
        ("sunday", "2024-03-03", "2024-03-10", ["2024-03-09"]),
        ("monday", "2023-12-25", "2024-01-07", ["2023-12-31", "2024-01-07"]),
    ],
)
def test_the_weeks_between_two_days(week_start, first, last, weeks):
    assert weeks_between(week_start, day(first), day(last)) == [day(week) for week in weeks]


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2024-03-04", "2024-03-09", r"No week ends from .*; the last before ends on 2024-03-03"),
        ("2024-03-10", "2024-03-03", r"No week ends from .* the earlier first"),
        ("2024-03-10", "2199-01-06", r"2199-01-06 lies in the future"),
    ],
)
def test_days_between_which_no_week_can_be_made_are_refused(first, last, said):
    with pytest.raises(BeatbookError, match=said):
        weeks_between("monday", day(first), day(last))


def test_the_shelf_is_opened_or_told_how_to_make_it(workshop, monkeypatch, capsys):
    import webbrowser

    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or True)
    shop = workshop()
    assert main(["open"]) == 1
    assert "There is no shelf yet" in capsys.readouterr().err

    shop.home.reports.mkdir()
    (shop.home.reports / "index.html").write_text("")
    assert main(["open"]) == 0
    assert main(["open", "--department", shop.slug]) == 1
    assert f"Run: beatbook report --department {shop.slug}" in capsys.readouterr().err
    (shop.home.reports / shop.slug).mkdir()
    assert main(["open", "--department", shop.slug]) == 0
    page = (shop.home.reports / "index.html").resolve().as_uri()
    assert opened == [page, f"{page}#{shop.slug}"]

    monkeypatch.setattr(webbrowser, "open", lambda _address: False)
    assert main(["open"]) == 1
    assert "No browser could be started" in capsys.readouterr().err
