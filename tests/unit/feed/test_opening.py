"""Feed files in every dress are read, and a damaged one is refused by its name."""

import gzip
import json
import lzma

import pyarrow.parquet as pq
import pytest

from beatbook.errors import FeedError


@pytest.fixture
def read(small_department):
    """Write one feed file and read it back as columns of text."""

    def read(content, name="2024-01.csv", **feed):
        small_department.set(feed=feed).write(name, content)
        (file,) = small_department.snapshot().files
        assert file.name == name
        table = pq.read_table(file.text_table)
        assert file.rows == table.num_rows
        return table.to_pydict()

    return read


@pytest.fixture
def refused(read):
    """Write one feed file and return what is said when it is refused."""

    def refused(content, name="2024-01.csv", **feed):
        with pytest.raises(FeedError) as error:
            read(content, name, **feed)
        message = str(error.value)
        assert message.startswith(f"{name}: "), "the message must name the file"
        return message

    return refused


@pytest.fixture
def text(small_department):
    row = small_department.row
    return small_department.text([row(), row(Case="24-000002", Street="CAFÉ ÑANDÚ ST")])


@pytest.fixture
def long_text(small_department):
    rows = [small_department.row(Case=f"{n * 7919 % 10007}") for n in range(3000)]
    return small_department.text(rows)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16"])
@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r"])
def test_every_encoding_gives_the_same_text(read, text, encoding, ends):
    content = text.replace("\r\n", ends).encode(encoding)
    found = read(content, encoding=encoding)
    assert found["Street"] == ["MAIN ST", "CAFÉ ÑANDÚ ST"]
    assert found["Case"] == ["24-000001", "24-000002"]


def test_a_byte_order_mark_is_no_part_of_the_first_column(read, text):
    mark = b"\xef\xbb\xbf"
    # Some St. Louis files put the mark of UTF-8 before text in cp1252.
    assert next(iter(read(mark + text.encode("cp1252"), encoding="cp1252"))) == "Case"
    assert next(iter(read(mark + text.encode("utf-8")))) == "Case"
    ascii_text = text.replace("CAFÉ ÑANDÚ", "CAFE")
    assert next(iter(read(mark + ascii_text.encode(), encoding="cp1252"))) == "Case"


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("2024-01.csv", bytes),
        ("2024-01.csv.gz", gzip.compress),
        ("2024-01.csv.xz", lzma.compress),
        ("January 2024.txt", bytes),
    ],
)
def test_packed_and_plain_files_give_the_same_text(read, text, name, pack):
    assert read(pack(text.encode()), name)["Street"][1] == "CAFÉ ÑANDÚ ST"


def test_values_stay_text_as_published(read, small_department):
    row = small_department.row(Code=" 21000", Count="01", District="007", Street='"A", B\nC', X="")
    found = read([row])
    assert (found["Code"], found["Count"], found["District"]) == ([" 21000"], ["01"], ["007"])
    assert found["Street"] == ['"A", B\nC']


def test_another_delimiter(read, small_department, text):
    layouts = [{**small_department.settings["feed"]["layouts"][0], "delimiter": ";"}]
    found = read(text.replace(",", ";"), layouts=layouts)
    assert found["Case"] == ["24-000001", "24-000002"]


def test_blank_lines_are_no_rows(read, text):
    assert len(read(text + "\r\n")["Case"]) == 2


# --- refusals ---


@pytest.mark.parametrize(("ending", "pack"), [(".xz", lzma.compress), (".gz", gzip.compress)])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_packed_file_cut_in_the_middle(refused, long_text, ending, pack, share):
    packed = pack(long_text.encode())
    message = refused(packed[: int(len(packed) * share)], f"2024-01.csv{ending}")
    assert "probably cut in the middle" in message
    assert "Fetch it again" in message


@pytest.mark.parametrize(("ending", "pack"), [(".xz", lzma.compress), (".gz", gzip.compress)])
@pytest.mark.parametrize("place", ["start", "middle"])
def test_a_packed_file_damaged_inside(refused, long_text, ending, pack, place):
    packed = bytearray(pack(long_text.encode()))
    # Byte 10 is the first after a gzip header.
    start = 10 if place == "start" else len(packed) // 2
    for at in range(start, start + 8):
        packed[at] ^= 0xFF
    assert "cannot be unpacked" in refused(bytes(packed), f"2024-01.csv{ending}")


@pytest.mark.parametrize("ending", [".xz", ".gz"])
def test_a_plain_file_named_as_packed(refused, text, ending):
    assert "cannot be unpacked" in refused(text, f"2024-01.csv{ending}")


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.csv.xz", "a.geojson"])
def test_a_file_of_no_bytes(refused, name):
    refused(b"", name)


@pytest.mark.parametrize("pack", [(gzip.compress, ".gz"), (lzma.compress, ".xz")])
def test_a_packed_file_of_no_bytes(refused, pack):
    assert "the file is empty" in refused(pack[0](b""), f"a.csv{pack[1]}")


def test_a_header_and_no_rows(refused, text):
    assert "a header and no rows" in refused(text.splitlines(keepends=True)[0])


def test_a_last_row_cut_within_a_field(refused, text):
    message = refused(text[:-6])
    assert "the last line has no line end" in message
    assert "feed.final_newline: false" in message


def test_a_publisher_that_never_ends_the_last_line(read, refused, text):
    whole = text.removesuffix("\r\n")
    assert len(read(whole, final_newline=False)["Case"]) == 2
    short = whole[: whole.rindex(",", 0, -20)]
    assert "does not have the header's 14 columns" in refused(short, final_newline=False)


@pytest.mark.parametrize(
    "bad",
    [
        "24-000003,031000,2024-01\r\n",  # a row that breaks off
        '24-000003,"031000,2024-01\r\n',  # a quote that does not close
        ",".join("abcdefghijklmno") + "\r\n",  # one value too many
    ],
)
def test_a_row_that_does_not_fit_the_header(refused, text, bad):
    message = refused(text + bad)
    assert "near line 4 does not have the header's 14 columns" in message


def test_line_ends_of_two_kinds(refused, text):
    message = refused(text.replace("\r\n", "\n", 1))
    assert "Save it with one kind of line end" in message


def test_another_encoding_than_declared(refused, text):
    message = refused(text.encode("cp1252"))
    assert "which are not utf-8. Set feed.encoding" in message
    # Byte 0x8f is nothing in cp1252.
    assert "8f, which are not cp1252" in refused(text.encode() + b"\x8f\r\n", encoding="cp1252")


def test_the_text_around_a_bad_byte_is_not_shown(refused, small_department):
    secret = small_department.text([small_department.row(Street="JANE DOE \xe9 STREET")])
    assert "JANE" not in refused(secret.encode("cp1252"))


def test_utf16_under_another_name(refused, text):
    refused(text.encode("utf-16"), encoding="utf-8")


@pytest.mark.parametrize("again", ["Case", "CASE"])
def test_a_header_that_names_a_column_twice(refused, text, again):
    lines = text.splitlines()
    wider = [f"{lines[0]},{again}", *(f"{line},x" for line in lines[1:])]
    assert "twice" in refused("\r\n".join(wider) + "\r\n")


def test_a_file_that_is_no_table(refused):
    refused(b"<html><body>503 Service Unavailable</body></html>\n")
    refused(b"PK\x03\x04" + bytes(range(256)) * 40 + b"\n")


# --- GeoJSON ---


@pytest.fixture
def features(small_department):
    layout = small_department.settings["feed"]["layouts"][0]
    columns = {**layout["columns"], "x": "geometry.x", "y": "geometry.y"}
    small_department.settings["feed"]["layouts"] = [
        {**layout, "columns": columns, "format": "geojson"}
    ]

    def make(*entries):
        collection = [
            {"type": "Feature", "properties": properties, "geometry": geometry}
            for properties, geometry in entries
        ]
        return json.dumps({"type": "FeatureCollection", "features": collection})

    return make


@pytest.fixture
def geo_layouts(small_department):
    layout = small_department.settings["feed"]["layouts"][0]
    columns = {**layout["columns"], "x": "geometry.x", "y": "geometry.y"}
    return [{**layout, "columns": columns, "format": "geojson"}]


def point(*coordinates):
    return {"type": "Point", "coordinates": list(coordinates)}


def test_geojson_points_become_columns(read, features, geo_layouts, small_department):
    row = small_department.row(District=1, Count=1)
    content = features(
        (row, point(700400.5, 4270300)),
        (row, None),
        (row, point()),
        (row, point(700400)),
        (row, {"type": "MultiPoint", "coordinates": [[1, 2]]}),
        ({**row, "District": None, "Street": "CAFÉ ST"}, point(1, 2, 3)),
    )
    for name, pack in (("a.geojson", bytes), ("a.geojson.xz", lzma.compress)):
        for old in (small_department.folder / "feed").iterdir():
            old.unlink()
        found = read(pack(content.encode()), name, layouts=geo_layouts)
        assert found["geometry.x"] == ["700400.5", None, None, None, None, "1"]
        assert found["geometry.y"] == ["4270300", None, None, None, None, "2"]
        assert found["District"] == ["1"] * 5 + [None]
        assert found["Street"][-1] == "CAFÉ ST"


def test_geojson_properties_may_differ_between_features(read, features, geo_layouts):
    row = {"Code": "031000", "Date": "01/02/2024 10:00", "Month": "2024-01"}
    columns = {"offense_code": "Code", "occurred_from": "Date", "known_on": "Month", "beat": "B"}
    layouts = [{"name": "bare", "columns": columns, "format": "geojson"}]
    found = read(features((row, None), ({**row, "B": "7"}, None)), "a.geojson", layouts=layouts)
    assert found["B"] == [None, "7"]


@pytest.mark.parametrize(
    "content",
    [
        '{"type": "FeatureCollection", "features": [{"type": "Fea',
        '{"type": "FeatureCollection"}',
        '{"features": {}}',
        '{"features": [3]}',
        "[1, 2]",
        "not JSON",
        '{"type": "FeatureCollection", "features": []}',
    ],
)
def test_geojson_that_is_cut_or_holds_no_features(refused, geo_layouts, content):
    refused(content, "a.geojson", layouts=geo_layouts)


def test_geojson_without_a_mapped_property_names_it(refused, features, geo_layouts):
    row = {"Code": "031000", "Date": "01/02/2024 10:00", "Month": "2024-01"}
    assert "also expects: Case" in refused(
        features((row, point(1, 2))), "a.geojson", layouts=geo_layouts
    )
