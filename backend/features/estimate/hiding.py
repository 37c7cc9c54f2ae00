"""Which inputs a track shows: patterns of known audio features, as sources leave them, and random ones to learn from."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from backend.features.columns import Flags
from backend.features.estimate.inputs import ARTIST, BLOCKS, FIRST_AUDIO
from backend.models.ingestion_models import AUDIO_FEATURES

Codes = npt.NDArray[np.int64]

AUDIO: Final = slice(FIRST_AUDIO, FIRST_AUDIO + len(AUDIO_FEATURES))
SOME: Final = ("tempo", "loudness", "key")
"""What sources that measure little give; what the report calls "some"."""
COMMON: Final = (
    (), ("tempo",), ("loudness",), ("key",), ("tempo", "loudness"), ("tempo", "key"), ("loudness", "key"), SOME,
    ("tempo", "key", "mode"), (*SOME, "mode"), ("tempo", "key", "mode", "danceability"),
    tuple(f for f in AUDIO_FEATURES if f != "time_signature"),
)  # fmt: skip
"""Sets of known features that are calibrated for themselves, besides those frequent in the training rows."""

_FREQUENT: Final = (0.02, 12)  # share of the rows from which a set counts as frequent; at most so many
_OFTEN_NONE: Final = 0.4
_OFTEN_COMMON: Final = 0.3
# How often an input that is known is hidden while learning, so that rows without it are met.
_HIDDEN: Final = {"genres": 0.1, "moods": 0.2, "popularity": 0.3, "artist": 0.5}
_HIDDEN_OTHERS: Final = 0.1


def codes(shown: Flags) -> Codes:
    """Rows of flags as one number each, by bits."""
    return shown.astype(np.int64) @ (1 << np.arange(shown.shape[1]))


def flags(code: int, size: int = len(AUDIO_FEATURES)) -> Flags:
    """The flags of a number."""
    return np.asarray((code >> np.arange(size)) & 1, np.bool_)


def patterns(known: Flags) -> tuple[int, ...]:
    """The sets that get a calibration of their own, as `codes`.

    Args:
        known: n × len(BLOCKS), of the training rows.
    """
    common = [int(codes(np.array([[f in names for f in AUDIO_FEATURES]]))[0]) for names in COMMON]
    found, counts = np.unique(codes(known[:, AUDIO]), return_counts=True)
    share, most = _FREQUENT
    frequent = found[np.argsort(-counts, kind="stable")][:most][np.sort(-counts)[:most] <= -share * len(known)]
    complete = (1 << len(AUDIO_FEATURES)) - 1
    return tuple(dict.fromkeys([*common, *(int(code) for code in frequent if code != complete)]))


def hidden(known: Flags, *, sets: tuple[int, ...], rng: np.random.Generator) -> Flags:
    """What a batch of rows shows: a random part of what is known of each."""
    n = len(known)
    shown = np.ones((n, len(BLOCKS)), np.bool_)
    for i, block in enumerate(BLOCKS):
        if block not in AUDIO_FEATURES:
            shown[:, i] = rng.random(n) >= _HIDDEN.get(block, _HIDDEN_OTHERS)
    kind = rng.random(n)
    common = np.array([flags(code) for code in sets])[rng.integers(len(sets), size=n)]
    some = subsets(n, rng=rng)
    shown[:, AUDIO] = np.where((kind < _OFTEN_COMMON)[:, None], common, some) & (kind < 1 - _OFTEN_NONE)[:, None]
    return known & shown


def subsets(n: int, *, rng: np.random.Generator, most: int = len(AUDIO_FEATURES)) -> Flags:
    """Make n random sets of audio features, every size from 1 to `most` equally often."""
    size = rng.integers(1, most + 1, size=n)
    rank = np.argsort(np.argsort(rng.random((n, len(AUDIO_FEATURES))), axis=1), axis=1)
    return np.asarray(rank < size[:, None])


def showing(known: Flags, audio: Flags, *, artist: bool) -> Flags:
    """All that is known besides audio, of audio features only the given ones, and the artist or not.

    Args:
        known: n × len(BLOCKS).
        audio: 12, or n × 12.
        artist: whether the artist's other tracks may be used.
    """
    shown = known.copy()
    shown[:, AUDIO] &= audio
    shown[:, ARTIST] &= artist
    return shown
