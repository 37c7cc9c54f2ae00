"""Spellings in other languages, and misspelt tags."""

from __future__ import annotations

import pytest

from backend.ingestion.vocabulary import Kind, Word, genres, moods, tell
from backend.ingestion.vocabulary.correction import Corrector
from backend.ingestion.vocabulary.entries import entries, listed
from backend.ingestion.vocabulary.spelling import closed, plainest
from backend.utils.text import fold


@pytest.mark.parametrize(
    ("tag", "canonical"),
    [
        ("rock alternatif", "alternative rock"), ("Musique électronique", "electronic"), ("Klassik", "classical"),
        ("рок", "rock"), ("ロック", "rock"), ("힙합", "hip hop"), ("música clásica", "classical"),
        ("música eletrônica", "electronic"),
        ("musica elettronica", "electronic"), ("muzyka filmowa", "soundtrack"), ("Kinderlieder", "children's music"),
        ("türkçe rap", "turkish hip hop"), ("klassisk musik", "classical"), ("jazzmusik", "jazz"), ("ポストロック", "post-rock"),
        ("реггетон", "reggaeton"), ("regueton", "reggaeton"), ("ρεμπέτικα", "rebetiko"), ("hevi", "heavy metal"),
        ("regae", "reggae"), ("accoustic", "acoustic"), ("shoe gaze", "shoegaze"), ("african music", "african music"),
        ("Kammermusik", "chamber music"), ("chanson française", "chanson"), ("人声", ""),
    ],
)  # fmt: skip
def test_genres_in_other_languages(tag: str, canonical: str) -> None:
    assert tell(tag) == (Word(Kind.GENRE, canonical) if canonical else Word(Kind.UNKNOWN, fold(tag)))


@pytest.mark.parametrize(
    ("tag", "canonical"),
    [
        ("triste", "sad"), ("traurig", "sad"), ("грустная", "sad"), ("悲しい", "sad"), ("슬픈", "sad"),
        ("entspannend", "relaxing"),
        ("mélancolique", "melancholic"), ("wesoły", "happy"), ("mutlu", "happy"), ("спокойная", "calm"),
    ],
)  # fmt: skip
def test_moods_in_other_languages(tag: str, canonical: str) -> None:
    assert tell(tag) == Word(Kind.MOOD, canonical)


def test_more_spellings_belong_to_names_that_exist() -> None:
    names = {*genres().values(), *moods().values()}
    assert {e.name for e in entries("spellings.txt")} - names == set()


def test_no_spelling_is_given_twice() -> None:
    given = [fold(alias) for e in entries("spellings.txt") for alias in e.aliases]
    assert len(given) == len(set(given))
    assert len(genres()) > 3_000


@pytest.mark.parametrize(
    ("tag", "canonical"),
    [
        ("electrropop", "electropop"), ("progresssive rock", "progressive rock"), ("techincal metal", "technical metal"),
        ("brazillian jazz", "brazilian jazz"), ("avantgrade", "avant-garde"), ("tradtional country", "traditional country"),
        ("swedish melodik death metal", "swedish melodic death metal"), ("etherial", "ethereal"),
        ("instrumentel", "instrumental"),
    ],
)  # fmt: skip
def test_one_wrong_letter_is_mended(tag: str, canonical: str) -> None:
    assert tell(tag).name == canonical


@pytest.mark.parametrize(
    "tag",
    [
        "port rock", "pest rock", "heavy mental", "garbage", "christina", "apocalyptica", "mourning", "melodica", "hunting",
        "stranger", "grudge", "county", "france gall", "Metallica", "victorian", "elektrik rack", "teaching", "goldfrapp",
        "morphine", "radiohead", "garbage live",
    ],
)  # fmt: skip
def test_other_words_are_not_mended(tag: str) -> None:
    assert tell(tag).kind not in {Kind.GENRE, Kind.MOOD}


def test_words_that_stand_apart_are_left_alone() -> None:
    """They are known by their own spelling, or not at all."""
    spelt = {form(key) for key in (*genres(), *moods()) for form in (str, plainest, closed)}
    told = {word for word in listed("apart.txt") if tell(word).kind in {Kind.GENRE, Kind.MOOD}}
    assert {word for word in told if plainest(word) not in spelt and closed(word) not in spelt} == set()


def test_two_words_as_near_are_no_correction_of_one() -> None:
    corrector = Corrector(["casting", "coating", "post", "rock", "alternative"], apart=["coasters"])
    assert sorted(corrector.corrections("coasting")) == ["casting", "coating"]
    assert corrector.corrections("altrenative rock") == ["alternative rock"]
    assert corrector.corrections("port rock") == []  # too short to be sure
    assert corrector.corrections("altrenative rokc") == []  # two words wrong
    assert corrector.corrections("ulternative") == []  # the first letter
    assert corrector.corrections("alternative rock") == []
