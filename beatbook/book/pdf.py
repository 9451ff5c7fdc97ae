"""The paper: a book as PDF, by typst, the same bytes on every machine."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from beatbook.book.blocks import Block, ChartGrid, Heading, Map, Table, TitleBlock
from beatbook.book.markup import group_starts
from beatbook.book.volume import Book
from beatbook.errors import BookError, InvalidInput
from beatbook.files import write_atomically

TEMPLATE = Path(__file__).parent / "template" / "book.typ"

PAPERS = ("us-letter", "a4")

# Height left for a map on a page of either orientation, in inches, its caption and note apart.
_MAP_HEIGHT = 5.4
# The narrower of the two papers' widths between the margins, by orientation, in inches.
_TEXT_WIDTH = {False: 7.0, True: 9.7}

# A table of no more rows (by orientation), a grid of no more rows of charts: set on one page
# whole. Longer ones run on, for a block higher than a page would run off it.
_KEPT_ROWS = {True: 16, False: 30}
_KEPT_CHART_ROWS = 3


def render_pdf(book: Book, out: Path, paper: Literal["us-letter", "a4"] = "us-letter") -> Path:
    """Render a book as PDF.

    Sections (from one second-level heading to the next) that hold a wide table or a grid of
    charts are set on landscape pages, each beginning a new page; the others follow one another on
    portrait ones. No row is split across pages, and a table's header is repeated. The file is
    tagged (PDF/UA-1): headings, tables and the words that stand for pictures can be read out.

    The same book gives the same bytes: the date is the book's ``as_of``, and the only fonts are
    those that matplotlib's wheel brings (DejaVu Sans), never the system's.

    Parameters
    ----------
    book : Book
        At least one block.
    out : Path
        Written atomically; its folder is made.
    paper : {"us-letter", "a4"}
        Size of the sheet.

    Returns
    -------
    Path
        ``out``.

    Raises
    ------
    InvalidInput
        For another paper.
    BookError
        If the book has no title block, or typst cannot set it (the message says what it said).
    """
    import typst

    if paper not in PAPERS:
        raise InvalidInput(f"Paper {paper!r} is none of: {', '.join(PAPERS)}")
    book.require_title()
    stamp = dt.datetime.combine(book.as_of, dt.time(), tzinfo=dt.UTC)
    try:
        content = typst.compile(
            TEMPLATE,
            root=TEMPLATE.parent,
            font_paths=[font_folder()],
            ignore_system_fonts=True,
            sys_inputs={"book": json.dumps(paper_data(book, paper), ensure_ascii=False)},
            format="pdf",
            pdf_standards=["ua-1"],
            timestamp=stamp,
        )
    except typst.TypstError as error:
        hints = " ".join(getattr(error, "hints", None) or [])
        message = f"The book {book.title!r} could not be set on paper: {error} {hints}"
        raise BookError(message.strip()) from error
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, content)
    return out


def font_folder() -> Path:
    """Give the folder of DejaVu Sans in matplotlib's wheel: the same file on every system."""
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"


def paper_data(book: Book, paper: str = "us-letter") -> dict[str, Any]:
    """Give what the typst template is handed: every string as it will be printed."""
    facts = book.facts()
    runs: list[dict[str, Any]] = []
    for landscape, parts in _runs(book):
        runs.append({"landscape": landscape, "parts": parts})
    data = {
        "paper": paper,
        "date": [book.as_of.year, book.as_of.month, book.as_of.day],
        "facts": facts | {"header_week": f"week ending {facts['week_ending']}"},
        "map_height": _MAP_HEIGHT,
        "contents_columns": 3 if runs[0]["landscape"] else 2,
        "runs": runs,
    }
    return _printable(data)


# No font draws these, and a tagged PDF may not hold what no font draws.
_CONTROLS = {code: "\ufffd" for code in (*range(9), 11, 12, *range(14, 32), 127)}


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return value.translate(_CONTROLS)
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    return [_printable(item) for item in value] if isinstance(value, list) else value


def _runs(book: Book) -> Iterator[tuple[bool, list[dict[str, Any]]]]:
    """Part the book into runs of one orientation, and these into parts that share pages."""
    parts: list[dict[str, Any]] = []
    orientation: bool | None = None
    for section in _sections(book.blocks):
        landscape = any(
            isinstance(block, ChartGrid) or (isinstance(block, Table) and block.wide)
            for block in section
        )
        if orientation is not None and landscape != orientation:
            yield orientation, parts
            parts = []
        orientation = landscape
        parts.append({"new_page": landscape, "blocks": [_data(b, landscape) for b in section]})
    if orientation is not None:
        yield orientation, parts


def _sections(blocks: list[Block]) -> list[list[Block]]:
    """Part blocks at second-level headings; what precedes the first one joins it."""
    sections: list[list[Block]] = [[]]
    for block in blocks:
        opens = isinstance(block, Heading) and block.level == 2
        if opens and any(isinstance(b, Heading) and b.level == 2 for b in sections[-1]):
            sections.append([])
        sections[-1].append(block)
    return sections


def _data(block: Block, landscape: bool) -> dict[str, Any]:
    values = block.to_dict()
    if isinstance(block, Map):
        # A picture wider than the page allows at that height is as wide as the page instead.
        values["by_width"] = _aspect(block.svg) > _TEXT_WIDTH[landscape] / _MAP_HEIGHT
    if isinstance(block, Table):
        values["group_starts"] = sorted(group_starts(block))
        values["keep"] = len(block.rows) <= _KEPT_ROWS[block.wide]
        values["widths"] = _widths(block)
    if isinstance(block, ChartGrid):
        values["keys"] = block.keys
        values["keep"] = -(-len(block.charts) // block.across) <= _KEPT_CHART_ROWS
    if isinstance(block, TitleBlock):
        values["facts"] = block.facts
    for name in ("paragraphs", "label"):
        if hasattr(block, name):
            values[name] = getattr(block, name)
    # The screen's map is megabytes that paper has no use for.
    values.pop("html", None)
    return values


def _aspect(svg: str) -> float:
    """Width over height of a picture, by the box it is drawn in; 1 where it does not say."""
    found = re.search(r'viewBox="[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)"', svg[:2000])
    return float(found[1]) / float(found[2]) if found and float(found[2]) else 1.0


def _widths(block: Table) -> list[int]:
    """Share out a wide table's width by the longest text, in characters, under each label.

    Columns of one label ("This", "Change") are of one width, whatever their group.
    """
    longest: dict[str, int] = {}
    for i, column in enumerate(block.columns):
        texts = [column.label] + [row.cells[i] for row in block.rows]
        longest[column.label] = max(longest.get(column.label, 6), *(len(text) for text in texts))
    return [longest[column.label] for column in block.columns]
