"""Adding up what several sources say at several levels: how much speaks for each genre and each mood."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from backend.ingestion.vocabulary import Kind, Word, roots_of, tell
from backend.models.ingestion_models import Level, Tag
from backend.utils.text import fold_name

_LEVELS: Final[Mapping[Level, float]] = {"track": 1.0, "album": 0.6, "artist": 0.35}
_STRONG: Final = 0.5  # weight of a track's strongest tag at which nothing else may outweigh it
_MOST_BEHIND: Final = _LEVELS["album"]  # of the strongest own tag, what the strongest of the rest weighs at most
_STRANGE: Final = 0.25  # of an artist's genre that has no root in common with what is said of the music itself
# What says for whom or in what form something is: here an artist's other genres, often a namesake's, are wrong.
_FORMS: Final = frozenset({"children's music", "spoken word"})


class Evidence(NamedTuple):
    """What speaks for one genre or mood.

    Attributes:
        weight: summed over tags, each by its source's trust and its level.
        level: the most specific that says so.
        sources: who says so.
    """

    weight: float
    level: Level
    sources: frozenset[str]


Weighed = dict[Word, Evidence]


def weigh(tags: Iterable[tuple[str, Tag, float]], own_names: Collection[str] = ()) -> Weighed:
    """Add up the tags of all sources; junk, unknown words and what weighs nothing stay out.

    Args:
        tags: each with its source and the source's trust.
        own_names: folded names that are no tag of this music: the artist's and the album's.
    """
    return weigh_shares(((source, tag, trust, 1) for source, tag, trust in tags), own_names)


def weigh_shares(tags: Iterable[tuple[str, Tag, float, int]], own_names: Collection[str] = ()) -> Weighed:
    """As `weigh`, of tags each of which is that of one of so many."""
    parts: dict[Word, list[tuple[float, Level, str]]] = defaultdict(list)
    for source, tag, trust, share in tags:
        word = tell(tag.name)
        if word.kind is not Kind.GENRE and word.kind is not Kind.MOOD:
            continue
        weight = tag.weight / share * trust * _LEVELS[tag.level]
        if math.isfinite(weight) and fold_name(tag.name) not in own_names:
            parts[word].append((weight, tag.level, source))
    return {word: _evidence(found) for word, found in parts.items()}


def _evidence(found: Sequence[tuple[float, Level, str]]) -> Evidence:
    if len(found) == 1:
        weight, level, source = found[0]
        return Evidence(round(weight, 9), level, frozenset((source,)))
    # fsum and rounding: the order in which sources are added up cannot tip a tie.
    weights, levels, sources = zip(*found, strict=True)
    return Evidence(round(math.fsum(weights), 9), max(levels, key=_LEVELS.__getitem__), frozenset(sources))


def added(first: Weighed, second: Weighed) -> Weighed:
    """Both together."""
    total = dict(first)
    for word, more in second.items():
        had = total.get(word)
        if had is None:
            total[word] = more
        else:
            level = max(had.level, more.level, key=_LEVELS.__getitem__)
            total[word] = Evidence(round(had.weight + more.weight, 9), level, had.sources | more.sources)
    return total


def backed_off(own: Weighed, shared: Weighed) -> Weighed:
    """A track's own tags with its album's and artist's behind them.

    The stronger the track's own genres (or moods), the less the shared ones weigh: where nothing is said of the track they stand
    as they are, and beside a strong tag of its own the strongest of them counts 0.6 of that.
    """
    total = own
    for kind in (Kind.GENRE, Kind.MOOD):
        behind = _of_kind(shared, kind)
        ahead = max((e.weight for e in _of_kind(own, kind).values()), default=0.0)
        most = max((e.weight for e in behind.values()), default=0.0)
        if ahead > 0 and most > _MOST_BEHIND * ahead:
            strength = min(1.0, ahead / _STRONG)
            factor = 1.0 - strength * (1.0 - _MOST_BEHIND * ahead / most)
            behind = {w: Evidence(round(e.weight * factor, 9), e.level, e.sources) for w, e in behind.items()}
        total = added(total, behind)
    return total


def without_strangers(weighed: Weighed) -> Weighed:
    """Genres said of the artist alone count little beside what is said of the music when no root is common to both.

    Of children's music and the spoken word they do not count at all: a storyteller's namesake plays in a metal band.
    """
    near = {w: e for w, e in _of_kind(weighed, Kind.GENRE).items() if e.level != "artist" and e.weight > 0}
    if not near:
        return weighed
    roots = frozenset[str]().union(*(roots_of(word.name) for word in near))
    best = min(near, key=lambda word: (-near[word].weight, word.name))
    stranger = 0.0 if roots_of(best.name) & _FORMS else _STRANGE
    kept = {}
    for word, e in weighed.items():
        if word.kind is not Kind.GENRE or e.level != "artist" or roots_of(word.name) & roots:
            kept[word] = e
        elif stranger:
            kept[word] = Evidence(round(e.weight * stranger, 9), e.level, e.sources)
    return kept


def strongest(weighed: Weighed, kind: Kind, *, most: int) -> list[tuple[str, Evidence]]:
    """The genres or the moods by falling weight, those of equal weight by name, at most so many."""
    found = [(word.name, e) for word, e in _of_kind(weighed, kind).items()]
    return sorted(found, key=lambda pair: (-pair[1].weight, pair[0]))[:most]


def _of_kind(weighed: Weighed, kind: Kind) -> Weighed:
    return {word: e for word, e in weighed.items() if word.kind is kind}
