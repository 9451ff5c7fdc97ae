"""The paper: the page's figures, the same bytes, no machine's own fonts."""

import json
import re
import shutil
import subprocess

import pytest

from beatbook.book import ChartGrid, Heading, Table, Text
from beatbook.book.page import render_page
from beatbook.book.pdf import paper_data, render_pdf
from beatbook.errors import BookError, InvalidInput


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def test_the_same_book_gives_the_same_bytes(book, tmp_path):
    first = render_pdf(book, tmp_path / "a.pdf").read_bytes()
    assert first.startswith(b"%PDF")
    assert render_pdf(book, tmp_path / "deep" / "b.pdf").read_bytes() == first
    assert render_pdf(book, tmp_path / "c.pdf", paper="a4").read_bytes() != first


def test_only_the_wheels_fonts_are_embedded(book, tmp_path):
    book.add(Text("A system's own font would draw this: 漢"))
    content = render_pdf(book, tmp_path / "a.pdf").read_bytes()
    fonts = set(re.findall(rb"/BaseFont\s*/[A-Z]{6}\+([\w-]+)", content))
    assert fonts == {b"DejaVuSans", b"DejaVuSans-Bold", b"LastResortHE-Regular"}


def test_paper_and_page_print_the_same_figures(book, notebook, tmp_path):
    html = render_page(notebook, book, tmp_path / "book.html").read_text("utf-8")
    plain = re.sub(r'<span class="bb-sr">[^<]*</span>', "", html)
    cells = re.findall(r"<t[hd] (?:scope=\"row\" )?class=\"bb-(?:left|right)[^>]*>(.*?)</t", plain)
    from html import unescape

    on_page = [unescape(re.sub(r"<[^>]*>", "", cell)) for cell in cells]
    runs = json.loads(json.dumps(paper_data(book)["runs"]))
    on_paper = [
        cell
        for run in runs
        for part in run["parts"]
        for block in part["blocks"]
        if block["kind"] == "table"
        for row in block["rows"]
        for cell in row["cells"]
    ]
    assert on_paper == on_page
    assert "▲ +12.3 %" in on_paper


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext is not installed")
def test_hostile_text_is_printed_as_it_stands(book, hostile, tmp_path):
    path = render_pdf(book, tmp_path / "a.pdf")
    text = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True
    ).stdout
    assert text.count(hostile) >= 5
    assert "As of Mar 14, 2024" in text or "Page 1 of 1" in text


def test_hostile_text_reaches_typst_as_data(book, hostile):
    from beatbook.book.pdf import TEMPLATE

    # Callout (2), heading, text (whole and parted), caption, cell, legend, two pictures.
    assert sum(hostile in text for text in strings(paper_data(book))) == 10
    assert "eval(" not in TEMPLATE.read_text("utf-8")


def test_what_no_font_draws_does_not_stop_the_press(empty_book, tmp_path):
    from beatbook.book import TitleBlock

    book = empty_book
    book.add(TitleBlock())
    book.add(Text("nul \x00 bell \x07 car \U0001f693 han 漢 private \ue000 zero \u200b"))
    assert render_pdf(book, tmp_path / "a.pdf").exists()


def test_wide_sections_are_landscape_and_begin_a_page(book):
    book.add(Heading("Wide"))
    book.add(Table("w", ["a", "b"], [["x", "1"]], wide=True))
    book.add(Heading("Charts"))
    grid = next(block for block in book.blocks if isinstance(block, ChartGrid))
    book.add(ChartGrid(grid.charts))
    book.add(Heading("Words"))
    book.add(Text("words"))
    runs = paper_data(book)["runs"]
    assert [(run["landscape"], len(run["parts"])) for run in runs] == [(True, 3), (False, 1)]
    titles = [part["blocks"][0]["kind"] for run in runs for part in run["parts"]]
    assert titles == ["title", "heading", "heading", "heading"]


def test_a_long_table_runs_on_and_a_short_one_is_kept_whole(book):
    rows = [["x", "1"]] * 40
    book.add(Table("long", ["a", "b"], rows))
    book.add(Table("short", ["a", "b"], rows[:5]))
    keeps = [
        block["keep"]
        for run in paper_data(book)["runs"]
        for part in run["parts"]
        for block in part["blocks"]
        if block["kind"] == "table"
    ]
    assert keeps == [True, False, True]


def test_the_screen_s_map_is_not_sent_to_paper(book):
    assert not any("<!DOCTYPE" in text for text in strings(paper_data(book)))


def test_refusals(book, empty_book, tmp_path):
    with pytest.raises(InvalidInput, match="us-letter, a4"):
        render_pdf(book, tmp_path / "a.pdf", paper="legal")  # type: ignore[arg-type]
    with pytest.raises(BookError, match="no title block"):
        render_pdf(empty_book, tmp_path / "a.pdf")
    book.blocks[7].svg = "<svg broken"
    with pytest.raises(BookError, match="could not be set on paper"):
        render_pdf(book, tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()
