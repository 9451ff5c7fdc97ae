"""What a check of a department finds, each as lines for a person.

Examples are values that at least :data:`AT_LEAST` rows share. Coordinates and addresses as
published are never among them: a place is shown as cleaning left it, at the block, and none at
all for sex offenses.
"""

import re

import duckdb
import pandas as pd

from beatbook.areas import area_codes
from beatbook.book.formatting import counted
from beatbook.department import FIELDS, Department
from beatbook.errors import BeatbookError
from beatbook.feed import Snapshot
from beatbook.onboarding.dates import form

AT_LEAST = 3
_UNSHOWN = ("block_address", "x", "y", "incident_number")
_DATES = ("occurred_from", "occurred_to", "reported_at", "known_on")

OBSTACLES = (
    (
        "offense = 'Unmapped'", 0.10,
        "{share:.0%} of the records have an offense code that is on no line of offenses.csv; the "
        "records are not published with more than 10%. Map the most frequent codes.",
    ),
    (
        "precinct_source = 'unlisted'", 0.05,
        "{share:.0%} of the records have a precinct code that is on no list; the records are not "
        "published with more than 5%. Add the codes, or aliases, in areas.precinct.",
    ),
    (
        "location_quality = 'outside'", 0.05,
        "{share:.0%} of the records lie outside the city; the records are not published with more "
        "than 5%. Look at feed.crs, the columns of x and y, and unknown_coordinates.",
    ),
    (
        "occurred_from >= known_on + INTERVAL 1 DAY", 0.01,
        "{share:.1%} of the records occurred after they were known; the records are not published "
        "with more than 1%. Look at the order of day and month, and at the columns of the dates.",
    ),
    (
        "year(occurred_from) < 1990", 0.01,
        "{share:.1%} of the records occurred before 1990; the records are not published with more "
        "than 1%. Look at the date formats.",
    ),
)  # fmt: skip
"""What keeps staged records from being published, as a condition, a limit and a sentence; the
critical rules of the checks that every run makes, those that bad settings break."""
REFUSED_OF_A_FILE = 0.05


def files(snapshot: Snapshot) -> list[str]:
    """Layouts with their files, rows and unused columns; each file where they are few."""
    lines = []
    for layout in dict.fromkeys(file.layout for file in snapshot.files):
        held = [file for file in snapshot.files if file.layout == layout]
        rows = sum(file.rows for file in held)
        lines.append(f"layout {layout!r}: {counted(len(held), 'file')}, {counted(rows, 'row')}")
        if len(held) <= 6:
            lines += [f"    {file.name}: {counted(file.rows, 'row')}" for file in held]
        unused = dict.fromkeys(column for file in held for column in file.unused_columns)
        if unused:
            lines.append(f"    not used: {', '.join(unused)}")
    return lines


def fields(connection: duckdb.DuckDBPyConnection, department: Department) -> list[str]:
    """Each field: the share of rows that fill it, of those how many dates read, and examples."""
    shares = ", ".join(f"count({field}) / count(*)" for field in FIELDS)
    filled = connection.execute(f"SELECT {shares} FROM source").fetchone() or ()
    lines = []
    for field, share in zip(FIELDS, filled, strict=True):
        mapped = any(field in layout.columns for layout in department.feed.layouts)
        if not mapped:
            lines.append(f"{field:<20} not mapped")
            continue
        said = f"{field:<20} {share:>6.1%} filled"
        if field in _DATES:
            told = connection.execute(
                f"SELECT count({field}_read) / count({field}), "
                f"quantile_disc({field}_read, 0.001)::DATE, "
                f"quantile_disc({field}_read, 0.999)::DATE "
                f"FROM parsed WHERE {field} IS NOT NULL"
            ).fetchone()
            if told and told[0] is not None:
                said += f", {told[0]:.1%} read"
                if told[1] is not None:
                    said += f", {told[1]} to {told[2]}"
        if field not in (*_UNSHOWN, *_DATES):
            found = connection.execute(
                f"SELECT {field} FROM source WHERE {field} IS NOT NULL GROUP BY 1 "
                f"HAVING count(*) >= {AT_LEAST} ORDER BY count(*) DESC, 1 LIMIT 3"
            ).fetchall()
            shown = [f"{value:.40}" for (value,) in found]
            said += f"; {'; '.join(shown)}" if shown else ""
        lines.append(said)
    return lines


def unreadable_dates(connection: duckdb.DuckDBPyConnection, department: Department) -> list[str]:
    """The forms of dates that no format reads, with their rows and an example."""
    lines = []
    for field in _DATES:
        read = f"{field}_read"
        found = connection.execute(
            f"SELECT {field} AS text, count(*) AS rows FROM parsed WHERE {field} IS NOT NULL "
            f"AND ({read} IS NULL OR {read} < TIMESTAMP '1800-01-01') GROUP BY 1"
        ).df()
        if found.empty:
            continue
        found["form"] = found["text"].map(form)
        forms = found.sort_values("rows", ascending=False).groupby("form", sort=False)
        for _, group in sorted(forms, key=lambda pair: -int(pair[1]["rows"].sum())):
            rows = int(group["rows"].sum())
            lines.append(f"{field}: {counted(rows, 'row')} like {group['text'].iloc[0]!r:.40}")
    return lines


def unlisted_codes(
    connection: duckdb.DuckDBPyConnection, department: Department, kind: str
) -> list[str]:
    """The codes of an area that are on no list and no map, with their rows."""
    area = department.areas.kind(kind)
    try:
        listed = set(area_codes(department, kind)["code"])
    except BeatbookError:  # a map that cannot be read is told of under Maps
        return []
    if not listed:
        return []
    found = connection.execute(
        f"SELECT {kind} AS code, count(*) AS rows FROM source WHERE {kind} IS NOT NULL "
        "GROUP BY 1 ORDER BY rows DESC, 1"
    ).df()
    code = found["code"].astype("str")
    if area.strip:
        code = code.str.replace(area.strip, "", regex=False).str.strip()
    code = code.replace(area.aliases)
    off = found[~code.isin(listed | set(area.unknown) | {""})]
    return [f"{code}: {counted(int(rows), 'row')}" for code, rows in
            off[["code", "rows"]].itertuples(index=False)]  # fmt: skip


def refusals(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Why rows were refused, with counts."""
    found = connection.execute(
        "SELECT reason, expected, count(*) FROM rejected GROUP BY ALL ORDER BY 3 DESC, 1"
    ).fetchall()
    return [f"    {reason}: {counted(rows, 'row')}; expected {expected}"
            for reason, expected, rows in found]  # fmt: skip


def offenses(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The records of each CompStat row."""
    found = connection.execute(
        "SELECT offense, count(*) FROM incidents WHERE offense <> 'Unmapped' GROUP BY 1 "
        "ORDER BY min(part), 2 DESC LIMIT 10"
    ).fetchall()
    return [f"{offense:<22} {rows:>10,}" for offense, rows in found]


def unmapped_codes(connection: duckdb.DuckDBPyConnection, described: pd.DataFrame) -> list[str]:
    """The offense codes on no line of the map, with their records and what they are called.

    ``described`` is what :func:`~beatbook.onboarding.offense_skeleton.count_codes` gives.
    """
    found = connection.execute(
        "SELECT offense_code, count(*) FROM incidents WHERE offense = 'Unmapped' GROUP BY 1 "
        "ORDER BY 2 DESC, 1"
    ).fetchall()
    common = described[described["rows"] >= AT_LEAST].dropna()
    names = dict(zip(common["offense_code"], common["description"], strict=True))
    return [
        f"Unmapped: {code:.60}  {counted(rows, 'record')}  {names.get(code, ''):.50}".rstrip()
        for code, rows in found
    ]


def places(connection: duckdb.DuckDBPyConnection, department: Department) -> list[str]:
    """Which points a map may use, and where the areas of the records come from."""
    meaning = {
        "exact": "on the map, exact",
        "block": "on the map, by the block",
        "pile_up": "on the center of an area, which is a default",
        "outside": "outside the city",
        "missing": "without a point, or withheld (sex offenses, unmapped codes)",
    }
    found = connection.execute(
        "SELECT location_quality, count(*) / sum(count(*)) OVER () AS share FROM incidents "
        "GROUP BY 1 ORDER BY 2 DESC"
    ).fetchall()
    lines = [f"{share:>6.1%} {meaning[quality]}" for quality, share in found]
    for kind in ("precinct", "beat", "neighborhood"):
        told = connection.execute(
            f"SELECT avg(({kind}_source = 'record')::INT), avg(({kind}_source = 'boundary')::INT), "
            f"avg(({kind}_source = 'unlisted')::INT), avg({kind}_disagrees::INT) FROM incidents"
        ).fetchone()
        if told and any(told[:3]):
            label = department.areas.kind(kind).label
            lines.append(
                f"{label}: {told[0]:.1%} from the record, {told[1]:.1%} from the map, "
                f"{told[2]:.1%} on no list; {told[3]:.1%} on the record and the map disagree"
            )
    return lines


def addresses(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The most frequent blocks, as they would be published."""
    found = connection.execute(
        "SELECT block_address FROM incidents WHERE block_address IS NOT NULL GROUP BY 1 "
        f"HAVING count(*) >= {AT_LEAST} ORDER BY count(*) DESC, 1 LIMIT 3"
    ).fetchall()
    # A number that is no block's would be a house's, and a fault of the coarsening.
    shown = [
        text
        for (text,) in found
        if re.match(r"(\d*00|0) block of ", text) or not re.match(r"\d+ block of ", text)
    ]
    return shown or ["none, or none that three records share"]


def obstacles(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> list[str]:
    """What would keep these records from being published, each as a sentence."""
    shares = ", ".join(f"avg(coalesce({condition}, false)::INT)" for condition, _, _ in OBSTACLES)
    found = connection.execute(f"SELECT {shares} FROM incidents").fetchone() or ()
    said = [
        sentence.format(share=share)
        for share, (_, limit, sentence) in zip(found, OBSTACLES, strict=True)
        if share > limit
    ]
    refused = connection.execute(
        "SELECT source_file, count(*) AS rows FROM rejected GROUP BY 1"
    ).df()
    sizes = pd.Series({file.name: file.rows for file in snapshot.files})
    many = [
        (name, rows / sizes[name])
        for name, rows in refused.itertuples(index=False)
        if rows > REFUSED_OF_A_FILE * sizes[name]
    ]
    if many:
        worst, share = max(many, key=lambda pair: pair[1])
        said.append(
            f"Of {counted(len(many), 'file')} more than 5% of the rows are refused, which keeps "
            f"the records from being published ({worst}: {share:.0%}). See Records for the reasons."
        )
    return said
