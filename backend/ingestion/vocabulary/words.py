"""Reading the vocabulary, and telling genres, moods and junk apart."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

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


@dataclass(frozen=True, slots=True)
class Word:
    """A tag's kind and, for genres and moods, its canonical spelling."""

    kind: Kind
    name: str


@lru_cache(maxsize=131_072)
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
    return Word(Kind.GENRE, composed) if composed else Word(Kind.UNKNOWN, key)


def _known(key: str) -> Word | None:
    """The genre or mood of this name: as it stands, else in the plainest spelling, else written in one word."""
    plain = plainest(key)
    return next((_names()[form] for form in (key, plain, closed(key), closed(plain)) if form in _names()), None)


def _is_junk(tag: str, key: str) -> bool:
    if len(key) <= 1 or _TIME.fullmatch(key) or _ADDRESS.search(tag) or key in _places():
        return True
    return _junk().match(key) is not None


def _composed(key: str) -> str | None:
    """A genre with places and manners before it; the genre's own words as many as possible."""
    words = key.split()
    for at in range(1, len(words)):
        head = " ".join(words[at:])
        genre = _known(head)
        if genre is not None and genre.kind is Kind.GENRE and _are_modifiers(words[:at]):
            # Spelt as the genre is, but not renamed to it: "toronto rap" stays, "swedish deathmetal" is parted.
            is_spelling = closed(plainest(head)) == closed(plainest(fold(genre.name)))
            return " ".join((*words[:at], genre.name if is_spelling else head))
    return None


def _are_modifiers(words: list[str]) -> bool:
    if not words:
        return True
    phrases = range(1, min(_LONGEST_PHRASE, len(words)) + 1)
    return any(" ".join(words[:n]) in _modifiers() and _are_modifiers(words[n:]) for n in phrases)


@cache
def genres() -> Mapping[str, str]:
    """Canonical genres by every spelling that is written down, folded."""
    return dict(_spellings("genres.txt"))


@cache
def moods() -> Mapping[str, str]:
    """Canonical moods by every spelling that is written down, folded."""
    return dict(_spellings("moods.txt"))


@cache
def _names() -> Mapping[str, Word]:
    """Genres and moods by every key: as they are spelt before what spellings come to, so that none hides another."""
    spelt = [(key, Word(Kind.GENRE, name)) for key, name in genres().items()]
    spelt += [(key, Word(Kind.MOOD, name)) for key, name in moods().items()]
    names: dict[str, Word] = {}
    for form in (str, plainest, closed):
        for key, word in spelt:
            names.setdefault(form(key), word)
    return names


@cache
def _places() -> frozenset[str]:
    return frozenset(_listed("places.txt"))


@cache
def _modifiers() -> frozenset[str]:
    return _places() | frozenset(_listed("manners.txt"))


@cache
def _junk() -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(line.lower()) for line in _lines("junk.txt")))


def _spellings(name: str) -> Iterator[tuple[str, str]]:
    for line in _lines(name):
        canonical, _, others = line.partition("=")
        yield fold(canonical), canonical.strip()
        for other in others.split(","):
            if other.strip():
                yield fold(other), canonical.strip()


def _listed(name: str) -> Iterator[str]:
    return (fold(phrase) for phrase in " ".join(_lines(name)).split(",") if phrase.strip())


def _lines(name: str) -> Iterator[str]:
    for line in (files(__package__) / name).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.strip()
