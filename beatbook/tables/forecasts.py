"""The forecasts of one week, and the ledger that holds them to what came."""

from beatbook.tables.declaration import Column, Table

_OFFENSES = "offenses"
_AS_OF = Column("as_of", "datetime64[us]", "only what was known by this day", required=True)
_CUTOFF = Column(
    "cutoff",
    "datetime64[us]",
    "first day of the last week that the forecast may look at",
    required=True,
)
_REASON = Column(
    "reason", "string", "why this model, why withdrawn, or what the fallback is", required=True
)
_WITHDRAWN = Column(
    "withdrawn",
    "bool",
    "the chosen model did not beat its naive over 8 weeks: the naive is published",
    required=True,
)


def _numbers(required: bool) -> tuple[Column, ...]:
    meanings = {
        "y_hat": "mean of the forecast",
        "median": "its median",
        "lo_80": "low end of the 80 % interval, a whole number",
        "hi_80": "high end of the 80 % interval",
        "lo_95": "low end of the 95 % interval",
        "hi_95": "high end of the 95 % interval",
    }
    return (
        *(Column(n, "float64", m, unit=_OFFENSES, required=required) for n, m in meanings.items()),
        Column(
            "size",
            "float64",
            "of the negative binomial: its variance is y_hat + y_hat^2/size",
            required=required,
        ),
    )


def _place(geography: str) -> tuple[Column, ...]:
    return (
        Column("geography_type", "string", "city or precinct", required=True),
        Column("geography", "string", geography, required=True),
        Column("offense", "string", "CompStat row or total", required=True),
    )


FORECASTS = Table(
    name="forecasts",
    grain="one series, forecast week and model (the chosen one and the seasonal naive)",
    key=("unique_id", "ds", "model"),
    partition="week_ending",
    columns=(
        Column("unique_id", "string", "geography/offense, City for the city", required=True),
        *_place("city name, precinct code, or Unknown"),
        Column("ds", "datetime64[us]", "first day of the forecast week", required=True),
        Column("weeks_ahead", "int64", "1 for the week after the book's", required=True),
        Column(
            "model",
            "string",
            "name of the model; bottom_up is the sum of the parts' published forecasts, fallback "
            "what a series too odd for any model gets",
            required=True,
        ),
        *_numbers(required=True),
        _CUTOFF,
        _AS_OF,
        Column(
            "published",
            "bool",
            "the row that pages show: one model a series and week",
            required=True,
        ),
        _WITHDRAWN,
        _REASON,
    ),
)

NOWCASTS = Table(
    name="nowcasts",
    grain="one geography, offense and recent span of days, as of one book",
    key=("geography_type", "geography", "offense", "span"),
    partition="week_ending",
    columns=(
        *_place("city name, precinct code, or Unknown"),
        Column(
            "span",
            "string",
            "week_1 (the last seven days known) to week_4, and 28_days",
            required=True,
        ),
        Column("first_day", "datetime64[us]", "first day of the span", required=True),
        Column("last_day", "datetime64[us]", "last day of the span", required=True),
        _AS_OF,
        Column("reported", "Int64", "net offenses as the books stand", unit=_OFFENSES),
        Column(
            "expected_final",
            "float64",
            "what half a year of late records will make of it; missing without history",
            unit=_OFFENSES,
        ),
        *(
            Column(name, "float64", f"{end} end of the {share} % interval", unit=_OFFENSES)
            for share in (80, 95)
            for name, end in ((f"lo_{share}", "low"), (f"hi_{share}", "high"))
        ),
        Column("prior", "Int64", "the same days a year ago as they stood then", unit=_OFFENSES),
        Column("change", "float64", "reported over prior, less one: like for like, a share"),
        Column("note", "string", "empty, or why something is missing", required=True),
    ),
)

PLACE_FORECASTS = Table(
    name="place_forecasts",
    grain="one cell of the grid, offense and horizon",
    key=("offense", "weeks", "cell"),
    partition="week_ending",
    columns=(
        Column("offense", "string", "a citizen-reported offense", required=True),
        Column("weeks", "int64", "length of the horizon", unit="weeks", required=True),
        Column("cell", "string", "name of the cell: column and row from the origin", required=True),
        Column("x", "float64", "easting of the cell's center", unit="m", required=True),
        Column("y", "float64", "northing of the cell's center", unit="m", required=True),
        Column("area_m2", "float64", "area within the city", unit="m2", required=True),
        Column(
            "expected",
            "float64",
            "offenses expected in the cell over the horizon",
            unit=_OFFENSES,
            required=True,
        ),
        Column("rank", "int64", "1 for the cell with the most expected", required=True),
        Column("chosen", "bool", "in the forecast area", required=True),
        Column("model", "string", "the published model", required=True),
        Column("naive_rank", "int64", "rank by the long-run count", required=True),
        Column("naive_chosen", "bool", "in the naive count's area of that size", required=True),
        _WITHDRAWN,
        _REASON,
        _CUTOFF,
        _AS_OF,
        Column("cells_chosen", "int64", "cells in the forecast area", unit="cells", required=True),
        Column(
            "share_left_out",
            "float64",
            "share of the offense's records of the last 52 weeks that have no usable point",
            required=True,
        ),
    ),
)

PLACE_CALIBRATION = Table(
    name="place_calibration",
    grain="one offense, horizon and band of cells of equal expected count, over the back-test",
    key=("offense", "weeks", "band"),
    partition="week_ending",
    columns=(
        Column("offense", "string", "a citizen-reported offense", required=True),
        Column("weeks", "int64", "length of the horizon", unit="weeks", required=True),
        Column("model", "string", "the chosen model", required=True),
        Column("band", "int64", "1 (least expected a cell) to 10", required=True),
        Column(
            "cells", "int64", "cells in the band, over all cutoffs", unit="cells", required=True
        ),
        Column("expected", "float64", "sum of what was expected", unit=_OFFENSES, required=True),
        Column("observed", "float64", "what came", unit=_OFFENSES, required=True),
        Column("lo_95", "float64", "exact Poisson interval of observed, low end", required=True),
        Column("hi_95", "float64", "exact Poisson interval of observed, high end", required=True),
    ),
)

FORECAST_SCORES = Table(
    name="forecast_scores",
    grain="one published forecast (or the model or naive that stood beside it), and its score",
    key=("kind", "unique_id", "model", "cutoff", "ds", "weeks"),
    columns=(
        Column("kind", "string", "series or places", required=True),
        Column("unique_id", "string", "geography/offense, City for the city", required=True),
        Column("model", "string", "name of the model", required=True),
        _CUTOFF,
        Column("ds", "datetime64[us]", "first day of what was forecast", required=True),
        Column("weeks", "int64", "its length; 1 for series", unit="weeks", required=True),
        Column("published", "bool", "pages showed this row", required=True),
        _WITHDRAWN,
        Column("made_as_of", "datetime64[us]", "only what was known by then", required=True),
        *_numbers(required=False),
        Column(
            "scale",
            "float64",
            "series: mean absolute change from week to week up to the cutoff, as known then",
            unit=_OFFENSES,
        ),
        Column("cells", "string", "places: names of the cells of the forecast area"),
        Column("grid", "string", "places: size, shape and origin of the grid of those cells"),
        Column("y", "float64", "net offenses that came; missing until settled", unit=_OFFENSES),
        Column("naive_y_hat", "float64", "the naive's mean for the same", unit=_OFFENSES),
        Column("error", "float64", "y_hat - y", unit=_OFFENSES),
        Column("crps", "float64", "continuous ranked probability score", unit=_OFFENSES),
        Column("naive_crps", "float64", "the naive's for the same", unit=_OFFENSES),
        Column(
            "scaled_crps",
            "float64",
            "crps over scale",
        ),
        Column("in_80", "boolean", "y lay within the 80 % interval"),
        Column("in_95", "boolean", "y lay within the 95 % interval"),
        Column("hits", "float64", "offenses in the chosen cells", unit=_OFFENSES),
        Column("naive_hits", "float64", "in the naive's cells", unit=_OFFENSES),
        Column("best_hits", "float64", "the most that as many cells held", unit=_OFFENSES),
        Column("events", "float64", "offenses with a usable point in the city", unit=_OFFENSES),
        Column("area_share", "float64", "chosen cells as a share of all"),
        Column("pai", "float64", "share of events caught over share of area"),
        Column("pei_star", "float64", "hits over the most that as many cells held"),
        Column(
            "scored_as_of",
            "datetime64[us]",
            "the day by which what came had to be known to count; missing until scored",
        ),
    ),
)

FORECAST_SCORECARD = Table(
    name="forecast_scorecard",
    grain="one model's scores over a group of forecasts, in the back-test or as published",
    key=("basis", "kind", "geography_type", "group", "weeks", "model"),
    partition="week_ending",
    columns=(
        Column(
            "basis",
            "string",
            "'back-test as known, 13 origins' (or how many), or 'published forecasts'",
            required=True,
        ),
        Column("kind", "string", "series or places", required=True),
        Column("geography_type", "string", "city or precinct", required=True),
        Column("group", "string", "offense or total; all for all together", required=True),
        Column("weeks", "int64", "series: weeks ahead at most; places: horizon", required=True),
        Column("model", "string", "name of the model", required=True),
        Column("chosen", "bool", "the model that the week's forecasts use", required=True),
        Column("forecasts", "int64", "how many were scored", required=True),
        Column("scaled_error", "float64", "absolute error of the mean over the one-step change"),
        Column("scaled_median_error", "float64", "the same of the median"),
        Column("scaled_crps", "float64", "CRPS over the one-step change"),
        Column(
            "over_naive",
            "float64",
            "series: absolute error over the seasonal naive's; under 1 is better",
        ),
        Column("bias", "float64", "sum of errors over sum of outcomes"),
        Column("coverage_80", "float64", "share of randomized PIT within 0.1 to 0.9"),
        Column("coverage_95", "float64", "share of randomized PIT within 0.025 to 0.975"),
        Column("hits", "float64", "offenses in the chosen cells", unit=_OFFENSES),
        Column("events", "float64", "offenses in all cells", unit=_OFFENSES),
        *(
            column
            for name, meaning in (
                ("hit_rate", "share of events in the chosen cells"),
                ("pai", "hit rate over share of area"),
                ("pei_star", "hits over the most that as many cells held"),
                ("rri_levine", "hit rate over that of the year before each cutoff"),
                ("predicted_over_observed", "expected over observed in the chosen cells"),
                ("gain", "hits over the naive count's, less one"),
            )
            for column in (
                Column(name, "float64", meaning),
                Column(f"{name}_low", "float64", "low end of its 95 % bootstrap interval"),
                Column(f"{name}_high", "float64", "high end of its 95 % bootstrap interval"),
            )
        ),
    ),
)
