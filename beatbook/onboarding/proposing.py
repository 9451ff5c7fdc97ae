"""Bring a department: from sample files to a folder of settings that says what is guessed."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import yaml

from beatbook.book.formatting import counted
from beatbook.department import Department, load_department
from beatbook.errors import BeatbookError, InvalidInput
from beatbook.feed import Snapshot, take_snapshot
from beatbook.home import Home
from beatbook.incidents import sql
from beatbook.offenses import COLUMNS
from beatbook.onboarding.area_maps import read_outlines
from beatbook.onboarding.coordinates import guess_timezone, metric_crs
from beatbook.onboarding.offense_skeleton import (
    OPEN_FILE,
    OffenseCounts,
    count_codes,
    write_skeleton,
)
from beatbook.onboarding.proposed_areas import area_settings, copied_name, map_area
from beatbook.onboarding.proposed_feed import UNDECIDED, Reading, feed_settings, read_shapes
from beatbook.onboarding.samples import read_samples, shapes_of
from beatbook.onboarding.settings_text import Remarks, decisions_in, settings_text

if TYPE_CHECKING:
    import geopandas as gpd

MAPS = ("city", "precinct", "beat", "neighborhood")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)$")

ATTRIBUTION = """\
# Where the data of {city} come from

# DECIDE: who published each file, where and when it was fetched, and under which license?

| folder | what | publisher | license |
|---|---|---|---|
| `feed/` | {files}, {rows:,} rows | ? | ? |
| `boundaries/` | outlines | ? | ? |

## What was changed before the data reached this project
Nothing is known of it yet.

## What this project changed
Nothing: the files were copied as they were given{converted}.

## What to know before using it
- What is a row: an offense, a victim, a call?
- Are cancelled records taken out, counted -1, or left in?

## Offense map
`offenses.csv` was guessed from the words of the publisher and awaits review.
"""


@dataclass(frozen=True)
class Proposal:
    """What was written, and what it leaves to a person."""

    slug: str
    folder: Path
    files: int
    rows: int
    layouts: int
    offenses: OffenseCounts | None
    decisions: list[str] = field(default_factory=list)
    """Each with its file and line."""

    def text(self) -> str:
        """Say it, for the terminal."""
        lines = [
            f"Wrote departments/{self.slug}/ from {counted(self.files, 'file')} with "
            f"{self.rows:,} rows in {counted(self.layouts, 'layout')}.",
        ]
        if self.offenses is not None:
            o = self.offenses
            lines.append(
                f"offenses.csv: {o.guessed_codes} of {o.codes} codes have a class "
                f"({o.guessed_rows / max(1, o.rows):.1%} of the rows); look at each."
            )
            if len(o.left):
                lines.append(f"Left in {OPEN_FILE}, most frequent first:")
                for code, described, rows in o.left.head(10).itertuples(index=False):
                    lines.append(f"  {rows:>8,}  {code}  {described}")
        lines.append(f"A person must decide {counted(len(self.decisions), 'thing')}:")
        lines += [f"  {decision}" for decision in self.decisions]
        lines.append(f"Then: beatbook check-department {self.slug}")
        return "\n".join(lines)


def new_department(
    home: Home,
    slug: str,
    files: Sequence[Path],
    maps: Mapping[str, Path] | None = None,
    progress: Callable[[str], None] = lambda _message: None,
) -> Proposal:
    """Write a new department's folder from sample files.

    Parameters
    ----------
    home
        The checkout.
    slug
        The folder's name: small letters, digits and underscores.
    files
        The publisher's files: CSV with any usual delimiter or GeoJSON points, plain, ``.gz`` or
        ``.xz``; UTF-8, UTF-16 or cp1252. The layouts, codes and periods that the department is
        to have should all be among them.
    maps
        Outlines by kind: ``city``, ``precinct``, ``beat``, ``neighborhood``, whichever there are.
    progress
        Told in a few words what is being done.

    Returns
    -------
    Proposal
        The folder holds ``department.yaml`` (each guess with its evidence, each open decision
        marked), ``offenses.csv`` (the codes whose class is clear), ``offenses_undecided.csv``
        (the others), ``ATTRIBUTION.md``, and copies in ``feed/`` and ``boundaries/``.

    Raises
    ------
    InvalidInput
        If the name is not fit for a folder, or the department exists: it is never written over.
    FeedError
        If a file is missing or cannot be read; the message names it. Nothing is written then.
    """
    refuse_slug(slug, home)
    if not files:
        raise InvalidInput("Give the publisher's files: --from FILE...")
    given = dict(maps or {})
    outlines = {kind: read_outlines(path) for kind, path in given.items()}
    # Beside the departments, so that the last step is one rename on one disk.
    with tempfile.TemporaryDirectory(prefix=".new-department-", dir=home.root) as name:
        work = Path(name)
        draft = Home(work).departments / slug
        (draft / "feed").mkdir(parents=True)
        (draft / "boundaries").mkdir()
        progress(f"reading {counted(len(files), 'file')}")
        samples = read_samples(list(files), work)
        for sample in samples:
            shutil.copyfile(sample.path, draft / "feed" / sample.name)
        at = {kind: copied_name(kind, path) for kind, path in given.items()}
        for kind, path in given.items():
            _copy_map(path, outlines[kind], draft / at[kind])
        progress("looking at columns, dates and places")
        remarks = Remarks()
        areas = {kind: outlines[kind] for kind in MAPS[1:] if kind in outlines}
        whole = next((outlines[kind] for kind in MAPS if kind in outlines), None)
        readings, points = read_shapes(
            shapes_of(samples), None if whole is None else whole.union_all(), areas
        )
        place = _place(readings, whole)
        settings = _whose(slug, place, remarks)
        settings["crs"] = metric_crs(*place, points.crs) if place else UNDECIDED
        _remark_crs(settings["crs"], points.crs, remarks)
        settings |= {"week_start": "monday", "count_by": "occurrence"}
        remarks.because(("count_by",), "or report: the day that a record counts on")
        settings["feed"] = feed_settings(readings, points, remarks)
        pad = _pad_to(readings)
        if pad:
            settings["offense_codes"] = {"pad_to": pad}
            remarks.because(("offense_codes", "pad_to"), f"some codes have {pad - 1} digits")
        settings["areas"] = area_settings(readings, areas, at, remarks)
        settings["book"] = {"map_area": map_area(at)}
        settings["attribution"] = f"Incidents: {settings['name']}. See ATTRIBUTION.md."
        remarks.decide(("attribution",), "how does the publisher want to be credited?")
        progress("counting offense codes")
        offenses = _count(settings, slug, work, draft, remarks)
        _write_texts(settings, remarks, draft, samples, given)
        os.replace(draft, home.departments / slug)
    folder = home.departments / slug
    decisions = _open_decisions(folder)
    if offenses is not None and len(offenses.left):
        decisions.append(f"{OPEN_FILE}: the classes of {counted(len(offenses.left), 'code')}.")
    return Proposal(
        slug, folder, len(samples), sum(sample.rows for sample in samples),
        len(settings["feed"]["layouts"]), offenses, decisions,
    )  # fmt: skip


def refuse_slug(slug: str, home: Home) -> None:
    """Refuse a name that is not fit for a folder, or is taken.

    Raises
    ------
    InvalidInput
        With a name that would be fit, where one can be told.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", slug) or _RESERVED.match(slug):
        better = re.sub(r"[^a-z0-9]+", "_", slug.lower()).strip("_")
        better = better if re.match(r"[a-z]", better) and not _RESERVED.match(better) else "my_city"
        raise InvalidInput(
            f"{slug!r} is no name for a department's folder: use small letters, digits and "
            f"underscores, a letter first, such as {better}."
        )
    if (home.departments / slug).exists():
        raise InvalidInput(
            f"There is a department {slug} already, and it is not written over. Choose another "
            f"name, or see what it lacks: beatbook check-department {slug}"
        )


def _whose(slug: str, place: tuple[float, float] | None, remarks: Remarks) -> dict[str, Any]:
    city = slug.replace("_", " ").title()
    remarks.decide(("name",), "the department's name, city and state, as they are printed.")
    zone = guess_timezone(*place) if place else "Etc/UTC"
    remarks.decide(
        ("timezone",),
        "is this the city's time zone? It was told from the longitude."
        if place
        else "the city's time zone, such as America/Chicago.",
    )
    return {
        "name": f"{city} Police Department",
        "city": city,
        "state": UNDECIDED,
        "timezone": zone,
    }


def _place(
    readings: Sequence[Reading], whole: "gpd.GeoDataFrame | None"
) -> tuple[float, float] | None:
    if whole is not None:
        west, south, east, north = whole.total_bounds
        return (west + east) / 2, (south + north) / 2
    degrees = pd.DataFrame([row for reading in readings for row in reading.degrees]).dropna()
    return None if degrees.empty else (float(degrees[0].median()), float(degrees[1].median()))


def _remark_crs(crs: str, feed_crs: str | None, remarks: Remarks) -> None:
    if crs == UNDECIDED:
        remarks.decide(
            ("crs",), "a projected system in meters (EPSG code): every distance is in it."
        )
    else:
        own = "the feed's own, in meters" if crs == feed_crs else "the UTM zone of the city, meters"
        remarks.because(("crs",), own)


def _pad_to(readings: Sequence[Reading]) -> int:
    codes = pd.concat([reading.values("offense_code") for reading in readings])
    if codes.empty or not codes.str.fullmatch(r"\d+").all():
        return 0
    lengths = sorted(codes.str.len().unique())
    longest = int(lengths[-1])
    return longest if len(lengths) == 2 and lengths[0] == longest - 1 and longest >= 3 else 0


def _count(
    settings: dict[str, Any], slug: str, work: Path, draft: Path, remarks: Remarks
) -> OffenseCounts | None:
    """Read the whole feed as proposed: count its codes, and try its record keys."""
    columns = [layout["columns"] for layout in settings["feed"]["layouts"]]
    if any(UNDECIDED in layout.values() for layout in columns):
        (draft / "offenses.csv").write_text(",".join(COLUMNS) + "\n", encoding="utf-8")
        return None
    # What is still open does not bear on reading; it must only be a possible value.
    trial = dict(settings)
    trial["feed"] = dict(settings["feed"])
    if trial["crs"] == UNDECIDED:
        trial["crs"] = "EPSG:32615"
    if trial["feed"]["crs"] == UNDECIDED:
        trial["feed"]["crs"] = "EPSG:4326"
    text = yaml.safe_dump(trial, allow_unicode=True)
    (draft / "department.yaml").write_text(text, encoding="utf-8")
    department = load_department(slug, Home(work))
    snapshot = take_snapshot(department, work / "text")
    if {file.layout for file in snapshot.files} - {x.name for x in department.feed.layouts}:
        raise BeatbookError("A file was read in no layout. This is a fault of Beatbook.")
    _record_key(settings, department, snapshot, remarks)
    return write_skeleton(count_codes(department, snapshot), draft)


def _record_key(
    settings: dict[str, Any], department: Department, snapshot: Snapshot, remarks: Remarks
) -> None:
    key = ("feed", "record_key")
    if not all("incident_number" in layout.columns for layout in department.feed.layouts):
        remarks.because(key, "not every layout has an incident number: known by all that it says")
        return
    tried = {}
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(sql.source(department, snapshot))
        for fields in (["incident_number"], ["incident_number", "offense_code"]):
            listed = ", ".join(fields)
            told = connection.execute(
                f"SELECT count(*) - count(DISTINCT ({listed})) FROM source "
                "WHERE incident_number IS NOT NULL"
            ).fetchone()
            tried[tuple(fields)] = int(told[0]) if told else 0
    few = [fields for fields, repeated in tried.items() if repeated <= 0.01 * snapshot.rows]
    if not few:
        worst = min(tried.values())
        remarks.because(key, f"incident numbers repeat ({worst:,} rows): known by all that it says")
        return
    chosen = few[0] if tried[few[0]] == 0 else few[-1]
    settings["feed"]["record_key"] = list(chosen)
    remarks.because(key, f"{tried[chosen]:,} of {snapshot.rows:,} rows repeat an earlier key")
    if tried[chosen]:
        remarks.decide(
            ("feed", "repeats"),
            f"are the {tried[chosen]:,} rows with a key that came before separate offenses (keep: "
            "one row a victim or a vehicle) or copies (reject)?",
        )


def _copy_map(path: Path, shapes: "gpd.GeoDataFrame", target: Path) -> None:
    if path.suffix == ".geojson":
        shutil.copyfile(path, target)
    else:
        shapes.to_file(target, driver="GeoJSON")


def _write_texts(
    settings: dict[str, Any], remarks: Remarks, draft: Path, samples: Sequence[Any],
    given: Mapping[str, Path],
) -> None:  # fmt: skip
    head = (
        f"{settings['name']}: proposed from {counted(len(samples), 'file')}, to be looked at.\n"
        "Every key is explained in docs/add-a-department.md.\n"
        "What must be decided is marked so; take the mark away when it is."
    )
    text = settings_text(settings, remarks, head)
    (draft / "department.yaml").write_text(text, encoding="utf-8")
    converted = [path.name for path in given.values() if path.suffix != ".geojson"]
    attribution = ATTRIBUTION.format(
        city=settings["city"],
        files=counted(len(samples), "file"),
        rows=sum(sample.rows for sample in samples),
        converted=f", and {', '.join(converted)} saved as GeoJSON in degrees" if converted else "",
    )
    (draft / "ATTRIBUTION.md").write_text(attribution, encoding="utf-8")


def _open_decisions(folder: Path) -> list[str]:
    found = []
    for name in ("department.yaml", "ATTRIBUTION.md"):
        text = (folder / name).read_text(encoding="utf-8")
        found += [f"{name}, line {line}: {said}" for line, said in decisions_in(text)]
    return found
