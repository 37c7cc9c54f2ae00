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

from backend.utils.text import fold

_LONGEST: Final = 40
_YEAR: Final = re.compile(r"^(?:\d{2}|\d{4})s?$|^\d{2,4}s\b|\b(?:19|20)\d\d\b|^\d+$")
_ADDRESS: Final = re.compile(r"https?:|www\.|\.(?:com|net|org)\b")


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
    """What a tag is, whatever its case, accents and hyphens.

    A genre after places and manners ("swedish death metal") is a genre of its own.

    >>> tell("Hip-Hop"), tell("melancholy"), tell("seen live").kind.value
    (Word(kind=<Kind.GENRE: 'genre'>, name='hip hop'), Word(kind=<Kind.MOOD: 'mood'>, name='melancholic'), 'junk')
    """
    key = fold(tag)
    if key in genres():
        return Word(Kind.GENRE, genres()[key])
    if key in moods():
        return Word(Kind.MOOD, moods()[key])
    if _is_junk(tag, key):
        return Word(Kind.JUNK, key)
    composed = _composed(key)
    return Word(Kind.GENRE, composed) if composed else Word(Kind.UNKNOWN, key)


def _is_junk(tag: str, key: str) -> bool:
    if len(key) <= 1 or len(tag) > _LONGEST or _YEAR.search(key) or _ADDRESS.search(tag.lower()):
        return True
    return _junk().match(key) is not None


def _composed(key: str) -> str | None:
    words = key.split()
    for at in range(1, len(words)):
        tail = " ".join(words[at:])
        if tail in genres() and all(word in _modifiers() for word in words[:at]):
            return " ".join((*words[:at], genres()[tail]))
    return None


@cache
def genres() -> Mapping[str, str]:
    """Canonical genres by every folded spelling."""
    return dict(_spellings("genres.txt"))


@cache
def moods() -> Mapping[str, str]:
    """Canonical moods by every folded spelling."""
    return dict(_spellings("moods.txt"))


@cache
def _modifiers() -> frozenset[str]:
    return frozenset(fold(word) for line in _lines("modifiers.txt") for word in line.split())


@cache
def _junk() -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(line.lower()) for line in _lines("junk.txt")))


def _spellings(name: str) -> Iterator[tuple[str, str]]:
    for line in _lines(name):
        canonical, _, others = line.partition("=")
        canonical = canonical.strip()
        yield fold(canonical), canonical
        for other in others.split(","):
            if other.strip():
                yield fold(other), canonical


def _lines(name: str) -> Iterator[str]:
    for line in (files(__package__) / name).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.strip()
