"""The words by which publishers name the columns of an incident file."""

import re

_WORDS: dict[str, str] = {
    "incident_number": (
        r"\bccn\b|\bcase( ?(num|no|nbr|id|key))?\b|case number|complaint|incident ?(num|no|nbr|id)"
        r"|report ?(num|no|nbr|id)\b|event ?(num|no|id)|\bdr ?(no|num)|\binc ?(num|no|id)\b"
        r"|\brms\b|offen[sc]e ?(id|num)|file ?(num|no)|record ?(num|no)|\bcr ?(num|no)\b|\bir ?no\b"
    ),
    "offense_code": (
        r"(offen[sc]e|crime|ucr|nibrs|violation|incident|charge|statute|call)s? ?(code|cd|no|num)"
        r"|\bcrm ?cd$|\biucr\b|\bucr\b|nibrs|statute|\bcode\b|^crime$|^offen[sc]e$"
        r"|(offen[sc]e|crime|incident|primary|call|violation) ?(type|class|category|group)"
        r"|^offen[sc]es?\b"
    ),
    "offense_description": (
        r"descri|\bdesc\b|(offen[sc]e|crime|charge) ?name|literal|primary type|offen[sc]e$"
        r"|(offen[sc]e|crime|incident) ?(type|category)"
    ),
    "count": r"^counts?$|\b(crime|offen[sc]e|net|incident) ?count",
    "occurred_from": (
        r"occur|\bocc\b|committed|(offen[sc]e|incident|crime|event) ?(start|begin|from)"
        r"|(offen[sc]e|incident|crime|event) ?(date|dt)|date of (offen[sc]e|crime|incident)"
        r"|\b(start|begin|beg|from)\b|date ?(start|begin|from)|^date( ?time)?$|^datetime$"
    ),
    "occurred_to": (
        r"\b(end|ended|ending|to|thru|through|until|last|latest)\b|date ?(to|end|thru)\b"
    ),
    "reported_at": (
        r"report|\brept|\brptd?\b|receiv|\bentered|\bentry|created|\badd(ed)?\b|\bcall ?(date|time)"
        r"|notif"
    ),
    "known_on": r"coded|approv|posted|publish|month report|\bknown|\bmonth\b",
    "precinct": (
        r"precinct|police ?dist|\bdistricts?\b|^dist\b|\bdivision|\bzone\b|\bcommand|\bbureau\b"
        r"|\barea\b|area ?(id|name|no)"
    ),
    "beat": r"\bbeats?\b|\bpsa\b|\bsector|reporting ?(district|area)|rpt dist|\bpatrol|\bgrid\b",
    "neighborhood": (
        r"neigh|\bn ?hood|\bnbhd|\bhood|communit|\bcluster|\bvillage|\bborough|statistical"
    ),
    "block_address": (
        r"addr|\bblock|blk\b|location|street|intersection|\bplace\b|hundred|\bsite\b"
    ),
    "origin": r"origin|source|how ?rec|initiat|reported ?by",
}
# What looks like a field by one word and is something else by another.
_NOT: dict[str, str] = {
    "incident_number": r"object ?id|global|\bfid\b|row ?(id|num)|type|date|time|categ|code",
    "offense_code": r"zip|postal|weapon|method|status|location|premis|censu|area|dispo",
    "offense_description": r"location|premis|weapon|status|block|addr|place|area|dispo|beat",
    "occurred_from": (
        r"\b(to|end|thru|through|until|last)\b|report|\brpt|modif|updat|edit|birth|\bdob\b"
    ),
    "occurred_to": r"modif|updat|edit|birth|\bdob\b|report|\bfrom\b|\bstart",
    "reported_at": r"occur|modif|updat|edit|birth|\bdob\b|refresh|extract|\bend\b|num|\bno\b",
    "known_on": r"modif|updat|edit|birth|\bdob\b|occur",
    "precinct": (
        r"voting|council|school|congress|census|ward\b|fire\b|legis|senate|rpt|reporting"
        r"|neigh|statist|business|bid\b|police service|x ?coord|y ?coord"
    ),
    "beat": r"officer|unit|x ?coord",
    "neighborhood": r"census|officer|policing",
    "block_address": r"\bcad|block ?group|coord|census|x ?block|y ?block|mail|email|\bip\b|desc"
    r"|name|comment|type|latitude|longitude|\bid\b",
    "origin": r"url|file|data ?source|system",
}
_NEVER_A_DATE_OF_CRIME = re.compile(
    r"modif|updat|edit|birth|\bdob\b|refresh|extract|arrest|load|valid|clear|close|warrant"
)


def in_words(column: str) -> str:
    """A column's name in lower-case words: ``MonthReportedToMSHP`` is month reported to mshp."""
    text = re.sub(r"([a-z\d])([A-Z])", r"\1 \2", column)
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", text)
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def names_field(column: str, field: str) -> str | None:
    """The word by which a column's name says that it holds a field; None if it does not."""
    words = in_words(column)
    if field in _NOT and re.search(_NOT[field], words):
        return None
    found = re.search(_WORDS[field], words)
    return found[0].strip() if found else None


def never_a_date_of_crime(column: str) -> bool:
    """Whether the name says that its date is of something else: of an update, or a birth."""
    return bool(_NEVER_A_DATE_OF_CRIME.search(in_words(column)))


def as_label(column: str, kind: str) -> str:
    """What a department seems to call a kind of area, from its column's name."""
    words = [word for word in in_words(column).split() if word not in ("id", "no", "num", "code",
             "name", "number", "police")]  # fmt: skip
    if not words or len(" ".join(words)) < 3:
        return kind.title()
    return " ".join(word.upper() if len(word) <= 3 else word.title() for word in words)
