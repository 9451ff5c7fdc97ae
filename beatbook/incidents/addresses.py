"""Addresses at the hundred block: no house number, no unit, no typed-in coordinates."""

ADDRESSES = r"""
CREATE TABLE addresses AS
WITH distinct_addresses AS (
    SELECT DISTINCT block_address AS published FROM source WHERE block_address IS NOT NULL
), parts AS (
    SELECT
        published,
        regexp_replace(published, '\s+', ' ', 'g') AS text,
        try_cast(regexp_extract(published, '^#?\s*(\d+)', 1) AS BIGINT) AS number
    FROM distinct_addresses
), streets AS (
    SELECT
        published,
        -- '7TH STREET' starts with an ordinal, not with a house number.
        CASE WHEN regexp_matches(text, '^#?\s*\d+[A-Za-z]?([^\dA-Za-z]|$)') THEN number END
            AS number,
        regexp_replace(
            text,
            '^#?\s*\d+[A-Za-z]?(\s*[-/&,]\s*(\d+[A-Za-z]?|[A-Za-z])\b)*(\s+\d/\d)?[,.]?'
            || '(\s+BLK|\s+BLOCK)?(\s+OF)?(\s+|$)', '', 'i'
        ) AS street
    FROM parts
)
SELECT
    published,
    CASE
        WHEN number IS NULL THEN text_without_unit
        WHEN number = 0 THEN text_without_unit
        ELSE (number // 100 * 100) || ' block of ' || text_without_unit
    END AS block_address
FROM (
    -- A unit (a word for one, then a letter or digits: not STERLING) would single out a home
    -- within the block; coordinates typed into the street would undo the rest; and a number in
    -- the street may be a house number, so its last two digits go, unless it is an ordinal:
    -- '125TH' is marked with a tilde meanwhile.
    SELECT *, nullif(trim(replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
        street,
        '(XY\s*)?\(?\d{6,}.*$|XY\s*\(.*$', '', 'i'),
        '(^|\s)(#|APT|UNIT|STE|SUITE|RM|ROOM)(\.?\s*#?\s*\w*\d\w*|[.#\s]+[A-Z])\b.*$', '', 'i'),
        '\b(\d{1,3})(ST|ND|RD|TH)\b', '\1~\2', 'gi'),
        '(\d)\d\d([^\d~]|$)', '\100\2', 'g'),
        '~', ''
    )), '') AS text_without_unit
    FROM streets
)
"""
