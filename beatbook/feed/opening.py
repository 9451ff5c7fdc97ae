"""From a feed file as it lies there to plain UTF-8 text with a known header.

A file that is cut, empty or in another encoding than declared is refused here, by name.
"""

import codecs
import csv
import gzip
import hashlib
import io
import json
import lzma
import shutil
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from beatbook.errors import FeedError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
CHUNK = 1 << 22


def sha256(path: Path) -> str:
    """Hash a file's bytes as they stand (hexadecimal)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def plain_text(path: Path, encoding: str, scratch: Path, final_newline: bool) -> Path:
    """Give a feed file as plain UTF-8 text without a byte-order mark.

    Parameters
    ----------
    path
        The feed file: plain, ``.gz`` or ``.xz``.
    encoding
        What the settings say it is written in.
    scratch
        A folder for the text, where it must be unpacked or re-encoded.
    final_newline
        Whether a last line without a line end means that the file was cut.

    Returns
    -------
    Path
        The file itself where it is readable as it stands, else a text file in ``scratch``.

    Raises
    ------
    FeedError
        If the file is empty, cut, or not in that encoding; the message names it.
    """
    packed = path.suffix in (".gz", ".xz")
    text = path
    if packed:
        text = scratch / f"{path.name}.txt"
        try:
            with _unpacked(path) as source, text.open("wb") as target:
                shutil.copyfileobj(source, target, CHUNK)
        except (EOFError, lzma.LZMAError, zlib.error, OSError) as error:
            raise FeedError(
                f"{path.name}: the file cannot be unpacked; it was probably cut in the middle "
                f"({error}). Fetch it again from the publisher."
            ) from None
    if text.stat().st_size == 0:
        raise FeedError(f"{path.name}: the file is empty. Fetch it again from the publisher.")
    try:
        if not _reads_as_it_stands(text, encoding):
            text = _as_utf8(path, text, encoding, scratch)
    except LookupError:
        raise FeedError(f"feed.encoding: Python knows no encoding {encoding!r}.") from None
    # Looked at after decoding: a line end is two bytes in UTF-16.
    if final_newline and not _ends_with_newline(text):
        raise FeedError(
            f"{path.name}: the last line has no line end, so the file was probably cut in the "
            "middle. Fetch it again; if this publisher's files never end with one, set "
            "feed.final_newline: false."
        )
    return text


def header_of(text: Path, name: str, delimiter: str) -> list[str]:
    """Read the column names of a CSV text.

    Raises
    ------
    FeedError
        If a name stands twice, be it in another case: a mapping could not say which one it
        means. If the first line is no header at all.
    """
    with text.open(encoding="utf-8", newline="") as file:
        try:
            header = next(csv.reader(file, delimiter=delimiter), [])
        except csv.Error as error:
            raise FeedError(f"{name}: the header cannot be read as CSV ({error}).") from None
    header = [column.strip() for column in header]
    # The tables that the text is read into tell no case apart.
    folded = [column.lower() for column in header]
    repeated = sorted({column for column in header if folded.count(column.lower()) > 1})
    if repeated:
        raise FeedError(f"{name}: the header names {', '.join(repeated)} twice.")
    return header


def geojson_rows(text: Path, name: str) -> list[dict[str, str | None]]:
    """Read a GeoJSON feature collection as rows of text.

    The point of a feature becomes the columns ``geometry.x`` and ``geometry.y``.

    Raises
    ------
    FeedError
        If the file is cut or is no collection of features.
    """
    try:
        content = json.loads(text.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FeedError(
            f"{name}: not readable as GeoJSON; the file was probably cut in the middle ({error}). "
            "Fetch it again from the publisher."
        ) from None
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or not all(isinstance(entry, dict) for entry in features):
        raise FeedError(f"{name}: a GeoJSON feature collection was expected; it has no features.")
    rows = []
    for feature in features:
        row = {key: _text(value) for key, value in (feature.get("properties") or {}).items()}
        geometry = feature.get("geometry") or {}
        point: Any = geometry.get("coordinates") if geometry.get("type") == "Point" else None
        whole = isinstance(point, list) and len(point) >= 2
        row["geometry.x"] = _text(point[0]) if whole else None
        row["geometry.y"] = _text(point[1]) if whole else None
        rows.append(row)
    return rows


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _unpacked(path: Path) -> BinaryIO:
    opener = gzip.open if path.suffix == ".gz" else lzma.open
    opened: Any = opener(path, "rb")
    return io.BufferedReader(opened, CHUNK)


def _ends_with_newline(text: Path) -> bool:
    with text.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) in (b"\n", b"\r")


def _reads_as_it_stands(text: Path, encoding: str) -> bool:
    """Whether the text is UTF-8 already: ASCII, or declared UTF-8 and so without a mark."""
    declared_utf8 = codecs.lookup(encoding).name == "utf-8"
    decoder = codecs.getincrementaldecoder("utf-8" if declared_utf8 else "ascii")()
    try:
        with text.open("rb") as file:
            if file.read(3) == BYTE_ORDER_MARK:
                return False
            file.seek(0)
            for chunk in iter(lambda: file.read(CHUNK), b""):
                # isascii is many times faster than decoding, and nearly every chunk is ASCII.
                if not chunk.isascii() or decoder.getstate()[0]:
                    decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _as_utf8(path: Path, text: Path, encoding: str, scratch: Path) -> Path:
    target = scratch / f"{path.name}.utf8"
    with text.open("rb") as source:
        # A byte-order mark can stand before text in another encoding; it is no part of it.
        marked = source.read(3) == BYTE_ORDER_MARK
    try:
        with (
            text.open(encoding=encoding, newline="") as source_text,
            target.open("w", encoding="utf-8", newline="") as out,
        ):
            if marked:
                source_text.seek(3)
            shutil.copyfileobj(source_text, out, CHUNK)
    except UnicodeDecodeError as error:
        # The text around it is not shown: it may be an address or a name.
        found = error.object[error.start : error.end].hex(" ")
        raise FeedError(
            f"{path.name}: it holds the bytes {found}, which are not {encoding}. "
            "Set feed.encoding to what the publisher writes (often cp1252 or utf-8)."
        ) from None
    return target
