"""Blocks and the book: what they refuse, and the way through JSON and back."""

import datetime as dt
import json
import subprocess
import sys

import pytest

from beatbook.book import (
    Book,
    Callout,
    Chart,
    ChartGrid,
    ColumnGroup,
    Heading,
    Map,
    Row,
    Table,
    Text,
    TitleBlock,
)
from beatbook.errors import BookError, InvalidInput

SVG = '<svg xmlns="http://www.w3.org/2000/svg"></svg>'


def test_a_book_comes_back_from_json_as_it_was(book, tmp_path):
    again = Book.load(book.save(tmp_path / "deep" / "book.json"))
    assert again.blocks == book.blocks
    assert again.facts() == book.facts()
    assert [b.anchor for b in again.headings()] == [b.anchor for b in book.headings()]
    assert (
        again.save(tmp_path / "again.json").read_bytes()
        == (tmp_path / "deep" / "book.json").read_bytes()
    )
    assert not list(tmp_path.glob("**/*.part"))


def test_the_title_block_says_week_as_of_and_a_short_hash(book):
    facts = book.blocks[0].facts
    assert facts["week"] == "Monday, Mar 4, 2024 to Sunday, Mar 10, 2024"
    assert facts["as_of"] == "Thursday, Mar 14, 2024"
    assert facts["provenance"] == {"Feed sha256": "abababababab", "Code version": "1.2.3"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No book at"),
        ("not json", "is not a saved book"),
        ("{}", "of format 1"),
        (json.dumps({"beatbook_book": 1}), "damaged"),
    ],
)
def test_a_foreign_file_is_refused_by_name(content, message, tmp_path):
    path = tmp_path / "book.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BookError, match=message):
        Book.load(path)


def test_an_unknown_block_is_refused(book, tmp_path):
    path = book.save(tmp_path / "book.json")
    path.write_text(path.read_text().replace('"kind": "callout"', '"kind": "poem"'))
    with pytest.raises(BookError, match="'poem' is none of"):
        Book.load(path)


def test_add_gives_the_block_back_and_minds_the_order(empty_book):
    book = empty_book
    heading = Heading("Citywide")
    assert book.add(heading) is heading
    with pytest.raises(InvalidInput, match="in a book already"):
        book.add(heading)
    with pytest.raises(InvalidInput, match="may not skip a level"):
        book.add(Heading("Deep", level=4))
    with pytest.raises(InvalidInput, match=r"wrap words in Text"):
        book.add("words")
    book.add(TitleBlock())
    with pytest.raises(InvalidInput, match="title block already"):
        book.add(TitleBlock())


def test_a_first_heading_may_not_skip_a_level(empty_book):
    with pytest.raises(InvalidInput, match="may not skip a level"):
        empty_book.add(Heading("Deep", level=3))


def test_equal_headings_get_different_anchors(empty_book):
    book = empty_book
    anchors = [book.add(Heading(text)).anchor for text in ("Où? 1", "Où 1!", "漢字")]
    assert anchors == ["ou-1", "ou-1-2", "section"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Heading("x", level=1),
        lambda: Heading(" "),
        lambda: Callout("alarm", "x"),
        lambda: Callout("note", ""),
        lambda: Table("", ["a"], []),
        lambda: Table("x", [], []),
        lambda: Table("x", ["a", "b"], [["1"]]),
        lambda: Table("x", ["a", "b"], [], groups=[ColumnGroup("g", 3)]),
        lambda: Row(["a"], "loud"),
        lambda: Chart(SVG, alt=" "),
        lambda: Chart("PNG", alt="x"),
        lambda: Map("", SVG, alt=""),
        lambda: ChartGrid([Text("x")]),
        lambda: ChartGrid([], across=7),
        lambda: Book("", "x", dt.date(2024, 1, 7), dt.date(2024, 1, 8)),
        lambda: Book("x", "x", dt.date(2024, 1, 7), None),
    ],
)
def test_what_a_reader_could_not_use_is_refused(make):
    with pytest.raises(InvalidInput):
        make()


def test_columns_given_as_words_take_the_side_of_their_cells():
    table = Table(
        "x",
        ["Year", "What", "Change"],
        [["2024", "moved", "▲ +1.0 %"], ["2025", "7", "n/c"]],
    )
    assert [c.align for c in table.columns] == ["left", "left", "right"]


def test_text_is_parted_at_blank_lines():
    assert Text(" a\nb \n\n \nc").paragraphs == ["a b", "c"]


def test_the_blocks_import_without_the_heavy_libraries():
    code = (
        "import sys, beatbook.book.volume\n"
        "heavy = {'matplotlib', 'folium', 'typst', 'nbconvert', 'geopandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_in_a_notebook_a_block_is_displayed_once_a_cell(empty_book, monkeypatch):
    import IPython.display

    from beatbook.book import blocks

    shown = []
    monkeypatch.setattr(IPython.display, "publish_display_data", shown.append)
    monkeypatch.setattr(blocks, "_running_cell", lambda: 3)
    first, second = (empty_book.add(Text(words)) for words in ("one", "two"))
    assert [data["text/html"] for data in shown] == [b._repr_html_() for b in (first, second)]
    second._ipython_display_()  # what the notebook does with a cell's last line
    assert len(shown) == 2
    monkeypatch.setattr(blocks, "_running_cell", lambda: 4)
    second._ipython_display_()
    assert len(shown) == 3


def test_outside_a_notebook_nothing_is_displayed(empty_book, capsys):
    empty_book.add(Text("quiet"))
    assert capsys.readouterr().out == ""
