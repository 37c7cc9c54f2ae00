"""Folding: what must be one name, and what must never be."""

from __future__ import annotations

import doctest
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.utils import text
from backend.utils.text import fold, fold_name, squeeze


def test_examples_in_the_module() -> None:
    tried = doctest.testmod(text)
    assert tried.attempted > 0
    assert tried.failed == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sigur Rós", "sigur ros"),
        ("Motörhead", "MOTORHEAD"),
        ("Mø", "MO"),
        ("Mötley Crüe", "Motley  Crue"),
        ("AC/DC", "ac dc"),
        ("Guns N’ Roses", "guns n' roses"),
        ("don´t", "dont"),
        ("A$AP Rocky", "ASAP Rocky"),
        ("Ke$ha", "Kesha"),
        ("Joey Bada$$", "joey badass"),
        ("$uicideboy$", "suicideboys"),
        ("P!nk", "Pink"),
        ("Simon & Garfunkel", "simon and garfunkel"),
        ("Ｆｕｌｌ　Ｗｉｄｔｈ", "full width"),
        ("straße", "STRASSE"),
        ("İstanbul", "istanbul"),
        ("مُحَمَّد", "محمد"),
        ("Ёлка", "елка"),
        ("( )", "()"),
        ("Beyonce\u0301", "Beyoncé"),
    ],
)
def test_spellings_of_one_name(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+", "-"), ("÷", "×"), ("!!!", "???"), ("( )", "[ ]"), ("$", "£"), ("1989", "1988"),
        ("ガラ", "カラ"), ("はな", "ばな"), ("कि", "की"), ("มา", "มี"), ("$100", "s100"), ("Wham!", "Whami"),
        ("☆", "★"), ("🔥", "💧"), ("÷ (Deluxe)", "+ (Deluxe)"), ("- (Deluxe)", "= (Deluxe)"),
    ],
)  # fmt: skip
def test_names_that_stay_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_only_a_leading_article_goes() -> None:
    assert fold_name("The Beatles") == "beatles"
    assert fold_name("The The") == "the"
    assert fold_name("The") == "the"
    assert fold_name("Theatre of Tragedy") == "theatre of tragedy"
    assert fold_name("Into the Great Wide Open") == "into the great wide open"


def test_squeeze_keeps_what_is_printed() -> None:
    assert squeeze(" Abbey\u00a0\n Road\x00\x1b ") == "Abbey Road"
    assert squeeze("e\u0301") == "é"
    assert squeeze(" \t\u2003") == ""


@given(st.text())
def test_folding_twice_changes_nothing(name: str) -> None:
    assert fold(fold(name)) == fold(name)
    assert squeeze(squeeze(name)) == squeeze(name)


@given(st.text())
def test_a_printable_name_never_vanishes(name: str) -> None:
    assert bool(fold(name)) == bool(squeeze(name))


@given(st.text())
def test_folded_words_are_parted_by_single_blanks(name: str) -> None:
    folded = fold(name)
    assert folded == " ".join(folded.split())
    assert unicodedata.is_normalized("NFC", folded)


@given(st.text(alphabet=st.characters(max_codepoint=0x24F)))
def test_case_makes_no_difference(name: str) -> None:
    assert fold(name.upper().lower()) == fold(name.lower())
