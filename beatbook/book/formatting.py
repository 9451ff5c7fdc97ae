"""How numbers and dates are written in a book: once, here, for the page and the paper alike."""

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

#: An undefined percentage (zero base) and an absent figure.
UNDEFINED = "\N{EN DASH}"
NOT_COVERED = "n/c"
NOT_COMPARABLE = "n/p"

#: Marks of a change that is beyond noise; the mark, not a color, carries the meaning.
RISE = "▲"
FALL = "▼"

NOTE_MARKS = {"not covered": NOT_COVERED, "not comparable": NOT_COMPARABLE}

# Not strftime: %b follows the machine's locale and %-d does not exist on Windows.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def is_missing(value: Any) -> bool:
    """Tell whether a value is None, NaN, NaT or pandas' NA."""
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    # NaT and NA are the only scalars here that do not equal themselves or refuse to say.
    try:
        return bool(value != value)
    except TypeError:
        return True


def count(value: Any, note: str = "") -> str:
    """Write a count with thousands separators: ``12345`` as ``12,345``.

    Parameters
    ----------
    value : int or missing
        Incidents; may be negative where cancellations outnumber records.
    note : str
        Why the value is missing: "not covered" is written ``n/c``, "not comparable"
        ``n/p``; without a note a missing count is an en dash.
    """
    if is_missing(value):
        return NOTE_MARKS.get(note, UNDEFINED)
    return f"{int(value):,d}"


def percent(value: Any, note: str = "", decimals: int = 1) -> str:
    """Write a percent change with its sign: ``12.34`` as ``+12.3 %``.

    Parameters
    ----------
    value : float or missing
        In percent (12.34, not 0.1234). What rounds to zero is ``0.0 %`` without a sign.
        Halves are rounded to even on the binary value, as Python does.
    note : str
        Why there is none: "not covered" is ``n/c``, "not comparable" ``n/p``; otherwise a
        missing or infinite value is an en dash (a zero base has no percentage: never 100 %).
    decimals : int
        Digits after the point. One: a weekly count supports no more.
    """
    if note in NOTE_MARKS:
        return NOTE_MARKS[note]
    if is_missing(value) or math.isinf(float(value)):
        return UNDEFINED
    text = f"{float(value):+,.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        text = text[1:]
    return f"{text} %"


def estimate(value: Any) -> str:
    """Write an expected count: ``52``, ``3.4``; missing, an en dash.

    A tenth only below ten, where it is a tenth of something.
    """
    if is_missing(value):
        return UNDEFINED
    number = float(value)
    text = f"{number:,.0f}" if abs(number) >= 9.95 else f"{number:.1f}"
    return "0.0" if text == "-0.0" else text


def interval(low: Any, high: Any) -> str:
    """Write the whole-number interval of a count: ``38 to 67``; missing, an en dash."""
    if is_missing(low) or is_missing(high):
        return UNDEFINED
    return f"{float(low):,.0f} to {float(high):,.0f}"


def share(part: int, whole: int) -> str:
    """Write a share of a whole: ``share(12, 310)`` is ``3.9 %``; of nothing, an en dash."""
    return f"{100 * part / whole:.1f} %" if whole else UNDEFINED


def change(
    percent_change: Any, q_value: Any, current: Any, prior: Any, note: str, level: float
) -> tuple[str, bool]:
    """Write a change with the mark of a change beyond noise, and say whether it bears one.

    The mark is given where ``q_value < level`` and the counts differ, by the direction of the
    counts: a change from zero has no percentage and can yet be beyond noise (``▲`` and a dash).

    Returns
    -------
    tuple of (str, bool)
        The cell's text, and True where it is marked (both renderings set it in bold).
    """
    text = percent(percent_change, note)
    counted = not (is_missing(current) or is_missing(prior) or is_missing(q_value))
    if note in NOTE_MARKS or not counted or not float(q_value) < level or current == prior:
        return text, False
    return f"{RISE if current > prior else FALL} {text}", True


def as_date(value: Any) -> dt.date:
    """Take the calendar day of a date, datetime or pandas Timestamp."""
    return value.date() if isinstance(value, dt.datetime) else value


def day(value: Any, weekday: bool = False) -> str:
    """Write a day: ``Nov 16, 2025``, or ``Sunday, Nov 16, 2025``. English in every locale."""
    date = as_date(value)
    text = f"{_MONTHS[date.month - 1]} {date.day}, {date.year}"
    return f"{_DAYS[date.weekday()]}, {text}" if weekday else text


def month(value: Any) -> str:
    """Write the month's three letters: ``Nov``."""
    return _MONTHS[as_date(value).month - 1]


def day_range(start: Any, end: Any) -> str:
    """Write a span of days, both included, without repeating what they share.

    ``Nov 10 to 16, 2025``; ``Oct 20 to Nov 16, 2025``; ``Dec 29, 2025 to Jan 4, 2026``. One day
    is written as that day.
    """
    first, last = as_date(start), as_date(end)
    if first == last:
        return day(first)
    if first.year != last.year:
        return f"{day(first)} to {day(last)}"
    if first.month != last.month:
        return f"{_MONTHS[first.month - 1]} {first.day} to {day(last)}"
    return f"{_MONTHS[first.month - 1]} {first.day} to {last.day}, {last.year}"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """Write a number with its noun: ``1 week``, ``1,200 weeks``."""
    return f"{number:,d} {singular if number == 1 else plural or singular + 's'}"


def listed(items: Sequence[str]) -> str:
    """Join items as a sentence does: ``a``, ``a and b``, ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def short_hash(value: str) -> str:
    """Shorten a checksum or commit (40 hexadecimal digits or more) to its first 12.

    Twelve digits tell two snapshots apart at sight; the whole value is in the table's provenance.
    """
    hexadecimal = len(value) >= 40 and all(c in "0123456789abcdefABCDEF" for c in value)
    return value[:12] if hexadecimal else value
