"""What a steward's page may show of a record: no house number, no place of a sex offense.

The findings hold what the checks saw, and a note holds what somebody typed. Both pass through
here before they are shown.
"""

import re
from collections.abc import Collection

import pandas as pd

from beatbook.incidents.corrections import hundred_blocks

ADDRESS_FIELDS = frozenset({"block_address", "address", "street"})
POINT_FIELDS = frozenset(
    {"x", "y", "x,y", "x, y", "longitude", "latitude", "point", "coordinates", "location",
     "geometry", "cell", "sex_offense_place"}
)  # fmt: skip

WITHHELD = "(place withheld)"
"""Shown for the place of a record that is not known to be one whose place may be shown."""

# Words that a number with a street's word behind it may have between: not "34 rows in St".
_SMALL_WORDS = "in|of|from|for|at|to|on|the|and|or|by|with|is|are|was|were|has|have|records?|rows?"
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_NUMBER = r"(?<![A-Za-z\d])#?(?P<number>\d{1,6})[A-Za-z]?(?:\s*[-/&]\s*\d+[A-Za-z]?)*(?:\s+\d/\d)?"
_BLOCK = r"[,.]?\s+(?:(?:BLK|BLOCK)\s+)?(?:OF\s+)?"

_BEFORE_A_STREET = re.compile(
    _NUMBER + _BLOCK + r"(?=(?:(?!(?:" + _SMALL_WORDS + r")\b)[A-Za-z\d'.-]+\s+){0,4}?"
    r"(?:ST|STREET|AVE|AV|AVENUE|BLVD|BOULEVARD|RD|ROAD|DR|DRIVE|LN|LANE|CT|COURT|PL|PLACE|"
    r"PKWY|PARKWAY|HWY|HIGHWAY|TER|TERRACE|CIR|CIRCLE|SQ|SQUARE|TRL|TRAIL|ALY|ALLEY|WAY)\b)",
    re.IGNORECASE,
)
_BEFORE_A_NAME = re.compile(_NUMBER + _BLOCK + r"(?!(?:" + _MONTHS + r")[a-z]*\b)(?=[A-Z][A-Za-z])")
_UNIT = re.compile(
    r"[,\s]*(?:\b(?:APT|APARTMENT|UNIT|STE|SUITE|RM)\b|#)\.?\s*#?\s*"
    r"(?:[A-Za-z]?\d\w*|[A-Za-z])\b",
    re.IGNORECASE,
)

# What an item that stands for many records gives of one of them (see beatbook.quality.queue).
_SUCH_AS = re.compile(r", such as (?P<sample>.*)$", re.DOTALL)
_LIKE_A_PLACE = re.compile(r"\d{5,}|\d\.\d|\d[A-Za-z]?\W+[A-Za-z]{2}|^\W*\d{3,}\W*$")
_RECORD_ID = r"[0-9a-f]{16}(?:-\d+)?"
_LIKE_A_TIME = re.compile(r"^\d{4}-\d\d(-\d\d)?([ T]\d\d:\d\d(:\d\d)?)?$")


def without_house_numbers(text: str, typed: bool = False) -> str:
    """Coarsen every house number in a text to its hundred block; leave units out.

    A house number is a number before a street's name: ``1515 Main St`` becomes ``1500 block of
    Main St``, ``1515A-1517 N 7th Ave, Apt 3B`` becomes ``1500 block of N 7th Ave``.

    Parameters
    ----------
    text
        Any text.
    typed
        Typed by a person: then a number before any capitalized word but a month is taken for a
        house number as well (``1515 Broadway``). In a rule's own words that would spoil more
        than it hides.
    """

    def coarse(match: re.Match[str]) -> str:
        return f"{int(match['number']) // 100 * 100} block of "

    text, streets = _BEFORE_A_STREET.subn(coarse, text)
    if typed:
        text = _BEFORE_A_NAME.sub(coarse, text)
    return _UNIT.sub("", text) if typed or streets else text


def without_sample(text: str) -> str:
    """Leave out the sample record of an item that stands for many, where it may be a place.

    Such an item bears no field, so that the sample's looks must decide: long or broken numbers
    (coordinates) and a number before a word (an address) are left out, a time is kept.
    """
    found = _SUCH_AS.search(text)
    if not found or _LIKE_A_TIME.match(found["sample"].strip()):
        return text
    return text[: found.start()] if _LIKE_A_PLACE.search(found["sample"]) else text


def is_place(field: str) -> bool:
    """Tell whether a field says where something happened."""
    return field.strip().lower() in ADDRESS_FIELDS | POINT_FIELDS


def shown_values(
    frame: pd.DataFrame, values: Collection[str], record: str, placed: Collection[str]
) -> pd.DataFrame:
    """Make the values of findings or corrections fit to be shown.

    Parameters
    ----------
    frame
        Needs ``field``, the columns named by ``values`` and ``record``, ``source_row``; texts,
        missing allowed.
    values
        The columns that hold values of ``field``.
    record
        The column that names the record.
    placed
        Ids of records whose place is published, which no sex offense's is.

    Returns
    -------
    DataFrame
        A copy. Addresses are at the hundred block. The place of a record (a row of a source
        file) that is not in ``placed`` is withheld: it may be a sex offense's. Every other
        text has its house numbers coarsened, and of an item without a field the sample is left
        out that may be a place (:func:`without_sample`).
    """
    out = frame.copy()
    field = out["field"].fillna("").str.strip().str.lower()
    address, point = field.isin(ADDRESS_FIELDS), field.isin(POINT_FIELDS)
    is_record = out["source_row"].notna() | out[record].fillna("").str.fullmatch(_RECORD_ID)
    unknown = is_record & ~out[record].isin(set(placed))
    for name in values:
        text = out[name].astype("str").fillna("")
        # A rule may say in words what it saw: "an address with a house number, on 120 records".
        said = text.str.contains("records", regex=False)
        blocks = hundred_blocks(text[address & ~said & (text != "")])
        text = text.where(~address | said, text.map(lambda value, b=blocks: b.get(value, value)))
        text = text.where(field != "", text.map(without_sample)).map(without_house_numbers)
        # Words without a digit, "a point outside the city", tell no point; a street's name does.
        tells = (address & (text != "")) | (point & text.str.contains(r"\d", regex=True))
        out[name] = text.where(~(unknown & tells), WITHHELD)
    return out
