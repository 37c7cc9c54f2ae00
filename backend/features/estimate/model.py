"""A fitted model: encoder, artists, networks and what intervals are taken from; and how it is learnt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from backend.features.columns import Flags, Floats, Values
from backend.features.estimate import intervals
from backend.features.estimate.artists import ArtistMeans, Keys, artist_keys, is_known
from backend.features.estimate.hiding import AUDIO, Codes, hidden, patterns
from backend.features.estimate.inputs import ARTIST, DECIMALS, RANGES, TARGETS, Encoded, Encoder
from backend.features.estimate.intervals import Calibration, Samples
from backend.features.estimate.network import Batch, Network, train
from backend.models.ingestion_models import AUDIO_FEATURES

FOLDS: Final = 4
EACH: Final = 2
"""Networks per fold: comparing with the mean of two tells more of the mean of all than comparing with one does."""
_ROWS_AT_ONCE: Final = 8_192
_DECIMALS: Final = 4
_OWN: Final = np.array([AUDIO_FEATURES.index(f) for f in TARGETS])


@dataclass(frozen=True, kw_only=True)
class Model:
    """What `learn` found; answers are the mean of the networks."""

    encoder: Encoder
    artists: ArtistMeans
    networks: tuple[Network, ...]
    samples: Samples

    @cached_property
    def calibration(self) -> Calibration:
        """The figures that make intervals hold."""
        rounding = np.array([0.5 * 10.0 ** -DECIMALS.get(f, _DECIMALS) for f in TARGETS]) / self.encoder.scale[1]
        return Calibration(
            samples=self.samples, networks=self._precise, block_of=self.encoder.block_of, rounding=rounding
        )

    @cached_property
    def _precise(self) -> tuple[Network, ...]:
        return tuple(network.precise() for network in self.networks)

    def encode(self, table: pa.Table) -> Encoded:
        """The tracks with their artists, as far as those are known from the training rows."""
        encoded = self.encoder.encode(table)
        place_artists(self.encoder, encoded, self.artists.block(artist_keys(table.column("artist").to_pylist())))
        return encoded

    def estimate(self, x: Floats, visible: Flags) -> tuple[Values, Values, Values]:
        """Value, low and high of all targets in their units, n × len(TARGETS) each; for hidden ones only they mean something.

        Args:
            x: n × width.
            visible: n × len(BLOCKS), what may be looked at.
        """
        block_of, (mean, deviation) = self.encoder.block_of, self.encoder.scale
        found = np.empty((3, len(x), len(TARGETS)))
        for start in range(0, len(x), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            shown = (x[part] * visible[part][:, block_of]).astype(np.float64)
            out = np.mean([network(shown) for network in self._precise], axis=0)
            found[:, part] = intervals.bounds(out, *self.calibration.of(visible[part]))
        value, low, high = (_in_range(part * deviation + mean) for part in found)
        return value, low, high


def _in_range(values: Values) -> Values:
    for i, feature in enumerate(TARGETS):
        low, high = RANGES.get(feature, (0.0, 1.0))
        values[:, i] = np.round(np.clip(values[:, i], low, high), DECIMALS.get(feature, _DECIMALS))
    return values


def place_artists(encoder: Encoder, encoded: Encoded, block: Floats) -> None:
    """Write the artists' block into encoded tracks."""
    encoded.x[:, -encoder.widths[ARTIST] :] = block
    encoded.known[:, ARTIST] = is_known(block)


def learn(table: pa.Table, *, seed: int) -> Model:
    """Train one network per fold of artists on all other folds, and keep rows to compare the networks' answers with.

    Args:
        table: the training rows, in an order that does not depend on where they come from.
        seed: decides everything random.
    """
    rng = np.random.default_rng(seed)
    encoder = Encoder.fitted(table)
    encoded, keys = encoder.encode(table), artist_keys(table.column("artist").to_pylist())
    mean, deviation = encoder.scale
    values = (encoded.values - mean) / deviation
    artists = ArtistMeans.fitted(keys, values)
    place_artists(encoder, encoded, artists.block(keys, without=values))
    sets, fold, block_of = patterns(encoded.known), folds(keys, rng=rng), encoder.block_of
    targets = np.nan_to_num(values).astype(np.float32)

    def draw(rows: Codes) -> Batch:
        visible = hidden(encoded.known[rows], sets=sets, rng=rng)
        wanted = encoded.known[rows][:, AUDIO][:, _OWN] & ~visible[:, AUDIO][:, _OWN]
        return Batch(x=encoded.x[rows] * visible[:, block_of], values=targets[rows], wanted=wanted)

    networks = tuple(train(np.flatnonzero(fold != i % FOLDS), draw, rng=rng) for i in range(FOLDS * EACH))
    rows = intervals.sample(encoded.known, rng=rng)
    samples = Samples(
        # Half of the digits: it is what the model is stored with.
        x=encoded.x[rows].astype(np.float16),
        known=encoded.known[rows],
        values=values[rows].astype(np.float32),
        fold=fold[rows],
    )
    return Model(encoder=encoder, artists=artists, networks=networks, samples=samples)


def folds(keys: Keys, *, rng: np.random.Generator, parts: int = FOLDS) -> Codes:
    """A fold per row; all rows of an artist are in one, rows without an artist anywhere."""
    _, place = np.unique(keys, return_inverse=True)
    fold = rng.permutation(int(place.max()) + 1)[place] % parts
    return np.where(keys == 0, rng.integers(parts, size=len(keys)), fold)
