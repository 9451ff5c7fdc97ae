"""A publisher's file of unknown make: its packing, encoding, delimiter, header, and some rows."""

import codecs
import csv
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb
import pandas as pd

from beatbook.errors import FeedError
from beatbook.feed.opening import geojson_rows, header_of, plain_text

SAMPLE_ROWS = 20_000
"""Rows looked at in all files of a shape: enough that what one row in a thousand holds is nearly
sure to be seen. Each file gives an even part."""

DELIMITERS = (",", ";", "\t", "|")
CHUNK = 1 << 22
_NO_TEXT = {b"PK\x03\x04": "an Excel workbook or a zip archive", b"\xd0\xcf\x11\xe0": "an old "
            "Excel workbook", b"%PDF": "a PDF", b"PAR1": "a Parquet file"}  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """One file: how it is read, and rows of it.

    Attributes
    ----------
    name
        What it is called in the department's ``feed/``.
    encoding
        ``ascii``, ``utf-8``, ``utf-16`` or ``cp1252``.
    rows
        Data rows in the whole file.
    values
        Some of its rows, drawn evenly with a fixed seed; trimmed text, blanks missing.
    """

    path: Path
    name: str
    format: Literal["csv", "geojson"]
    delimiter: str
    encoding: str
    ends_with_newline: bool
    rows: int
    values: pd.DataFrame

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's own column names, in its order."""
        return tuple(self.values.columns)


@dataclass(frozen=True)
class Shape:
    """The files that share one header, and rows from all of them."""

    samples: tuple[Sample, ...]
    values: pd.DataFrame

    @property
    def first(self) -> Sample:
        """The file that the shape is named after."""
        return self.samples[0]

    @property
    def rows(self) -> int:
        """Data rows of all its files."""
        return sum(sample.rows for sample in self.samples)

    @property
    def name(self) -> str:
        """What a person would call it: as in the first of its files."""
        return "as in " + self.first.name.split(".")[0]


def read_samples(paths: Sequence[Path], scratch: Path) -> list[Sample]:
    """Read the files that a department is to start with; see :func:`read_sample`.

    Raises
    ------
    FeedError
        As :func:`read_sample`; and if two files have one name, by which a record is known.
    """
    limit = max(SAMPLE_ROWS // 10, SAMPLE_ROWS // max(1, len(paths)))
    samples: dict[str, Sample] = {}
    for path in paths:
        sample = read_sample(path, scratch, limit)
        if sample.name in samples:
            raise FeedError(f"Two of the files are named {sample.name}. Rename one of them.")
        samples[sample.name] = sample
    return list(samples.values())


def read_sample(path: Path, scratch: Path, limit: int = SAMPLE_ROWS) -> Sample:
    """Read a file of which nothing is known.

    Parameters
    ----------
    path
        CSV with any usual delimiter, or GeoJSON points; plain, ``.gz`` or ``.xz``.
    scratch
        A folder for the unpacked text.
    limit
        Rows to keep.

    Raises
    ------
    FeedError
        If there is no such file, or it is empty, cut, no text, has no header line, a column
        without a name, or rows that do not fit the header. The message names the file.
    """
    if not path.is_file():
        raise FeedError(f"{path}: there is no such file.")
    encoding = guess_encoding(path)
    declared = "utf-8" if encoding == "ascii" else encoding
    text = plain_text(path, declared, scratch, final_newline=False)
    inner = re.sub(r"\.(gz|xz)$", "", path.name)
    with text.open(encoding="utf-8") as file:
        start = file.read(CHUNK)
    if start.lstrip()[:1] == "{" or inner.endswith(".geojson"):
        rows = geojson_rows(text, path.name)
        if not rows:
            raise FeedError(f"{path.name}: the file holds no features.")
        # The reader of the feed tells GeoJSON by its name.
        inner = inner if inner.endswith(".geojson") else f"{Path(inner).stem}.geojson"
        frame = _blank_as_missing(pd.DataFrame(rows, dtype="str"))
        drawn = frame.sample(min(limit, len(frame)), random_state=0).sort_index()
        packing = path.suffix if path.suffix in (".gz", ".xz") else ""
        return Sample(path, inner + packing, "geojson", ",", encoding, True, len(frame), drawn)
    lines = start.splitlines()
    delimiter = _delimiter(path.name, lines[:200] if len(start) < CHUNK else lines[:-1][:200])
    header = header_of(text, path.name, delimiter)
    _refuse_no_header(path.name, header)
    count, values = _rows(text, path.name, header, delimiter, limit)
    ends = text.read_bytes()[-1:] if text.stat().st_size < CHUNK else _last_byte(text)
    return Sample(
        path, path.name, "csv", delimiter, encoding, ends in (b"\n", b"\r"), count, values
    )


def guess_encoding(path: Path) -> str:
    """Say which encoding a file is in: ``ascii``, ``utf-8``, ``utf-16``, else ``cp1252``.

    Bytes that are UTF-8 throughout are taken as that: other encodings read so by chance only in
    very short texts. What is not UTF-8 is taken for the Windows encoding of Western Europe and
    the Americas, in which older police exports come.

    Raises
    ------
    FeedError
        If the file is no text.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    plain = True
    first = True
    try:
        with _opened(path) as file:
            for chunk in iter(lambda: file.read(CHUNK), b""):
                if first:
                    if chunk[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                        return "utf-16"
                    kind = _NO_TEXT.get(chunk[:4], "no text" if b"\0" in chunk[:4096] else None)
                    if kind:
                        raise FeedError(
                            f"{path.name}: this is {kind}. Save it as CSV in UTF-8 and give that."
                        )
                first = False
                if plain and chunk.isascii():
                    continue
                plain = False
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    except (EOFError, lzma.LZMAError, zlib.error, OSError):
        return "utf-8"  # a cut archive: reading it as text says so
    return "ascii" if plain else "utf-8"


def shapes_of(samples: Sequence[Sample]) -> list[Shape]:
    """Put the files with one header together, in the order in which they were given."""
    found: dict[tuple[Any, ...], list[Sample]] = {}
    for sample in samples:
        # GeoJSON names its properties in any order.
        header = sorted(sample.columns) if sample.format == "geojson" else sample.columns
        found.setdefault((sample.format, sample.delimiter, *header), []).append(sample)
    shapes = []
    for group in found.values():
        part = max(300, SAMPLE_ROWS // len(group))
        # Every n-th of the drawn rows: the first ones may be those of one season.
        drawn = [s.values.iloc[:: max(1, -(-len(s.values) // part))] for s in group]
        values = pd.concat(drawn, ignore_index=True)
        shapes.append(Shape(tuple(group), values))
    return shapes


def _opened(path: Path) -> io.BufferedIOBase:
    opener: Any = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix, open)
    stream: io.BufferedIOBase = opener(path, "rb")
    return stream


def _delimiter(name: str, lines: list[str]) -> str:
    """The character that cuts the first lines into the same number of columns, the most."""
    best, most = "", 1
    for delimiter in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        even = bool(widths) and widths.count(widths[0]) >= 0.9 * len(widths)
        if even and widths[0] > most:
            best, most = delimiter, widths[0]
    if not best:
        raise FeedError(
            f"{name}: no delimiter (comma, semicolon, tab or |) cuts its lines into columns. "
            "Give a CSV file with one header line, or a GeoJSON file of points."
        )
    return best


def _refuse_no_header(name: str, header: list[str]) -> None:
    for place, column in enumerate(header, start=1):
        if not column:
            raise FeedError(
                f"{name}: column {place} of the header has no name. Give it one, in the file or "
                "at the publisher's export."
            )
    values = [c for c in header if re.fullmatch(r"[-+]?[\d.,]+|\d+[-/.]\d+[-/.]\d+.*", c)]
    if values:
        raise FeedError(
            f"{name}: the first line seems to hold values ({len(values)} of {len(header)} are "
            "numbers or dates), not the names of the columns. Put a header line before it."
        )


def _rows(
    text: Path, name: str, header: list[str], delimiter: str, limit: int
) -> tuple[int, pd.DataFrame]:
    reading = (
        "read_csv($file, header = true, all_varchar = true, auto_detect = false, "
        "columns = $columns, delim = $delimiter, quote = '\"', escape = '\"', "
        "strict_mode = true, null_padding = false)"
    )
    given: dict[str, Any] = {
        "file": str(text),
        "columns": {column: "VARCHAR" for column in header},
        "delimiter": delimiter,
    }
    # One thread, so that the same rows are drawn each time.
    with duckdb.connect(config={"threads": 1}) as connection:
        try:
            counted = connection.execute(f"SELECT count(*) FROM {reading}", given).fetchone()
            trimmed = ", ".join(f"nullif(trim({_name(c)}), '') AS {_name(c)}" for c in header)
            drawn = connection.execute(
                f"SELECT {trimmed} FROM (SELECT * FROM {reading} "
                f"USING SAMPLE reservoir({int(limit)} ROWS) REPEATABLE (1))",
                given,
            ).df()
        except duckdb.Error as error:
            line = re.search(r"Line: (\d+)", str(error))
            where = f" near line {line.group(1)}" if line else ""
            raise FeedError(
                f"{name}: a row{where} does not have the header's {len(header)} columns, or its "
                "quotes do not close. The file may be cut; fetch it again from the publisher."
            ) from None
    rows = int(counted[0]) if counted else 0
    if rows == 0:
        raise FeedError(f"{name}: a header and no rows.")
    return rows, drawn.astype("str")


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _blank_as_missing(frame: pd.DataFrame) -> pd.DataFrame:
    trimmed = frame.apply(lambda column: column.astype("str").str.strip())
    return trimmed.where(trimmed != "")


def _last_byte(text: Path) -> bytes:
    with text.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1)
