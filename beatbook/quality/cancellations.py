"""Records that cancel a crime which the books never held."""

import pandas as pd

from beatbook.quality.staged import Staged


def unmatched_cancellations(staged: Staged) -> pd.DataFrame:
    """Find -1 records without an earlier, or equally early, +1 record to cancel.

    A cancellation is matched by the case number and the offense. Where that finds nothing because
    a number is missing on either side (a feed may have gained numbers later), by what the records
    say: the offense, the day of occurrence and the precinct; and where a redistricting lies
    between, the offense and the minute of occurrence. Each +1 is canceled once: of two
    cancellations and one crime, the later is unmatched. One of a crime from before the feed begins
    is not looked at, because the crime need not be in the feed.

    Returns
    -------
    DataFrame
        One row a cancellation looked at: ``record_key`` (record_id), ``field, observed,
        expected, source_file, source_row, unmatched`` (bool).
    """
    if not staged.spans:
        return staged.ask("SELECT NULL AS record_key, false AS unmatched WHERE false")
    first = staged.spans[0].start
    return staged.connection.sql(
        f"""
        WITH minus AS (
            SELECT * FROM incidents WHERE count = -1
        ), plus AS (
            SELECT record_id, incident_number, offense, occurred_from, precinct, known_on, count
            FROM incidents WHERE count = 1 AND (
                incident_number IN (SELECT incident_number FROM minus)
                OR (offense, occurred_from::DATE) IN (
                    SELECT (offense, occurred_from::DATE) FROM minus
                )
            )
        ), numbered AS (
            SELECT record_id, count, sum((count = 1)::INT) OVER earlier
                - sum((count = -1)::INT) OVER earlier AS left_over
            FROM (
                SELECT record_id, incident_number, offense, known_on, count FROM minus
                UNION ALL BY NAME
                SELECT record_id, incident_number, offense, known_on, count FROM plus
            ) WHERE incident_number IS NOT NULL
            WINDOW earlier AS (PARTITION BY incident_number, offense ORDER BY known_on)
        ), by_number AS (
            SELECT record_id FROM numbered WHERE count = -1 AND left_over >= 0
        ), rest AS (
            -- A cancellation whose number finds nothing may mean a crime without a number.
            SELECT record_id, offense, occurred_from, precinct, known_on, count FROM minus
            WHERE record_id NOT IN (FROM by_number)
            UNION ALL BY NAME
            SELECT record_id, offense, occurred_from, precinct, known_on, count FROM plus
            WHERE incident_number IS NULL
                OR EXISTS (FROM minus WHERE minus.incident_number IS NULL
                    AND minus.offense = plus.offense
                    AND minus.occurred_from::DATE = plus.occurred_from::DATE)
        ), worded AS (
            SELECT record_id, count,
                sum(count) OVER by_place AS by_place, sum(count) OVER by_minute AS by_minute
            FROM rest
            WINDOW by_place AS (
                PARTITION BY offense, occurred_from::DATE, precinct ORDER BY known_on
            ), by_minute AS (PARTITION BY offense, occurred_from ORDER BY known_on)
        ), by_words AS (
            SELECT record_id FROM worded WHERE count = -1 AND (by_place >= 0 OR by_minute >= 0)
        )
        SELECT
            record_id AS record_key, 'count' AS field,
            '-1 for ' || offense || ' on ' || strftime(occurred_from, '%Y-%m-%d')
                || coalesce(', case ' || incident_number, '') AS observed,
            'a +1 record of the same case, or offense, day and precinct, coded by then'
                AS expected,
            source_file, source_row,
            record_id NOT IN (FROM by_number) AND record_id NOT IN (FROM by_words) AS unmatched
        FROM minus WHERE occurred_from >= DATE '{first}'
        ORDER BY source_file, source_row
        """
    ).df()
