"""What AcousticBrainz's documents say of a recording, on the scales of our audio features. Pure.

Several people submitted most recordings, often from different encodings: numbers are their median, keys are voted on. A document
of the low level measures; one of the high level holds the guesses of classifiers, which disagree between submissions of one
recording and are weak labels (their trust is low; see `AcousticBrainzSource.profile`).

| feature | from | how |
|---|---|---|
| tempo | rhythm.bpm | as it is |
| key, mode | tonal.key_key, key_scale | pitch class C = 0; major 1, minor 0 |
| danceability | highlevel.danceability | probability of "danceable" |
| acousticness | highlevel.mood_acoustic | probability of "acoustic" |
| instrumentalness | highlevel.voice_instrumental | probability of "instrumental" |
| energy | highlevel.mood_relaxed | 1 - probability of "relaxed" |
| valence | highlevel.mood_happy, mood_sad | half of 1 + P("happy") - P("sad") |

Energy is the weakest of them: one classifier's doubt that a piece relaxes, with nothing of how loud or busy it is. Read it as
"not calm"; no feature is
trusted less, so that anybody who measured it is believed before.

No loudness: `lowlevel.average_loudness` is relative to the loudest part of the same file (0..1, squeezed), and says nothing of
dB below full scale. It is kept in `raw_features`, as all that was read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import median
from typing import Any, Final

Document = Mapping[str, Any]
Features = dict[str, float]

_KEYS: Final = {
    name: float(place)
    for place, names in enumerate(("C", "C# Db", "D", "D# Eb", "E", "F", "F# Gb", "G", "G# Ab", "A", "A# Bb", "B"))
    for name in names.split()
}
_SCALES: Final = {"major": 1.0, "minor": 0.0}
_LOW: Final = {  # raw name -> where it stands
    "bpm": ("rhythm", "bpm"),
    "danceability_low": ("rhythm", "danceability"),
    "onset_rate": ("rhythm", "onset_rate"),
    "average_loudness": ("lowlevel", "average_loudness"),
    "dynamic_complexity": ("lowlevel", "dynamic_complexity"),
    "key_strength": ("tonal", "key_strength"),
}
_HIGH: Final = {  # raw name -> classifier, class
    "danceable": ("danceability", "danceable"),
    "acoustic": ("mood_acoustic", "acoustic"),
    "instrumental": ("voice_instrumental", "instrumental"),
    "relaxed": ("mood_relaxed", "relaxed"),
    "happy": ("mood_happy", "happy"),
    "sad": ("mood_sad", "sad"),
    "aggressive": ("mood_aggressive", "aggressive"),
    "party": ("mood_party", "party"),
    "electronic": ("mood_electronic", "electronic"),
}

_OF_LEVEL: Final = {
    "submissions_low": (frozenset({"tempo", "key", "mode"}), frozenset({"submissions_low", *_LOW})),
    "submissions_high": (
        frozenset({"danceability", "acousticness", "instrumentalness", "energy", "valence"}),
        frozenset({"submissions_high", *_HIGH}),
    ),
}


def read_documents(low: Sequence[Document], high: Sequence[Document]) -> tuple[Features, Features]:
    """The audio features that submissions of one recording come to, and what they were read from.

    Args:
        low: documents of the low level.
        high: of the high level.

    Returns:
        Features by their names, and raw values by ours for them.
    """
    raw: Features = {}
    for count, documents in (("submissions_low", low), ("submissions_high", high)):
        if documents:
            raw[count] = float(len(documents))
    for name, path in _LOW.items():
        _note(raw, name, (_at(document, *path) for document in low))
    for name, (classifier, kind) in _HIGH.items():
        _note(raw, name, (_at(document, "highlevel", classifier, "all", kind) for document in high))
    found: Features = {}
    if (bpm := raw.get("bpm", 0.0)) > 0:
        found["tempo"] = bpm
    votes = Counter(
        (_KEYS[tonal["key_key"]], _SCALES[tonal["key_scale"]])
        for document in low
        if isinstance(tonal := document.get("tonal"), Mapping)
        and tonal.get("key_key") in _KEYS
        and tonal.get("key_scale") in _SCALES
    )
    if votes:
        found["key"], found["mode"] = min(votes, key=lambda vote: (-votes[vote], vote))
    for feature, name in (
        ("danceability", "danceable"),
        ("acousticness", "acoustic"),
        ("instrumentalness", "instrumental"),
    ):
        if name in raw:
            found[feature] = raw[name]
    if "relaxed" in raw:
        found["energy"] = 1.0 - raw["relaxed"]
    if "happy" in raw and "sad" in raw:
        found["valence"] = (1.0 + raw["happy"] - raw["sad"]) / 2
    return found, raw


def lay_over(old: tuple[Features, Features], new: tuple[Features, Features]) -> tuple[Features, Features]:
    """What two readings of one recording come to: of each level the one that was made of more submissions, else the older.

    The archives of a dump are in the order of submission, so that one recording's may lie in several of them: read one after
    the other, the fullest reading wins, and reading one again changes nothing.
    """
    features, raw = dict(old[0]), dict(old[1])
    for count, (of_features, of_raw) in _OF_LEVEL.items():
        if new[1].get(count, 0.0) > raw.get(count, 0.0):
            features = {k: v for k, v in features.items() if k not in of_features} | _only(new[0], of_features)
            raw = {k: v for k, v in raw.items() if k not in of_raw} | _only(new[1], of_raw)
    return features, raw


def _only(values: Features, names: Collection[str]) -> Features:
    return {name: value for name, value in values.items() if name in names}


def needed(document: Document) -> dict[str, Any]:
    """The parts of a document that are read; a whole one of the low level has thousands of numbers."""
    found: dict[str, Any] = {
        part: {} for part in ("rhythm", "tonal", "lowlevel") if isinstance(document.get(part), Mapping)
    }
    for part, name in (*_LOW.values(), ("tonal", "key_key"), ("tonal", "key_scale")):
        if isinstance(value := _at(document, part, name), int | float | str):
            found[part][name] = value
    if isinstance(document.get("highlevel"), Mapping):
        found["highlevel"] = {}
        for classifier, kind in _HIGH.values():
            if isinstance(chance := _at(document, "highlevel", classifier, "all", kind), int | float):
                found["highlevel"][classifier] = {"all": {kind: chance}}
    return found


def _note(raw: Features, name: str, values: Iterable[object]) -> None:
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if numbers:
        raw[name] = float(median(numbers))


def _at(document: Document, *path: str) -> object:
    found: Any = document
    for part in path:
        if not isinstance(found, dict):  # as JSON is read; some hundred looks an album
            return None
        found = found.get(part)
    return found
