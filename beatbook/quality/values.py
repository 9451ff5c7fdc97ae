"""What a correction may put in a record, and what a note may say."""

import datetime as dt
import math
import re
from collections.abc import Iterable

from beatbook.areas import area_codes, load_outlines
from beatbook.department import AREA_KINDS, Department
from beatbook.errors import InvalidInput
from beatbook.incidents.corrections import CORRECTABLE, hundred_blocks
from beatbook.offenses import UNMAPPED, load_offenses, map_offenses
from beatbook.quality.redaction import without_house_numbers

MAY_BE_EMPTY = (
    "occurred_to",
    "reported_at",
    "precinct",
    "beat",
    "neighborhood",
    "block_address",
    "origin",
    "x",
    "y",
)
"""Fields that a correction may empty: a record without them is still an incident."""

_DATE_FIELDS = ("occurred_from", "occurred_to", "reported_at", "known_on")
_ORIGINS = ("citizen", "officer", "alarm", "unknown")
_EARLIEST = dt.datetime(1900, 1, 1)
_POINT = re.compile(
    # Degrees with decimals, or two long numbers side by side: a place on a map.
    r"(?<!\d)-?\d{1,3}\.\d{3,}(?!\d)|(?<!\d)\d{5,8}(?:\.\d+)?\s*[,;/ ]\s*-?\d{5,8}(?:\.\d+)?(?!\d)"
)
_STREET_WORDS = frozenset(
    re.findall(
        r"\w+",
        "ST STREET AVE AV AVENUE BLVD BOULEVARD RD ROAD DR DRIVE LN LANE CT COURT PL PLACE PKWY "
        "PARKWAY HWY HIGHWAY TER TERRACE CIR CIRCLE SQ SQUARE TRL TRAIL ALY ALLEY WAY BLK BLOCK "
        "AND NORTH SOUTH EAST WEST",
    )
)


def corrected_value(department: Department, field: str, value: str) -> str:
    """Bring a corrected value to the one form in which it is kept.

    Parameters
    ----------
    department
        Whose codes and areas.
    field
        One of :data:`beatbook.incidents.corrections.CORRECTABLE`.
    value
        As a person gives it; ``""`` empties a field of :data:`MAY_BE_EMPTY`.

    Returns
    -------
    str
        A date as ``2013-06-01 14:30`` in local time (a known date as ``2013-06-01``, or
        ``2013-06`` where the feed is monthly), a code padded as ``offenses.csv`` has it, and
        any other value trimmed.

    Raises
    ------
    InvalidInput
        If the field cannot be corrected or the value is impossible in it; the message says
        what it could be.
    """
    if field not in CORRECTABLE:
        raise InvalidInput(
            f"{field or 'No field'} cannot be corrected; these can: {', '.join(CORRECTABLE)}."
        )
    value = " ".join(value.split())
    if not value:
        if field not in MAY_BE_EMPTY:
            raise InvalidInput(f"{field} cannot be empty: without it a record is refused.")
        return ""
    if field in _DATE_FIELDS:
        return _date(department, field, value)
    if field == "count":
        if value not in ("1", "+1", "-1"):
            raise InvalidInput(f"count is 1, or -1 for a record that cancels another, not {value}.")
        return value.removeprefix("+")
    if field == "offense_code":
        return _offense_code(department, value)
    if field in AREA_KINDS:
        return _area_code(department, field, value)
    if field in ("x", "y"):
        return _number(field, value)
    if field == "origin":
        if value.lower() not in _ORIGINS:
            raise InvalidInput(f"origin is one of {', '.join(_ORIGINS)}, not {value}.")
        return value.lower()
    if field == "block_address":
        return _address(value)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9/._-]{0,39}", value):
        raise InvalidInput(f"{value!r} is no case number: letters, digits and - / . _ only.")
    return value


def refuse_place_outside(department: Department, field: str, value: str) -> None:
    """Refuse an ``x`` or ``y`` that no point of the city has.

    Raises
    ------
    InvalidInput
        The message gives the city's span in the feed's own coordinates.
    """
    if not value:
        return
    city = load_outlines(department, "city").buffer(department.areas.city.tolerance_m)
    west, south, east, north = city.to_crs(department.feed.crs).total_bounds
    low, high = (west, east) if field == "x" else (south, north)
    if not low <= float(value) <= high:
        raise InvalidInput(
            f"No place in {department.city} has {value} as {field}: the city spans {low:.6g} to "
            f"{high:.6g} in the feed's coordinates ({department.feed.crs})."
        )


def refuse_revealing(text: str, address: str = "", point: Iterable[str] = ()) -> None:
    """Refuse a text that would tell a house number or a point.

    Parameters
    ----------
    text
        A note, or whatever else a person typed.
    address, point
        The published address and coordinates of a record whose place is withheld, such as a sex
        offense: then no word of the street and neither coordinate may be in the text.

    Raises
    ------
    InvalidInput
        Without repeating what was found.
    """
    spoken = " ".join(text.split())
    if without_house_numbers(spoken, typed=True) != spoken and not _only_blocks(spoken):
        raise InvalidInput(
            "The note seems to hold a house number; decisions.csv is shared. Name the hundred "
            "block ('1500 block of Main St') or leave the address out."
        )
    if _POINT.search(spoken):
        raise InvalidInput("The note seems to hold coordinates; decisions.csv is shared.")
    words = {word.upper() for word in re.findall(r"[A-Za-z0-9]+", spoken)}
    streets = {word.upper() for word in re.findall(r"[A-Za-z0-9]*[A-Za-z][A-Za-z0-9]*", address)}
    hidden = {word for word in streets - _STREET_WORDS if len(word) > 2}
    whole = {re.sub(r"\..*", "", number).lstrip("-") for number in point}
    if words & (hidden | {number for number in whole if len(number) > 3}):
        raise InvalidInput(
            "The note names the place of a record whose place is withheld (a sex offense, or a "
            "code that offenses.csv does not list). Leave the place out."
        )


def _only_blocks(text: str) -> bool:
    """Whether every number before a street is a hundred block already."""
    plain = re.sub(r"\b(\d*00|0) (?:block|blk)(?: of)? ", "", text, flags=re.IGNORECASE)
    return without_house_numbers(plain, typed=True) == plain


def _date(department: Department, field: str, value: str) -> str:
    monthly = field == "known_on" and department.feed.publishes == "monthly"
    text = f"{value}-01" if monthly and re.fullmatch(r"\d{4}-\d{2}", value) else value
    wanted = "2013-06" if monthly else "2013-06-01" if field == "known_on" else "2013-06-01 14:30"
    try:
        moment = dt.datetime.fromisoformat(text) if re.match(r"\d{4}-\d{2}-\d{2}", text) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is not None:
        raise InvalidInput(f"{value!r} is no date as {field}; write it as {wanted}, local time.")
    if moment < _EARLIEST:
        raise InvalidInput(f"{value} is too long ago for {field}.")
    if monthly:
        return f"{moment:%Y-%m}"
    if field == "known_on":
        return f"{moment:%Y-%m-%d}"
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment.second else f"{moment:%Y-%m-%d %H:%M}"


def _offense_code(department: Department, value: str) -> str:
    code = value.rjust(department.offense_codes.pad_to, "0")
    meaning = map_offenses([code], load_offenses(department)).iloc[0]
    if meaning["offense"] == UNMAPPED:
        raise InvalidInput(
            f"offenses.csv lists no offense code {code}. If it is a new one, add it there first."
        )
    return code


def _area_code(department: Department, kind: str, value: str) -> str:
    area = department.areas.kind(kind)
    listed = set(area_codes(department, kind)["code"])
    if value in area.unknown:
        raise InvalidInput(f"{value} stands for no known {area.label.lower()}; leave it empty.")
    if listed and value not in listed:
        raise InvalidInput(
            f"There is no {area.label.lower()} {value}; listed are "
            f"{', '.join(sorted(listed)[:20])}{' and others' if len(listed) > 20 else ''}."
        )
    if not re.fullmatch(r"[\w/. -]{1,40}", value):
        raise InvalidInput(f"{value!r} is no code of a {area.label.lower()}.")
    return value


def _number(field: str, value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidInput(f"{field} is a number in the feed's coordinates, not {value!r}.")
    return value


def _address(value: str) -> str:
    block = hundred_blocks([value])[value]
    if value != block:
        raise InvalidInput(
            f"An address is kept at its hundred block. Write it as {block!r}."
            if block
            else "This address names no street."
        )
    return value
