"""Which column holds what: by the header's words, and by what the values look like.

A choice by the name that the values bear out is taken; one by the values alone is taken and said
to be one that a person must look at; a name that the values do not bear out is not taken.
"""

import re

import pandas as pd

from beatbook.onboarding.column_values import Choice, Column, Mapping
from beatbook.onboarding.date_columns import choose_dates
from beatbook.onboarding.dates import parsed, read_dates
from beatbook.onboarding.header_words import in_words, names_field
from beatbook.onboarding.offense_guesses import are_nibrs


def propose_columns(columns: dict[str, Column]) -> Mapping:
    """Propose which column holds which field, coordinates and areas by map left aside.

    Parameters
    ----------
    columns
        What :func:`~beatbook.onboarding.column_values.look_at` found.

    Returns
    -------
    Mapping
        Choices for the fields found. A field that no column fits is absent. ``precinct``,
        ``beat`` and ``neighborhood`` are chosen by name here; see
        :mod:`beatbook.onboarding.area_maps` for what the maps say.
    """
    mapping = Mapping()
    _count(columns, mapping)
    choose_dates(columns, mapping)
    _offense(columns, mapping)
    _address(columns, mapping)
    for kind, most in (("precinct", 80), ("beat", 1000), ("neighborhood", 1000)):
        named = [
            c
            for c in columns.values()
            if c.name not in mapping.taken()
            and names_field(c.name, kind)
            and 1 <= c.distinct <= most
            and c.decimals < 0.5
            and not c.is_date
        ]
        if named:
            best = max(named, key=lambda c: c.filled)
            mapping.choices[kind] = Choice(
                best.name, f"named so; {best.distinct} different values, {best.filled:.0%} filled"
            )
    for column in columns.values():
        origins = column.values.str.lower().isin(["citizen", "officer", "alarm"]).mean()
        if origins >= 0.5 and column.name not in mapping.taken():
            mapping.choices["origin"] = Choice(column.name, "holds citizen, officer or alarm")
    _incident_number(columns, mapping)
    return mapping


def _count(columns: dict[str, Column], mapping: Mapping) -> None:
    for column in columns.values():
        found = set(column.values.unique())
        if not found <= {"1", "+1", "-1"}:
            if names_field(column.name, "count") and column.is_number:
                mapping.notes.append(
                    f"{column.name} counts by other numbers than 1 and -1; Beatbook reads those "
                    "two only, so it is left out and each row counts one"
                )
            continue
        if "-1" in found or names_field(column.name, "count"):
            less = int((column.values == "-1").sum())
            said = f"only +1 and -1 ({less} of {len(column.values)} sampled rows are -1)"
            mapping.choices["count"] = Choice(column.name, said)
            return


def _offense(columns: dict[str, Column], mapping: Mapping) -> None:
    taken = mapping.taken()
    coded = [
        c for c in columns.values()
        if c.name not in taken and c.few and not c.is_date and c.decimals < 0.5 and c.streets < 0.3
    ]  # fmt: skip
    # A narrative names offenses too, and persons: it is told by how seldom it repeats.
    texts = [
        c
        for c in coded
        if c.offenses >= 0.3
        and (len(c.values) < 200 or c.distinct <= min(1000, 0.2 * len(c.values)))
    ]

    def worded(column: Column) -> float:
        named = names_field(column.name, "offense_code") or names_field(
            column.name, "offense_description"
        )
        return column.offenses + (0.5 if named else 0.0)

    text = max(texts, key=worded, default=None)
    best, most, why = None, 0.0, ""
    for column in coded:
        if column is text or column.offenses >= 0.3 or column.distinct < 3:
            continue
        named = names_field(column.name, "offense_code")
        score = 0.6 if named else 0.0
        said = [f"the name says {named!r}"] if named else []
        if text is not None:
            tells = _tells(column, text)
            # A code of offenses has about as many values as there are descriptions.
            if tells >= 0.9 and column.distinct >= 0.5 * text.distinct:
                score += 0.6
                said.append(f"it tells {text.name} ({tells:.0%} of rows)")
        if are_nibrs([str(code) for code in column.values.unique()]):
            score += 0.6
            said.append("its values are NIBRS codes")
        if score > most:
            best, most, why = column, score, "; ".join(said)
    if best is not None and most >= 0.6:
        mapping.choices["offense_code"] = Choice(
            best.name, f"{why}; {best.distinct} codes", sure="name" in why
        )
        if text is not None:
            mapping.choices["offense_description"] = Choice(
                text.name, f"{text.offenses:.0%} of rows name an offense"
            )
    elif text is not None:
        mapping.choices["offense_code"] = Choice(
            text.name,
            f"{text.offenses:.0%} of rows name an offense; {text.distinct} different values",
            sure=worded(text) > 0.5 + text.offenses - 1e-9,
        )


def _tells(code: Column, text: Column) -> float:
    """The share of rows whose text is the usual one of their code."""
    both = pd.DataFrame({"code": code.values, "text": text.values}).dropna()
    if both.empty:
        return 0.0
    pairs = both.groupby(["code", "text"]).size()
    return float(pairs.groupby(level="code").max().sum() / len(both))


def _address(columns: dict[str, Column], mapping: Mapping) -> None:
    taken = mapping.taken()
    free = [c for c in columns.values() if c.name not in taken and not c.is_date]
    streets = [c for c in free if c.streets >= 0.4 and c.offenses < 0.5]
    if not streets:
        return
    best = max(streets, key=lambda c: (c.streets * c.filled) + 0.2 * bool(
        names_field(c.name, "block_address")))  # fmt: skip
    said = f"{best.streets:.0%} of its values read like streets or blocks"
    sure = bool(names_field(best.name, "block_address"))
    numbered = best.values.str.contains(r"^#?\d+\b").mean()
    if numbered < 0.3:
        # The house number may stand in a column beside it: the same first word, whole numbers.
        head = in_words(best.name).split()[0]
        for column in free:
            words = in_words(column.name)
            if (
                column.is_number
                and column.decimals < 0.1
                and re.search(r"addr|number|\bnum\b|\bno\b|block|hundred", words)
                and (words.split()[0] == head or re.search(r"house|street|block|hundred", words))
            ):
                mapping.choices["block_address"] = Choice(
                    [column.name, best.name], f"a number, and a street: {said}", sure
                )
                return
    mapping.choices["block_address"] = Choice(best.name, said, sure)


def _incident_number(columns: dict[str, Column], mapping: Mapping) -> None:
    taken = mapping.taken()
    free = [
        c for c in columns.values()
        if c.name not in taken and not c.is_date and c.decimals < 0.1 and c.filled > 0.5
        and c.distinct > 0.5 * len(c.values) and c.streets < 0.3
    ]  # fmt: skip
    named = [c for c in free if names_field(c.name, "incident_number")]
    if named:
        best = max(named, key=lambda c: c.filled)
        mapping.choices["incident_number"] = Choice(
            best.name,
            f"named so; {best.distinct:,} different values in {len(best.values):,} sampled rows",
        )
        return
    coordinate = re.compile(r"lat|lon|\bx|\by|coord|geometry|object ?id|global|\bfid\b")
    years = {f"{year % 100:02d}" for year in _years(columns, mapping)}
    for column in free:
        starts = column.values.str.extract(r"^(?:20)?(\d\d)\D?\d{3,}")[0]
        if years and len(years) <= 5 and starts.isin(years).mean() >= 0.8:
            if not coordinate.search(in_words(column.name)):
                mapping.choices["incident_number"] = Choice(
                    column.name, "numbers that start with the year, as case numbers do", False
                )
            return


def _years(columns: dict[str, Column], mapping: Mapping) -> set[int]:
    for wanted in ("reported_at", "occurred_from"):
        choice = mapping.choices.get(wanted)
        if choice and isinstance(choice.column, str):
            texts = columns[choice.column].values
            read = parsed(texts, read_dates(texts).formats).dropna()
            common = read.dt.year.value_counts(normalize=True)
            return {int(str(year)) for year in common.index[common > 0.02]}
    return set()
