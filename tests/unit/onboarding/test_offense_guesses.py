"""Offense guesses agree with the maps that people wrote, and leave alone what is not clear."""

import csv
import lzma

import pytest

from beatbook.department import load_department
from beatbook.offenses import load_offenses, map_offenses
from beatbook.onboarding.offense_guesses import (
    are_nibrs,
    guess_from_nibrs,
    guess_offense,
    names_an_offense,
)


@pytest.mark.parametrize(
    ("text", "offense", "nibrs"),
    [
        ("HOMICIDE", "Homicide", "09A"),
        ("Murder & Nonnegligent Manslaughter", "Homicide", "09A"),
        ("FORCIBLE RAPE", "Rape", "11A"),
        ("CRIM SEXUAL ASSAULT", "Rape", "11A"),
        ("ROBBERY - STRONGARM", "Robbery", "120"),
        ("ASSAULT W/DANGEROUS WEAPON", "Aggravated Assault", "13A"),
        ("AGG ASSAULT", "Aggravated Assault", "13A"),
        ("SIMPLE ASSAULT", "Simple Assault", "13B"),
        ("Breaking & Entering", "Burglary", "220"),
        ("BURGLARY OF A VEHICLE", "Larceny", "23F"),
        ("THEFT F/AUTO", "Larceny", "23F"),
        ("THEFT/OTHER", "Larceny", "23H"),
        ("SHOPLIFTING", "Larceny", "23C"),
        ("MOTOR VEHICLE THEFT", "Motor Vehicle Theft", "240"),
        ("VEHICLE - STOLEN", "Motor Vehicle Theft", "240"),
        ("Arson", "Arson", "200"),
        ("CRIMINAL DAMAGE TO PROPERTY", "Vandalism", "290"),
        ("NARCOTICS", "Drugs", "35A"),
        ("DECEPTIVE PRACTICE", "Fraud", "26A"),
    ],
)
def test_clear_words(text, offense, nibrs):
    guess = guess_offense(text)
    assert (guess.offense, guess.nibrs_code) == (offense, nibrs)


@pytest.mark.parametrize(
    "text",
    ["ASSAULT", "ATTEMPTED MURDER", "SODOMY", "LOST PROPERTY", "RECOVERED VEHICLE",
     "UNAUTHORIZED USE OF A VEHICLE", "NEGLIGENT MANSLAUGHTER", "SEX OFFENDER REGISTRATION",
     "PUBLIC PEACE VIOLATION", "265321"],
)  # fmt: skip
def test_unclear_words_are_left_to_a_person(text):
    assert guess_offense(text) is None


@pytest.mark.parametrize(
    "text", ["INDECENT EXPOSURE", "LEWD ACT", "PEEPING TOM", "CHILD MOLESTATION", "RAPE", "INCEST"]
)
def test_what_may_be_a_sex_offense_is_guessed_to_be_one(text):
    assert guess_offense(text).sex_offense


def test_the_shipped_maps_are_met(shipped_home):
    """On a month of real descriptions the guesses agree, and no sex offense is missed."""
    department = load_department("st_louis", shipped_home)
    rules = load_offenses(department)
    rows = []
    for month in ("2018-03",):
        path = department.folder / f"feed/{month}.csv.xz"
        with lzma.open(path, "rt", encoding="cp1252", newline="") as file:
            rows += [(r["Crime"].strip().zfill(6), r["Description"]) for r in csv.DictReader(file)]
    meant = map_offenses((code for code, _ in rows), rules).set_index("offense_code")
    guesses = {text: guess_offense(text) for _, text in rows}
    guessed = [(meant.loc[code], guesses[text]) for code, text in rows if guesses[text]]
    right = sum(means["offense"] == guess.offense for means, guess in guessed)
    assert len(guessed) > 0.75 * len(rows)
    assert right > 0.99 * len(guessed)
    assert all(guess.sex_offense for means, guess in guessed if means["sex_offense"])


def test_nibrs_codes_speak_for_themselves():
    assert are_nibrs(["13A", "13B", "220", "23F", "240", "35A"])
    assert not are_nibrs(["1", "2", "3", "220"])
    assert guess_from_nibrs("13a").offense == "Aggravated Assault"
    assert guess_from_nibrs("11D").sex_offense
    assert guess_from_nibrs("999") is None


def test_words_that_name_an_offense():
    assert names_an_offense("ASSAULT") and not names_an_offense("MIDNIGHT SHIFT")
