"""Words that wishes are said in, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rapidfuzz import fuzz, process

from backend.features.discovery.wishes import Explicit, Meaning, Range, Tagged

_MOST: Final = 3  # suggestions
_ALIKE: Final = 75.0  # of 100: below, a suggestion is a guess

PHRASES: Final[Mapping[str, Meaning]] = {
    **dict.fromkeys(("acoustic", "unplugged"), Range("acousticness", 0.6, None)),
    **dict.fromkeys(("electric", "amplified"), Range("acousticness", None, 0.3)),
    **dict.fromkeys(("danceable", "for dancing", "to dance to"), Range("danceability", 0.65, None)),
    "high energy": Range("energy", 0.7, None),
    "low energy": Range("energy", None, 0.35),
    **dict.fromkeys(
        ("instrumental", "no vocals", "without vocals", "no singing", "without singing", "no lyrics"),
        Range("instrumentalness", 0.5, None),
    ),
    **dict.fromkeys(("vocal", "vocals", "sung", "with singing"), Range("instrumentalness", None, 0.3)),
    **dict.fromkeys(("live", "live recording", "live recordings", "in concert"), Range("liveness", 0.7, None)),
    **dict.fromkeys(("studio", "studio recording", "studio recordings"), Range("liveness", None, 0.35)),
    **dict.fromkeys(("spoken", "talking"), Range("speechiness", 0.5, None)),
    "loud": Range("loudness", -7.0, None),
    "quiet": Range("loudness", None, -13.0),
    **dict.fromkeys(("fast", "up tempo", "uptempo"), Range("tempo", 130.0, None)),
    **dict.fromkeys(("slow", "down tempo"), Range("tempo", None, 90.0)),
    **dict.fromkeys(("mid tempo", "midtempo", "medium tempo"), Range("tempo", 95.0, 120.0)),
    "short": Range("duration_ms", None, 150_000.0),
    "long": Range("duration_ms", 360_000.0, None),
    **dict.fromkeys(
        ("obscure", "little known", "lesser known", "hardly known", "unknown", "unpopular", "overlooked", "hidden gem",
         "hidden gems"),
        Range("popularity", None, 25.0),
    ),
    **dict.fromkeys(
        ("well known", "famous", "popular", "hit", "hits", "mainstream", "widely known"), Range("popularity", 65.0, None)
    ),
    **dict.fromkeys(("explicit", "explicit lyrics"), Explicit(value=True)),
    **dict.fromkeys(("clean", "clean lyrics", "family friendly"), Explicit(value=False)),
}  # fmt: skip
"""What words stand for where no number is said; the values are where most people agree, not borders of nature."""

NUMBERS: Final[Mapping[str, tuple[str, float, float]]] = {
    "tempo": ("tempo", 20, 400),
    "popularity": ("popularity", 0, 100),
    "loudness": ("loudness", -60, 10),
    "arousal": ("mood_arousal", -1, 1),
    "mood valence": ("mood_valence", -1, 1),
    "mood arousal": ("mood_arousal", -1, 1),
    **{name: (name, 0.0, 1.0) for name in (
        "acousticness", "danceability", "energy", "instrumentalness", "liveness", "speechiness", "valence",
    )},
}  # fmt: skip
"""Fields that may be named with a number: the column, the least and the greatest value."""

NOT: Final = frozenset({"no", "not", "without", "non", "never", "except", "minus"})
ONLY: Final = frozenset({"only", "must be", "strictly", "exactly", "nothing but"})
ABOUT: Final = frozenset(
    {"about", "around", "roughly", "approximately", "ca", "circa", "near", "preferably", "rather", "mostly"}
)
VERY: Final = frozenset({"very", "really", "extremely", "highly", "super", "especially"})
LITTLE: Final = frozenset({"slightly", "somewhat", "a bit", "a little", "bit"})
PASSED_OVER: Final = frozenset({
    "a", "an", "and", "any", "are", "but", "by", "feel", "feeling", "for", "from", "give", "i", "in", "is", "it",
    "like", "lyrics", "me", "mood", "moods", "music", "of", "on", "or", "please", "recording", "recordings", "some",
    "something", "song", "songs", "sound", "sounding", "that", "the", "to", "track", "tracks", "tune", "tunes", "want",
    "which", "with", "play", "released", "made", "genre",
})  # fmt: skip
"""Words that say nothing here."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The genres and moods that a text may name.

    Attributes:
        genres, moods: canonical names by folded spelling.
        places: of moods, valence and arousal.
        kinds: of a genre, which other genres are kinds of it.
        stored: names that tracks of the catalogue have; None where all count as such.
    """

    genres: Mapping[str, str] = field(default_factory=dict)
    moods: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    kinds: Callable[[str], Sequence[str]] = lambda _: ()
    stored: Collection[str] | None = None

    def find(self, phrase: str) -> Meaning | None:
        """What a folded phrase stands for; words about sound before tags of the same name."""
        if (known := PHRASES.get(phrase)) is not None:
            return known
        if (genre := self.genres.get(phrase)) is not None:
            return Tagged("genres", genre, others=tuple(self.kinds(genre)))
        if (mood := self.moods.get(phrase)) is not None:
            return Tagged("moods", mood, place=self.places.get(mood))
        return None

    def is_stored(self, meaning: Meaning) -> bool:
        """Whether some track of the catalogue can have it, as far as tags go."""
        if self.stored is None or not isinstance(meaning, Tagged):
            return True
        return any(name in self.stored for name in (meaning.name, *meaning.others))

    def near(self, text: str) -> list[str]:
        """What may have been meant by words that are not known, the nearest first."""
        found = []
        for known in (PHRASES, self.moods, self.genres):
            found += process.extract(text, known.keys(), scorer=fuzz.ratio, score_cutoff=_ALIKE, limit=_MOST)
        ranked = sorted(found, key=lambda match: (-match[1], match[0]))
        names = (self.genres.get(key) or self.moods.get(key) or key for key, _, _ in ranked)
        return list(dict.fromkeys(names))[:_MOST]
