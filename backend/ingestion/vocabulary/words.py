"""Reading the vocabulary, and telling genres, moods and junk apart."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache, lru_cache
from typing import Final, NamedTuple

from backend.ingestion.vocabulary.correction import Corrector
from backend.ingestion.vocabulary.entries import entries, lines, listed
from backend.ingestion.vocabulary.spelling import closed, plainest, without_frame
from backend.utils.text import fold

_LONGEST: Final = 40  # characters; what is longer is a sentence
_LONGEST_PHRASE: Final = 3  # words of a place or manner ("new york city")
_TIME: Final = re.compile(r"\d+|(?:\d{2}|\d{4})e?r?s+|.*\b(?:19|20)\d\d\b.*")
_ADDRESS: Final = re.compile(r"https?:|www\.|\.(?:com|net|org|fm)\b", re.IGNORECASE)


class Kind(StrEnum):
    """What a tag is."""

    GENRE = "genre"
    MOOD = "mood"
    JUNK = "junk"
    UNKNOWN = "unknown"


class Word(NamedTuple):  # hashed some hundred times an album, which a dataclass does in Python
    """A tag's kind and, for genres and moods, its canonical spelling."""

    kind: Kind
    name: str


@lru_cache(maxsize=16_384)
def tell(tag: str) -> Word:
    """What a tag is, in whatever spelling.

    A genre after places and manners ("swedish death metal") is a genre of its own.

    >>> tell("Hip-Hop"), tell("melancholy"), tell("seen live").kind.value
    (Word(kind=<Kind.GENRE: 'genre'>, name='hip hop'), Word(kind=<Kind.MOOD: 'mood'>, name='melancholic'), 'junk')
    >>> tell("80s Synth Pop songs").name, tell("Swedish Deathmetal").name
    ('synthpop', 'swedish death metal')
    """
    if len(tag) > _LONGEST:
        return Word(Kind.JUNK, "")
    key = fold(tag)
    inner = without_frame(key)
    found = _known(key) or _known(inner)
    if found is not None:
        return found
    if not inner or _is_junk(tag, key) or _is_junk(inner, inner):
        return Word(Kind.JUNK, key)
    composed = _composed(key) or _composed(inner)
    if composed:
        return Word(Kind.GENRE, composed)
    return _corrected(key) or _corrected(inner) or Word(Kind.UNKNOWN, key)


def read_ahead() -> None:
    """Read all files of the vocabulary now (a tenth of a second) instead of at the first tag."""
    _corrector()
    _junk_words()
    _junk()


def head_of(name: str) -> str | None:
    """The canonical genre at the end of a genre composed of places and manners before it.

    >>> head_of("swedish death metal"), head_of("toronto rap"), head_of("death metal")
    ('death metal', 'hip hop', None)
    """
    found = _parted(fold(name)) if _known(fold(name)) is None else None
    return found[2].name if found else None


def _known(key: str) -> Word | None:
    """The genre or mood of this name: as it stands, else in the plainest spelling, else written in one word."""
    plain = plainest(key)
    return next((_names()[form] for form in (key, plain, closed(key), closed(plain)) if form in _names()), None)


def _is_junk(tag: str, key: str) -> bool:
    if len(key) <= 1 or _TIME.fullmatch(key) or _ADDRESS.search(tag) or key in _places():
        return True
    return key in _junk_words() or _junk().match(key) is not None


def _composed(key: str) -> str | None:
    """A genre with places and manners before it; the genre's own words as many as possible."""
    found = _parted(key)
    if found is None:
        return None
    before, head, genre = found
    # Spelt as the genre is, but not renamed to it: "toronto rap" stays, "swedish deathmetal" is parted.
    is_spelling = closed(plainest(head)) == closed(plainest(fold(genre.name)))
    return f"{before} {genre.name if is_spelling else head}"


def _parted(key: str) -> tuple[str, str, Word] | None:
    """Places and manners, the words of the genre after them, and the genre."""
    words = key.split()
    for at in range(1, len(words)):
        head = " ".join(words[at:])
        genre = _known(head)
        if genre is not None and genre.kind is Kind.GENRE and _are_modifiers(words[:at]):
            return " ".join(words[:at]), head, genre
    return None


def _corrected(key: str) -> Word | None:
    """The one genre or mood that a misspelt tag can mean."""
    meant = set()
    for right in _corrector().corrections(key):
        word = _known(right) or _known(without_frame(right))
        if word is None and (composed := _composed(right)):
            word = Word(Kind.GENRE, composed)
        if word is not None:
            meant.add(word)
    return meant.pop() if len(meant) == 1 else None


def _are_modifiers(words: list[str]) -> bool:
    if not words:
        return True
    phrases = range(1, min(_LONGEST_PHRASE, len(words)) + 1)
    return any(" ".join(words[:n]) in _modifiers() and _are_modifiers(words[n:]) for n in phrases)


def mood_place(name: str) -> tuple[float, float]:
    """Where a mood lies on Russell's circumplex (doi:10.1037/h0077714): valence and arousal, -1..1.

    >>> mood_place("happy"), mood_place("calm")
    ((0.9, 0.45), (0.5, -0.75))

    Raises:
        KeyError: it is no canonical mood.
    """
    return _mood_places()[name]


@cache
def genres() -> Mapping[str, str]:
    """Canonical genres by every spelling that is written down, folded."""
    return dict(spelt("genres.txt"))


@cache
def moods() -> Mapping[str, str]:
    """Canonical moods by every spelling that is written down, folded."""
    return dict(spelt("moods.txt"))


def spelt(file: str) -> Iterator[tuple[str, str]]:
    """Every folded spelling in one file, and of its names in `spellings.txt`, with the canonical name."""
    names = set()
    for entry in entries(file):
        names.add(entry.name)
        yield fold(entry.name), entry.name
        yield from ((fold(other), entry.name) for other in entry.aliases)
    for entry in entries("spellings.txt"):
        if entry.name in names:
            yield from ((fold(other), entry.name) for other in entry.aliases)


@cache
def _mood_places() -> Mapping[str, tuple[float, float]]:
    return {entry.name: entry.place for entry in entries("moods.txt") if entry.place is not None}


@cache
def _names() -> Mapping[str, Word]:
    """Genres and moods by every key: as they are spelt before what spellings come to, so that none hides another."""
    spellings = [(key, Word(Kind.GENRE, name)) for key, name in genres().items()]
    spellings += [(key, Word(Kind.MOOD, name)) for key, name in moods().items()]
    names: dict[str, Word] = {}
    for key, word in spellings:
        names.setdefault(key, word)
    for form in (plainest, closed):
        for key, word in spellings:
            names.setdefault(form(key), word)
    return names


@cache
def _corrector() -> Corrector:
    phrases = {*_names(), *_modifiers()}
    return Corrector((word for phrase in phrases for word in phrase.split()), apart=listed("apart.txt"))


def _places() -> frozenset[str]:
    return listed("places.txt")


@cache
def _modifiers() -> frozenset[str]:
    return _places() | listed("manners.txt")


@cache
def _junk_words() -> frozenset[str]:
    return frozenset(fold(line) for line in lines("junk.txt") if "*" not in line and "?" not in line)


@cache
def _junk() -> re.Pattern[str]:
    patterns = (line.lower() for line in lines("junk.txt") if "*" in line or "?" in line)
    return re.compile("|".join(map(fnmatch.translate, patterns)))
