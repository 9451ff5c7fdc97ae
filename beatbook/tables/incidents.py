"""The tables that a refresh publishes from the feed."""

from beatbook.tables.declaration import Column, Table


def _area(kind: str, what: str) -> tuple[Column, ...]:
    return (
        Column(kind, "string", f"{what}; missing if unknown"),
        Column(
            f"{kind}_source",
            "string",
            f"where the {kind} is from: record, boundary (the map, where the record had none), "
            "unlisted (the record's code is on no list), missing",
            required=True,
        ),
        Column(
            f"{kind}_disagrees",
            "bool",
            f"the record's {kind} is not the one that its point lies in",
            required=True,
        ),
    )


INCIDENTS = Table(
    name="incidents",
    grain="one offense record that the department published",
    key=("record_id",),
    columns=(
        Column("record_id", "string", "stable identity of the record", required=True),
        Column("incident_number", "string", "the department's case number, where published"),
        Column("offense_code", "string", "offense code as published", required=True),
        Column("offense", "string", "the department's CompStat row", required=True),
        Column("ucr_code", "string", "FBI Summary (UCR) class, two digits"),
        Column("nibrs_code", "string", "NIBRS offense code"),
        Column("against", "string", "what the crime is against: person, property, society"),
        Column("part", "string", "UCR Part: I or II"),
        Column(
            "count",
            "int64",
            "+1, or -1 where the department cancels an earlier record; crime is the sum",
            unit="offenses",
            required=True,
        ),
        Column("occurred_from", "datetime64[us]", "start of occurrence, local", required=True),
        Column("occurred_to", "datetime64[us]", "end of occurrence, local, where published"),
        Column("reported_at", "datetime64[us]", "when it was reported, local, where published"),
        Column(
            "known_on", "datetime64[us]", "day from which the books held the record", required=True
        ),
        *_area("precinct", "command area in force when the record was coded"),
        Column("precinct_recorded", "string", "the precinct as it stands on the record"),
        *_area("beat", "beat, or what the department patrols by"),
        *_area("neighborhood", "neighborhood code"),
        Column("block_address", "string", "hundred block or intersection; none for sex offenses"),
        Column("x", "float64", "easting in the department's CRS; none for sex offenses", unit="m"),
        Column("y", "float64", "northing in the department's CRS; none for sex offenses", unit="m"),
        Column(
            "location_quality",
            "string",
            "exact, block, pile_up, outside or missing: which points a map may use",
            required=True,
        ),
        Column("origin", "string", "citizen, officer, alarm or unknown", required=True),
        Column(
            "unread_fields", "string", "optional fields whose published value could not be read"
        ),
        Column(
            "corrected_fields",
            "string",
            "fields that the steward corrected, see the table corrections; missing if none",
        ),
        Column("source_file", "string", "feed file that the record came in", required=True),
        Column("source_row", "int64", "its data row in that file, from 1", required=True),
    ),
)

REJECTED_INCIDENTS = Table(
    name="rejected_incidents",
    grain="one source row that could not become an incident",
    key=("record_id",),
    columns=(
        Column("record_id", "string", "stable identity of the record", required=True),
        Column("source_file", "string", "feed file", required=True),
        Column("source_row", "int64", "data row in that file, from 1", required=True),
        Column("reason", "string", "why it was refused, a short code", required=True),
        Column("field", "string", "the field at fault", required=True),
        Column("observed", "string", "what the field holds"),
        Column("expected", "string", "what it should hold", required=True),
        Column("incident_number", "string", "the department's case number, where published"),
        Column("offense_code", "string", "offense code as published"),
        Column("count", "string", "the count as published"),
        Column("occurred_from", "string", "start of occurrence as published"),
        Column("known_on", "string", "known day or month as published"),
        Column("precinct", "string", "precinct as published"),
    ),
)

FEED_FILES = Table(
    name="feed_files",
    grain="one file of the feed",
    key=("file",),
    columns=(
        Column("file", "string", "name of the file", required=True),
        Column("sha256", "string", "hash of its bytes as they stand", required=True),
        Column("bytes", "int64", "size", unit="bytes", required=True),
        Column("rows", "int64", "data rows", unit="rows", required=True),
        Column("layout", "string", "the declared layout its header matched", required=True),
        Column("unused_columns", "string", "columns of the file that the layout does not map"),
        Column("accepted", "int64", "rows that became incidents", unit="rows", required=True),
        Column("rejected", "int64", "rows that were refused", unit="rows", required=True),
    ),
)
