"""Reading wishes from words: "120–130 bpm, acoustic, melancholic, 1970s". Pure.

Numbers are hard: a track outside them is no answer; "about", "around" and "~" make them soft, and a single value is a target.
Words are soft; "only" makes them hard, "no", "not" and "without" turn them round. What is not understood is told, with
suggestions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from backend.features.discovery import wish_numbers as numbers
from backend.features.discovery.wish_words import ABOUT, LITTLE, NOT, ONLY, PASSED_OVER, VERY, Vocabulary
from backend.features.discovery.wishes import Explicit, Meaning, Range, Tagged, Unclear, Understood, Wish
from backend.utils.text import fold

LONGEST: Final = 500
"""Characters of a text."""

_PHRASE: Final = 5  # words of the longest genre or phrase
_DASHES: Final = re.compile("[\u2010-\u2015\u2212]")
_QUOTES: Final = re.compile("['\u2019\u2018`´]")
_SEPARATOR: Final = re.compile(r"[,;|/+&()\[\]\"\n.!?]+")
_WORD: Final = re.compile(r"[^\s,;|/+&()\[\]\"]+")
_BLANK: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class _Manner:
    """What the words before a wish say about it."""

    negated: bool = False
    only: bool = False
    about: bool = False
    weight: float = 1.0

    def after(self, word: str) -> _Manner | None:
        """With one more such word; None when the word is no such."""
        if word in NOT:
            return replace(self, negated=True)
        if word in ONLY:
            return replace(self, only=True)
        if word in ABOUT or word == "~":
            return replace(self, about=True)
        if word in VERY:
            return replace(self, weight=2.0)
        if word in LITTLE:
            return replace(self, weight=0.5)
        return None


def parse(text: str, vocabulary: Vocabulary) -> Understood:
    """What a text asks for.

    Args:
        text: any; what is after `LONGEST` characters is not looked at.
        vocabulary: the genres and moods that it may name.
    """
    plain = normal(text[:LONGEST])
    wishes: list[Wish] = []
    unclear: list[str] = []
    for found in _parts(plain, vocabulary):
        if isinstance(found, Wish):
            wishes.append(found)
        else:
            unclear.append(found)
    told = [Unclear(text=words, suggestions=_suggestions(words, vocabulary)) for words in dict.fromkeys(unclear)]
    return Understood(wishes=_merged(wishes), unclear=told)


def normal(text: str) -> str:
    """The form that a text is read in: small letters, plain dashes, no apostrophes."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = _QUOTES.sub("", _DASHES.sub("-", plain)).replace("~", " ~ ")
    return _BLANK.sub(" ", "".join(c for c in plain if c.isspace() or unicodedata.category(c)[0] != "C")).strip()


def _parts(text: str, vocabulary: Vocabulary) -> Iterator[Wish | str]:
    at, manner = 0, _Manner()
    unknown: list[str] = []
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        if (number := numbers.read(text, at)) is not None:
            if unknown:
                yield " ".join(unknown)
            yield _wish(
                text[at : number.end].strip(), number.meaning, manner, is_number=True, is_target=number.is_target
            )
            at, manner, unknown = number.end, _Manner(), []
            continue
        if (gap := _SEPARATOR.match(text, at)) is not None:
            if unknown:
                yield " ".join(unknown)
            at, manner, unknown = gap.end(), _Manner(), []
            continue
        phrase, end, meaning = _phrase(text, at, vocabulary)
        more = manner.after(phrase)
        if meaning is not None:
            if unknown:
                yield " ".join(unknown)
            yield _wish(phrase, meaning, manner)
            manner, unknown = _Manner(), []
        elif more is not None:
            manner = more
        elif phrase not in PASSED_OVER:
            unknown.append(phrase)
            manner = _Manner()
        at = end
    if unknown:
        yield " ".join(unknown)


def _phrase(text: str, at: int, vocabulary: Vocabulary) -> tuple[str, int, Meaning | None]:
    """The longest phrase here that means something, else the word; where it ends; what it means.

    A tag that no track has is taken only where nothing else fits: "dark jazz" may be a mood and a genre.
    """
    ends = _ends(text, at)
    of_none: tuple[str, int, Meaning] | None = None
    for end in reversed(ends):
        said = text[at:end]
        meaning = vocabulary.find(fold(said))
        if meaning is not None and vocabulary.is_stored(meaning):
            return said, end, meaning
        if meaning is not None and of_none is None:
            of_none = said, end, meaning
        if end != ends[0] and _Manner().after(said) is not None:
            return said, end, None
    return of_none or (text[at : ends[0]], ends[0], None)


def _ends(text: str, at: int) -> list[int]:
    """Where the first words from here end, up to the next comma; "r&b" and "drum & bass" are read as words, too."""
    ends: list[int] = []
    place = at
    while len(ends) < _PHRASE and (word := _WORD.match(text, place)) is not None:
        end = word.end()
        ends.append(end if end == at + 1 else at + len(text[at:end].rstrip(".!?")) or end)
        joined = re.compile(r"\s*&\s*|\s+").match(text, end)
        if joined is None:
            break
        place = joined.end()
    return [max(end, at + 1) for end in ends] or [at + 1]


def _wish(text: str, meaning: Meaning, manner: _Manner, *, is_number: bool = False, is_target: bool = False) -> Wish:
    if isinstance(meaning, Explicit):
        return Wish(text=text, meaning=Explicit(value=meaning.value != manner.negated), hard=not manner.about)
    hard = is_number and not is_target
    if isinstance(meaning, Tagged) and manner.negated:
        hard = True
    hard = (hard or manner.only) and not manner.about
    said = f"not {text}" if manner.negated else text
    return Wish(text=said, meaning=meaning, hard=hard, wanted=not manner.negated, weight=manner.weight)


def _merged(wishes: Sequence[Wish]) -> list[Wish]:
    """Each wish once; "over 100 bpm, under 120 bpm" is one range."""
    kept: list[Wish] = []
    for wish in wishes:
        for at, other in enumerate(kept):
            if (one := _one(other, wish)) is not None:
                kept[at] = one
                break
        else:
            kept.append(wish)
    return kept


def _one(first: Wish, second: Wish) -> Wish | None:
    """Two wishes as one, when they are the same or the two ends of one range."""
    a, b = first.meaning, second.meaning
    same = (first.hard, first.wanted) == (second.hard, second.wanted)
    if a == b and same:
        return first
    if not (isinstance(a, Range) and isinstance(b, Range)) or a.field != b.field or not same or not first.wanted:
        return None
    lower, upper = (a, b) if a.high is None else (b, a)
    if lower.high is not None or upper.low is not None or lower.low is None or upper.high is None:
        return None
    if lower.low > upper.high:
        return None
    return replace(first, text=f"{first.text}, {second.text}", meaning=Range(a.field, lower.low, upper.high))


def _suggestions(words: str, vocabulary: Vocabulary) -> list[str]:
    whole = vocabulary.near(fold(words))
    return whole or [name for word in words.split() if len(word) > 3 for name in vocabulary.near(fold(word))[:1]]
