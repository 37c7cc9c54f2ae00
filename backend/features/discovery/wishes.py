"""Wishes: what tracks shall be like, said without naming a track. `wish_parser` reads them from words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

POINT: Final = ("mood_valence", "mood_arousal")


@dataclass(frozen=True, slots=True)
class Range:
    """Values of a field from `low` to `high`, both in; None is open. Equal ones are a target.

    Attributes:
        field: a column of numbers: tempo (BPM), release_year, duration_ms, popularity, mood_valence, mood_arousal, an audio
            feature.
    """

    field: str
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Tagged:
    """A genre or mood, spelt as the catalogue spells it.

    Attributes:
        kind: the field.
        name: of the tag.
        place: of a mood, its valence and arousal, -1..1.
        others: other tags that count as this one: what a genre is the root of.
    """

    kind: Literal["genres", "moods"]
    name: str
    place: tuple[float, float] | None = None
    others: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A point on Russell's circumplex (doi:10.1037/h0077714): -1..1 each, unpleasant to pleasant, drowsy to agitated."""

    valence: float
    arousal: float


@dataclass(frozen=True, slots=True)
class Explicit:
    """Whether the words are explicit."""

    value: bool


Meaning: TypeAlias = Range | Tagged | Place | Explicit


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One thing that is wished for.

    Attributes:
        text: as it was said, or in words of ours.
        meaning: what it was taken for.
        hard: whether a track that does not fit is no answer; else it only counts for less.
        wanted: False where it is not to be so.
        weight: what it counts for beside the others.
    """

    text: str
    meaning: Meaning
    hard: bool = False
    wanted: bool = True
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """Words that were not understood.

    Attributes:
        text: the words.
        suggestions: what may have been meant, the nearest first.
    """

    text: str
    suggestions: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What a text was taken for.

    Attributes:
        wishes: in the order they were said.
        unclear: what was not understood.
    """

    wishes: Sequence[Wish] = ()
    unclear: Sequence[Unclear] = ()


_UNITS: Final = {"tempo": " BPM", "popularity": "", "loudness": " dB"}
_NAMES: Final = {
    "release_year": "year", "duration_ms": "length", "mood_valence": "valence of moods", "mood_arousal": "arousal of moods",
}  # fmt: skip


def told(wish: Wish) -> str:
    """What a wish was taken for, in words.

    >>> told(Wish(text="120-130 bpm", meaning=Range("tempo", 120, 130), hard=True))
    'tempo 120 to 130 BPM (must)'
    >>> told(Wish(text="melancholic", meaning=Tagged("moods", "melancholic"), wanted=False))
    'not mood melancholic'
    """
    words = ("" if wish.wanted else "not ") + _meaning(wish.meaning)
    return f"{words} (must)" if wish.hard else words


def _meaning(meaning: Meaning) -> str:
    match meaning:
        case Tagged(kind, name):
            return f"{kind.removesuffix('s')} {name}"
        case Place(valence, arousal):
            return f"mood at valence {valence:g}, arousal {arousal:g}"
        case Explicit(value):
            return "explicit" if value else "clean"
        case Range(field, low, high):
            return f"{_NAMES.get(field, field)} {_bounds(field, low, high)}"


def _bounds(field: str, low: float | None, high: float | None) -> str:
    unit = _UNITS.get(field, "")
    first, last = (None if v is None else shown(field, v) for v in (low, high))
    if first is None or last is None:
        return f"up to {last}{unit}" if first is None else f"from {first}{unit}"
    return f"about {first}{unit}" if low == high else f"{first} to {last}{unit}"


def shown(field: str, value: float) -> str:
    """A value of a field, for people.

    >>> shown("duration_ms", 215_400), shown("release_year", 1974.0), shown("energy", 0.714)
    ('3:35', '1974', '0.71')
    """
    if field == "duration_ms":
        minutes, seconds = divmod(int(value) // 1000, 60)
        return f"{minutes}:{seconds:02}"
    return (
        f"{value:.0f}" if field in {"release_year", "popularity", "tempo"} else f"{value:.2f}".rstrip("0").rstrip(".")
    )
