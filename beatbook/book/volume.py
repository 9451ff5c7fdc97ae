"""The book itself: an ordered list of blocks with the facts that every page repeats."""

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from beatbook.book.blocks import Block, Heading, TitleBlock, block_from_dict
from beatbook.book.formatting import as_date, day, short_hash
from beatbook.errors import BookError, InvalidInput
from beatbook.files import write_atomically

FORMAT = 1

AnyBlock = TypeVar("AnyBlock", bound=Block)


class Book:
    """A book of one department and week, ready to be rendered twice.

    Parameters
    ----------
    title : str
        "CompStat", or the packet's name; the only first-level heading.
    department_name : str
        As the settings write it.
    week_ending : date
        Last day of the week that the book covers.
    as_of : date
        The book holds only what the department's records held on this day.
    provenance : mapping of str to str, optional
        Where the figures come from (feed checksum, code version), printed in this order;
        checksums are shortened to 12 digits in print and kept whole in the saved book.
    precinct_label : str
        The department's word for its command areas.

    Raises
    ------
    InvalidInput
        If the title or the department is empty, or ``as_of`` is missing.
    """

    def __init__(
        self,
        title: str,
        department_name: str,
        week_ending: dt.date,
        as_of: dt.date,
        provenance: Mapping[str, str] | None = None,
        precinct_label: str = "Precinct",
    ) -> None:
        if not title.strip() or not department_name.strip():
            raise InvalidInput("A book needs a title and a department's name")
        self.title = title
        self.department_name = department_name
        self.week_ending = _day_of(week_ending, "week_ending")
        self.as_of = _day_of(as_of, "as_of")
        self.provenance = {str(k): str(v) for k, v in (provenance or {}).items()}
        self.precinct_label = precinct_label
        self.blocks: list[Block] = []

    def add(self, block: AnyBlock) -> AnyBlock:
        """Append a block and give it back; in a notebook it is displayed, also from within a loop.

        Raises
        ------
        InvalidInput
            If it is no block, is in a book already, is a second title, or is a heading that
            skips a level: a reader who goes from heading to heading would look for the level
            between.
        """
        if not isinstance(block, Block):
            raise InvalidInput(
                f"A book takes blocks, not {type(block).__name__}; wrap words in Text(...)"
            )
        if block.number is not None:
            raise InvalidInput("This block is in a book already; make a new one to repeat it")
        if isinstance(block, Heading):
            self._check_level(block)
            block.anchor = self._anchor(block.text)
        if isinstance(block, TitleBlock):
            if any(isinstance(other, TitleBlock) for other in self.blocks):
                raise InvalidInput("The book has its title block already")
            block.facts = self.facts()
        block.number = len(self.blocks)
        self.blocks.append(block)
        block.show()
        return block

    def facts(self) -> dict[str, Any]:
        """Give the strings of the title block and of the running header."""
        start = self.week_ending - dt.timedelta(days=6)
        return {
            "title": self.title,
            "department": self.department_name,
            "week": f"{day(start, weekday=True)} to {day(self.week_ending, weekday=True)}",
            "week_ending": day(self.week_ending),
            "as_of": day(self.as_of, weekday=True),
            "header": f"{self.title}, week ending {day(self.week_ending)}",
            "header_as_of": f"As of {day(self.as_of)}",
            "provenance": {name: short_hash(text) for name, text in self.provenance.items()},
        }

    def headings(self) -> list[Heading]:
        """Give the headings in order: the table of contents."""
        return [block for block in self.blocks if isinstance(block, Heading)]

    def require_title(self) -> None:
        """Refuse a book without a title block: it would not say its week, nor as of when."""
        if not any(isinstance(block, TitleBlock) for block in self.blocks):
            raise BookError(
                f"The book {self.title!r} has no title block: add TitleBlock() before all else"
            )

    def save(self, path: Path) -> Path:
        """Write the book as JSON: the same book gives the same bytes. The write is atomic."""
        path = Path(path)
        values = {
            "beatbook_book": FORMAT,
            "title": self.title,
            "department_name": self.department_name,
            "week_ending": self.week_ending.isoformat(),
            "as_of": self.as_of.isoformat(),
            "provenance": self.provenance,
            "precinct_label": self.precinct_label,
            "blocks": [block.to_dict() for block in self.blocks],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode())
        return path

    @classmethod
    def load(cls, path: Path) -> "Book":
        """Read a saved book; a missing or foreign file is a BookError that names it."""
        path = Path(path)
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BookError(f"No book at {path}: save one first") from None
        except ValueError as error:
            raise BookError(f"{path} is not a saved book: {error}") from error
        if not isinstance(values, dict) or values.get("beatbook_book") != FORMAT:
            raise BookError(f"{path} is not a saved book of format {FORMAT}; build it again")
        try:
            book = cls(
                title=values["title"],
                department_name=values["department_name"],
                week_ending=dt.date.fromisoformat(values["week_ending"]),
                as_of=dt.date.fromisoformat(values["as_of"]),
                provenance=values["provenance"],
                precinct_label=values["precinct_label"],
            )
            for block in values["blocks"]:
                book.add(block_from_dict(block))
        except (KeyError, AttributeError, ValueError) as error:
            raise BookError(f"{path} is damaged ({error}); build the book again") from error
        return book

    def _repr_html_(self) -> str:
        return "\n".join(block._repr_html_() for block in self.blocks)

    def _check_level(self, heading: Heading) -> None:
        before = [block.level for block in self.headings()]
        deepest = (before[-1] if before else 1) + 1
        if heading.level > deepest:
            raise InvalidInput(
                f"Heading {heading.text!r} has level {heading.level} but here the deepest allowed "
                f"is {deepest}: headings may not skip a level"
            )

    def _anchor(self, text: str) -> str:
        ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        base = re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-") or "section"
        taken = {block.anchor for block in self.headings()}
        anchor, number = base, 2
        while anchor in taken:
            anchor, number = f"{base}-{number}", number + 1
        return anchor


def _day_of(value: Any, name: str) -> dt.date:
    date = as_date(value)
    if not isinstance(date, dt.date) or date != date:
        raise InvalidInput(f"{name} is {value!r}: give a date")
    return date
