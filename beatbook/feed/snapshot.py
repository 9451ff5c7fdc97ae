"""The raw snapshot: every feed file hashed, matched to a layout, and read as text.

What has been read once is kept by the hash of the file, so that next week only the new file
is parsed. Nothing is interpreted here: all values stay text as published.
"""

import glob
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from beatbook.department import Department, Feed, Layout
from beatbook.errors import FeedError
from beatbook.feed.opening import geojson_rows, header_of, plain_text, sha256
from beatbook.files import write_atomically

LARGE_FILE = 64 << 20


@dataclass(frozen=True)
class FeedFile:
    """One file of the feed, and what it was read as."""

    name: str
    sha256: str
    size: int
    rows: int
    layout: str
    unused_columns: tuple[str, ...]
    text_table: Path


@dataclass(frozen=True)
class Snapshot:
    """The whole feed at one moment."""

    files: tuple[FeedFile, ...]

    @property
    def sha256(self) -> str:
        """One hash for the feed: of the names and hashes of its files."""
        listing = "\n".join(f"{file.name} {file.sha256}" for file in self.files)
        return hashlib.sha256(listing.encode()).hexdigest()

    @property
    def rows(self) -> int:
        """Data rows in all files."""
        return sum(file.rows for file in self.files)

    def save(self, path: Path) -> None:
        """Write down what was read, for the step that cleans it."""
        listing = [{**asdict(file), "text_table": str(file.text_table)} for file in self.files]
        write_atomically(path, json.dumps(listing, indent=1).encode())

    @classmethod
    def load(cls, path: Path) -> "Snapshot":
        """Read what :meth:`save` wrote."""
        listing = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            tuple(
                FeedFile(
                    **{
                        **entry,
                        "text_table": Path(entry["text_table"]),
                        "unused_columns": tuple(entry["unused_columns"]),
                    }
                )
                for entry in listing
            )
        )


def take_snapshot(
    department: Department,
    cache: Path,
    progress: Callable[[str], None] = lambda _message: None,
) -> Snapshot:
    """Read the department's feed.

    Parameters
    ----------
    department
        Its ``feed.files`` pattern says which files, its layouts how they may look.
    cache
        Folder for what has been read, by hash; files no longer in the feed are removed.
    progress
        Told in a few words how far the reading is.

    Raises
    ------
    FeedError
        If there is no file, one is empty or cut, one matches no layout, one stands twice under
        two names, or two in different folders share a name. The message names the file and
        what was expected; nothing is published from such a feed.
    """
    found = glob.glob(department.feed.files, root_dir=department.folder, recursive=True)
    paths = sorted(path for name in found if (path := department.folder / name).is_file())
    _refuse_namesakes(paths)
    if not paths:
        raise FeedError(
            f"The feed of {department.slug} is empty: no file matches {department.feed.files}. "
            "Put the publisher's files there, or mend feed.files in department.yaml."
        )
    cache.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=cache) as scratch,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        files = []
        for file in pool.map(
            lambda path: _read(path, department.feed, cache, Path(scratch)), paths
        ):
            files.append(file)
            if len(files) % 48 == 0:
                progress(f"read {len(files)} of {len(paths)} files")
    _refuse_copies(files)
    kept = {file.text_table.name for file in files}
    for stale in cache.glob("*.parquet"):
        if stale.name not in kept:
            stale.unlink(missing_ok=True)
    return Snapshot(tuple(files))


def _read(path: Path, feed: Feed, cache: Path, scratch: Path) -> FeedFile:
    digest = sha256(path)
    readings = json.dumps(
        [
            digest,
            feed.encoding,
            feed.final_newline,
            [(layout.format, layout.delimiter) for layout in feed.layouts],
        ]
    )
    target = cache / f"{hashlib.sha256(readings.encode()).hexdigest()[:32]}.parquet"
    if not target.is_file():
        # Named by the file too: two threads may meet one content under two names.
        partial = target.with_suffix(f".{path.name}.{os.getpid()}.partial")
        try:
            if path.name.endswith(".geojson") or ".geojson." in path.name:
                _write_geojson(path, feed, partial, scratch)
            else:
                _write_csv(path, feed, partial, scratch)
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)
    read = pq.read_metadata(target)
    header = read.schema.to_arrow_schema().names
    if read.num_rows == 0:
        raise FeedError(
            f"{path.name}: a header and no rows. Fetch the file again from the publisher, or "
            "take it out of the feed."
        )
    layout = match_layout(header, feed.layouts, path.name)
    return FeedFile(
        name=path.name,
        sha256=digest,
        size=path.stat().st_size,
        rows=read.num_rows,
        layout=layout.name,
        unused_columns=tuple(c for c in header if c not in layout.source_columns),
        text_table=target,
    )


def match_layout(header: list[str], layouts: list[Layout], name: str) -> Layout:
    """Pick the layout whose columns the header holds; the one that maps most, if several do.

    Raises
    ------
    FeedError
        If none fits: the message says, for the nearest layout, which columns are missing.
    """
    fitting = [layout for layout in layouts if set(layout.source_columns) <= set(header)]
    if fitting:
        return max(fitting, key=lambda layout: len(layout.source_columns))
    nearest = min(layouts, key=lambda layout: len(set(layout.source_columns) - set(header)))
    missing = [column for column in nearest.source_columns if column not in header]
    raise FeedError(
        f"{name}: the header matches none of the layouts "
        f"({', '.join(repr(layout.name) for layout in layouts)}). "
        f"Nearest is {nearest.name!r}, which also expects: {', '.join(missing)}. "
        f"The file has: {', '.join(header)}. "
        "If the publisher has renamed columns, add a layout to department.yaml."
    )


def _write_csv(path: Path, feed: Feed, target: Path, scratch: Path) -> None:
    text = plain_text(path, feed.encoding, scratch, feed.final_newline)
    header: list[str] = []
    delimiter = ","
    for delimiter in dict.fromkeys(layout.delimiter for layout in feed.layouts):
        header = header_of(text, path.name, delimiter)
        if any(set(layout.source_columns) <= set(header) for layout in feed.layouts):
            break
    else:
        match_layout(header, feed.layouts, path.name)
    columns = {column: "VARCHAR" for column in header}
    # Small files are read side by side, one thread each; a large one gets every core.
    threads = (os.cpu_count() or 1) if text.stat().st_size > LARGE_FILE else 1
    with duckdb.connect(config={"threads": threads}) as connection:
        connection.execute("SET enable_progress_bar = false")
        try:
            connection.execute(
                "COPY (SELECT * FROM read_csv($file, header = true, all_varchar = true, "
                "auto_detect = false, columns = $columns, delim = $delimiter, quote = '\"', "
                "escape = '\"', strict_mode = true, null_padding = false)) "
                f"TO {quoted(str(target))} (FORMAT parquet)",
                {"file": str(text), "columns": columns, "delimiter": delimiter},
            )
        except duckdb.Error as error:
            raise FeedError(_csv_problem(path.name, text, header, str(error))) from None
    if text != path:
        text.unlink(missing_ok=True)


def _csv_problem(name: str, text: Path, header: list[str], said: str) -> str:
    with text.open("rb") as file:
        lines = file.read(1 << 20).split(b"\n")[:-1]
    if 0 < sum(line.endswith(b"\r") for line in lines) < len(lines):
        return (
            f"{name}: some lines end with carriage return and line feed, others with a line feed "
            "alone, as when files are joined. Save it with one kind of line end."
        )
    line = re.search(r"Line: (\d+)", said)
    where = f" near line {line.group(1)}" if line else ""
    return (
        f"{name}: a row{where} does not have the header's {len(header)} columns, or its quotes do "
        "not close; the file was probably cut in the middle. Fetch it again from the publisher."
    )


def _write_geojson(path: Path, feed: Feed, target: Path, scratch: Path) -> None:
    text = plain_text(path, feed.encoding, scratch, final_newline=False)
    rows = geojson_rows(text, path.name)
    if not rows:
        raise FeedError(f"{path.name}: the file holds no features.")
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = pa.table({c: pa.array([row.get(c) for row in rows], pa.string()) for c in columns})
    pq.write_table(table, target)


def _refuse_namesakes(paths: list[Path]) -> None:
    """A record is known by its file's name and row, so a name must mean one file."""
    seen: dict[str, Path] = {}
    for path in paths:
        if path.name in seen:
            raise FeedError(
                f"Two files of the feed are named {path.name}, in {seen[path.name].parent.name}/ "
                f"and {path.parent.name}/. Rename one of them."
            )
        seen[path.name] = path


def _refuse_copies(files: list[FeedFile]) -> None:
    seen: dict[str, str] = {}
    for file in files:
        if file.sha256 in seen:
            raise FeedError(
                f"{file.name} and {seen[file.sha256]} are the same file, byte for byte: every "
                "record in it would count twice. Remove one of them from the feed."
            )
        seen[file.sha256] = file.name


def quoted(text: str) -> str:
    """A text as an SQL literal, where a statement takes no parameter."""
    return "'" + text.replace("'", "''") + "'"
