"""A department's offense map: published code -> CompStat row, UCR, NIBRS, against, Part.

The map is data (``departments/<slug>/offenses.csv``), written and reviewed by people.
"""

from collections.abc import Iterable

import pandas as pd

from beatbook.department import Department
from beatbook.errors import SettingsError

VIOLENT = ("Homicide", "Rape", "Robbery", "Aggravated Assault")
PROPERTY = ("Burglary", "Larceny", "Motor Vehicle Theft")
PART_ONE = (*VIOLENT, *PROPERTY)
"""The seven offenses of the FBI's totals. Arson is Part I and stays outside them, the FBI's
convention, because few agencies report it completely."""

ROWS = (*PART_ONE, "Arson")
TOTALS = {"Total Violent": VIOLENT, "Total Property": PROPERTY, "Total Part I": PART_ONE}
UNMAPPED = "Unmapped"

COLUMNS = (
    "code",
    "match",
    "offense",
    "ucr_code",
    "nibrs_code",
    "against",
    "part",
    "sex_offense",
    "description",
)


def load_offenses(department: Department) -> pd.DataFrame:
    """Read the department's offense map.

    Returns
    -------
    DataFrame
        One row a rule, columns ``COLUMNS``; ``match`` is ``exact`` or ``prefix`` and
        ``sex_offense`` is a bool.

    Raises
    ------
    SettingsError
        If the file is missing, lacks a column, repeats a rule or holds an impossible value;
        the message names the line.
    """
    path = department.folder / "offenses.csv"
    where = f"{department.slug}/offenses.csv"
    if not path.is_file():
        raise SettingsError(f"{where} is missing: it says what each published offense code means.")
    try:
        # A mark that a spreadsheet puts before the text is no part of the first column's name.
        rules = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise SettingsError(f"{where} cannot be read as CSV in UTF-8: {error}") from None
    lacking = [column for column in COLUMNS if column not in rules.columns]
    if lacking:
        raise SettingsError(f"{where} lacks the column {', '.join(lacking)}.")
    allowed = {
        "match": ("exact", "prefix"),
        "against": ("person", "property", "society"),
        "part": ("I", "II"),
        "sex_offense": ("yes", "no"),
    }
    for column, values in allowed.items():
        wrong = rules.index[~rules[column].isin(values)]
        if len(wrong):
            raise SettingsError(
                f"{where}, line {wrong[0] + 2}: {column} is {rules[column][wrong[0]]!r}; "
                f"it is one of {', '.join(values)}."
            )
    nameless = rules.index[(rules["offense"] == "") | (rules["code"] == "")]
    if len(nameless):
        raise SettingsError(f"{where}, line {nameless[0] + 2}: code and offense must be given.")
    repeated = rules.index[rules.duplicated(["code", "match"])]
    if len(repeated):
        raise SettingsError(
            f"{where}, line {repeated[0] + 2}: the code {rules['code'][repeated[0]]} stands twice."
        )
    rules["sex_offense"] = rules["sex_offense"].eq("yes")
    return rules.loc[:, list(COLUMNS)]


def map_offenses(codes: Iterable[str], rules: pd.DataFrame) -> pd.DataFrame:
    """Say what each published offense code means.

    Parameters
    ----------
    codes
        Offense codes, already brought to the form of the map (padded, stripped).
    rules
        The map, as :func:`load_offenses` returns it.

    Returns
    -------
    DataFrame
        One row a distinct code: ``offense_code, offense, ucr_code, nibrs_code, against, part,
        sex_offense``. An exact rule wins over a prefix, a longer prefix over a shorter one.
        A code that no rule covers is kept, with ``offense`` "Unmapped" and the rest missing:
        it is counted and reported, never dropped.
    """
    exact = rules[rules["match"] == "exact"].set_index("code")
    prefixes = rules[rules["match"] == "prefix"].set_index("code")
    lengths = sorted({len(code) for code in prefixes.index}, reverse=True)
    meanings = []
    for code in sorted(set(codes)):
        rule = exact.loc[code] if code in exact.index else None
        for length in lengths:
            if rule is None and len(code) >= length and code[:length] in prefixes.index:
                rule = prefixes.loc[code[:length]]
        meanings.append(
            {
                "offense_code": code,
                "offense": UNMAPPED if rule is None else rule["offense"],
                "ucr_code": None if rule is None else rule["ucr_code"] or None,
                "nibrs_code": None if rule is None else rule["nibrs_code"] or None,
                "against": None if rule is None else rule["against"],
                "part": None if rule is None else rule["part"],
                # What an unknown code stands for is unknown, so its place is withheld too.
                "sex_offense": True if rule is None else bool(rule["sex_offense"]),
            }
        )
    columns = [
        "offense_code",
        "offense",
        "ucr_code",
        "nibrs_code",
        "against",
        "part",
        "sex_offense",
    ]
    return pd.DataFrame(meanings, columns=columns)
