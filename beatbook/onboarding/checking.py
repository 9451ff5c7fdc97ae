"""How far a department has come: what is mapped, what is not, and whether a book can be made."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from beatbook.areas import load_outlines
from beatbook.book.formatting import counted
from beatbook.compstat.coverage import book_dates, coverage
from beatbook.department import AREA_KINDS, Department, load_department
from beatbook.errors import BeatbookError, SettingsError, UnknownDepartment
from beatbook.feed import Snapshot, take_snapshot
from beatbook.feed.snapshot import quoted
from beatbook.home import Home
from beatbook.incidents import Cleaned, clean, sql
from beatbook.offenses import load_offenses
from beatbook.onboarding import findings
from beatbook.onboarding.offense_skeleton import count_codes
from beatbook.onboarding.proposed_feed import UNDECIDED
from beatbook.onboarding.settings_text import decisions_in

SHOWN = 10
"""Lines of a list on the terminal; the rest is counted."""


@dataclass
class Check:
    """What was found out about a department.

    Attributes
    ----------
    sections
        Heading and lines, in the order in which a person reads them.
    blocking
        What stands in the way of a book, each with what to do.
    advice
        What should be done and stands in nobody's way.
    latest_week
        The last day of the latest week that a book can be made for, ISO; None if none can.
    """

    slug: str
    sections: list[tuple[str, list[str]]] = field(default_factory=list)
    blocking: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)
    latest_week: str | None = None

    @property
    def ready(self) -> bool:
        """Whether a book can be made."""
        return self.latest_week is not None and not self.blocking

    def say(self, heading: str, lines: list[str]) -> None:
        """Add a section."""
        self.sections.append((heading, lines))

    def text(self) -> str:
        """Say it, for the terminal."""
        out = []
        for heading, lines in self.sections:
            out += [heading, *(f"  {line}" for line in lines), ""]
        steps = [*self.blocking, *self.advice]
        if self.ready:
            out.append(f"A book can be made, up to the week ending {self.latest_week}:")
            out.append(f"  beatbook report --department {self.slug}")
        else:
            out.append("No book can be made yet.")
        if steps:
            out += ["", "What to do next:"]
            out += [f"  {number}. {step}" for number, step in enumerate(steps, start=1)]
        return "\n".join(out)


def check_department(
    home: Home, slug: str, progress: Callable[[str], None] = lambda _message: None
) -> Check:
    """Read and clean a department's feed into a temporary folder, and say what came of it.

    Nothing is published and nothing is kept. What fails is said, and the rest is still looked
    at as far as it can be. Examples are values that at least three rows share; no coordinate,
    no house number and no address of a sex offense is among them.

    Parameters
    ----------
    home
        The checkout.
    slug
        The department.
    progress
        Told in a few words what is being done.

    Raises
    ------
    UnknownDepartment
        If there is no such department. Anything else that is amiss is part of the answer.
    """
    check = Check(slug)
    try:
        department = load_department(slug, home)
    except UnknownDepartment:
        raise
    except SettingsError as error:
        check.say("Settings", str(error).splitlines())
        check.blocking.append(f"Mend departments/{slug}/department.yaml as told above.")
        _open_decisions(home.departments / slug, check)
        return check
    check.say("Settings", [f"department.yaml is valid: {department.name}"])
    maps = _maps(department, check)
    mapped = _offense_map(department, check)
    undecided = [
        f"layout {layout.name!r}: {name}"
        for layout in department.feed.layouts
        for name, column in layout.columns.items()
        if column == UNDECIDED
    ]
    if undecided:
        check.say("Not mapped to any column", undecided)
        check.blocking.append("Name the columns of the fields above, in feed.layouts.")
    else:
        with tempfile.TemporaryDirectory(prefix="beatbook-check-") as name:
            _feed(department, Path(name), check, maps and mapped, progress)
    _open_decisions(department.folder, check)
    return check


def _maps(department: Department, check: Check) -> bool:
    lines, whole = [], True
    for kind in ("city", *AREA_KINDS):
        settings = department.areas.city if kind == "city" else department.areas.kind(kind)
        if settings.file is None:
            continue
        try:
            outlines = load_outlines(department, kind)
        except BeatbookError as error:
            whole = False
            lines.append(f"{kind}: {error}")
            check.blocking.append(f"The map of {kind}: {error}")
        else:
            lines.append(f"{kind}: {settings.file}, {counted(len(outlines), 'outline')}")
    check.say("Maps", lines)
    return whole


def _offense_map(department: Department, check: Check) -> bool:
    try:
        rules = load_offenses(department)
    except SettingsError as error:
        check.say("Offense map", [str(error)])
        check.blocking.append(str(error))
        return False
    check.say("Offense map", [f"offenses.csv: {counted(len(rules), 'line')}"])
    return True


def _feed(
    department: Department,
    folder: Path,
    check: Check,
    cleanable: bool,
    progress: Callable[[str], None],
) -> None:
    progress("reading the feed")
    try:
        snapshot = take_snapshot(department, folder / "text", progress)
    except BeatbookError as error:
        check.say("Files", [str(error)])
        check.blocking.append(str(error))
        return
    check.say("Files", findings.files(snapshot))
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute(sql.source(department, snapshot))
        connection.execute(sql.parsed(department))
        check.say("Fields", findings.fields(connection, department))
        unread = findings.unreadable_dates(connection, department)
        if unread:
            check.say("Dates that no format reads", unread[:SHOWN])
            check.advice.append("Add the formats of the dates above to date_formats.")
        check.sections += _area_codes(connection, department)
    if not cleanable:
        check.blocking.append("The records could not be cleaned before the above is mended.")
        return
    progress("cleaning the records")
    cleaned = clean(department, snapshot, folder / "staged", progress)
    with duckdb.connect(config={"threads": 2}) as connection:
        _records(connection, department, snapshot, cleaned, check)


def _area_codes(
    connection: duckdb.DuckDBPyConnection, department: Department
) -> list[tuple[str, list[str]]]:
    sections = []
    for kind in AREA_KINDS:
        lines = findings.unlisted_codes(connection, department, kind)
        if lines:
            label = department.areas.kind(kind).label
            sections.append((f"{label} codes on no list ({kind})", _cut(lines)))
    return sections


def _records(
    connection: duckdb.DuckDBPyConnection,
    department: Department,
    snapshot: Snapshot,
    cleaned: Cleaned,
    check: Check,
) -> None:
    connection.execute(
        f"CREATE VIEW incidents AS SELECT * FROM read_parquet({quoted(str(cleaned.incidents))})"
    )
    connection.execute(
        f"CREATE VIEW rejected AS SELECT * FROM read_parquet({quoted(str(cleaned.rejected))})"
    )
    check.say(
        "Records",
        [
            f"{cleaned.rows:,} rows: {cleaned.accepted:,} accepted, {cleaned.refused:,} refused",
            *findings.refusals(connection),
        ],
    )
    if cleaned.accepted == 0:
        check.blocking.append("Every row was refused: see the reasons under Records.")
        return
    unmapped = findings.unmapped_codes(connection, count_codes(department, snapshot))
    check.say("Offenses", _cut(findings.offenses(connection) + unmapped, SHOWN + 10))
    if unmapped:
        check.advice.append(
            f"Give the {counted(len(unmapped), 'unmapped code')} a line in offenses.csv; "
            "until then they count in no CompStat row and their places are withheld."
        )
    check.say("Places", findings.places(connection, department))
    check.say("Addresses, as published", findings.addresses(connection))
    check.blocking += findings.obstacles(connection, snapshot)
    known = connection.execute("SELECT known_on FROM incidents").df()["known_on"]
    spans = coverage(known, department)
    lines = [f"{span.start} to {span.end}" for span in spans[-SHOWN:]]
    if len(spans) > SHOWN:
        lines.insert(0, f"... {len(spans) - SHOWN} earlier spans")
    try:
        dates = book_dates(known, department)
    except BeatbookError as error:
        check.blocking.append(str(error))
    else:
        check.latest_week = dates.week_ending.isoformat()
        lines.append(f"latest whole week: ends {dates.week_ending}, as of {dates.as_of}")
    check.say("Covered days", lines)


def _open_decisions(folder: Path, check: Check) -> None:
    for name in ("department.yaml", "ATTRIBUTION.md"):
        path = folder / name
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            check.advice.append(f"{name} is missing or not UTF-8: write it.")
            continue
        for line, question in decisions_in(text):
            check.advice.append(f"Decide ({name}, line {line}): {question}")


def _cut(lines: list[str], most: int = SHOWN) -> list[str]:
    rest = len(lines) - most
    return lines if rest <= 0 else [*lines[:most], f"... and {rest} more"]
