"""The explorations that answer a question, run on the twelve years of a real department."""

import itertools
import json
import shutil
from pathlib import Path

import pytest

from beatbook.book import Book
from beatbook.errors import BeatbookError
from beatbook.home import Home
from beatbook.store import Store

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = (
    "explore_before_after.ipynb",
    "explore_burglary_spike.ipynb",
    "explore_redistricting.ipynb",
    "explore_repeat_places.ipynb",
)
SLUG, WEEK = "st_louis", "2019-12-29"


@pytest.fixture(scope="session")
def twelve_years(st_louis_tables, tmp_path_factory) -> Home:
    """A home in which the incidents of St. Louis are published."""
    home = Home(tmp_path_factory.mktemp("twelve_years"))
    shutil.copytree(
        ROOT / "departments" / SLUG,
        home.departments / SLUG,
        ignore=shutil.ignore_patterns("feed", "census_*", "tracts.geojson"),
    )
    copy = home.root / "incidents.parquet"
    shutil.copy(st_louis_tables.cleaned.incidents, copy)
    Store(SLUG, home).publish({"incidents": copy}, {"feed_sha256": st_louis_tables.snapshot.sha256})
    return home


def test_a_spike_is_judged_at_the_price_of_having_picked_it(run_cells, twelve_years):
    said, names = run_cells("explore_burglary_spike.ipynb", twelve_years)
    assert "Burglary in July 2019, as of 2019-12-31: 328 where 244 were to be expected" in said
    assert "is unusual by itself, but not once it is known that it was picked" in said
    assert "Of the last 60 months 4 have p below 0.05; 3 would by chance." in said
    assert names["rises"]["rise"].sum() == pytest.approx(28.3, abs=0.1)
    assert "Beyond chance it rose in Lindenwood Park." in names["summary"]
    assert "Within 200 m and a week: 106 pairs" in said


def test_a_month_that_was_no_spike_is_told_so(run_cells, twelve_years):
    said, _ = run_cells(
        "explore_burglary_spike.ipynb", twelve_years, month="", week_ending="2019-10-06",
        as_of="2019-10-31", offense="Robbery",
    )  # fmt: skip
    assert "Robbery in September 2019, as of 2019-10-31" in said
    assert "is within what the season and chance explain" in said


def test_a_precinct_is_compared_on_its_ground_not_by_its_number(run_cells, twelve_years):
    said, names = run_cells("explore_redistricting.ipynb", twelve_years)
    assert "another division since 2014-01-01" in said
    assert "13 lie whole within it and hold 94% of its records" in said
    assert "the rebuilt figure is off by 0.5% on average, 0.8% at most" in said
    assert "4,821 in 2013 (rebuilt, give or take 0.8%), 4,416 in 2019: -8.4 %" in said
    assert "would have said +203 %" in said
    assert names["own"].loc[2013, "recorded"] == 1456


def test_repeat_places_are_set_beside_chance_and_a_world_without_change(run_cells, twelve_years):
    said, names = run_cells("explore_repeat_places.ipynb", twelve_years, years_back=3)
    assert "half of the offenses lie at 2.4% of the blocks; chance alone gives 5.8%" in said
    assert "In 2 of 2 years fewer stay than noise explains" in said
    shown = names["both"]
    assert (shown.min(axis=1) >= names["settings"].small_cell_limit).all()
    assert len(shown) == 50


def test_before_and_after_is_set_beside_dates_when_nothing_happened(run_cells, twelve_years):
    said, names = run_cells("explore_before_after.ipynb", twelve_years)
    assert "target: 0.79 times what the city's change lets expect (95 %: 0.62 to 1.01)" in said
    assert "51% of 57 dates show a change as large" in said
    assert "It holds 0: neither displacement nor spread is shown." in said
    assert "so this is no finding" in said
    assert names["counted"]["target"] == (143, 114)


@pytest.mark.parametrize(
    ("name", "changed", "said"),
    [
        ("explore_redistricting.ipynb", {"precinct": "9"}, "No district 9 under the division"),
        ("explore_redistricting.ipynb", {"week_ending": "2013-12-29"}, "has not been redistricted"),
        ("explore_repeat_places.ipynb", {"week_ending": "2008-06-29"}, "to compare one year"),
        ("explore_before_after.ipynb", {"happened_on": "2007-01-01"}, "does not cover 2007-01-01"),
        ("explore_before_after.ipynb", {"offense": "Rape"}, "Sex offenses have none"),
        ("explore_before_after.ipynb", {"happened_on": "2019-06-01"}, "Choose fewer days"),
        ("explore_burglary_spike.ipynb", {"month": "2008-05"}, "needs 6"),
        ("explore_burglary_spike.ipynb", {"department": "elsewhere"}, "No department 'elsewhere'"),
    ],
)
def test_a_question_without_an_answer_is_told_in_a_sentence(
    run_cells, twelve_years, name, changed, said
):
    with pytest.raises(BeatbookError, match=said):
        run_cells(name, twelve_years, **changed)


@pytest.mark.parametrize("name", ["explore_burglary_spike.ipynb", "explore_repeat_places.ipynb"])
def test_an_exploration_that_can_be_a_report_saves_its_book(
    run_cells, twelve_years, tmp_path, name
):
    path = tmp_path / "book.json"
    run_cells(name, twelve_years, book_file=str(path), as_of="2019-12-31")
    book = Book.load(path)
    book.require_title()
    assert str(book.as_of) == "2019-12-31" and len(book.blocks) >= 5


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_step_says_what_it_shows(name):
    cells = json.loads((ROOT / "notebooks" / name).read_text(encoding="utf-8"))["cells"]
    kinds = [cell["cell_type"] for cell in cells]
    # The title, the parameters and the imports; then words before each step.
    assert kinds[:3] == ["markdown", "code", "code"]
    for before, after in itertools.pairwise(kinds[3:]):
        assert (before, after) != ("code", "code")


@pytest.mark.parametrize("name", ("start.ipynb", *QUESTIONS))
def test_notebooks_use_the_analysis_and_nothing_of_the_machinery(name):
    text = (ROOT / "notebooks" / name).read_text(encoding="utf-8")
    for foreign in ("import dagster", "from assets", "from pipelines", "papermill", "read_parquet"):
        assert foreign not in text


def test_the_start_page_leads_to_every_exploration_and_its_links_hold():
    cells = json.loads((ROOT / "notebooks" / "start.ipynb").read_text(encoding="utf-8"))["cells"]
    words = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    linked = {part.partition(")")[0].replace("\n", "") for part in words.split("](")[1:]}
    for target in linked:
        assert (ROOT / "notebooks" / target).exists(), target
    explorations = {path.name for path in (ROOT / "notebooks").glob("explore_*.ipynb")}
    assert explorations <= linked


def test_the_start_page_says_what_to_run_where_nothing_is_built(run_cells, tmp_path, capsys):
    home = Home(tmp_path)
    shutil.copytree(
        ROOT / "departments" / SLUG, home.departments / SLUG,
        ignore=shutil.ignore_patterns("feed"),
    )  # fmt: skip
    with pytest.raises(BeatbookError, match="Run: beatbook report --department st_louis"):
        run_cells("start.ipynb", home)
