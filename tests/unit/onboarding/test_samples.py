"""Files of unknown make: encodings, delimiters, packings, and what is refused."""

import gzip
import lzma

import pytest

from beatbook.errors import FeedError
from beatbook.onboarding.samples import guess_encoding, read_sample, read_samples, shapes_of

TEXT = "Case;Straße\n1;Müller Str\n2;Haupt Str\n"


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("cp1252", "cp1252"), ("utf-16", "utf-16")],
)
def test_encodings(tmp_path, encoding, told):
    path = tmp_path / "a.csv"
    path.write_bytes(TEXT.encode(encoding))
    sample = read_sample(path, tmp_path)
    assert (sample.encoding, sample.delimiter, sample.rows) == (told, ";", 2)
    assert sample.columns == ("Case", "Straße")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(tmp_path, delimiter):
    path = tmp_path / "a.txt"
    path.write_text(TEXT.replace(";", delimiter), encoding="utf-8")
    assert read_sample(path, tmp_path).delimiter == delimiter


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_packings_and_a_cut_one(tmp_path, suffix, pack):
    whole = pack(TEXT.encode())
    path = tmp_path / f"a.csv{suffix}"
    path.write_bytes(whole)
    assert read_sample(path, tmp_path).rows == 2
    path.write_bytes(whole[:-9])
    with pytest.raises(FeedError, match=r"a\.csv.*cannot be unpacked"):
        read_sample(path, tmp_path)


def test_geojson_under_another_name_is_named_so(tmp_path):
    path = tmp_path / "points.json"
    path.write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":" 1 "},'
        '"geometry":{"type":"Point","coordinates":[-90.2,38.6]}}]}'
    )
    sample = read_sample(path, tmp_path)
    assert (sample.format, sample.name) == ("geojson", "points.geojson")
    assert sample.values.iloc[0].to_dict() == {
        "a": "1", "geometry.x": "-90.2", "geometry.y": "38.6",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"\x00\x01\x02\x03", "no text"),
        (b"one column\nvalue\n", "no delimiter"),
        (b"2024-01-02,5,BURGLARY\n2024-01-03,6,ROBBERY\n", "first line seems to hold values"),
        (b"a,,c\n1,2,3\n", "column 2 of the header has no name"),
        (b"a,b\n", "a header and no rows"),
        (b"a,b\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2\n1,2,3\n", "does not have"),
        (b"a,A\n1,2\n", "twice"),
    ],
)
def test_refusals_name_the_file(tmp_path, content, said):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(FeedError, match=said) as refused:
        read_sample(path, tmp_path)
    assert "bad.csv" in str(refused.value)


def test_a_missing_file_and_two_of_one_name(tmp_path):
    with pytest.raises(FeedError, match="no such file"):
        read_sample(tmp_path / "none.csv", tmp_path)
    (tmp_path / "other").mkdir()
    for folder in (tmp_path, tmp_path / "other"):
        (folder / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FeedError, match=r"named a\.csv"):
        read_samples([tmp_path / "a.csv", tmp_path / "other" / "a.csv"], tmp_path)


def test_files_with_one_header_are_one_shape(tmp_path):
    for name, header in (("a", "x,y"), ("b", "x,y"), ("c", "x,z")):
        (tmp_path / f"{name}.csv").write_text(f"{header}\n1,2\n3,4\n")
    samples = read_samples([tmp_path / f"{name}.csv" for name in "abc"], tmp_path)
    shapes = shapes_of(samples)
    assert [len(shape.samples) for shape in shapes] == [2, 1]
    assert [shape.rows for shape in shapes] == [4, 2]


def test_plain_letters_are_ascii(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert guess_encoding(tmp_path / "a.csv") == "ascii"
