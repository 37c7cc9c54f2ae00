"""Laying the audio features of several sources onto one scale, and choosing among them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from backend.ingestion import normalizer as tidy
from backend.ingestion.said import Said, Voices, voices
from backend.models.ingestion_models import AUDIO_FEATURES, TrackRecord

_SAME_TEMPO: Final = 0.04  # relative: MIREX counts a tempo within 4 % as right ("Accuracy 1")
_OCTAVES: Final = (0.5, 2.0)  # the errors that tempo estimators make most ("Accuracy 2" forgives them)

Chosen = tuple[dict[str, float], dict[str, str]]
"""Audio features, and whose each is."""


def choose_features(of_sources: Mapping[str, TrackRecord], said: Sequence[Said]) -> Chosen:
    """For each audio feature the value of the source most trusted with it; tempos within the octave that most agree on.

    Args:
        of_sources: what each source says of the track.
        said: the sources.

    Returns:
        The features in their units, and the source of each.
    """
    asked = voices(said)
    usable = {
        s.source: _tidied(asked, track.audio_features)
        for s in asked
        if (track := of_sources.get(s.source)) is not None and track.audio_features
    }
    values: dict[str, float] = {}
    givers: dict[str, str] = {}
    if not usable:
        return values, givers
    for name in AUDIO_FEATURES:
        for s in asked.believed(name):
            if (found := usable.get(s.source)) is not None and name in found:
                givers[name], values[name] = s.source, found[name]
                break
    if "tempo" in values and len(usable) > 1:
        tempos = (usable.get(s.source, {}).get("tempo") for s in asked.believed("tempo"))
        values["tempo"] = settle_tempo([tempo for tempo in tempos if tempo is not None])
    return values, givers


def _tidied(asked: Voices, features: dict[str, float]) -> dict[str, float]:
    # By identity: the records that hold them live as long as what is kept.
    key = ("features", id(features))
    found: dict[str, float] | None = asked.kept.get(key)
    if found is None:
        found = asked.kept[key] = tidy.tidy_features(features)
    return found


def settle_tempo(tempos: Sequence[float]) -> float:
    """The first tempo, doubled or halved when at least two of the others agree that it is an octave off.

    >>> settle_tempo([174.0, 87.2, 86.9]), settle_tempo([174.0, 87.2]), settle_tempo([174.0, 87.2, 173.8])
    (87.0, 174.0, 174.0)
    """
    first, others = tempos[0], tempos[1:]
    votes = {factor: sum(_same(first * factor, other) for other in others) for factor in (1.0, *_OCTAVES)}
    best = max(_OCTAVES, key=lambda factor: votes[factor])
    return first * best if votes[best] >= 2 and votes[best] > votes[1.0] else first


def same_octave(tempo: float, reference: float) -> float:
    """A tempo doubled or halved until it is nearest to a reference, in octaves.

    >>> same_octave(70.0, 138.0), same_octave(100.0, 120.0)
    (140.0, 100.0)
    """
    return tempo * 2.0 ** round(math.log2(reference / tempo))


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= _SAME_TEMPO * other
