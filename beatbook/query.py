"""SQL over the published tables, and the condition of ``load_table(where=...)``.

DuckDB runs both in memory, in a room of its own: it reads the published files that a query
names and nothing else, writes nothing, and cannot be told otherwise from within a query.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from beatbook.errors import InvalidInput, MissingTable
from beatbook.home import Home, find_home
from beatbook.store import Published, Store, did_you_mean, require_department
from beatbook.tables import TABLES

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

EVERY_WEEK = "_every_week"
"""What is put after the name of a table kept per week for all of its published weeks."""


def sql(
    query: str,
    department: str | None = None,
    *,
    week_ending: str | dt.date | None = None,
    home: Home | None = None,
) -> pd.DataFrame:
    """Ask the published tables in SQL.

    Parameters
    ----------
    query
        One statement that reads: ``SELECT``, ``WITH``, ``FROM``, ``VALUES``, ``DESCRIBE`` or
        ``SUMMARIZE``, in DuckDB's SQL. A table goes by its name; one of another department by
        department and name, ``washington_dc.incidents``. A table that is kept per week holds its
        latest published week under its own name, as :func:`beatbook.load_table` gives it, and
        all published weeks under its name with ``_every_week`` (``compstat_every_week``); both
        have the column ``week_ending``.
    department
        Whose tables go by their bare names, for example ``"st_louis"``. Can be left out where
        the checkout has one department, or where every table is named with its department.
    week_ending
        The week that the bare names of per-week tables hold, instead of the latest.
    home
        The checkout; found from the current folder if not given.

    Returns
    -------
    DataFrame
        Types as in :func:`beatbook.load_table`: text ``str``, times ``datetime64[us]`` (days
        too), whole numbers ``int64`` or, with missing values, ``Int64``, sums included; other
        numbers ``float64``. ``attrs["provenance"]`` names what each table read was made from.

    Raises
    ------
    InvalidInput
        If the query cannot be read, names a column that is not there, or would do anything but
        read published tables. Files, the network and settings are out of its reach.
    MissingTable
        If a table has not been built, or there is none of that name.
    UnknownDepartment
        If there is no such department.

    Examples
    --------
    >>> beatbook.sql(
    ...     "select precinct, sum(count) as burglaries from incidents "
    ...     "where offense = 'Burglary' and occurred_from >= '2019-01-01' group by precinct",
    ...     department="st_louis",
    ... )  # doctest: +SKIP
    """
    from beatbook.department import list_departments

    home = home or find_home()
    departments = list_departments(home)
    if department is None and len(departments) == 1:
        department = departments[0]
    if department is not None:
        require_department(Store(department, home))
    words = set(re.findall(r"\w+", query.lower()))
    views: dict[str, str] = {}
    provenance: dict[str, Any] = {}
    files: list[Path] = []
    for slug in departments:
        if slug != department and slug.lower() not in words:
            continue
        for name, weeks in _named(Store(slug, home), words, week_ending):
            source = _source(weeks)
            views[f'"{slug}"."{name}"'] = source
            if slug == department:
                views[f'main."{name}"'] = source
            files += [published.path for published in weeks.values()]
            provenance[f"{slug}.{name}"] = list(weeks.values())[-1].provenance
    told = _told_plainly(query, departments, department, home)
    with _closed_room(files) as connection, told:
        for slug in departments:
            connection.execute(f'CREATE SCHEMA "{slug}"')
        for name, source in views.items():
            connection.execute(f"CREATE VIEW {name} AS {source}")
        _only_reads(connection, query)
        frame = _frame(connection.execute(query).to_arrow_table())
    frame.attrs["provenance"] = provenance
    return frame


def read_where(table: str, path: Path, where: str, columns: list[str] | None) -> pd.DataFrame:
    """Read those rows of a published file that fulfill a condition.

    Parameters
    ----------
    table
        The table's name, for messages and the declared columns.
    path
        Its file.
    where
        A condition as after ``WHERE`` in SQL.
    columns
        Only these; all by default.

    Returns
    -------
    DataFrame
        Rows in the file's order, with the types that reading the whole file gives.

    Raises
    ------
    InvalidInput
        If the condition cannot be read or names a column that the table does not have.
    FileNotFoundError
        If the file is gone.
    """
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)
    wanted = schema.names if columns is None else columns
    with _closed_room([path]) as connection, _condition_told_plainly(table, schema.names, where):
        connection.execute(f'CREATE VIEW "{table}" AS {_source({"": Published(path, {})})}')
        relation = connection.view(table).filter(where)
        # A table of no columns still has rows in pandas, and none in SQL.
        names = wanted or schema.names[:1]
        chosen = relation.project(", ".join(f'"{name}"' for name in names)).to_arrow_table()
    types = schema.empty_table().to_pandas().dtypes
    return _frame(chosen).astype({name: types[name] for name in names})[wanted]


def _named(
    store: Store, words: set[str], week_ending: str | dt.date | None
) -> Iterator[tuple[str, dict[str, Published]]]:
    """The tables that a query may name, each with the published files of its weeks."""
    asked = str(week_ending or "").removesuffix(" 00:00:00")
    index = store.index()
    for table in sorted({name.partition("@")[0] for name in index}):
        weeks = {
            name.partition("@")[2]: Published(store.folder / entry["file"], entry["provenance"])
            for name, entry in sorted(index.items())
            if name.partition("@")[0] == table
        }
        every = f"{table}{EVERY_WEEK}"
        if every in words and list(weeks) != [""]:
            yield every, weeks
        if table in words:
            latest = asked if asked and list(weeks) != [""] else list(weeks)[-1]
            if latest not in weeks:
                store.find(table, latest)  # says what to run
            yield table, {latest: weeks[latest]}


def _source(weeks: Mapping[str, Published]) -> str:
    """The statement that reads a table's files, with the week where they do not hold it."""
    parts = []
    for week, published in weeks.items():
        path = published.path.as_posix().replace("'", "''")
        rows = f"SELECT * FROM read_parquet('{path}')"
        if week:
            # A table that holds its week already keeps its own.
            rows = (
                f"SELECT COLUMNS(c -> c <> 'week_ending'), TIMESTAMP '{week}' AS week_ending "
                f"FROM read_parquet('{path}')"
            )
        parts.append(rows)
    return " UNION ALL BY NAME ".join(parts)


@contextmanager
def _closed_room(files: Iterable[Path]) -> "Iterator[duckdb.DuckDBPyConnection]":
    """A database in memory that reaches these files and nothing else."""
    import duckdb

    listed = ", ".join("'" + path.as_posix().replace("'", "''") + "'" for path in files)
    with duckdb.connect() as connection:
        # Variables of the notebook are no tables: a misspelt name must not find one.
        connection.execute("SET python_enable_replacements = false")
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute("SET autoload_known_extensions = false")
        connection.execute("SET temp_directory = ''")
        connection.execute(f"SET allowed_paths = [{listed}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


def _only_reads(connection: "duckdb.DuckDBPyConnection", query: str) -> None:
    import duckdb

    statements = connection.extract_statements(query)
    reading = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
    if len(statements) != 1 or statements[0].type not in reading:
        raise InvalidInput(
            "A query is one statement that reads: SELECT ..., WITH ... SELECT, FROM ..., DESCRIBE "
            "or SUMMARIZE. The published tables cannot be changed from here. For a pivot, pivot "
            "the result: sql(...).pivot_table(...)."
        )


def _frame(table: "pa.Table") -> pd.DataFrame:
    """An Arrow table as a frame with the types that the front door gives."""
    import pyarrow as pa

    columns = []
    for column in table.columns:
        kind = column.type
        if pa.types.is_decimal(kind):
            # Sums of whole numbers come as wide decimals; those that fit are whole numbers.
            column = _narrowed(column) if kind.scale == 0 else column.cast(pa.float64())
        elif pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None):
            column = column.cast(pa.timestamp("us"))
        elif pa.types.is_integer(kind):
            column = column.cast(pa.int64(), safe=False)
        columns.append(column)
    # Twice the same name is allowed in SQL and a trap in pandas.
    names = _distinct(table.column_names)
    plain = pa.table(dict(zip(names, columns, strict=True)))
    frame = plain.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    whole = {
        name: "int64" for name in names if frame[name].dtype == "Int64" and not frame[name].hasnans
    }
    return frame.astype(whole)


def _narrowed(column: Any) -> Any:
    import pyarrow as pa

    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column.cast(pa.float64())


def _distinct(names: list[str]) -> list[str]:
    out: list[str] = []
    for name in names:
        number, given = 2, name
        while name in out:
            name, number = f"{given}_{number}", number + 1
        out.append(name)
    return out


@contextmanager
def _condition_told_plainly(table: str, columns: list[str], where: str) -> Iterator[None]:
    import duckdb

    try:
        yield
    except (duckdb.IOException, duckdb.HTTPException) as error:
        raise FileNotFoundError(str(error)) from None
    except duckdb.Error as error:
        unknown = _unknown_column(str(error))
        if unknown:
            quoted = " Text stands in single quotes." if f'"{unknown}"' in where else ""
            raise InvalidInput(
                f"{table} has no column {unknown}.{quoted}{did_you_mean(unknown, columns)} "
                f"Columns: {', '.join(columns)}."
            ) from None
        raise InvalidInput(
            f"The condition where={where!r} cannot be read: {_first_line(error)} Write it as after "
            "WHERE in SQL, with text in single quotes: \"offense = 'Burglary' and "
            "occurred_from >= '2019-01-01'\"."
        ) from None


@contextmanager
def _told_plainly(
    query: str, departments: list[str], department: str | None, home: Home
) -> Iterator[None]:
    import duckdb

    try:
        yield
    except duckdb.PermissionException:
        raise InvalidInput(
            "A query reaches the published tables only: no files, no network, no settings. Read "
            "a file of your own with pandas and merge it with the result."
        ) from None
    except duckdb.CatalogException as error:
        name = re.search(r"Table with name (.+?) does not exist", str(error))
        if name is None:
            raise InvalidInput(f"The query cannot be run: {_first_line(error)}") from None
        table = name[1].replace('"', "")
        # The database tells the bare name where the department is known and its table is not.
        owners = [
            d for d in departments if re.search(rf'\b{d}"?\."?{re.escape(table)}\b', query, re.I)
        ]
        named = f"{owners[0]}.{table}" if owners and "." not in table else table
        raise _missing_table(named, departments, department, home) from None
    except duckdb.IOException:
        raise MissingTable(
            "A table was published anew while the query started. Run it again."
        ) from None
    except duckdb.Error as error:
        unknown = _unknown_column(str(error))
        if unknown is None:
            raise InvalidInput(f"The query cannot be run: {_first_line(error)}") from None
        candidates = str(error).partition("Candidate bindings:")[2].partition("\n\n")[0]
        known = re.findall(r'"(\w+)"', candidates)
        listed = f" There are, among others: {', '.join(known)}." if known else ""
        raise InvalidInput(
            f"No table of the query has a column {unknown}.{did_you_mean(unknown, known)}{listed} "
            "describe_table(table, department) lists a table's columns. Text stands in single "
            "quotes, names of columns in double quotes or none."
        ) from None


def _missing_table(
    name: str, departments: list[str], department: str | None, home: Home
) -> MissingTable:
    slug, _, table = name.rpartition(".")
    bare = table.removesuffix(EVERY_WEEK)
    if slug and slug not in departments:
        return MissingTable(
            f"There is no department {slug!r}.{did_you_mean(slug, departments)} "
            f"Departments here: {', '.join(departments) or 'none yet'}."
        )
    if bare not in TABLES:
        return MissingTable(
            f"There is no table {name!r}.{did_you_mean(bare, TABLES)} "
            f"Tables: {', '.join(sorted(TABLES))}."
        )
    if table != bare and not TABLES[bare].partition:
        return MissingTable(f"{bare} is not kept per week; ask {bare} without {EVERY_WEEK}.")
    owner = slug or department
    if owner is None:
        return MissingTable(
            f"Whose {table}? Say department={departments[0]!r}, or name it in the query: "
            f"{departments[0]}.{table}. Departments here: {', '.join(departments)}."
        )
    try:
        Store(owner, home).find(bare)
    except MissingTable as error:
        return error
    return MissingTable(f"There is no table {name!r}.")


def _unknown_column(message: str) -> str | None:
    found = re.search(r'Referenced column "(.+?)" (?:was )?not found', message) or re.search(
        r'does not have a column named "(.+?)"', message
    )
    return found[1] if found else None


def _first_line(error: Exception) -> str:
    """What the database says, without its class of error, drawing and suggestions."""
    first = str(error).strip().partition("\n")[0]
    text = re.sub(r"^[A-Z][\w ]* Error: ", "", first).strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
