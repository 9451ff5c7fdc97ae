"""The two shipped departments: offense maps are right, feeds are whole and hold nothing private.

Reads the data files directly, without Beatbook's own reader, so that a fault in the reader
cannot hide a fault in the data.
"""

import csv
import io
import json
import lzma
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

DEPARTMENTS = Path(__file__).resolve().parents[3] / "departments"
ST_LOUIS = DEPARTMENTS / "st_louis"
WASHINGTON = DEPARTMENTS / "washington_dc"

HEADER = [
    "code", "match", "offense", "ucr_code", "nibrs_code", "against", "part", "sex_offense",
    "description",
]  # fmt: skip
PART_I = {
    "01": "Homicide",
    "02": "Rape",
    "03": "Robbery",
    "04": "Aggravated Assault",
    "05": "Burglary",
    "06": "Larceny",
    "07": "Motor Vehicle Theft",
    "08": "Arson",
}
PART_II = {
    "09": "Simple Assault",
    "10": "Forgery",
    "11": "Fraud",
    "12": "Embezzlement",
    "13": "Stolen Property",
    "14": "Vandalism",
    "15": "Weapons",
    "16": "Prostitution",
    "17": "Other Sex Offenses",
    "18": "Drugs",
    "19": "Gambling",
    "20": "Family Offenses",
    "21": "Driving Under the Influence",
    "22": "Liquor Laws",
    "23": "Drunkenness",
    "24": "Disorderly Conduct",
    "25": "Vagrancy",
    "26": "All Other Offenses",
}
NIBRS_GROUP_A = {
    "person": "09A 09B 100 11A 11B 11C 11D 13A 13B 13C 36A 36B 64A 64B",
    "property": (
        "120 200 210 220 23A 23B 23C 23D 23E 23F 23G 23H 240 250 26A 26B 26C 26D 26E 26F 26G "
        "270 280 290 510"
    ),
    "society": "35A 35B 370 39A 39B 39C 39D 40A 40B 40C 520 720",
}
# Group B, without the codes that NIBRS has dropped (90A, 90E, 90H, 90I).
NIBRS_GROUP_B = {"90B", "90C", "90D", "90F", "90G", "90J", "90Z"}
CRIME_AGAINST = {code: kind for kind, codes in NIBRS_GROUP_A.items() for code in codes.split()}

OffenseRow = dict[str, str]


def read_map(department: Path) -> list[OffenseRow]:
    with (department / "offenses.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def find(rows: list[OffenseRow], code: str) -> OffenseRow | None:
    exact = [row for row in rows if row["match"] == "exact" and row["code"] == code]
    if exact:
        return exact[0]
    prefixes = [row for row in rows if row["match"] == "prefix" and code.startswith(row["code"])]
    return max(prefixes, key=lambda row: len(row["code"]), default=None)


class StLouisFeed(NamedTuple):
    codes: Counter[str]
    addresses: set[str]  # every house number cell
    streets: set[str]
    sex_offense_cells: list[dict[str, str]]  # whole rows of rape and sex offenses


def st_louis_rows(path: Path) -> Iterator[tuple[list[str], list[str]]]:
    text = lzma.decompress(path.read_bytes()).decode("cp1252")
    lines = text.removeprefix("\u00ef\u00bb\u00bf").split("\r\n")
    header = [name.strip() for name in lines[0].split(",")]
    for line in lines[1:]:
        if line:  # the csv module is slow, and few lines have a quote
            yield header, (next(csv.reader([line])) if '"' in line else line.split(","))


@pytest.fixture(scope="module")
def st_louis_feed() -> StLouisFeed:
    feed = StLouisFeed(Counter(), set(), set(), [])
    for path in sorted((ST_LOUIS / "feed").glob("*.csv.xz")):
        code_at: int | None = None
        for header, row in st_louis_rows(path):
            if code_at is None:
                code_at = header.index("Crime")
                address_at = [i for i, name in enumerate(header) if name.endswith("Address")]
                street_at = [i for i, name in enumerate(header) if name.endswith("Street")]
            assert len(row) == len(header), f"{path.name}: {row}"
            code = row[code_at].strip().zfill(6)
            feed.codes[code] += 1
            feed.addresses.update(row[i] for i in address_at)
            feed.streets.update(row[i] for i in street_at)
            if code[:2] in ("02", "17"):
                feed.sex_offense_cells.append(dict(zip(header, row, strict=True)))
    return feed


def washington_csv() -> list[dict[str, str]]:
    text = (WASHINGTON / "feed" / "Crime_Incidents_in_2024.csv").read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def washington_features() -> list[dict]:
    path = WASHINGTON / "feed" / "crime-incidents-2016-07.geojson"
    return json.loads(path.read_text(encoding="utf-8"))["features"]


@pytest.mark.parametrize("department", [ST_LOUIS, WASHINGTON], ids=lambda path: path.name)
class TestEveryMap:
    def test_header(self, department):
        first = (department / "offenses.csv").read_text(encoding="utf-8").splitlines()[0]
        assert first == ",".join(HEADER)

    def test_no_code_twice_and_ordered_by_code(self, department):
        rows = read_map(department)
        keys = [(row["code"], row["match"]) for row in rows]
        assert len(set(keys)) == len(keys)
        assert keys == sorted(keys)

    def test_every_value_is_in_its_vocabulary(self, department):
        for row in read_map(department):
            assert row["match"] in ("exact", "prefix"), row
            assert row["offense"] == (PART_I | PART_II).get(row["ucr_code"]), row
            assert row["part"] == ("I" if row["ucr_code"] in PART_I else "II"), row
            assert row["nibrs_code"] in NIBRS_GROUP_B | CRIME_AGAINST.keys(), row
            assert row["against"] in ("person", "property", "society"), row
            assert row["sex_offense"] == ("yes" if row["ucr_code"] in ("02", "17") else "no"), row
            assert row["description"].strip(), row
            assert not any(value != value.strip() for value in row.values()), row

    def test_crime_against_is_that_of_the_nibrs_code(self, department):
        for row in read_map(department):
            if row["nibrs_code"] in CRIME_AGAINST:
                assert row["against"] == CRIME_AGAINST[row["nibrs_code"]], row

    def test_no_file_is_too_large_to_ship(self, department):
        large = [
            p.name for p in department.rglob("*") if p.is_file() and p.stat().st_size > 4 << 20
        ]
        assert large == []


class TestStLouisMap:
    def test_every_code_of_the_feed_is_mapped_to_its_ucr_class(self, st_louis_feed):
        rows = read_map(ST_LOUIS)
        assert len(st_louis_feed.codes) == 475
        wrong = {}
        for code in st_louis_feed.codes:
            row = find(rows, code)
            if row is None or row["ucr_code"] != code[:2]:
                wrong[code] = row
        assert wrong == {}

    def test_part_one_is_the_first_eight_classes(self, st_louis_feed):
        rows = read_map(ST_LOUIS)
        for code in st_louis_feed.codes:
            row = find(rows, code)
            assert row is not None
            if code[:2] in PART_I:
                assert (row["part"], row["offense"]) == ("I", PART_I[code[:2]]), code
            else:
                assert row["part"] == "II", code
                assert row["offense"] not in PART_I.values(), code

    def test_rape_and_sex_offense_codes_are_flagged_and_no_other(self, st_louis_feed):
        rows = read_map(ST_LOUIS)
        flagged = {c for c in st_louis_feed.codes if find(rows, c)["sex_offense"] == "yes"}
        assert flagged == {c for c in st_louis_feed.codes if c[:2] in ("02", "17")}

    @pytest.mark.parametrize(
        ("code", "nibrs"),
        [
            ("010000", "09A"),  # homicide
            ("023000", "11A"),  # attempted rape
            ("038118", "120"),  # carjacking under an irregular code
            ("041011", "13A"),  # aggravated assault, firearm
            ("051112", "220"),  # residential burglary
            ("061701", "23A"),  # pickpocket
            ("062701", "23B"),  # purse-snatching
            ("063701", "23C"),  # shoplifting
            ("064701", "23F"),  # from a motor vehicle
            ("065701", "23G"),  # motor vehicle parts
            ("066701", "23H"),  # bicycle
            ("067701", "23D"),  # from a building
            ("068701", "23E"),  # coin machine
            ("069702", "23H"),  # all other
            ("072113", "240"),  # truck
            ("081000", "200"),  # arson
            ("091113", "13B"),  # simple assault
            ("095200", "13C"),  # stalking
            ("112010", "26B"),  # credit device
            ("115400", "26F"),  # identity theft report, inside stealing by deceit
            ("115500", "26A"),  # stealing by deceit
            ("141200", "26G"),  # computer tampering
            ("172100", "11B"),  # forcible sodomy
            ("174110", "36B"),
            ("174120", "11B"),  # the exact row wins over its prefix
            ("177000", "36A"),  # incest
            ("182400", "35A"),  # possession of marijuana
            ("261210", "100"),  # felonious restraint
            ("261320", "520"),  # possession of a bomb
            ("262100", "370"),  # pornography
            ("266510", "90J"),  # trespassing
            ("265321", "90Z"),  # leaving the scene
        ],
    )
    def test_nibrs_code_by_hand(self, code, nibrs):
        row = find(read_map(ST_LOUIS), code)
        assert row is not None and row["nibrs_code"] == nibrs

    def test_code_without_a_class_finds_no_row(self):
        assert find(read_map(ST_LOUIS), "270000") is None


class TestStLouisFeed:
    def test_no_month_is_missing(self):
        names = sorted(path.name for path in (ST_LOUIS / "feed").iterdir())
        expected = [f"{y}-{m:02d}.csv.xz" for y in range(2008, 2020) for m in range(1, 13)]
        assert names == expected

    def test_no_row_is_missing(self, st_louis_feed):
        assert st_louis_feed.codes.total() == 644_056

    def test_house_numbers_are_hundred_blocks(self, st_louis_feed):
        def is_block(cell: str) -> bool:
            return not cell.strip() or (cell.strip().isdigit() and int(cell) % 100 == 0)

        assert [cell for cell in st_louis_feed.addresses if not is_block(cell)] == []

    def test_no_house_number_hides_in_a_street_name(self, st_louis_feed):
        # Interstates and mile markers typed without their prefix, and a placeholder, are no houses.
        roads = {"111", "144", "170", "204", "243", "270", "367", "999"}
        found = [
            street
            for street in st_louis_feed.streets
            if (number := re.match(r"(?:- |R |#)?(\d{3,5})(?![\d\-])", street))
            and number[1] not in roads
            and int(number[1]) % 100
        ]
        assert found == []

    def test_sex_offenses_have_no_point(self, st_louis_feed):
        assert len(st_louis_feed.sex_offense_cells) == 7_905
        for row in st_louis_feed.sex_offense_cells:
            for name, cell in row.items():
                if name.startswith("CAD"):
                    assert not cell.strip(), row["Crime"]
                elif name in ("XCoord", "YCoord", "X-Coord", "Y-Coord"):
                    assert float(cell or 0) == 0, row["Crime"]
                elif name.startswith(("ILEADS-", "ILEADS", "Location")):
                    assert not re.search(r"XY|\(\d|\d{6,}", cell), row["Crime"]


class TestWashington:
    def test_every_offense_of_both_files_is_mapped_exactly(self):
        rows = read_map(WASHINGTON)
        offenses = {row["OFFENSE"] for row in washington_csv()}
        offenses |= {feature["properties"]["OFFENSE"] for feature in washington_features()}
        assert {row["code"] for row in rows} == offenses
        assert {row["match"] for row in rows} == {"exact"}
        assert {row["part"] for row in rows} == {"I"}

    @pytest.mark.parametrize(
        ("code", "offense"),
        [
            ("HOMICIDE", "Homicide"),
            ("SEX ABUSE", "Rape"),
            ("ROBBERY", "Robbery"),
            ("ASSAULT W/DANGEROUS WEAPON", "Aggravated Assault"),
            ("BURGLARY", "Burglary"),
            ("THEFT/OTHER", "Larceny"),
            ("THEFT F/AUTO", "Larceny"),
            ("MOTOR VEHICLE THEFT", "Motor Vehicle Theft"),
            ("ARSON", "Arson"),
        ],
    )
    def test_offense_by_hand(self, code, offense):
        row = find(read_map(WASHINGTON), code)
        assert row is not None and row["offense"] == offense

    def test_no_row_is_missing(self):
        assert (len(washington_csv()), len(washington_features())) == (5_735, 2_898)

    def test_sex_abuse_has_neither_point_nor_block(self):
        rows = [row for row in washington_csv() if "SEX" in row["OFFENSE"]]
        assert len(rows) == 40
        for row in rows:
            for name in ("X", "Y", "BLOCK", "XBLOCK", "YBLOCK", "LATITUDE", "LONGITUDE"):
                assert row[name] == "", (row["CCN"], name)
        features = [f for f in washington_features() if "SEX" in f["properties"]["OFFENSE"]]
        assert len(features) == 28
        for feature in features:
            assert feature["geometry"] is None
            for name in ("BLOCKSITEADDRESS", "BLOCKXCOORD", "BLOCKYCOORD"):
                assert feature["properties"][name] is None

    def test_every_other_offense_kept_its_block(self):
        rows = [row for row in washington_csv() if "SEX" not in row["OFFENSE"]]
        assert sum(row["BLOCK"] != "" and row["XBLOCK"] != "" for row in rows) == 5_695
