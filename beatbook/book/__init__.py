"""Books: the blocks that a notebook adds, and the book that binds them.

Rendering is imported where it is used: :mod:`beatbook.book.page` (HTML),
:mod:`beatbook.book.pdf` (paper), and the makers of blocks :mod:`beatbook.book.tables`,
:mod:`beatbook.book.charts` and :mod:`beatbook.book.maps`.
"""

from beatbook.book.blocks import (
    Block,
    Callout,
    Chart,
    ChartGrid,
    Column,
    ColumnGroup,
    Heading,
    Map,
    Row,
    Table,
    Text,
    TitleBlock,
)
from beatbook.book.volume import Book

__all__ = [
    "Block",
    "Book",
    "Callout",
    "Chart",
    "ChartGrid",
    "Column",
    "ColumnGroup",
    "Heading",
    "Map",
    "Row",
    "Table",
    "Text",
    "TitleBlock",
]
