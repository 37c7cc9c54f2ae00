"""How good estimates are, measured on artists that the model never saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pyarrow as pa

from backend.features.columns import Flags, Values
from backend.features.estimate.artists import ArtistMeans, artist_keys
from backend.features.estimate.hiding import SOME, showing
from backend.features.estimate.inputs import TARGETS, Encoded
from backend.features.estimate.model import Model, place_artists
from backend.models.ingestion_models import AUDIO_FEATURES

Regime = Literal["none", "some", "artist"]
REGIMES: Final[tuple[Regime, ...]] = ("none", "some", "artist")
"""What is known of a held-out track besides tags, year, duration and popularity: no audio feature; tempo, loudness and key; no
audio feature, but those of the artist's other tracks (the only figures that use them)."""

_RIDGE: Final = 1.0
_DIGITS: Final = 6
_FEW: Final = 10  # held-out values below which nothing is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One feature in one regime. R² is 1 - squared error / squared error of what is compared with; units are the feature's."""

    feature: str
    regime: Regime
    n: int  # held-out tracks of which the feature is known
    r2: float  # against the mean of the training rows
    r2_genres: float  # against the means of the track's genres (least squares on the training rows)
    mae: float
    coverage: float  # share of true values inside the 90 % interval
    width: float  # mean of the intervals
    plain_width: float  # between the 5 % and 95 % quantiles of the training rows: what one knows without a model


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The measurement that a model is shipped with."""

    rows: int  # learnt from in the end
    held_out: int  # rows of the artists left out for measuring
    held_out_artists: int
    lines: tuple[Line, ...]

    def of(self, feature: str, regime: Regime = "none") -> Line:
        """One line.

        Raises:
            KeyError: nothing was measured of it.
        """
        for line in self.lines:
            if (line.feature, line.regime) == (feature, regime):
                return line
        raise KeyError(f"{feature} ({regime})")


def measure(model: Model, training: pa.Table, held_out: pa.Table, *, rows: int) -> Report:
    """Hide what is known of the held-out tracks and compare it with what the model says.

    Args:
        model: learnt from `training`.
        training: for the plain mean and the genres' means.
        held_out: tracks of other artists.
        rows: how many the final model will be learnt from.
    """
    keys = artist_keys(held_out.column("artist").to_pylist())
    encoded = model.encode(held_out)
    truth = encoded.values
    mean, deviation = model.encoder.scale
    standard = (truth - mean) / deviation
    # Only the regime "artist" shows this block: the artist's other tracks are held-out ones, too.
    place_artists(model.encoder, encoded, ArtistMeans.fitted(keys, standard).block(keys, without=standard))
    trained = model.encoder.encode(training)
    genres = _genre_means(trained, encoded, columns=model.encoder.widths[0] - 1)
    lines = []
    for regime in REGIMES:
        for i, feature in enumerate(TARGETS):
            visible = showing(encoded.known, _shown(regime, feature), artist=regime == "artist")
            rows_known = ~np.isnan(truth[:, i])
            if regime == "artist":
                rows_known &= visible[:, -1]
            if np.count_nonzero(rows_known) >= _FEW and feature in estimated(model):
                answers = [part[:, i] for part in model.estimate(encoded.x[rows_known], visible[rows_known])]
                known = trained.values[:, i][~np.isnan(trained.values[:, i])]
                lines.append(
                    _line(feature, regime, truth[rows_known, i], answers, genres=genres[rows_known, i], known=known)
                )
    return Report(rows=rows, held_out=len(keys), held_out_artists=len(np.unique(keys)), lines=tuple(lines))


def estimated(model: Model) -> tuple[str, ...]:
    """The features that the model can say something of."""
    return tuple(f for f, enough in zip(TARGETS, model.calibration.estimated, strict=True) if enough)


def _genre_means(training: Encoded, held_out: Encoded, *, columns: int) -> Values:
    """What least squares on genres alone says of the held-out tracks: each genre adds to or takes from the mean."""
    found = np.empty((len(held_out.x), len(TARGETS)))
    for i in range(len(TARGETS)):
        there = ~np.isnan(training.values[:, i])
        x, y = training.x[there, :columns].astype(float), training.values[there, i]
        mean, centre = (y.mean(), x.mean(axis=0)) if len(y) else (np.nan, np.zeros(columns))
        weights = np.linalg.solve((x - centre).T @ (x - centre) + _RIDGE * np.eye(columns), (x - centre).T @ (y - mean))
        found[:, i] = mean + (held_out.x[:, :columns] - centre) @ weights
    return found


def _shown(regime: Regime, feature: str) -> Flags:
    return np.array([regime == "some" and f in SOME and f != feature for f in AUDIO_FEATURES])


def _line(feature: str, regime: Regime, truth: Values, answers: list[Values], *, genres: Values, known: Values) -> Line:
    value, low, high = answers
    error = float(((value - truth) ** 2).mean())

    def against(others: Values | float) -> float:
        return round(1 - error / max(float(((others - truth) ** 2).mean()), 1e-12), _DIGITS)

    plain = np.quantile(known, (0.05, 0.95))
    return Line(
        feature=feature,
        regime=regime,
        n=len(truth),
        r2=against(float(known.mean())),
        r2_genres=against(genres),
        mae=round(float(np.abs(value - truth).mean()), _DIGITS),
        coverage=round(float(((truth >= low) & (truth <= high)).mean()), _DIGITS),
        width=round(float((high - low).mean()), _DIGITS),
        plain_width=round(float(plain[1] - plain[0]), _DIGITS),
    )
