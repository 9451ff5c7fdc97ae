"""How a column writes its dates: the formats that read it, and what stays ambiguous.

A format is tried with the very reader that the feed is cleaned with, on every sampled value, so
that what is proposed here reads there.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

_NUMBER_FIRST = r"\d{1,2}(?P<s>[-/.])\d{1,2}(?P=s)(?P<year>\d{4}|\d{2})"
_DAYS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"\d{4}-\d{1,2}-\d{1,2}", ("%Y-%m-%d",)),
    (r"\d{4}/\d{1,2}/\d{1,2}", ("%Y/%m/%d",)),
    (r"\d{4}\.\d{1,2}\.\d{1,2}", ("%Y.%m.%d",)),
    (_NUMBER_FIRST, ()),
    (r"\d{1,2}-[A-Za-z]{3}-\d{4}", ("%d-%b-%Y",)),
    (r"\d{1,2}-[A-Za-z]{3}-\d{2}", ("%d-%b-%y",)),
    (r"\d{1,2}[A-Za-z]{3}\d{4}", ("%d%b%Y",)),
    (r"\d{1,2} [A-Za-z]{3,9} \d{4}", ("%d %b %Y", "%d %B %Y")),
    (r"[A-Za-z]{3,9} \d{1,2}, \d{4}", ("%b %d, %Y", "%B %d, %Y")),
    (r"[A-Za-z]{3,9} \d{1,2} \d{4}", ("%b %d %Y", "%B %d %Y")),
    (r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", ("%Y%m%d",)),
)
_CLOCK = re.compile(
    r"(?P<join>[ T:]|\s+)(?:(?P<colon>\d{1,2}:\d{2})(?P<seconds>:\d{2})?(?P<part>\.\d{1,9})?"
    r"(?P<half>\s?[AaPp][Mm])?|(?P<four>\d{4}))"
)
_ZONE = re.compile(r"\s?(?:Z|UTC|GMT|[-+]\d{2}(?::?\d{2})?)")
_MONTHS = (
    (r"\d{4}-\d{1,2}", "%Y-%m"),
    (r"\d{4}/\d{1,2}", "%Y/%m"),
    (r"\d{1,2}/\d{4}", "%m/%Y"),
    (r"\d{1,2}-\d{4}", "%m-%Y"),
    (r"[A-Za-z]{3}-\d{2}", "%b-%y"),
    (r"[A-Za-z]{3}[- ]\d{4}", "%b-%Y"),
    (r"[A-Za-z]{3,9} \d{4}", "%B %Y"),
)
_OFFSET = re.compile(r"(?:Z|UTC|GMT|[-+]\d{2}(?::?\d{2})?)$")
MOST_FORMATS = 4
"""A layout that needs more is not one layout."""


@dataclass(frozen=True)
class DateReading:
    """How a set of date texts is read.

    Attributes
    ----------
    formats
        In ``strptime`` letters, the one that reads most first.
    read
        Share of the values that they read.
    unread
        Values that none reads, a few, each of another form.
    ambiguous
        The same formats with day and month exchanged, if those read as much.
    utc
        True if the texts carry an offset of zero, False if another or none.
    offsets
        The offsets as they are written, such as ``+00`` or ``-05:00``.
    """

    formats: tuple[str, ...]
    read: float
    unread: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    utc: bool = False
    offsets: tuple[str, ...] = ()


def date_formats_of(text: str) -> list[tuple[str, str]]:
    """The formats that a text could be written in, each with its offset; none if it is no date."""
    for pattern, formats in _DAYS:
        found = re.match(pattern, text)
        if not found:
            continue
        if not formats:
            year = "%Y" if len(found["year"]) == 4 else "%y"
            mark = found["s"]
            formats = (f"%m{mark}%d{mark}{year}", f"%d{mark}%m{mark}{year}")
        rest = text[found.end() :]
        clock = ""
        timed = _CLOCK.match(rest)
        if timed:
            clock = _clock(timed)
            rest = rest[timed.end() :]
        zone = _ZONE.fullmatch(rest)
        if rest and not (zone and timed):
            continue
        return [(day + clock + rest, rest.strip()) for day in formats]
    return []


def is_month(text: str) -> bool:
    """Whether a text says a month and no day, such as 2019-12 or Dec-19."""
    return any(re.fullmatch(pattern, text) for pattern, _ in _MONTHS)


def read_dates(values: Iterable[str]) -> DateReading:
    """Find the formats that read date texts.

    Parameters
    ----------
    values
        All sampled values of all date columns of one layout: what one column leaves open
        (01/02 is January or February) another may settle.

    Returns
    -------
    DateReading
        With the American order of month and day where both orders read as much;
        ``ambiguous`` then holds the other one. A year before 1800 counts as not read, as in
        cleaning: ``%Y`` would read a year of two digits as one of the first century.
    """
    counts = pd.Series(list(values), dtype="str").dropna().value_counts()
    if counts.empty:
        return DateReading((), 0.0)
    texts = pd.Series(counts.index, dtype="str")
    offsets: dict[str, str] = {}
    # Values of one form, with one offset, have one set of formats: one of each is looked at.
    forms = texts.map(lambda text: form(text) + text[-6:] * bool(_OFFSET.search(text)))
    for text in texts[~forms.duplicated()]:
        for pattern, offset in date_formats_of(text):
            offsets.setdefault(pattern, offset)
    hits = _reads(texts.to_list(), list(offsets))
    weight = counts.to_numpy()
    # One order of day and month in all formats: the other would read the rest, and wrongly.
    month_first = _cover(hits, weight, [p for p in offsets if _order(p) != "day"])
    day_first = _cover(hits, weight, [p for p in offsets if _order(p) != "month"])
    chosen, other = month_first, day_first
    if weight[day_first.read].sum() > weight[month_first.read].sum():
        chosen, other = day_first, month_first
    ambiguous = chosen.formats != other.formats and weight[chosen.read].sum() == (
        weight[other.read].sum()
    )
    unread = texts[~chosen.read]
    written = tuple(dict.fromkeys(offsets[pattern] for pattern in chosen.formats))
    return DateReading(
        formats=chosen.formats,
        read=float(weight[chosen.read].sum() / weight.sum()),
        unread=tuple(unread[~unread.map(form).duplicated()].head(3)),
        ambiguous=other.formats if ambiguous else (),
        utc=bool(written) and all(re.fullmatch(r"Z|UTC|GMT|[-+]00:?(00)?", o) for o in written),
        offsets=tuple(offset for offset in written if offset),
    )


def read_months(values: Iterable[str]) -> DateReading:
    """Find the format that reads month texts, as :func:`read_dates` does for days."""
    texts = pd.Series(list(values), dtype="str").dropna()
    if texts.empty:
        return DateReading((), 0.0)
    hits = _reads(texts.to_list(), [pattern for _, pattern in _MONTHS])
    best = str(hits.mean().idxmax())
    return DateReading((best,), float(hits[best].mean()), tuple(texts[~hits[best]].unique()[:3]))


def parsed(values: pd.Series, formats: Iterable[str]) -> pd.Series:
    """Read texts by formats, the first that fits; ``NaT`` where none does or none is given."""
    texts = pd.DataFrame({"place": range(len(values)), "text": values.astype("str").to_numpy()})
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("texts", texts)
        read = connection.execute(
            "SELECT try_strptime(text, $formats::VARCHAR[]) AS day FROM texts ORDER BY place",
            {"formats": list(formats)},
        ).df()["day"]
    read = read.where(read >= pd.Timestamp("1800-01-01"))
    return pd.Series(read.to_numpy(), index=values.index)


def quiet_hour(times: pd.Series) -> int | None:
    """The middle of the three hours with the fewest occurrences, local 4 to 6 in every city.

    Midnight and noon to the minute are left out: they stand for times not known. Missing if
    fewer than 500 times are left, too few to tell.
    """
    known = times.dropna()
    exact = (known.dt.hour % 12 == 0) & (known.dt.minute <= 1)
    hours = known[~exact].dt.hour.value_counts().reindex(range(24), fill_value=0)
    if hours.sum() < 500:
        return None
    return min(range(24), key=lambda h: hours[h - 1 if h else 23] + hours[h] + hours[(h + 1) % 24])


def form(text: str) -> str:
    """A text with each run of digits as its length's nines (at most four) and letters kept.

    Numbers of one and of two digits are one form: 1/2/2019 and 11/12/2019 are written alike.
    """
    return re.sub(r"\d+", lambda run: "9" if len(run[0]) <= 2 else "9" * min(len(run[0]), 9), text)


def _order(pattern: str) -> str | None:
    """Which of day and month comes first, where both are written as numbers."""
    found = re.match(r"%([md])[-/.]%([md])", pattern)
    return None if found is None else {"m": "month", "d": "day"}[found[1]]


class _Cover(NamedTuple):
    formats: tuple[str, ...]
    read: npt.NDArray[np.bool_]


def _cover(hits: pd.DataFrame, weight: npt.NDArray[Any], candidates: list[str]) -> _Cover:
    """The formats that together read most: each next one reads most of what is left."""
    left = np.ones(len(hits), dtype=bool)
    chosen: list[str] = []
    while candidates and len(chosen) < MOST_FORMATS:
        best = max(candidates, key=lambda pattern: weight[hits[pattern] & left].sum())
        if not (hits[best] & left).any():
            break
        chosen.append(best)
        left &= ~hits[best].to_numpy()
    return _Cover(tuple(chosen), ~left)


def _clock(timed: re.Match[str]) -> str:
    join = " " if timed["join"].isspace() else timed["join"]
    if timed["four"]:
        return f"{join}%H%M"
    half = timed["half"]
    clock = ("%I" if half else "%H") + ":%M" + (":%S" if timed["seconds"] else "")
    if timed["part"]:
        # %g reads milliseconds, %f up to six digits.
        clock += ".%g" if len(timed["part"]) == 4 else ".%f"
    if half:
        clock += (" " if half[0].isspace() else "") + "%p"
    return join + clock


def _reads(values: list[str], candidates: list[str]) -> pd.DataFrame:
    """One row a value, one column a format: whether it reads the value."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("texts", pd.DataFrame({"place": range(len(values)), "text": values}))
        columns = {}
        for pattern in candidates:
            read = connection.execute(
                "SELECT coalesce(try_strptime(text, $pattern) >= TIMESTAMP '1800-01-01', false) "
                "AS hit FROM texts ORDER BY place",
                {"pattern": pattern},
            ).df()["hit"]
            columns[pattern] = read.astype(bool)
    return pd.DataFrame(columns, index=range(len(values)))
