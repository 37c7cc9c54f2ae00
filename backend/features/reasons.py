"""Why two tracks are similar, in words and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from backend.features.discovery.pick import Closeness, Pick

_MOST: Final = 3  # audio features named
_NEAR: Final = 0.5  # standard deviations within which two values are called similar
_COUNTS: Final = 0.01  # of the score; less is not worth a sentence
_YEARS: Final = 5  # years within which two releases are called close
_HIGH, _LOW = 0.66, 0.2
_WORDS: Final = {
    "acousticness": "acoustic",
    "danceability": "danceable",
    "energy": "energetic",
    "instrumentalness": "instrumental",
    "liveness": "live in sound",
    "speechiness": "spoken",
    "valence": "cheerful",
}


def reasons(pick: Pick) -> list[str]:
    """Sentences for people, the weightiest group of tags first; never empty.

    >>> reasons(Pick(id="t", row=0, score=0.8, contributions={"genres": 0.8}, because="s", closest=(), filled=(),
    ...              shared={"genres": ["dub"], "moods": []}, years=(1969, 1971)))
    ['shared genre: dub', 'released close together: 1969 and 1971']
    """
    found = [_tags(kind, pick.shared.get(kind, [])) for kind in ("genres", "moods")]
    near = [closeness for closeness in pick.closest if closeness.distance <= _NEAR]
    found += [audio_reason(closeness) for closeness in near[:_MOST]]
    found.append(_years(pick.years))
    found += _who(pick.contributions)
    told = [reason for reason in found if reason]
    return told or share_words(pick.contributions)[:1] or ["nothing stands out: it is near in every respect a little"]


def _who(contributions: Mapping[str, float]) -> list[str]:
    """Who plays it, and who hears it."""
    words = {"album": "from the same album", "artist": "by the same artist", "listening": "heard together by listeners"}
    return [said for group, said in words.items() if contributions.get(group, 0) > _COUNTS]


def _tags(kind: str, tags: Sequence[str]) -> str:
    noun = kind if len(tags) > 1 else kind.removesuffix("s")
    return f"shared {noun}: {', '.join(tags)}" if tags else ""


def _years(years: tuple[int, int] | None) -> str:
    if years is None or abs(years[0] - years[1]) > _YEARS:
        return ""
    own, other = years
    return f"released in the same year: {own}" if own == other else f"released close together: {own} and {other}"


def audio_reason(closeness: Closeness) -> str:
    """One audio feature in plain words.

    >>> audio_reason(Closeness(feature="tempo", own=120.1, other=122.0, distance=0.1, product=1.0))
    'similar tempo: 120 vs 122 BPM'
    >>> audio_reason(Closeness(feature="acousticness", own=0.91, other=0.88, distance=0.1, product=1.0))
    'both very acoustic: 0.91 and 0.88'
    """
    name, own, other = closeness.feature, closeness.own, closeness.other
    if name == "tempo":
        return f"similar tempo: {own:.0f} vs {other:.0f} BPM"
    if name == "loudness":
        return f"similar loudness: {own:.1f} vs {other:.1f} dB"
    if min(own, other) >= _HIGH:
        return f"both very {_WORDS[name]}: {own:.2f} and {other:.2f}"
    if max(own, other) <= _LOW:
        return f"both hardly {_WORDS[name]}: {own:.2f} and {other:.2f}"
    return f"similar {name}: {own:.2f} vs {other:.2f}"


def share_words(contributions: Mapping[str, float]) -> list[str]:
    """What makes two groups of tracks alike, the weightiest first.

    >>> share_words({"audio": 0.2, "year": -0.1, "genres": 0.5, "moods": 0.0})
    ['alike in genres: 0.50 of the score', 'alike in sound: 0.20 of the score']
    """
    names = {"audio": "sound", "year": "time", "listening": "who hears them"}
    ranked = sorted(contributions.items(), key=lambda item: (-item[1], item[0]))
    return [f"alike in {names.get(name, name)}: {share:.2f} of the score" for name, share in ranked if share > 0]
