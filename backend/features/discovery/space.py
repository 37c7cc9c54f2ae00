"""All groups of a track's features side by side, each scaled by the root of its weight: one product gives the likeness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa

from backend.features.columns import Floats, Values
from backend.features.discovery.blocks import POPULARITY, YEAR, Audio, Block, Tags
from backend.features.discovery.listening import Listening
from backend.features.discovery.weights import DEFAULT, Weights
from backend.features.splits.names import artist_key

GENRE_DIMENSIONS: Final = 64
MOOD_DIMENSIONS: Final = 24


@dataclass(frozen=True, slots=True)
class TrackSpace:
    """What was learnt of a catalogue, and the weights.

    Attributes:
        audio, genres, moods, listening: blocks that learn; year and popularity are the same for all catalogues.
        weights: of each group.
    """

    audio: Audio
    genres: Tags
    moods: Tags
    listening: Listening
    weights: Weights

    @classmethod
    def fit(cls, tracks: pa.Table, *, sittings: Sequence[Sequence[str]] = (), weights: Weights = DEFAULT) -> Self:
        """Learn from tracks, and from who is heard together.

        Args:
            tracks: columns of `rows.READS`.
            sittings: artists' keys (`splits.names.artist_key`) of each playlist or sitting; none where there is no history.
            weights: of each group.
        """
        return cls(
            audio=Audio.fit(tracks),
            genres=Tags.fit(tracks, "genres", dimensions=GENRE_DIMENSIONS),
            moods=Tags.fit(tracks, "moods", dimensions=MOOD_DIMENSIONS),
            listening=Listening.fit(sittings),
            weights=weights,
        )

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Those that are computed from a track's own fields, in the order of the vector."""
        return (self.audio, YEAR, POPULARITY, self.genres, self.moods)

    @property
    def _all(self) -> tuple[Block | Listening, ...]:
        return (*self.blocks, self.listening)

    @property
    def slices(self) -> Mapping[str, slice]:
        """Where in a vector each group stands."""
        found, start = {}, 0
        for block in self._all:
            found[block.name] = slice(start, start + block.width)
            start += block.width
        return found

    @property
    def width(self) -> int:
        """Numbers of a vector."""
        return sum(block.width for block in self._all)

    def scale(self, group: str) -> float:
        """By which a group's vectors are multiplied."""
        return float(np.sqrt(self.weights.of[group]))

    def vectors(self, tracks: pa.Table) -> Floats:
        """n_tracks × width."""
        made = np.empty((tracks.num_rows, self.width), np.float32)
        slices = self.slices
        for block in self.blocks:
            made[:, slices[block.name]] = block.vectors(tracks) * self.scale(block.name)
        keys = [artist_key(name or "") for name in tracks.column("artist").to_pylist()]
        made[:, slices["listening"]] = self.listening.of_artists(keys) * self.scale("listening")
        return made

    def parts(self, asked: Floats, vectors: Floats) -> dict[str, Values]:
        """Group by group the likeness of some tracks to what is asked for; they sum to the product of the vectors.

        Args:
            asked: width.
            vectors: n × width; more numbers behind are not looked at.
        """
        products = vectors[:, : self.width].astype(np.float64) * asked
        return {group: products[:, part].sum(axis=1) for group, part in self.slices.items()}

    def learnt(self) -> dict[str, Any]:
        """By block what it learnt, and the weights: for storing."""
        return {
            "audio": self.audio.learnt(),
            "genres": self.genres.learnt(),
            "moods": self.moods.learnt(),
            "listening": self.listening.learnt(),
            "weights": dict(self.weights.of),
        }

    @classmethod
    def restore(cls, learnt: Mapping[str, Any]) -> Self:
        """From `learnt`."""
        heard = learnt["listening"]
        return cls(
            audio=Audio(learnt["audio"]["knots"]),
            genres=Tags("genres", **learnt["genres"]),
            moods=Tags("moods", **learnt["moods"]),
            listening=Listening({name: i for i, name in enumerate(heard["artists"])}, heard["axes"]),
            weights=Weights(learnt["weights"]),
        )
