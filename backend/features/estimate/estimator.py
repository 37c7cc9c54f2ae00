"""From rows with features to estimates of those that lack them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Final

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from backend.features.columns import Flags, Values, known
from backend.features.estimate import storage
from backend.features.estimate.artists import artist_keys
from backend.features.estimate.inputs import TARGETS
from backend.features.estimate.model import Model, folds, learn
from backend.features.estimate.report import Report, estimated, measure
from backend.utils.errors import InvalidInputError

LEAST_ROWS: Final = 250
"""Tracks with an audio feature that a fit needs: with fewer, 90 % intervals can't be told from 80 % ones."""
LEAST_ARTISTS: Final = 20
MOST_ROWS: Final = 60_000
"""Rows learnt from; of more a random part."""

_HELD_OUT: Final = 5  # one in so many artists
_FEW: Final = 2_000  # tracks up to which one thread is faster than setting up the limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """Estimates of one feature for n tracks, in its unit; NaN where the track has the feature.

    Attributes:
        value: the expected value.
        low, high: between them lie 90 % of the true values of tracks like these.
    """

    value: Values
    low: Values
    high: Values


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """A model with the report of how good it is."""

    model: Model
    report: Report

    @property
    def features(self) -> tuple[str, ...]:
        """What it can estimate: the features that enough of the training rows had; never key and mode."""
        return estimated(self.model)

    @cached_property
    def id(self) -> str:
        """Names these very parameters: the first 16 hexadecimal digits of the SHA-256 of `dumps()`."""
        return sha256(self.dumps()).hexdigest()[:16]

    def estimate(self, table: pa.Table) -> dict[str, Estimated]:
        """Estimate every feature that a track lacks, from all that is known of it.

        A pure function of the row and the model: what else is in the table changes nothing.

        Args:
            table: the columns of `inputs.READS`; n tracks.

        Returns:
            Per feature of `features` the estimates of the n tracks.
        """
        encoded = self.model.encode(table)
        if table.num_rows <= _FEW:
            value, low, high = self.model.estimate(encoded.x, encoded.known)
        else:
            with threadpool_limits(1):
                value, low, high = self.model.estimate(encoded.x, encoded.known)
        found = {}
        for i, feature in enumerate(TARGETS):
            if feature in self.features:
                has = ~np.isnan(encoded.values[:, i])
                parts = (np.where(has, np.nan, part[:, i]) for part in (value, low, high))
                found[feature] = Estimated(**dict(zip(("value", "low", "high"), parts, strict=True)))
        return found

    def dumps(self) -> bytes:
        """All of it as bytes: the same for the same rows and seed."""
        return storage.dumps(self.model, self.report)

    @classmethod
    def loads(cls, data: bytes) -> Estimator:
        """What `dumps` wrote; reading it executes nothing.

        Raises:
            InvalidInputError: these bytes are no model, a damaged one, or one of another version.
        """
        model, report = storage.loads(data)
        return cls(model=model, report=report)


def fit(table: pa.Table, *, seed: int = 0) -> Estimator:
    """Learn from rows with audio features; measure on a fifth of the artists first, then learn from all.

    Args:
        table: the columns of `inputs.READS` and `id`; rows without any feature to learn are passed over. Their order does not
            matter.
        seed: decides everything random.

    Raises:
        InvalidInputError: too few rows or artists.
    """
    rows = _usable(table)
    rng = np.random.default_rng(seed)
    if rows.num_rows > MOST_ROWS:
        rows = rows.take(np.sort(rng.permutation(rows.num_rows)[:MOST_ROWS]))
    out = folds(artist_keys(rows.column("artist").to_pylist()), rng=rng, parts=_HELD_OUT) == 0
    with threadpool_limits(1):  # sums in one order: the same bytes; and small products gain nothing by threads
        training, held_out = rows.filter(pa.array(~out)), rows.filter(pa.array(out))
        report = measure(learn(training, seed=seed), training, held_out, rows=rows.num_rows)
        return Estimator(model=learn(rows, seed=seed), report=report)


def _usable(table: pa.Table) -> pa.Table:
    """The rows to learn from, by id."""
    table = table.sort_by("id")
    there: Flags = np.zeros(table.num_rows, np.bool_)
    for feature in TARGETS:
        there |= known(table, feature)
    found = table.filter(pa.array(there))
    artists = len(set(artist_keys(found.column("artist").to_pylist()).tolist()) - {0})
    if found.num_rows < LEAST_ROWS or artists < LEAST_ARTISTS:
        raise InvalidInputError(
            f"{found.num_rows:,} tracks of {artists:,} artists have a measured audio feature that may be used; at least "
            f"{LEAST_ROWS} tracks of {LEAST_ARTISTS} artists are needed to learn estimates: ingest more, or permit more sources"
        )
    return found
