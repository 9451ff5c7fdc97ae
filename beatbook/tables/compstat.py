"""The counted tables: by week, and one book's windows with their changes."""

from beatbook.tables.declaration import Column, Table

WEEKLY_COUNTS = Table(
    name="weekly_counts",
    grain="one precinct, offense and CompStat week that the feed covers",
    key=("precinct", "offense", "week"),
    columns=(
        Column("precinct", "string", "precinct code, or Unknown", required=True),
        Column("offense", "string", "CompStat row, or Unmapped", required=True),
        Column("week", "datetime64[us]", "first day of the week", required=True),
        Column("incidents", "int64", "net offenses of that week", unit="offenses", required=True),
    ),
)

COMPSTAT = Table(
    name="compstat",
    grain="one geography, offense, window and comparison of one book",
    key=("geography_type", "geography", "offense", "window", "comparison"),
    partition="week_ending",
    columns=(
        Column("department", "string", "the department's short name", required=True),
        Column("week_ending", "datetime64[us]", "last day of the book's week", required=True),
        Column("as_of", "datetime64[us]", "only what was known by this day", required=True),
        Column("geography_type", "string", "city or precinct", required=True),
        Column("geography", "string", "city name, precinct code, or Unknown", required=True),
        Column("offense", "string", "CompStat row or total", required=True),
        Column("window", "string", "week, 28_days or year_to_date", required=True),
        Column("comparison", "string", "prior_period or prior_year", required=True),
        Column("current_start", "datetime64[us]", "first day of the window", required=True),
        Column("current_end", "datetime64[us]", "last day of the window", required=True),
        Column("prior_start", "datetime64[us]", "first day compared with", required=True),
        Column("prior_end", "datetime64[us]", "last day compared with", required=True),
        Column("current", "Int64", "net offenses; missing if not covered", unit="offenses"),
        Column(
            "prior",
            "Int64",
            "net offenses; missing if not covered or not comparable",
            unit="offenses",
        ),
        Column("percent_change", "float64", "missing for a base of zero", unit="%"),
        Column("p_value", "float64", "two-sided Poisson E-test"),
        Column("q_value", "float64", "Benjamini-Hochberg over all tests of the book"),
        Column("note", "string", "empty, 'not covered' or 'not comparable'", required=True),
    ),
)
