"""Which date is which: begun, ended, reported, coded."""

import re

import pandas as pd

from beatbook.onboarding.column_values import Choice, Column, Mapping
from beatbook.onboarding.dates import parsed, read_dates
from beatbook.onboarding.header_words import in_words, names_field, never_a_date_of_crime


def choose_dates(columns: dict[str, Column], mapping: Mapping) -> None:
    """Choose the columns of the dates, by name, then by their order; add to the mapping.

    A file with one date alone has it taken both for the occurrence and for the report: a person
    must say which it is.
    """
    months = [c for c in columns.values() if c.months >= 0.9 and c.name not in mapping.taken()]
    coded = [c for c in months if names_field(c.name, "known_on")] or months
    if coded:
        named = bool(names_field(coded[0].name, "known_on"))
        mapping.choices["known_on"] = Choice(
            coded[0].name, f"a month without a day, {coded[0].values.iloc[0]} for example", named
        )
    days = [c for c in columns.values() if c.is_date and not never_a_date_of_crime(c.name)]
    for wanted in ("occurred_from", "occurred_to", "reported_at", "known_on"):
        if wanted in mapping.choices:
            continue
        named_so = [
            (c, word)
            for c in days
            if c.name not in mapping.taken() and (word := names_field(c.name, wanted))
        ]
        if named_so:
            # A date of little more than its name is likelier the main one: DATE OCC, not
            # DATE OCC UPDATED BY; a plain "date" is the last resort.
            best, word = max(named_so, key=lambda pair: (pair[1] != "date", pair[0].filled))
            mapping.choices[wanted] = Choice(
                best.name, f"the name says {word!r}; {best.filled:.0%} of rows have a date"
            )
    _by_order(days, mapping)
    found = mapping.choices
    first = found.get("occurred_from")
    if first is None and "reported_at" in found:
        found["occurred_from"] = Choice(
            found["reported_at"].column, "the only date of the file, taken for both", False
        )
    elif first is not None and not {"reported_at", "known_on"} & set(found):
        found["reported_at"] = Choice(
            first.column, "the only date of the file, taken for both", False
        )
    for column in columns.values():
        if column.is_number and column.values.str.fullmatch(r"1[0-9]{12}").mean() > 0.9:
            mapping.notes.append(
                f"{column.name} seems to count milliseconds since 1970, which no date format "
                "reads; export it as text, such as 2024-05-31 14:05, if it is a date you need"
            )
        if (
            re.search(r"\btime\b", in_words(column.name))
            and not column.is_date
            and (column.values.str.fullmatch(r"\d{1,2}:?\d{2}(:\d{2})?").mean() > 0.9)
        ):
            mapping.notes.append(
                f"{column.name} holds a time of day apart from its date; a date is read from one "
                "column, so join the two in the export, or go without the hour"
            )


def _by_order(days: list[Column], mapping: Mapping) -> None:
    """Dates that no name tells apart: a crime begins, ends, and is reported, in that order."""
    left = [c for c in days if c.name not in mapping.taken() and not _named_a_date(c.name)]
    wanted = [
        f for f in ("occurred_from", "occurred_to", "reported_at") if f not in mapping.choices
    ]
    if not left or not wanted:
        return
    if len(left) == 2 and wanted == ["occurred_from", "occurred_to", "reported_at"]:
        wanted = ["occurred_from", "reported_at"]
    reading = read_dates(pd.concat([c.values for c in left]))
    times = pd.DataFrame({c.name: parsed(c.values, reading.formats) for c in left})
    late = {
        c.name: sum((times[c.name] > times[other.name]).sum() for other in left)
        - sum((times[c.name] < times[other.name]).sum() for other in left)
        for c in left
    }
    ordered = sorted(left, key=lambda c: late[c.name])
    if len(ordered) > len(wanted):
        ordered = [*ordered[: len(wanted) - 1], ordered[-1]]
    for field_name, column in zip(wanted, ordered, strict=False):
        mapping.choices[field_name] = Choice(
            column.name,
            "no name tells its dates apart; taken by their order: a crime begins, ends, is "
            "reported",
            False,
        )


def _named_a_date(column: str) -> bool:
    fields = ("occurred_from", "occurred_to", "reported_at", "known_on")
    return any(names_field(column, one) for one in fields)
