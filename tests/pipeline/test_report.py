"""The main job on real data: files in, a book out."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

from assets.rendering import CSV_COLUMNS
from tests.workshop import PACKETS

ROOT = Path(__file__).resolve().parents[2]
FIGURES = [column for column in CSV_COLUMNS if column not in ("department",)]


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def test_a_book_is_made_of_the_week_that_was_asked_for(book):
    made = book

    assert [path.name for path in made[:3]] == ["compstat.html", "compstat.pdf", "compstat.csv"]
    packets = [f"{precinct}.{suffix}" for precinct in PACKETS for suffix in ("html", "pdf")]
    assert [path.name for path in made[3:]] == [*packets, "hotspots.gpkg", "index.html"]
    assert all(path.is_file() for path in made)
    assert all(path.parent.name == "2024-03-10" for path in made[:3])
    table = read(made[2])
    assert list(table.columns) == CSV_COLUMNS
    assert set(table["geography"][table["geography_type"] == "precinct"]) == {
        "1", "2", "3", "4", "5", "6", "7", "Unknown",
    }  # fmt: skip
    # The feed has no 2023: those windows are empty, never zero.
    year_ago = table[table["comparison"] == "prior_year"]
    assert set(year_ago["prior"]) == {""} and set(year_ago["p_value"]) == {""}
    assert set(table["prior"][table["comparison"] == "prior_period"]) - {""}
    assert made[1].read_bytes().startswith(b"%PDF")


def test_the_parts_of_a_book_add_up_to_the_city(book):
    table = read(book[2])
    table = table[table["comparison"] == "prior_period"].astype({"current": int, "prior": int})
    keys = ["offense", "window", "comparison"]
    city = table[table["geography_type"] == "city"].set_index(keys)[["current", "prior"]]
    parts = table[table["geography_type"] == "precinct"].groupby(keys)[["current", "prior"]].sum()
    pd.testing.assert_frame_equal(parts.sort_index(), city.sort_index())


def test_the_page_loads_nothing_from_a_network_and_names_its_facts(book):
    page = book[0].read_text(encoding="utf-8")

    assert not re.search(r"""(?:src|href)\s*=\s*["'](?:https?:)?//""", page)
    assert "@import" not in page and "url(http" not in page
    for fact in ("Metropolitan Police Department", "Mar 10, 2024", "Mar 17, 2024"):
        assert fact in page
    assert "Not covered by the feed" in page


def test_a_book_as_of_an_earlier_day_is_rebuilt_byte_for_byte(workshop):
    shop = workshop()
    shop.refresh()
    first = shop.figures("2024-03-03", as_of="2024-03-05")
    shop.refresh()
    again = shop.figures("2024-03-03", as_of="2024-03-05")
    assert first == again
    assert b",2024-03-05," in first

    # What became known later is in the feed, and changes the later book only.
    later = shop.figures("2024-03-03")
    assert later != first

    def forget(rows):
        rows[:] = [row for row in rows if row["REPORT_DAT"] < "2024/03/06 05:00:00"]

    shop.edit_csv(forget)
    shop.refresh()
    assert shop.figures("2024-03-03", as_of="2024-03-05") == first


def test_a_department_is_added_by_files_alone(workshop, book, tmp_path):
    """The same records under other columns, dates and coordinates give the same book."""
    shop = workshop()
    expected = read(book[2])
    other = tmp_path / "departments" / "harbor_city"
    shutil.copytree(shop.folder, other)
    (other / "feed" / "crime-incidents-2016-07.geojson").unlink()
    _in_another_shape(other)

    # A process of its own: Dagster reads the list of departments when it loads the code.
    # Its packets are left out, which other tests make.
    command = (
        "import sys, assets.packets as packets; packets.packet_tasks = lambda *_: []; "
        "from pipelines.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", command, "report", "--department", "harbor_city",
         "--week-ending", "2024-03-10"],
        cwd=tmp_path, capture_output=True, text=True, env=None, check=False,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    said = ran.stdout.splitlines()
    assert said[:3] == [
        f"reports/harbor_city/2024-03-10/compstat.{suffix}" for suffix in ("html", "pdf", "csv")
    ]
    assert said[-1] == "reports/index.html"
    got = read(tmp_path / "reports" / "harbor_city" / "2024-03-10" / "compstat.csv")
    pd.testing.assert_frame_equal(got[FIGURES], expected[FIGURES])


def _in_another_shape(folder: Path) -> None:
    """Rename every column, write dates another way, and give longitude and latitude."""
    from pyproj import Transformer

    feed = folder / "feed" / "Crime_Incidents_in_2024.csv"
    rows = pd.read_csv(feed, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    to_degrees = Transformer.from_crs("EPSG:26985", "EPSG:4326", always_xy=True)
    x, y = to_degrees.transform(
        pd.to_numeric(rows["XBLOCK"]).to_numpy(), pd.to_numeric(rows["YBLOCK"]).to_numpy()
    )
    placed = rows["XBLOCK"] != ""
    out = pd.DataFrame({"case": rows["CCN"], "what": rows["OFFENSE"], "zone": rows["DISTRICT"]})
    for name, column in {"seen": "REPORT_DAT", "began": "START_DATE", "ended": "END_DATE"}.items():
        stamps = pd.to_datetime(rows[column].str.removesuffix("+00"), format="%Y/%m/%d %H:%M:%S")
        local = stamps.dt.tz_localize("UTC").dt.tz_convert("America/New_York")
        out[name] = local.dt.strftime("%d.%m.%Y %H:%M:%S").fillna("")
    out["area"], out["street"] = rows["PSA"], rows["BLOCK"]
    out["lon"] = pd.Series(x).map("{:.9f}".format).where(placed, "")
    out["lat"] = pd.Series(y).map("{:.9f}".format).where(placed, "")
    feed.unlink()
    out.to_csv(folder / "feed" / "export.txt.gz", sep=";", index=False, encoding="cp1252")

    path = folder / "department.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings["crs"] = "EPSG:32618"
    settings["areas"]["neighborhood"] = {"label": "Neighborhood"}
    settings["feed"] = {
        "files": "feed/*.gz", "encoding": "cp1252", "crs": "EPSG:4326", "times": "local",
        "publishes": "daily", "record_key": ["incident_number", "offense_code"], "repeats": "keep",
        "layouts": [{
            "name": "export", "delimiter": ";", "date_formats": ["%d.%m.%Y %H:%M:%S"],
            "columns": {
                "incident_number": "case", "offense_code": "what", "precinct": "zone",
                "reported_at": "seen", "occurred_from": "began", "occurred_to": "ended",
                "beat": "area", "block_address": "street", "x": "lon", "y": "lat",
            },
        }],
    }  # fmt: skip
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")


def test_the_monthly_feed_of_st_louis_gives_its_figures(workshop):
    """Its last three years; all twelve are accounted for in the tests of cleaning."""
    shop = workshop("st_louis")
    for path in (shop.folder / "feed").iterdir():
        if path.name < "2017":
            path.unlink()
    shop.refresh()
    shop.figures("2019-06-30", as_of="2019-06-30")
    table = read(shop.home.root / "figures.csv")
    assert set(table["as_of"]) == {"2019-06-30"}

    files = shop.table("feed_files")
    assert len(files) == 36
    assert files["rows"].sum() == files["accepted"].sum() + files["rejected"].sum() == 144_629
    assert len(shop.table("incidents")) == files["accepted"].sum()
