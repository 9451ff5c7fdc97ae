"""What the quality checks found, the steward's queue, and the corrections in force."""

from beatbook.tables.declaration import Column, Table

_SOURCE = (
    Column("source_file", "string", "feed file of the record, where there is one"),
    Column("source_row", "Int64", "its data row in that file, from 1"),
)

QUALITY_RESULTS = Table(
    name="quality_results",
    grain="one rule of one run; runs are added, never changed",
    key=("run_id", "table", "check"),
    columns=(
        Column("run_id", "string", "the run that checked", required=True),
        Column("checked_at", "string", "when, UTC, ISO 8601", required=True),
        Column("department", "string", "the department's short name", required=True),
        Column("table", "string", "the table that was checked", required=True),
        Column("check", "string", "the rule", required=True),
        Column("severity", "string", "critical (blocks publishing), warning, info", required=True),
        Column("why", "string", "why it matters, in plain English", required=True),
        Column("checked", "int64", "records looked at", unit="records", required=True),
        Column("failing", "int64", "records that failed", unit="records", required=True),
        Column("share", "float64", "failing of checked, 0 to 1; missing if none was checked"),
        Column("passed", "bool", "whether the rule was met", required=True),
        Column("observed", "string", "what a rule over a whole table saw"),
        Column("feed_sha256", "string", "hash of the feed that was checked"),
    ),
)

QUALITY_QUEUE = Table(
    name="quality_queue",
    grain="one question about one record (or about a whole table) for the steward",
    key=("item",),
    columns=(
        Column(
            "item",
            "string",
            "id, the same in every run: of department, table, check, record and field",
            required=True,
        ),
        Column("department", "string", "the department's short name", required=True),
        Column("table", "string", "the table that was checked", required=True),
        Column("check", "string", "the rule that failed", required=True),
        Column("severity", "string", "critical, warning or info", required=True),
        Column("why", "string", "why it matters, in plain English", required=True),
        Column(
            "record_key",
            "string",
            "record_id, file name, or the words that name what was checked; 'all' where the rule "
            "gives one item for all its records",
            required=True,
        ),
        Column("field", "string", "the field at fault; empty if it is not one", required=True),
        Column("observed", "string", "what the field holds"),
        Column("expected", "string", "what it should hold"),
        Column("records", "int64", "records behind the item", unit="records", required=True),
        *_SOURCE,
        Column("first_seen", "string", "the first run that found it, UTC, ISO 8601", required=True),
        Column("last_seen", "string", "the last run that found it, UTC, ISO 8601", required=True),
        Column("times_seen", "int64", "runs that found it", unit="runs", required=True),
        Column(
            "state",
            "string",
            "new, assigned, fixed at source, corrected, waived, not an error",
            required=True,
        ),
        Column("waived_until", "string", "last day of the waiver, ISO date, where it is waived"),
        Column("owner", "string", "who is to look at it"),
        Column("due", "string", "by when, ISO date"),
        Column("note", "string", "the last note"),
        Column("decided_by", "string", "who made the last decision"),
        Column("decided_at", "string", "when, UTC, ISO 8601"),
        Column("reopened", "int64", "times it was opened again", unit="times", required=True),
    ),
)

CORRECTIONS = Table(
    name="corrections",
    grain="one field of one record that the steward corrected",
    key=("record_id", "field"),
    columns=(
        Column("record_id", "string", "the record, by its published values", required=True),
        Column("field", "string", "the field that was corrected", required=True),
        Column(
            "published_value",
            "string",
            "the text that the feed holds; an address at the hundred block, none of the place of "
            "a sex offense",
        ),
        Column(
            "corrected_value",
            "string",
            "what stands in its place, times local; missing where the field was emptied",
        ),
        Column("decided_at", "string", "when, UTC, ISO 8601", required=True),
        Column("decided_by", "string", "who decided", required=True),
        Column("note", "string", "the steward's reason"),
        Column("item", "string", "the queue item that it answers", required=True),
        Column("took_effect", "bool", "whether the tables hold the corrected value", required=True),
        Column("reason", "string", "why it did not take effect; missing if it did"),
        *_SOURCE,
    ),
)
