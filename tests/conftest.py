"""Fixtures that several test folders share: a tiny made-up city, and the St. Louis feed, cleaned.

The made-up city is a square of two by two kilometers, in four precincts and four neighborhoods
(the same squares), so that every answer can be worked out by hand. Its feed is written from
rows given in the test, which makes each refusal a line.
"""

import copy
import csv
import io
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
import yaml

from beatbook.department import Department, load_department
from beatbook.feed import Snapshot, take_snapshot
from beatbook.home import Home
from beatbook.incidents import Cleaned, clean
from tests.once import made_once
from tests.workshop import DC, PACKETS, WEEK, checkout, only_packets

ROOT = Path(__file__).resolve().parents[1]
WEST, SOUTH = 700_000, 4_270_000
"""South-west corner of the made-up city, meters in UTM zone 15 North."""

CRS = "EPSG:32615"
QUARTERS = {"1": (0, 0), "2": (1, 0), "3": (0, 1), "4": (1, 1)}
"""Precinct to the square kilometer it is; neighborhoods 10, 20, 30, 40 are the same squares."""

COLUMNS = ["Case", "Code", "Month", "Date", "Ended", "Reported", "Count", "District", "Area",
           "Number", "Street", "Source", "X", "Y"]  # fmt: skip

SETTINGS: dict[str, Any] = {
    "name": "Example City Police Department",
    "city": "Example City",
    "state": "MO",
    "timezone": "America/Chicago",
    "crs": CRS,
    "feed": {
        "files": "feed/*",
        "crs": CRS,
        "date_formats": ["%m/%d/%Y %H:%M"],
        "publishes": "monthly",
        "layouts": [
            {
                "name": "monthly",
                "columns": {
                    "incident_number": "Case",
                    "offense_code": "Code",
                    "known_on": "Month",
                    "occurred_from": "Date",
                    "occurred_to": "Ended",
                    "reported_at": "Reported",
                    "count": "Count",
                    "precinct": "District",
                    "neighborhood": "Area",
                    "block_address": ["Number", "Street"],
                    "origin": "Source",
                    "x": "X",
                    "y": "Y",
                },
            }
        ],
    },
    "offense_codes": {"pad_to": 6},
    "areas": {
        "city": {"file": "boundaries/city.geojson"},
        "precinct": {"label": "District", "file": "boundaries/precincts.geojson", "code": "CODE"},
        "neighborhood": {
            "label": "Neighborhood",
            "file": "boundaries/neighborhoods.geojson",
            "code": "CODE",
            "name_column": "NAME",
        },
    },
    "attribution": "Made up for tests.",
}

OFFENSES = """\
code,match,offense,ucr_code,nibrs_code,against,part,sex_offense,description
01,prefix,Homicide,01,09A,person,I,no,Homicide
02,prefix,Rape,02,11A,person,I,yes,Rape
03,prefix,Robbery,03,120,property,I,no,Robbery
04,prefix,Aggravated Assault,04,13A,person,I,no,Aggravated assault
05,prefix,Burglary,05,220,property,I,no,Burglary
06,prefix,Larceny,06,23H,property,I,no,Larceny
07,prefix,Motor Vehicle Theft,07,240,property,I,no,Motor vehicle theft
08,prefix,Arson,08,200,property,I,no,Arson
14,prefix,Vandalism,14,290,property,II,no,Vandalism
"""


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with changes: a mapping is merged, None takes the key out, else replaced."""
    out = copy.deepcopy(dict(base))
    for key, value in changes.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(out.get(key), Mapping):
            out[key] = merged(out[key], value)
        else:
            out[key] = value
    return out


def feature(properties: dict[str, Any], west: float, south: float, side: float) -> dict[str, Any]:
    ring = [
        [west, south],
        [west + side, south],
        [west + side, south + side],
        [west, south + side],
        [west, south],
    ]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def geojson(features: list[dict[str, Any]], crs: str = CRS) -> str:
    name = f"urn:ogc:def:crs:{crs.replace(':', '::')}"
    return json.dumps(
        {
            "type": "FeatureCollection",
            "crs": {"type": "name", "properties": {"name": name}},
            "features": features,
        }
    )


class Tables(NamedTuple):
    """What cleaning gave: the three staged tables as frames, and the files they came from."""

    incidents: pd.DataFrame
    rejected: pd.DataFrame
    feed_files: pd.DataFrame
    cleaned: Cleaned

    @property
    def only(self) -> pd.Series:
        """The incident of a feed that holds one row."""
        assert len(self.incidents) == 1, f"{len(self.incidents)} incidents, not one"
        return self.incidents.iloc[0]


class SmallDepartment:
    """A made-up department in a temporary home, and the steps to run on it."""

    slug = "example"

    def __init__(self, root: Path) -> None:
        self.home = Home(root)
        self.folder = self.home.departments / self.slug
        self.cache = root / "cache"
        (self.folder / "feed").mkdir(parents=True)
        (self.folder / "boundaries").mkdir()
        self.set()
        self.write_offenses(OFFENSES)
        squares = [
            (code, WEST + 1000 * east, SOUTH + 1000 * north)
            for code, (east, north) in QUARTERS.items()
        ]
        self.write_outlines("city", geojson([feature({}, WEST, SOUTH, 2000)]))
        self.write_outlines(
            "precincts", geojson([feature({"CODE": c}, x, y, 1000) for c, x, y in squares])
        )
        self.write_outlines(
            "neighborhoods",
            geojson(
                [
                    feature({"CODE": f"{c}0", "NAME": f"Quarter {c}"}, x, y, 1000)
                    for c, x, y in squares
                ]
            ),
        )

    def set(self, **changes: Any) -> "SmallDepartment":
        """Write ``department.yaml``: the settings above with changes merged in."""
        self.settings = merged(SETTINGS, changes)
        text = yaml.safe_dump(self.settings, sort_keys=False, allow_unicode=True)
        (self.folder / "department.yaml").write_text(text, encoding="utf-8")
        return self

    def write_offenses(self, text: str) -> None:
        (self.folder / "offenses.csv").write_text(text, encoding="utf-8")

    def write_outlines(self, name: str, text: str) -> None:
        (self.folder / "boundaries" / f"{name}.geojson").write_text(text, encoding="utf-8")

    def row(self, **changes: str) -> dict[str, str]:
        """One source row: a robbery in the middle of precinct 1, with changes."""
        usual = {
            "Case": "24-000001",
            "Code": "031000",
            "Month": "2024-01",
            "Date": "01/02/2024 10:00",
            "Ended": "",
            "Reported": "01/03/2024 08:00",
            "Count": "1",
            "District": "1",
            "Area": "10",
            "Number": "1515",
            "Street": "MAIN ST",
            "Source": "",
            "X": str(WEST + 400),
            "Y": str(SOUTH + 300),
        }
        return {**usual, **changes}

    def text(self, rows: Iterable[Mapping[str, str]], columns: list[str] | None = None) -> str:
        """Rows as the CSV text of a feed file."""
        out = io.StringIO()
        rows = list(rows)
        writer = csv.DictWriter(out, columns or (list(rows[0]) if rows else COLUMNS))
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()

    def write(
        self, name: str, content: bytes | str | Iterable[Mapping[str, str]]
    ) -> "SmallDepartment":
        """Write a feed file from bytes, text or rows."""
        if not isinstance(content, (bytes, str)):
            content = self.text(content)
        data = content.encode("utf-8") if isinstance(content, str) else content
        path = self.folder / "feed" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return self

    def load(self) -> Department:
        return load_department(self.slug, self.home)

    def snapshot(self) -> Snapshot:
        return take_snapshot(self.load(), self.cache)

    def clean(self, rows: Iterable[Mapping[str, str]] | None = None) -> Tables:
        """Clean the feed; given rows are first written as its only file."""
        if rows is not None:
            shutil.rmtree(self.folder / "feed")
            self.write("2024-01.csv", rows)
        cleaned = clean(self.load(), self.snapshot(), self.home.root / "staged")
        return as_frames(cleaned)


def as_frames(cleaned: Cleaned) -> Tables:
    return Tables(
        pd.read_parquet(cleaned.incidents),
        pd.read_parquet(cleaned.rejected),
        pd.read_parquet(cleaned.feed_files),
        cleaned,
    )


class ShippedTables(NamedTuple):
    """A department's own feed, cleaned: its settings, snapshot and staged tables."""

    department: Department
    snapshot: Snapshot
    incidents: pd.DataFrame
    rejected: pd.DataFrame
    feed_files: pd.DataFrame
    cleaned: Cleaned


@pytest.fixture(scope="session")
def known_answer() -> Callable[[str], dict[str, Any]]:
    """A worked answer from ``known_answers.json``, by its id."""
    text = (Path(__file__).parent / "known_answers.json").read_text(encoding="utf-8")
    answers = {entry["id"]: entry for entry in json.loads(text)}
    return answers.__getitem__


@pytest.fixture
def small_department(tmp_path: Path) -> SmallDepartment:
    """A made-up department in a fresh home, without a feed yet."""
    return SmallDepartment(tmp_path / "home")


@pytest.fixture
def make_department(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], SmallDepartment]:
    """Make further departments, each in a home of its own: for properties and comparisons."""

    def make() -> SmallDepartment:
        return SmallDepartment(tmp_path_factory.mktemp("home"))

    return make


@pytest.fixture(scope="session")
def shipped_home() -> Home:
    """This checkout, with the departments it ships."""
    return Home(ROOT)


@pytest.fixture(scope="session")
def st_louis_tables(shipped_home: Home, tmp_path_factory: pytest.TempPathFactory) -> ShippedTables:
    """St. Louis, all 144 months, cleaned once a test run; read, never change, its frames."""
    department = load_department("st_louis", shipped_home)

    def make(folder: Path) -> None:
        snapshot = take_snapshot(department, folder / "cache")
        clean(department, snapshot, folder / "staged")
        snapshot.save(folder / "st_louis.json")

    folder = made_once(tmp_path_factory, "st_louis", make)
    snapshot = Snapshot.load(folder / "st_louis.json")
    names = ("incidents", "rejected_incidents", "feed_files")
    files = [folder / "staged" / f"{name}.parquet" for name in names]
    frames = [pd.read_parquet(path) for path in files]
    cleaned = Cleaned(*files, snapshot.rows, len(frames[0]), len(frames[1]))
    return ShippedTables(department, snapshot, frames[0], frames[1], frames[2], cleaned)


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of Washington's book and packets of the week ending 2024-03-10, by real jobs."""

    def make(root: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            only_packets(PACKETS, patch)
            made = checkout(root, DC, patch).report(WEEK)
        (root / "made.json").write_text(json.dumps([str(path) for path in made]))

    root = made_once(tmp_path_factory, "book", make)
    return [Path(path) for path in json.loads((root / "made.json").read_text())]
