"""The statements that clean a snapshot, from the department's settings.

Each function gives one statement; :mod:`beatbook.incidents.cleaning` runs them in order.
Column names and formats come from settings files and are quoted; nothing a feed holds is ever
part of a statement.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from beatbook.department import AREA_KINDS, FIELDS, Area, Department, Layout
from beatbook.feed.snapshot import Snapshot, quoted
from beatbook.tables import INCIDENTS, PARQUET_TYPES, REJECTED_INCIDENTS

if TYPE_CHECKING:
    from beatbook.incidents.cleaning import Cleaned


QUICK_KEY = ("incident_number", "occurred_from", "offense_code")
"""Fields that rows of one key always share, where the key is all that a record says."""


UNCORRECTED = (
    "CAST(NULL AS VARCHAR) AS corrected_fields, CAST(NULL AS UBIGINT) AS published_key, "
    "false AS place_withheld"
)
"""What the view ``source`` says of a row beside its fields, where nothing is corrected."""


def published(department: Department, snapshot: Snapshot) -> str:
    """A view ``published``: every feed row under Beatbook's field names, still text, trimmed."""
    parts = []
    for place, layout in enumerate(department.feed.layouts):
        files = [file for file in snapshot.files if file.layout == layout.name]
        if not files:
            continue
        names = ", ".join(
            f"({quoted(file.text_table.name)}, {quoted(file.name)})" for file in files
        )
        paths = ", ".join(quoted(str(file.text_table)) for file in files)
        fields = ", ".join(f"{_field(layout, field, department)} AS {field}" for field in FIELDS)
        # The file's name is joined after reading: DuckDB gives the path of the cached text.
        parts.append(
            f"SELECT {fields}, {place} AS layout, names.file AS source_file, "
            f"text.file_row_number + 1 AS source_row "
            f"FROM read_parquet([{paths}], file_row_number = true, filename = true) AS text "
            f"JOIN (VALUES {names}) AS names(cached, file) "
            f"ON names.cached = parse_filename(text.filename)"
        )
    return "CREATE VIEW published AS " + " UNION ALL ".join(parts)


def source(department: Department, snapshot: Snapshot) -> str:
    """A view ``source``: the published rows as they are, without any correction."""
    rows = published(department, snapshot).partition(" AS ")[2]
    return f"CREATE VIEW source AS SELECT *, {UNCORRECTED} FROM ({rows})"


def _field(layout: Layout, field: str, department: Department) -> str:
    column = layout.columns.get(field)
    if column is None:
        return "CAST(NULL AS VARCHAR)"
    if isinstance(column, list):
        return f"concat_ws(' ', {', '.join(_trimmed(name) for name in column)})"
    text = _trimmed(column)
    if field == "offense_code" and department.offense_codes.pad_to:
        width = department.offense_codes.pad_to
        return f"CASE WHEN length({text}) < {width} THEN lpad({text}, {width}, '0') ELSE {text} END"
    return text


def _trimmed(column: str) -> str:
    name = column.replace('"', '""')
    # A feed may have a column called file, as the list of names beside it has.
    return f"nullif(trim(text.\"{name}\"), '')"


# The date formats read a year of two digits as one of the first century.
EARLIEST = "TIMESTAMP '1800-01-01'"


# A correction is written one way, whatever the feed's formats are, and is local time.
CORRECTED_DATES = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y-%m"]


def parsed(department: Department, corrected: Sequence[str] = ()) -> str:
    """A view ``parsed``: dates and count worked out, what cannot be read left missing."""
    feed = department.feed
    zone = quoted(department.timezone)

    def by_format(field: str, formats: list[str]) -> str:
        timed = [text for text in formats if "%H" in text or "%I" in text]
        # A value without a time is a day already; moving it to another zone would lose a day.
        days = [text for text in formats if text not in timed]
        reads = []
        if timed:
            read = f"try_strptime({field}, {_formats(timed)})"
            if feed.times == "utc":
                read = f"({read} AT TIME ZONE 'UTC') AT TIME ZONE {zone}"
            reads.append(read)
        if days:
            reads.append(f"try_strptime({field}, {_formats(days)})")
        return f"coalesce({', '.join(reads)})"

    def local(field: str) -> str:
        cases = " ".join(
            f"WHEN {place} THEN {by_format(field, layout.date_formats or feed.date_formats)}"
            for place, layout in enumerate(feed.layouts)
        )
        read = f"(CASE layout {cases} END)"
        return or_corrected(field, read)

    def or_corrected(field: str, read: str) -> str:
        if field not in corrected:
            return read
        fixed = f"try_strptime({field}, {_formats(CORRECTED_DATES)})"
        return f"(CASE WHEN {field}_fixed THEN {fixed} ELSE {read} END)"

    reported = local("reported_at")
    if feed.publishes == "monthly":
        month = or_corrected("known_on", f"try_strptime(known_on, {_formats(feed.month_formats)})")
        known = f"last_day({month})::TIMESTAMP"
        known_alone = known
    else:
        known = f"date_trunc('day', coalesce({local('known_on')}, {reported}))"
        known_alone = local("known_on")
    # A layout without the column publishes no cancellations: each record counts one.
    counts = ["count" if "count" in layout.columns else "'1'" for layout in feed.layouts]
    count = counts[0]
    if len(set(counts)) > 1:
        cases = " ".join(f"WHEN {place} THEN {told}" for place, told in enumerate(counts))
        count = f"CASE layout {cases} END"
    return f"""
    CREATE VIEW parsed AS SELECT
        *,
        {local("occurred_from")} AS occurred_from_read,
        {local("occurred_to")} AS occurred_to_read,
        {reported} AS reported_at_read,
        {known} AS known_on_read,
        known_on IS NOT NULL AND {known_alone} IS NULL AS known_on_unread,
        CASE WHEN {count} IN ('1', '+1') THEN 1 WHEN {count} = '-1' THEN -1 END
            AS count_read
    FROM source
    """


def key_number(department: Department, row: str = "") -> str:
    """The number that a row's published values give: the same record, the same number.

    ``row`` is the name of the row, with a point, where other tables stand beside it.
    """
    # The description only repeats the code, and the file's name says nothing of the record.
    everything = [field for field in FIELDS if field != "offense_description"]
    key = department.feed.record_key
    fields = ", chr(31), ".join(row + field for field in (everything if key == "all" else key))
    return f"md5_number_upper(concat({fields}))"


def _record_id(department: Department, row: str) -> str:
    """The id of a row of ``parsed``, beside its row of ``repeats`` if there is one."""
    # A correction changes what a record says, not which record it is.
    number = f"coalesce({row}published_key, {key_number(department, row)})"
    place = "CASE WHEN repeats.place IS NULL THEN '' ELSE '-' || repeats.place END"
    return f"format('{{:016x}}', {number}) || {place}"


def _formats(formats: list[str]) -> str:
    return "[" + ", ".join(quoted(text) for text in formats) + "]"


def repeated_keys(department: Department) -> str:
    """A table ``repeats``: the place of each row among the rows of the same key, from the second.

    Only rows whose quick key occurs more than once are looked at; nearly all occur once. The order
    is that of what the rows say, so that it holds when a publisher sorts a file anew.
    """
    said = ", ".join(FIELDS)
    key = department.feed.record_key
    # Quick to work out, equal wherever the key is, and only ever compared within one run.
    quick = f"hash({', '.join(QUICK_KEY if key == 'all' else key)})"
    return f"""
    CREATE TABLE repeats AS
    WITH keyed AS (
        SELECT *, {key_number(department)} AS key_number, {quick} AS key_hash FROM published
    ), keys AS (
        SELECT key_hash FROM keyed GROUP BY key_hash HAVING count(*) > 1
    ), placed AS (
        SELECT source_file, source_row, row_number() OVER (
            PARTITION BY key_number ORDER BY {said}, source_file, source_row
        ) AS place
        FROM keyed SEMI JOIN keys USING (key_hash)
    )
    SELECT * FROM placed WHERE place > 1
    """


def rejected(department: Department) -> str:
    """A table ``refused``: rows that cannot become an incident, with the first reason found."""
    rules = [
        (
            "offense_code IS NULL",
            "missing_offense_code",
            "offense_code",
            "offense_code",
            "an offense code",
        ),
        (
            f"(occurred_from_read IS NULL OR occurred_from_read < {EARLIEST})",
            "unreadable_occurred_from",
            "occurred_from",
            "occurred_from",
            f"a date as {' or '.join(_all_formats(department))}",
        ),
        (
            f"(known_on_read IS NULL OR known_on_read < {EARLIEST})",
            "unreadable_known_on",
            "known_on",
            "coalesce(known_on, reported_at)",
            _known_formats(department),
        ),
        ("count_read IS NULL", "unreadable_count", "count", "count", "1 or -1"),
    ]
    if department.feed.repeats == "reject":
        rules.append(
            (
                "(source_file, source_row) IN (SELECT (source_file, source_row) FROM repeats)",
                "repeated_record",
                "record_key",
                "incident_number",
                "a record key that has not come before",
            )
        )

    def first(value: int) -> str:
        cases = []
        for condition, reason, field, observed, expected in rules:
            told = (quoted(reason), quoted(field), observed, quoted(expected))[value]
            cases.append(f"WHEN {condition} THEN {told}")
        return "CASE " + " ".join(cases) + " END"

    anything = " OR ".join(rule[0] for rule in rules)
    return f"""
    CREATE TABLE refused AS
    -- Found first by the few columns that decide; the rest is read only where something was found.
    WITH found AS (SELECT source_file, source_row FROM parsed WHERE {anything})
    SELECT
        {_record_id(department, "parsed.")} AS record_id, source_file, source_row,
        {first(0)} AS reason, {first(1)} AS field, {first(2)} AS observed, {first(3)} AS expected,
        incident_number, offense_code, count, occurred_from,
        coalesce(known_on, reported_at) AS known_on, precinct
    FROM parsed SEMI JOIN found USING (source_file, source_row)
    LEFT JOIN repeats USING (source_file, source_row)
    """


def _all_formats(department: Department) -> list[str]:
    formats = [*department.feed.date_formats]
    for layout in department.feed.layouts:
        formats.extend(layout.date_formats)
    return list(dict.fromkeys(formats))


def _known_formats(department: Department) -> str:
    if department.feed.publishes == "monthly":
        return f"a month as {' or '.join(department.feed.month_formats)}"
    return f"a date as {' or '.join(_all_formats(department))}"


def _recorded(kind: str, area: Area) -> str:
    """The code on the record: prefix stripped, alias applied, unknown codes as missing."""
    text = kind
    if area.strip:
        text = f"nullif(trim(replace({text}, {quoted(area.strip)}, '')), '')"
    if area.aliases:
        cases = " ".join(f"WHEN {quoted(a)} THEN {quoted(b)}" for a, b in area.aliases.items())
        text = f"CASE {text} {cases} ELSE {text} END"
    for code in area.unknown:
        text = f"nullif({text}, {quoted(code)})"
    return text


def write_incidents(department: Department, path: Path) -> str:
    """Write the accepted rows as the declared table; their order is not part of it."""
    areas = []
    joins = []
    for kind in AREA_KINDS:
        area = department.areas.kind(kind)
        joins.append(
            f"LEFT JOIN codes_{kind} ON codes_{kind}.code = row.{kind}_recorded "
            f"AND row.known_on_read >= codes_{kind}.valid_from "
            f"AND row.known_on_read < codes_{kind}.valid_to "
            # The map is of today; for an older record its area may not have existed yet.
            f"LEFT JOIN codes_{kind} AS map_{kind} ON map_{kind}.code = places.{kind}_map "
            f"AND row.known_on_read >= map_{kind}.valid_from "
            f"AND row.known_on_read < map_{kind}.valid_to"
        )
        # A department that lists no codes has none that are unlisted.
        open_list = not (area.codes or area.file)
        listed = f"row.{kind}_recorded" if open_list else f"codes_{kind}.code"
        areas.append(
            f"coalesce({listed}, map_{kind}.code) AS {kind}, "
            f"CASE WHEN {listed} IS NOT NULL THEN 'record' "
            f"WHEN map_{kind}.code IS NOT NULL THEN 'boundary' "
            f"WHEN row.{kind}_recorded IS NOT NULL THEN 'unlisted' ELSE 'missing' END "
            f"AS {kind}_source, "
            f"coalesce({listed} <> map_{kind}.code, false) AS {kind}_disagrees"
        )
    recorded = ", ".join(
        f"{_recorded(kind, department.areas.kind(kind))} AS {kind}_recorded" for kind in AREA_KINDS
    )
    unread = ", ".join(
        [
            *(
                f"CASE WHEN {field} IS NOT NULL AND {field}_read IS NULL THEN '{field}' END"
                for field in ("occurred_to", "reported_at")
            ),
            "CASE WHEN known_on_unread THEN 'known_on' END",
            *(
                f"CASE WHEN {axis} IS NOT NULL AND try_cast({axis} AS DOUBLE) IS NULL "
                f"THEN '{axis}' END"
                for axis in ("x", "y")
            ),
        ]
    )
    hidden = "(offense_map.sex_offense OR row.place_withheld)"
    columns = ", ".join(
        f"CAST({column.name} AS {PARQUET_TYPES[column.dtype]}) AS {column.name}"
        for column in INCIDENTS.columns
    )
    return f"""
    COPY (
      WITH row AS (
        SELECT *, {recorded}, nullif(concat_ws(' ', {unread}), '') AS unread_fields FROM parsed
      )
      SELECT {columns} FROM (
        SELECT
          {_record_id(department, "row.")} AS record_id,
          row.incident_number, row.offense_code,
          offense_map.offense, offense_map.ucr_code, offense_map.nibrs_code,
          offense_map.against, offense_map.part,
          row.count_read AS count,
          row.occurred_from_read AS occurred_from, row.occurred_to_read AS occurred_to,
          row.reported_at_read AS reported_at, row.known_on_read AS known_on,
          {", ".join(areas)},
          row.precinct_recorded,
          CASE WHEN {hidden} THEN NULL ELSE addresses.block_address END AS block_address,
          CASE WHEN {hidden} THEN NULL ELSE nullif(places.x, 'nan'::DOUBLE) END AS x,
          CASE WHEN {hidden} THEN NULL ELSE nullif(places.y, 'nan'::DOUBLE) END AS y,
          CASE WHEN {hidden} THEN 'missing' ELSE coalesce(places.quality, 'missing') END
            AS location_quality,
          CASE WHEN lower(row.origin) IN ('citizen', 'officer', 'alarm') THEN lower(row.origin)
            ELSE 'unknown' END AS origin,
          row.unread_fields, row.corrected_fields, row.source_file, row.source_row
        FROM row
        ANTI JOIN refused USING (source_file, source_row)
        JOIN offense_map ON offense_map.offense_code = row.offense_code
        LEFT JOIN places ON places.feed_x = try_cast(row.x AS DOUBLE)
          AND places.feed_y = try_cast(row.y AS DOUBLE)
        LEFT JOIN addresses ON addresses.published = row.block_address
        LEFT JOIN repeats ON repeats.source_file = row.source_file
          AND repeats.source_row = row.source_row
        {" ".join(joins)}
      )
    ) TO {quoted(str(path))} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)
    """


def write_rejected(path: Path) -> str:
    """Write the refused rows as the declared table, without place or address."""
    columns = ", ".join(
        f"CAST({column.name} AS {PARQUET_TYPES[column.dtype]}) AS {column.name}"
        for column in REJECTED_INCIDENTS.columns
    )
    return (
        f"COPY (SELECT {columns} FROM refused ORDER BY source_file, source_row) "
        f"TO {quoted(str(path))} (FORMAT parquet)"
    )


def write_feed_files(snapshot: Snapshot, cleaned: "Cleaned") -> str:
    """Write the manifest: each file with its hash, and where its rows went."""
    files = ", ".join(
        f"({quoted(file.name)}, {quoted(file.sha256)}, {file.size}::BIGINT, {file.rows}::BIGINT, "
        f"{quoted(file.layout)}, {quoted(', '.join(file.unused_columns))})"
        for file in snapshot.files
    )
    return f"""
    COPY (
      SELECT files.*, files.rows - coalesce(refusals.n, 0) AS accepted,
             coalesce(refusals.n, 0)::BIGINT AS rejected
      FROM (VALUES {files}) AS files(file, sha256, bytes, rows, layout, unused_columns)
      LEFT JOIN (
        SELECT source_file, count(*) AS n FROM read_parquet({quoted(str(cleaned.rejected))})
        GROUP BY source_file
      ) AS refusals ON refusals.source_file = files.file
      ORDER BY files.file
    ) TO {quoted(str(cleaned.feed_files))} (FORMAT parquet)
    """
