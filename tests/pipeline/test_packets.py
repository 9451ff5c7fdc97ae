"""The packets of a week: every precinct's, with the figures of the book, and each for itself."""

import html
import re
import shutil
import subprocess
from pathlib import Path

import dagster as dg
import nbformat
import pandas as pd
import pytest

import assets.packets
from assets.books import compstat
from assets.house import House
from assets.kernels import side_by_side
from assets.packets import packet_tasks, week_in_print
from assets.partitions import WEEK_ENDING, book_partition
from beatbook.book import formatting
from beatbook.home import HOME_VARIABLE, Home
from tests.workshop import DC, PACKETS, WEEK

DISTRICTS = ["1", "2", "3", "4", "5", "6", "7"]
WINDOWS = [("week", ("prior_period", "prior_year")), ("28_days", ("prior_period", "prior_year")),
           ("year_to_date", ("prior_year",))]  # fmt: skip


@pytest.fixture(scope="module")
def packets(book) -> Path:
    """The folder of the packets that were made with the week's book."""
    return book[0].parent / "packets"


@pytest.fixture
def made_checkout(book, tmp_path, monkeypatch) -> Home:
    """A copy of the checkout whose week is made, to break things in."""
    root = book[0].parents[3]
    shutil.copytree(root, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".dagster"))
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    return Home(tmp_path)


def test_each_precinct_of_the_week_has_its_packet(made_checkout):
    tasks = packet_tasks(DC, WEEK, made_checkout)
    assert [task.name for task in tasks] == [
        f"packet of District {district}" for district in DISTRICTS
    ]


def test_each_packet_is_a_page_and_a_paper(packets):
    assert sorted(path.name for path in packets.iterdir()) == sorted(
        f"{district}.{suffix}" for district in PACKETS for suffix in ("html", "pdf")
    )


def test_a_packet_says_what_it_is_and_loads_nothing(packets):
    page = (packets / "3.html").read_text(encoding="utf-8")
    for words in ("<h1>District 3 packet</h1>", "What to watch", "Two years by week",
                  "What to expect", "When they happen", "Hot spots by cell, District 3",
                  "Near repeats open now", "Repeat blocks", "Read with the figures",
                  "How it was made", "Mar 10, 2024", "Mar 17, 2024"):  # fmt: skip
        assert words in page, words
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?:https?:)?//""", page)
    assert (packets / "3.html").stat().st_size < 5e6 and (packets / "3.pdf").stat().st_size < 3e6


def test_no_other_precinct_and_no_small_or_sexual_count_is_on_a_packet(packets):
    page = (packets / "3.html").read_text(encoding="utf-8")
    assert "District 2: offenses" not in page and "District 2:" not in page
    (blocks,) = re.findall(r"<caption>Blocks with the most.*?</table>", page, flags=re.S)
    counts = [int(cell) for cell in re.findall(r'<td class="bb-right">(\d+)</td>', blocks)]
    assert counts and min(counts) >= 3
    assert "Rape, 28 days" not in page


def expected_rows(listing: Path, geography: str) -> dict[str, list[str]]:
    """The cells of one geography's table, worked out from the CSV alone."""
    frame = pd.read_csv(listing, dtype={"geography": str}).set_index(
        ["geography", "offense", "window", "comparison"]
    )
    rows = {}
    for offense in frame.loc[geography].index.get_level_values(0).unique():
        cells = []
        for window, comparisons in WINDOWS:
            first = frame.loc[(geography, offense, window, comparisons[-1])]
            for number, comparison in enumerate(comparisons):
                row = frame.loc[(geography, offense, window, comparison)]
                current = row["current"] if pd.notna(row["current"]) else first["current"]
                if number == 0:
                    cells.append(None if pd.isna(current) else f"{int(current):,}")
                cells.append("n/c" if pd.isna(row["prior"]) else f"{int(row['prior']):,}")
                cells.append(
                    "n/c" if pd.isna(row["prior"]) else formatting.percent(row["percent_change"])
                )
        rows[offense] = cells
    return rows


def page_rows(page: Path, caption: str) -> dict[str, list[str]]:
    text = page.read_text(encoding="utf-8")
    (table,) = re.findall(rf"<caption>{re.escape(caption)}</caption>.*?</table>", text, flags=re.S)
    rows = {}
    for row in re.findall(r'<tr class="bb-row.*?</tr>', table, flags=re.S):
        name, *cells = [
            html.unescape(re.sub(r"<span.*?</span>|<[^>]+>", "", cell)).strip()
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row, flags=re.S)
        ]
        rows[name] = cells
    return rows


def paper_rows(paper: Path, offenses: list[str]) -> list[list[str]]:
    """Every line of the paper that begins with an offense and holds a whole row, in order."""
    text = subprocess.run(
        ["pdftotext", "-layout", str(paper), "-"], capture_output=True, text=True, check=True
    ).stdout
    found = []
    for line in text.splitlines():
        name = next((o for o in offenses if line.strip().startswith(f"{o} ")), None)
        if name is None:
            continue
        rest = line.strip().removeprefix(name)
        cells = re.findall(r"[+-]?[\d,.]+ %|n/c|\N{EN DASH}|-?[\d,]+", re.sub("[▲▼]", "", rest))
        if len(cells) == 13:
            found.append([name, *cells])
    return found


@pytest.mark.parametrize("district", ["1", "7"])
def test_page_and_paper_print_the_figures_of_the_csv(packets, book, district):
    expected = expected_rows(book[2], district)
    assert page_rows(packets / f"{district}.html", f"District {district}: offenses") == expected
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    printed = paper_rows(packets / f"{district}.pdf", list(expected))
    assert printed == [[offense, *cells] for offense, cells in expected.items()]


def test_the_book_prints_the_figures_of_its_csv_too(book):
    page, paper, listing = book[:3]
    expected = {district: expected_rows(listing, district) for district in DISTRICTS}
    for district, rows in expected.items():
        assert page_rows(page, f"District {district}: offenses") == rows
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    printed = paper_rows(paper, list(expected["1"]))
    for rows in expected.values():
        for offense, cells in rows.items():
            assert [offense, *cells] in printed


def test_one_that_fails_fails_alone_is_named_and_the_step_ends_as_failed(
    made_checkout, monkeypatch
):
    home = made_checkout
    path = home.notebooks / "precinct_packet.ipynb"
    notebook = nbformat.read(path, 4)
    notebook.cells[-1].source = (
        "assert precinct != '2', 'as the test wants'\n" + notebook.cells[-1].source
    )
    nbformat.write(notebook, path)
    whole = assets.packets.packet_tasks
    monkeypatch.setattr(
        assets.packets, "packet_tasks", lambda *where: whole(*where, precincts=["1", "2"])
    )
    folder = home.reports / DC / WEEK / "packets"
    last_good = (folder / "2.html").read_bytes()
    for name in ("1.html", "1.pdf"):
        (folder / name).unlink()

    with dg.instance_for_test() as instance:
        instance.add_dynamic_partitions(WEEK_ENDING, [WEEK])
        ran = dg.materialize(
            [week_in_print],
            selection=["precinct_packets"],
            partition_key=book_partition(DC, WEEK),
            instance=instance,
            resources={"house": House(root=str(home.root))},
            raise_on_error=False,
        )

    assert not ran.success
    (event,) = [event for event in ran.all_events if event.is_step_failure]
    told = event.step_failure_data.user_failure_data
    assert told.description.startswith("1 of 2 failed, the others are delivered. packet of Dist")
    assert "District 2: notebooks/precinct_packet.ipynb failed in cell" in told.description
    assert "as the test wants" in told.description
    assert told.metadata["files"].value == [
        f"reports/{DC}/{WEEK}/packets/1.{kind}" for kind in ("html", "pdf")
    ]
    assert (folder / "1.html").is_file() and (folder / "1.pdf").is_file()
    assert (folder / "2.html").read_bytes() == last_good
    assert (home.reports / "failed-precinct_packet-2.ipynb").is_file()


def test_a_packet_made_again_is_the_same_to_the_byte(made_checkout, packets):
    (outcome,) = side_by_side(packet_tasks(DC, WEEK, made_checkout, ["7"]), made_checkout, 1)
    assert not outcome.error
    assert [path.read_bytes() for path in outcome.made] == [
        (packets / f"7.{suffix}").read_bytes() for suffix in ("html", "pdf")
    ]


def test_book_and_packets_follow_the_same_tables():
    specs = {spec.key.to_user_string(): spec for spec in week_in_print.specs}
    assert set(specs) == {"compstat_book", "precinct_packets"}
    deps = [{str(dep.asset_key) for dep in spec.deps} for spec in specs.values()]
    assert deps[0] == deps[1]
    assert compstat.key in {dep.asset_key for dep in specs["compstat_book"].deps}
