"""The words that wishes may name: the vocabulary of genres and moods, and the tags of a catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from backend.utils.text import fold

if TYPE_CHECKING:
    from backend.features.discovery.index import DiscoveryIndex
    from backend.features.discovery.wish_words import Vocabulary


def vocabulary_of(index: DiscoveryIndex) -> Vocabulary:
    """What an index's tracks can be asked for by; tags of the catalogue that the vocabulary does not know, too."""
    from backend.features.discovery.wish_words import Vocabulary
    from backend.ingestion import vocabulary  # late: thousands of names that a start need not read

    stored = {kind: [tag for tag in found if tag] for kind, found in index.rarity.items()}
    genres, moods = _named(vocabulary.genres(), stored["genres"]), _named(vocabulary.moods(), stored["moods"])

    def kinds(name: str) -> list[str]:
        return [genre for genre in stored["genres"] if genre != name and vocabulary.is_a(genre, name)]

    return Vocabulary(
        genres=genres,
        moods=moods,
        places={mood: vocabulary.mood_place(mood) for mood in set(vocabulary.moods().values())},
        kinds=kinds,
        stored=frozenset(tag for tags in stored.values() for tag in tags),
    )


def _named(known: Mapping[str, str], stored: list[str]) -> Mapping[str, str]:
    """Names by folded spelling. A tag as the catalogue has it goes before what the vocabulary makes of its spelling."""
    return {**known, **{fold(tag): tag for tag in stored}}
