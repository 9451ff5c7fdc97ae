"""What a published offense means, guessed from its words where they are clear.

A guess that is wrong is worse than none: what is not clear is left to a person, and its place is
withheld meanwhile. Whatever may be a sex offense is guessed to be one, so that its place is
withheld too.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Guess:
    """One line of an offense map: the class that a code seems to stand for."""

    offense: str
    ucr_code: str
    nibrs_code: str
    against: str
    part: str
    sex_offense: bool = False


class _Rule(NamedTuple):
    words: re.Pattern[str]
    guess: Guess | None


def _rule(words: str, *guess: str) -> _Rule:
    if not guess:
        return _Rule(re.compile(words), None)
    offense, ucr, nibrs, against, part, *sex = guess
    return _Rule(re.compile(words), Guess(offense, ucr, nibrs, against, part, sex == ["sex"]))


_LARCENY = r"(LARCENY|\bLARC\b|THEFT|STEALING|STOLEN|\bSTLG\b|\bSTEAL\b)"
_VEHICLE = (
    r"(MOTOR VEH|MTR VEH|\bVEH(ICLES?)?\b|\bAUTO(MOBILE|S)?\b|\bCARS?\b|TRUCK|MOTORCYCLE|\bMV\b)"
)
_SEX = (
    r"\bSEX|SEXUAL|INDECEN|MOLEST|\bLEWD|LASCIV|VOYEUR|PEEPING|INCEST|SODOM|PORNOGR|EXPOSURE"
    r"|CARNAL|\bFONDL|HUMAN TRAFFICK|OBSCEN"
)
_MVT = ("Motor Vehicle Theft", "07", "240", "property", "I")

# The first that fits decides. A rule without a guess leaves the offense to a person.
RULES: tuple[_Rule, ...] = (
    # Sex offenses come first: whatever else such an offense is, its place is withheld.
    _rule(r"STAT\w*ORY RAPE|STAT RAPE", "Other Sex Offenses", "17", "36B", "person", "II", "sex"),
    _rule(r"\bRAPE", "Rape", "02", "11A", "person", "I", "sex"),
    # Rape since the FBI's definition of 2013, another sex offense before it.
    _rule(r"SODOM"),
    _rule(
        r"(CRIM(INAL)?|AGG(RAVATED)?|FORCIBLE|FIRST.DEGREE|1ST.DEGREE).*SEX(UAL)? "
        r"(ASSAULT|ASLT|ABUSE|BATTERY)|\bSEX(UAL)? (ASSAULT|ASLT|ABUSE|BATTERY)",
        "Rape",
        "02",
        "11A",
        "person",
        "I",
        "sex",
    ),
    _rule(r"INCEST", "Other Sex Offenses", "17", "36A", "person", "II", "sex"),
    _rule(
        r"MOLEST|FONDL|SEXUAL CONTACT",
        "Other Sex Offenses",
        "17",
        "11D",
        "person",
        "II",
        "sex",
    ),
    _rule(r"PORNOGR|OBSCEN", "Other Sex Offenses", "17", "370", "society", "II", "sex"),
    _rule(
        r"HUMAN TRAFFICK.*SEX|SEX TRAFFICK",
        "Other Sex Offenses",
        "17",
        "64A",
        "person",
        "II",
        "sex",
    ),
    # Not a crime of its own, or not one kind: registration is one of a person, not of a place.
    _rule(r"REGIST.*(SEX|OFFENDER)|SEX OFFENDER"),
    _rule(_SEX, "Other Sex Offenses", "17", "90Z", "person", "II", "sex"),
    # What these words qualify is not the offense itself, or an offense of another class.
    _rule(
        r"\bATT(EMPT(ED)?)?\b.*(MURDER|HOMICIDE)|(MURDER|HOMICIDE).*\bATT(EMPT(ED)?)?\b"
        r"|JUSTIF|CONSPIR|SOLICIT.*(MURDER|HOMICIDE)|NON.?CRIM|UNFOUND|FALSE (REPORT|ALARM)"
        r"|\bLOST\b|FOUND PROP|OBSTRUCT"
        r"|\bRECOVERED|\bINFO|(?<!NON)(?<!NON )NEGLIGEN.*(HOMICIDE|MANSL)|VEHICULAR"
        r"|VEH(ICLE)?.{0,3}(HOMICIDE|MANSL)"
        r"|MANSL.*(NEG|VEH)|(HOMICIDE|MANSL).*(NEG|VEH|TRAFFIC)|SUSPICIOUS|SUICIDE"
    ),
    _rule(r"HOMICIDE|MURDER|MANSLAUGHTER", "Homicide", "01", "09A", "person", "I"),
    _rule(r"ROBB|CARJACK|HOLD.?UP\b|MUGGING", "Robbery", "03", "120", "property", "I"),
    _rule(
        r"(\bAGG\w*\b.*(ASSAULT|ASLT|ASSLT|BATTERY)"
        r"|(ASSAULT|ASLT|ASSLT|BATTERY).*\bAGG"
        r"|(ASSAULT|ASLT|ASSLT|BATTERY).*(DANGEROUS|DEADLY|FIREARM|\bGUN\b|\bKNIFE|\bWEAPON|\bADW\b"
        r"|INTENT TO KILL|SERIOUS BODILY|CUTTING)|\bADW\b|SHOOTING (AT|INTO).*(PERSON|OCCUP))"
        r"(?!.*(NON.?AGG|NO WEAPON))",
        "Aggravated Assault",
        "04",
        "13A",
        "person",
        "I",
    ),
    _rule(
        r"(SIMPLE|MISD(EMEANOR)?\b|\bMINOR\b|NON.?AGG).*(ASSAULT|ASLT|BATTERY)"
        r"|(ASSAULT|ASLT|BATTERY).*(SIMPLE|MISD|NON.?AGG)",
        "Simple Assault",
        "09",
        "13B",
        "person",
        "II",
    ),
    _rule(r"ASSAULT|ASLT|ASSLT|BATTERY"),
    _rule(
        r"INTIMIDAT|HARASS|STALK|TERRORI[SZ]TIC THREAT|CRIMINAL THREAT",
        "Simple Assault",
        "09",
        "13C",
        "person",
        "II",
    ),
    _rule(r"TOOLS|POSS.*BURG", "All Other Offenses", "26", "90Z", "society", "II"),
    # A burglary of a vehicle, as some states say, is a theft from it under UCR rules.
    _rule(
        r"BURG\w*\W+((OF|FROM|TO)\W+)?(A\W+)?" + _VEHICLE,
        "Larceny",
        "06",
        "23F",
        "property",
        "I",
    ),
    _rule(
        r"BURG|BREAKING (AND|&) ENTERING|\bB ?(&|AND) ?E\b|HOME INVASION|UNLAWFUL ENTRY.*STRUCT",
        "Burglary",
        "05",
        "220",
        "property",
        "I",
    ),
    # Taken from a vehicle, or a part of one: no theft of the vehicle.
    _rule(
        _LARCENY
        + r".*(\bFROM\b|\bFR\b|\bFRM\b|F/).*"
        + _VEHICLE
        + r"|"
        + _VEHICLE
        + r".{0,12}BREAK|BREAK.*"
        + _VEHICLE
        + r"|\bTFMV\b|\bBFMV\b",
        "Larceny",
        "06",
        "23F",
        "property",
        "I",
    ),
    _rule(
        _LARCENY
        + r".*"
        + _VEHICLE
        + r".*(PART|ACCESS|PLATE|TAG)|(LICENSE PLATE|CATALYTIC).*"
        + _LARCENY
        + r"|"
        + _LARCENY
        + r".*(LICENSE PLATE|CATALYTIC)",
        "Larceny",
        "06",
        "23G",
        "property",
        "I",
    ),
    _rule(
        r"(RECEIV|POSS|SALE|SELL|BUY).*STOLEN|STOLEN PROP(ERTY)?\b",
        "Stolen Property",
        "13",
        "280",
        "property",
        "II",
    ),
    _rule(r"^(AUTO|(MOTOR )?VEHICLE) THEFT\b", *_MVT),
    _rule(r"UNAUTHORI[SZ]ED USE|JOY.?RID|TAMPER|\bRECOV"),
    _rule(
        _LARCENY
        + r".*"
        + _VEHICLE
        + r"|"
        + _VEHICLE
        + r".{0,6}"
        + _LARCENY
        + r"|STOLEN "
        + _VEHICLE
        + r"|GRAND THEFT AUTO|\bUUMV\b|\bMVT\b",
        *_MVT,
    ),
    _rule(
        r"\bDUI\b|\bDWI\b|\bOWI\b|\bOVI\b|DRIVING (WHILE|UNDER).*(INFL|INTOX|DRUNK|IMPAIR)",
        "Driving Under the Influence",
        "21",
        "90D",
        "society",
        "II",
    ),
    _rule(
        r"PARAPHERN|NARCOT|\bDRUGS?\b|CONTROLLED SUBST|MARI[JH]UANA|COCAINE|HEROIN|METHAMP|OPIUM"
        r"|CANNABIS|\bVUCSA\b",
        "Drugs",
        "18",
        "35A",
        "society",
        "II",
    ),
    _rule(
        r"IDENTITY|\bFRAUD|DECEI|DECEPT|FALSE PRETEN|SWINDL|CREDIT CARD|BAD CHECK|IMPERSONAT"
        r"|CONFIDENCE GAME|\bSCAM|\bSERVICES?\b.*" + _LARCENY + r"|" + _LARCENY + r".*\bSERVICE",
        "Fraud",
        "11",
        "26A",
        "property",
        "II",
    ),
    _rule(r"FORG|COUNTERFEIT", "Forgery", "10", "250", "property", "II"),
    _rule(r"EMBEZZL", "Embezzlement", "12", "270", "property", "II"),
    _rule(r"SHOPLIFT|SHOP.?LIFT|RETAIL THEFT", "Larceny", "06", "23C", "property", "I"),
    _rule(r"POCKET.?PICK|PICK.?POCKET", "Larceny", "06", "23A", "property", "I"),
    _rule(r"PURSE.?SNATCH", "Larceny", "06", "23B", "property", "I"),
    _rule(_LARCENY + r".*(FROM|FRM) (A )?(BUILDING|BLDG)", "Larceny", "06", "23D", "property", "I"),
    _rule(_LARCENY + r".*COIN", "Larceny", "06", "23E", "property", "I"),
    _rule(_LARCENY, "Larceny", "06", "23H", "property", "I"),
    _rule(r"ARSON", "Arson", "08", "200", "property", "I"),
    _rule(
        r"VANDAL|CRIMINAL (DAMAGE|MISCHIEF)|MALICIOUS (DAMAGE|MISCHIEF)|GRAFFITI"
        r"|(DESTR|DAMAGE).*PROP|PROP.*(DAMAGE|DESTR)(?!.*ACC)",
        "Vandalism",
        "14",
        "290",
        "property",
        "II",
    ),
    _rule(r"PROSTITU|COMMERCIALIZED VICE", "Prostitution", "16", "40A", "society", "II"),
    _rule(r"GAMBL|BOOKMAKING", "Gambling", "19", "39A", "society", "II"),
    _rule(r"LIQUOR|OPEN CONTAINER", "Liquor Laws", "22", "90G", "society", "II"),
    _rule(
        r"(PUBLIC|DRUNK).*(INTOX|DRUNK)|DRUNKENNESS", "Drunkenness", "23", "90Z", "society", "II"
    ),
    _rule(
        r"DISORDERLY|DISTURB.*PEACE|PEACE DISTURB|DISTURBING THE PEACE",
        "Disorderly Conduct",
        "24",
        "90C",
        "society",
        "II",
    ),
    _rule(
        r"WEAPON|FIREARM|CONCEALED (CARRY|WEAP)|DISCHARG.*(GUN|FIRE)|UNLAWFUL.*(GUN|KNIFE)",
        "Weapons",
        "15",
        "520",
        "society",
        "II",
    ),
    _rule(r"TRESPASS", "All Other Offenses", "26", "90J", "society", "II"),
    _rule(r"KIDNAP|ABDUCT", "All Other Offenses", "26", "100", "person", "II"),
    _rule(r"EXTORT|BLACKMAIL", "All Other Offenses", "26", "210", "property", "II"),
    _rule(r"BRIBE", "All Other Offenses", "26", "510", "property", "II"),
)

_ANY = re.compile("|".join(f"(?:{rule.words.pattern})" for rule in RULES))

_NIBRS = {
    "09A": ("Homicide", "01", "person", "I"),
    "11A": ("Rape", "02", "person", "I"),
    "11B": ("Rape", "02", "person", "I"),
    "11C": ("Rape", "02", "person", "I"),
    "11D": ("Other Sex Offenses", "17", "person", "II"),
    "13A": ("Aggravated Assault", "04", "person", "I"),
    "13B": ("Simple Assault", "09", "person", "II"),
    "13C": ("Simple Assault", "09", "person", "II"),
    "36A": ("Other Sex Offenses", "17", "person", "II"),
    "36B": ("Other Sex Offenses", "17", "person", "II"),
    "64A": ("Other Sex Offenses", "17", "person", "II"),
    "120": ("Robbery", "03", "property", "I"),
    "200": ("Arson", "08", "property", "I"),
    "220": ("Burglary", "05", "property", "I"),
    **{f"23{letter}": ("Larceny", "06", "property", "I") for letter in "ABCDEFGH"},
    "240": ("Motor Vehicle Theft", "07", "property", "I"),
    "250": ("Forgery", "10", "property", "II"),
    **{f"26{letter}": ("Fraud", "11", "property", "II") for letter in "ABCDEFG"},
    "270": ("Embezzlement", "12", "property", "II"),
    "280": ("Stolen Property", "13", "property", "II"),
    "290": ("Vandalism", "14", "property", "II"),
    "35A": ("Drugs", "18", "society", "II"),
    "35B": ("Drugs", "18", "society", "II"),
    "40A": ("Prostitution", "16", "society", "II"),
    "40B": ("Prostitution", "16", "society", "II"),
    "520": ("Weapons", "15", "society", "II"),
    "90D": ("Driving Under the Influence", "21", "society", "II"),
}
_SEX_OFFENSES = ("Rape", "Other Sex Offenses")


def guess_offense(text: str) -> Guess | None:
    """Guess what an offense is from its description.

    Parameters
    ----------
    text
        The words of the publisher, in any case.

    Returns
    -------
    Guess or None
        None where the words are not clear: an assault of no stated degree, an attempted murder
        (an aggravated assault under UCR rules), a code without words.

    Notes
    -----
    UCR classes are those of the Summary system's handbook (FBI 2004), NIBRS codes those of the
    user manual (FBI 2021); robbery is a crime against property there.
    """
    words = re.sub(r"[\s_-]+", " ", text.upper()).strip()
    words = re.sub(r"\bW/ ?", "WITH ", words)
    for rule in RULES:
        if rule.words.search(words):
            return rule.guess
    return None


def guess_from_nibrs(code: str) -> Guess | None:
    """What a NIBRS offense code stands for; None if it is none, or stands for no CompStat row."""
    key = code.strip().upper()
    if key not in _NIBRS:
        return None
    offense, ucr, against, part = _NIBRS[key]
    return Guess(offense, ucr, key, against, part, offense in _SEX_OFFENSES)


def are_nibrs(codes: list[str]) -> bool:
    """Whether codes are NIBRS's: nearly all are, and some hold a letter, as 13A does."""
    known = [code.strip().upper() in _NIBRS or re.fullmatch(r"90[A-Z]|[1-7]\d[\dA-H]", code)
             for code in codes]  # fmt: skip
    lettered = [bool(re.fullmatch(r"\d{2}[A-Z]", code.strip().upper())) for code in codes]
    return len(codes) >= 3 and sum(map(bool, known)) >= 0.9 * len(codes) and sum(lettered) >= 2


def names_an_offense(text: str) -> bool:
    """Whether the words are those of an offense, clear or not."""
    words = re.sub(r"[\s_-]+", " ", text.upper()).strip()
    return bool(_ANY.search(words))
