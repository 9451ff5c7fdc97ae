"""The blocks of a book: plain data that the page and the paper both render.

A block belongs here when a chief would point at it: a heading, a paragraph, a table, a chart, a
map. How a block looks is in :mod:`beatbook.book.markup` (page) and ``template/book.typ`` (paper);
neither may compute or format a figure, so the two can never differ.
"""

import dataclasses
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args

from beatbook.errors import BookError, InvalidInput

Align = Literal["left", "right", "center"]
CalloutKind = Literal["note", "caveat", "hold"]
RowStyle = Literal["plain", "total"]


def _chosen(value: str, choices: Any, what: str) -> None:
    if value not in get_args(choices):
        raise InvalidInput(f"{what} {value!r} is none of: {', '.join(get_args(choices))}")


def _said(value: str, what: str) -> None:
    if not str(value).strip():
        raise InvalidInput(f"{what} is empty: give the words that a reader will need")


@dataclass
class Block:
    """One thing in a book. ``number`` and ``anchor`` are given by :meth:`Book.add`."""

    kind: ClassVar[str] = ""
    number: int | None = field(default=None, init=False, compare=False)
    anchor: str = field(default="", init=False, compare=False)

    def _repr_html_(self) -> str:
        from beatbook.book import markup

        return markup.render(self)

    def show(self) -> None:
        """Display the block if this runs in a notebook; else do nothing."""
        cell = _running_cell()
        if cell is None:
            return
        from IPython.display import publish_display_data

        self._shown_in = cell
        publish_display_data({"text/html": self._repr_html_(), "text/plain": repr(type(self))})

    def _ipython_display_(self) -> None:
        # A cell that ends with book.add(...) would display the block a second time.
        if getattr(self, "_shown_in", None) != _running_cell():
            self.show()

    def to_dict(self) -> dict[str, Any]:
        """Give the block as JSON-able values; :func:`block_from_dict` is the way back."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.init}
        return {"kind": self.kind} | {name: _plain(value) for name, value in values.items()}


def _running_cell() -> int | None:
    """Give the number of the notebook cell that is running, or None outside a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell.execution_count if shell is not None and hasattr(shell, "kernel") else None


def _plain(value: Any) -> Any:
    if isinstance(value, Block):
        return value.to_dict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


@dataclass
class TitleBlock(Block):
    """Title, department, week, as-of day and provenance; :meth:`Book.add` fills in the facts.

    ``facts`` holds the strings that both renderings print: title, department, week, as_of,
    header (the running header of the paper) and provenance (label to text).
    """

    kind: ClassVar[str] = "title"
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Heading(Block):
    """A heading. Level 1 is the book's title, so levels run from 2 (a section) to 4."""

    kind: ClassVar[str] = "heading"
    text: str
    level: int = 2

    def __post_init__(self) -> None:
        _said(self.text, "The text of a heading")
        if self.level not in (2, 3, 4):
            raise InvalidInput(
                f"Heading {self.text!r} has level {self.level}: use 2, 3 or 4 (1 is the title)"
            )


@dataclass
class Text(Block):
    """Plain paragraphs, parted by blank lines. Nothing in them is read as markup."""

    kind: ClassVar[str] = "text"
    text: str

    @property
    def paragraphs(self) -> list[str]:
        """The paragraphs, each on one line."""
        parts: list[list[str]] = [[]]
        for line in self.text.splitlines():
            if line.strip():
                parts[-1].append(line.strip())
            elif parts[-1]:
                parts.append([])
        return [" ".join(lines) for lines in parts if lines]


@dataclass
class Callout(Block):
    """A box that must not be read over: a note, a caveat, or a hold (figures not to be used)."""

    kind: ClassVar[str] = "callout"
    style: CalloutKind
    title: str
    lines: Sequence[str] = ()

    def __post_init__(self) -> None:
        _chosen(self.style, CalloutKind, "Callout kind")
        _said(self.title, "The title of a callout")
        if isinstance(self.lines, str):
            self.lines = [self.lines]
        self.lines = list(self.lines)

    @property
    def label(self) -> str:
        """The word that says what kind of box this is, for those who see no color."""
        return {"note": "Note", "caveat": "Caveat", "hold": "Hold"}[self.style]


@dataclass
class Column:
    """A column's header."""

    label: str
    align: Align = "right"

    def __post_init__(self) -> None:
        _chosen(self.align, Align, f"Alignment of column {self.label!r}")


@dataclass
class ColumnGroup:
    """A header over ``span`` neighboring columns, with smaller lines (date ranges) below it."""

    label: str
    span: int
    lines: Sequence[str] = ()


@dataclass
class Row:
    """A row of finished strings; ``strong`` holds the positions of cells set in bold."""

    cells: Sequence[str]
    style: RowStyle = "plain"
    strong: Sequence[int] = ()

    def __post_init__(self) -> None:
        _chosen(self.style, RowStyle, "Row style")
        self.cells = [str(cell) for cell in self.cells]
        self.strong = list(self.strong)


@dataclass
class Table(Block):
    """A table of finished strings.

    Parameters
    ----------
    caption : str
        What the table shows; read out before it, printed above it.
    columns : list of Column or str
        A plain string is a column set right where all its cells are figures, else left. The
        first column heads its row.
    rows : list of Row or list of str
        As many cells as columns; anything else is refused.
    groups : list of ColumnGroup
        A row of headers above the columns; the spans must add up to the number of columns.
    notes : list of str
        The legend, below the table.
    wide : bool
        Put the table on a landscape page of the paper.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: Sequence[Any]
    rows: Sequence[Any]
    groups: Sequence[Any] = ()
    notes: Sequence[str] = ()
    wide: bool = False

    def __post_init__(self) -> None:
        _said(self.caption, "The caption of a table")
        self.rows = [
            _made(Row, row if isinstance(row, (Row, Mapping)) else Row(list(row)))
            for row in self.rows
        ]
        self.groups = [_made(ColumnGroup, group) for group in self.groups]
        self.notes = [self.notes] if isinstance(self.notes, str) else list(self.notes)
        if not self.columns:
            raise InvalidInput(f"Table {self.caption!r} has no columns")
        for number, row in enumerate(self.rows, 1):
            if len(row.cells) != len(self.columns):
                raise InvalidInput(
                    f"Table {self.caption!r}, row {number}: {len(row.cells)} cells for "
                    f"{len(self.columns)} columns"
                )
        self.columns = [
            Column(c, self._side(i)) if isinstance(c, str) else _made(Column, c)
            for i, c in enumerate(self.columns)
        ]
        if self.groups and sum(group.span for group in self.groups) != len(self.columns):
            raise InvalidInput(
                f"Table {self.caption!r}: the column groups span "
                f"{sum(group.span for group in self.groups)} of {len(self.columns)} columns"
            )

    def _side(self, position: int) -> Align:
        figures = all(_FIGURE.fullmatch(row.cells[position]) for row in self.rows)
        return "right" if position and figures else "left"


# What formatting.py writes: counts, percentages, marks, and the signs of an absent figure.
_FIGURE = re.compile(r"([▲▼] )?([+-]?[\d,.]+( %)?|\N{EN DASH}|n/c|n/p)?")


def _made(cls: type, value: Any) -> Any:
    return cls(**value) if isinstance(value, Mapping) else value


@dataclass
class Chart(Block):
    """A chart as SVG, with the words that stand for it.

    ``caption`` is printed above; ``alt`` says in words what the chart shows; ``key`` explains its
    symbols and is printed once below, also for a whole grid of charts that share it.
    """

    kind: ClassVar[str] = "chart"
    svg: str
    alt: str
    caption: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        _said(self.alt, f"The alternative text of chart {self.caption!r}")
        _check_svg(self.svg, self.caption)


@dataclass
class ChartGrid(Block):
    """Charts side by side, ``across`` in a row; on paper it takes a landscape page.

    ``notes`` are printed below, after the keys of the charts: what holds for one of them only.
    """

    kind: ClassVar[str] = "chart_grid"
    charts: Sequence[Any]
    caption: str = ""
    across: int = 3
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.charts = [
            block_from_dict(dict(chart)) if isinstance(chart, Mapping) else chart
            for chart in self.charts
        ]
        if not all(isinstance(chart, Chart) for chart in self.charts):
            raise InvalidInput("A ChartGrid takes Chart blocks only")
        self.notes = [self.notes] if isinstance(self.notes, str) else list(self.notes)
        if not 1 <= self.across <= 4:
            raise InvalidInput(f"A ChartGrid of {self.across} across: use 1 to 4")

    @property
    def keys(self) -> list[str]:
        """The keys of its charts, each once, in order, and then the notes."""
        return list(dict.fromkeys([*(c.key for c in self.charts if c.key), *self.notes]))


@dataclass
class Map(Block):
    """A map twice: ``html`` for the screen (a whole page, shown in a frame), ``svg`` for print.

    ``note`` is printed below it: the share of incidents that the map leaves out. A map without
    ``html`` shows its SVG on the screen too.
    """

    kind: ClassVar[str] = "map"
    html: str
    svg: str
    alt: str
    caption: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        _said(self.alt, f"The alternative text of map {self.caption!r}")
        _check_svg(self.svg, self.caption)


def _check_svg(svg: str, caption: str) -> None:
    if not svg.lstrip().startswith(("<svg", "<?xml")):
        raise InvalidInput(f"The picture of {caption!r} is not SVG text (it must begin with <svg)")


KINDS: dict[str, type[Block]] = {
    cls.kind: cls for cls in (TitleBlock, Heading, Text, Callout, Table, Chart, ChartGrid, Map)
}


def block_from_dict(values: Mapping[str, Any]) -> Block:
    """Build a block from :meth:`Block.to_dict`; an unknown kind or field is a BookError."""
    rest = dict(values)
    kind = rest.pop("kind", None)
    if kind not in KINDS:
        raise BookError(f"Block kind {kind!r} is none of: {', '.join(KINDS)}")
    try:
        return KINDS[kind](**rest)
    except TypeError as error:
        raise BookError(f"A {kind} block has the wrong fields: {error}") from error


def walk(blocks: Iterable[Block]) -> Iterable[Block]:
    """Give every block, those inside a grid included."""
    for block in blocks:
        yield block
        if isinstance(block, ChartGrid):
            yield from block.charts
