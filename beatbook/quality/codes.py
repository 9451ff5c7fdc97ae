"""Codes that appear, vanish, or come to mean something else."""

import numpy as np
import pandas as pd

from beatbook.book.formatting import counted
from beatbook.offenses import UNMAPPED
from beatbook.quality.staged import Staged
from beatbook.quality.volumes import AT_LEAST, WINDOW, volume_limits

FIELDS = {
    "offense_code": "offense code",
    "precinct_recorded": "precinct",
    "beat": "beat",
    "neighborhood": "neighborhood",
}


def code_drift(staged: Staged) -> pd.DataFrame:
    """Codes that the latest period brings for the first time, and codes that it lacks.

    Returns
    -------
    DataFrame
        One row a new or lacking code: ``record_key, field, code, observed, expected, drift``
        (``new`` or ``gone``), ``records`` (of the latest period), ``usual`` (records a period,
        mean of the twelve before), ``p`` (chance of none, for one that is gone; 0 for a new one).
        A code that the period before lacked too is not gone again. Empty without history. Where a
        field was never filled before, or is not filled any more, its codes are not listed one by
        one: that is for :func:`beatbook.quality.shares.shares` to tell.
    """
    columns = [
        "record_key", "field", "code", "observed", "expected", "drift", "records", "usual", "p",
    ]  # fmt: skip
    if len(staged.periods) < AT_LEAST + 1:
        return pd.DataFrame(columns=columns)
    _count_codes(staged)
    last = len(staged.periods) - 1
    first = max(0, last - 3 * WINDOW)
    days = np.array([(p.end - p.start).days + 1 for p in staged.periods[first:]], float)
    rows = []
    for field, words in FIELDS.items():
        seen = staged.ask(f"SELECT code, period, records FROM codes WHERE field = '{field}'")
        now = seen[seen["period"] == last]
        before = seen[seen["period"] < last]
        if now.empty or before.empty:
            continue
        seen_ever = set(
            staged.ask(f"SELECT code FROM codes_before WHERE field = '{field}'")["code"]
        )
        name = staged.latest.name
        for code, records in now[["code", "records"]].itertuples(index=False):
            if code not in seen_ever:
                rows.append(
                    (f"{name}|{field}|{code}", field, code,
                     f"{words} {code}: {counted(records, 'record')}",
                     f"a {words} that has come before", "new", int(records), 0.0, 0.0)
                )  # fmt: skip
        wide = (
            before[before["period"] >= first]
            .pivot_table(index="code", columns="period", values="records", aggfunc="sum")
            .reindex(columns=range(first, last + 1))
            .fillna(0.0)
        )
        if wide.empty:
            continue
        limits = volume_limits(wide.to_numpy(float), days, groups=[field] * len(wide))
        usual = wide.iloc[:, -1 - WINDOW : -1].mean(axis=1).to_numpy()
        here = set(now["code"])
        came = wide.iloc[:, -2].to_numpy() > 0
        for place, code in enumerate(wide.index):
            if code in here or not came[place] or not usual[place]:
                continue
            rows.append(
                (f"{name}|{field}|{code}", field, code, f"no record with the {words} {code}",
                 f"about {usual[place]:,.0f} a {staged.word}", "gone", 0, float(usual[place]),
                 float(limits["p"].iloc[place]))
            )  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _count_codes(staged: Staged) -> None:
    """Count the codes once: ``codes`` by compared period, ``codes_before`` of all earlier days."""
    parts = " UNION ALL ".join(
        f"SELECT '{field}' AS field, {field} AS code, known_on, count(*) AS n FROM incidents "
        f"WHERE {field} IS NOT NULL GROUP BY ALL"
        for field in FIELDS
    )
    staged.connection.execute(f"CREATE OR REPLACE TEMP TABLE code_days AS {parts}")
    staged.connection.execute(
        "CREATE OR REPLACE TEMP TABLE codes AS SELECT field, code, period, sum(n)::BIGINT "
        "AS records FROM code_days JOIN periods ON known_on >= first_day "
        "AND known_on < last_day + INTERVAL 1 DAY GROUP BY ALL"
    )
    staged.connection.execute(
        "CREATE OR REPLACE TEMP TABLE codes_before AS SELECT DISTINCT field, code FROM code_days "
        f"WHERE known_on < DATE '{staged.latest.start}'"
    )


def descriptions(staged: Staged) -> pd.DataFrame:
    """Offense codes beside the words that the publisher gives them.

    Returns
    -------
    DataFrame
        One row a code and description in the feed: ``record_key`` (code and words), ``field,
        observed, expected, records, source_file, source_row`` (its first record),
        ``code_means`` (the offense by offenses.csv), ``words_mean`` (the offense under which
        nearly all records with these words stand, if it is another; else, where a code carries
        several descriptions, what these words clearly say; else ``code_means``), ``new_words``
        (the code came before, always with other words). Empty where the feed has no
        descriptions, or its text is not at hand.
    """
    columns = [
        "record_key", "field", "observed", "expected", "records", "source_file", "source_row",
        "code_means", "words_mean", "new_words",
    ]  # fmt: skip
    if not staged.has_text or not staged.periods:
        return pd.DataFrame(columns=columns)
    start = staged.latest.start
    pairs = staged.ask(
        """
        WITH said AS (
            SELECT source_file, offense_code,
                upper(regexp_replace(offense_description, '\\s+', ' ', 'g')) AS words,
                count(*) AS n, min(source_row) AS source_row
            FROM published WHERE offense_description IS NOT NULL GROUP BY ALL
        ), files AS (
            SELECT source_file, max(known_on) AS known_on FROM file_days GROUP BY source_file
        )
        SELECT offense_code, words, sum(n)::BIGINT AS records, min(known_on) AS first_known,
            arg_min(source_file, (known_on, source_file)) AS source_file,
            arg_min(source_row, (known_on, source_file)) AS source_row
        FROM said JOIN files USING (source_file) GROUP BY ALL
        """
    )
    if pairs.empty:
        return pd.DataFrame(columns=columns)
    meaning = staged.ask("SELECT DISTINCT offense_code, offense FROM incidents")
    pairs = pairs.merge(meaning, on="offense_code", how="inner")
    by_words = pairs.groupby(["words", "offense"])["records"].sum().reset_index()
    most = by_words.sort_values("records").groupby("words").tail(1)
    share = most.set_index("words")["records"] / by_words.groupby("words")["records"].sum()
    usual = most.set_index("words")["offense"]
    clear = pairs["words"].map(share) >= 0.9
    pairs["words_mean"] = pairs["offense"].where(~clear, pairs["words"].map(usual))
    several = pairs.groupby("offense_code")["words"].transform("nunique") > 1
    largest = pairs.groupby("offense_code")["records"].transform("max")
    odd = several & (pairs["records"] < largest) & (pairs["words_mean"] == pairs["offense"])
    if odd.any():
        from beatbook.onboarding.offense_guesses import guess_offense

        for place in pairs.index[odd]:
            guess = guess_offense(pairs["words"][place])
            if guess is not None:
                pairs.loc[place, "words_mean"] = guess.offense
    earliest = pairs.groupby("offense_code")["first_known"].transform("min")
    latest = pairs["first_known"] >= pd.Timestamp(start)
    pairs["new_words"] = latest & (earliest < pd.Timestamp(start))
    pairs = pairs[(pairs["offense"] != UNMAPPED)]
    return pd.DataFrame(
        {
            "record_key": pairs["offense_code"] + "|" + pairs["words"],
            "field": "offense_code",
            "observed": [
                f"code {code} described as {words}: {counted(records, 'record')}"
                for code, words, records in pairs[["offense_code", "words", "records"]].itertuples(
                    index=False
                )
            ],
            "expected": "words that mean " + pairs["offense"],
            "records": pairs["records"],
            "source_file": pairs["source_file"],
            "source_row": pairs["source_row"],
            "code_means": pairs["offense"],
            "words_mean": pairs["words_mean"],
            "new_words": pairs["new_words"],
        }
    )[columns].reset_index(drop=True)
