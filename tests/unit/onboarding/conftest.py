"""Sample files of unknown make, and a checkout to bring departments to."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from beatbook.home import Home

WEST, SOUTH = -90.30, 38.60
"""South-west corner of the made-up city, degrees; it is a tenth of a degree each way."""


@pytest.fixture
def checkout(tmp_path: Path) -> Home:
    """A checkout without departments."""
    home = Home(tmp_path / "home")
    home.departments.mkdir(parents=True)
    return home


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[..., Path]:
    """Write rows as a CSV file."""

    def write(
        name: str,
        rows: Sequence[Mapping[str, str]],
        delimiter: str = ",",
        encoding: str = "utf-8",
    ) -> Path:
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        path = tmp_path / name
        path.write_bytes(out.getvalue().encode(encoding))
        return path

    return write


@pytest.fixture
def made_up() -> Callable[..., list[dict[str, str]]]:
    """Rows of a made-up publisher: dates written by a function of day, month, hour and minute."""

    def rows(
        number: int = 400,
        date: Callable[[int, int, int, int], str] = lambda d, m, h, n: (
            f"{m:02d}/{d:02d}/2024 {h:02d}:{n:02d}"
        ),
        days: int = 28,
    ) -> list[dict[str, str]]:
        offenses = ["BURGLARY", "ROBBERY - ARMED", "THEFT FROM VEHICLE", "ASSAULT"]
        return [
            {
                "Case Number": f"24-{i:06d}",
                "Offense": offenses[i % 4],
                "Date Occurred": date(1 + i % days, 1 + (i // 40) % 10, i % 24, i % 60),
                "Date Reported": date(1 + i % days, 1 + (i // 40) % 10, 23, 59),
                "District": str(1 + i % 3),
                "Address": f"{100 * (i % 50)} BLOCK OF MAIN ST",
                "Longitude": f"{WEST + 0.0002 * (i % 397):.5f}",
                "Latitude": f"{SOUTH + 0.0002 * (i % 389):.5f}",
            }
            for i in range(number)
        ]

    return rows


@pytest.fixture
def city_outline(tmp_path: Path) -> Path:
    """The outline of the made-up city, in degrees."""
    east, north = WEST + 0.1, SOUTH + 0.1
    ring = [[WEST, SOUTH], [east, SOUTH], [east, north], [WEST, north], [WEST, SOUTH]]
    path = tmp_path / "outline.geojson"
    path.write_text(
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": '
        '{"CODE": "1"}, "geometry": {"type": "Polygon", "coordinates": ['
        f"{ring}]}}}}]}}"
    )
    return path
