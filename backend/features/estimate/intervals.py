"""90 % intervals that hold: quantiles of the network, widened or narrowed by how often they missed on unseen artists.

Conformalised quantile regression (Romano, Patterson, Candès 2019) with scores relative to the interval's width
(Sesia, Candès 2020). Each set of known inputs has figures of its own, computed when it is first met.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from backend.features.columns import Flags, Values
from backend.features.estimate.hiding import AUDIO, Codes, codes, flags
from backend.features.estimate.inputs import ARTIST, BLOCKS, TARGETS
from backend.features.estimate.network import AnyFloats, Network
from backend.models.ingestion_models import AUDIO_FEATURES

COVERAGE: Final = 0.9
ENOUGH: Final = 100
"""Known values that a feature needs to be estimated, and a set of known inputs to have figures of its own."""
MOST_ROWS: Final = 4_000
"""Rows kept for comparing: the quantile of so many is known to 0.5 %."""

_EACH: Final = 400  # rows with each feature, as far as there are so many
_ENOUGH_ALIKE: Final = 400  # rows that are compared in preference to less alike ones: 1.5 % of coverage
_NARROWEST: Final = 1e-3  # standard deviations
_INVERTED: Final = -0.5  # widths: there both ends meet
_ARTIST: Final = np.arange(len(BLOCKS)) == ARTIST
_AUDIO: Final = np.isin(np.arange(len(BLOCKS)), np.arange(len(BLOCKS))[AUDIO])
_REST: Final = ~(_AUDIO | _ARTIST)
_OWN: Final = np.array([AUDIO_FEATURES.index(f) for f in TARGETS])

Figures = tuple[Values, Values]
_NOTHING: Final = (np.full(len(TARGETS), np.nan), np.full(len(TARGETS), np.nan))


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Training rows to compare with.

    Attributes:
        x: m × width, their inputs.
        known: m × len(BLOCKS).
        values: m × len(TARGETS), standardised, NaN where unknown.
        fold: m; the first network that learnt nothing from the row's artist; so did every FOLDS-th after it.
    """

    x: AnyFloats
    known: Flags
    values: AnyFloats
    fold: Codes


def sample(known: Flags, *, rng: np.random.Generator) -> Codes:
    """Rows to compare with: some with each feature, the rarest first, then any.

    Args:
        known: n × len(BLOCKS), of the training rows.
        rng: chooses.
    """
    order, there = rng.permutation(len(known)), known[:, AUDIO][:, _OWN]
    chosen = np.zeros(len(known), np.bool_)
    for i in np.argsort(there.sum(axis=0), kind="stable"):
        wanted = order[there[order, i] & ~chosen[order]]
        chosen[wanted[: max(_EACH - int(there[chosen, i].sum()), 0)]] = True
    rest = order[~chosen[order]]
    chosen[rest[: max(MOST_ROWS - int(chosen.sum()), 0)]] = True
    return np.flatnonzero(chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The samples as the networks see them.

    Attributes:
        samples: rows of known values.
        networks: fold by fold, then fold by fold again.
        block_of: width; the block of each column of x.
        rounding: len(TARGETS); by how much answers are rounded at most, standardised.
    """

    samples: Samples
    networks: tuple[Network, ...]
    block_of: Codes
    rounding: Values
    _met: dict[int, Figures] = field(default_factory=dict, repr=False, compare=False)

    def of(self, visible: Flags) -> Figures:
        """Of each row, by what is known of it, n × len(TARGETS) each.

        Returns:
            By how many widths the quantiles are to be moved outwards; and how far means are to be trusted against the plain
            mean, 0..1.
        """
        sets, place = np.unique(codes(visible), return_inverse=True)
        found = [self._figures(int(code)) for code in sets]
        empty = np.empty((0, len(TARGETS)))
        factors, slopes = (np.array([figures[i] for figures in found]) if found else empty for i in range(2))
        return factors[place], slopes[place]

    @property
    def estimated(self) -> Flags:
        """Per target whether enough of its values are known."""
        return np.asarray((~np.isnan(self.samples.values)).sum(axis=0) >= ENOUGH)

    def _figures(self, code: int) -> Figures:
        if code not in self._met:
            shown = flags(code, len(BLOCKS))
            wanted = self.estimated & ~shown[AUDIO][_OWN]
            found = _NOTHING
            for rows, visible in self._alike(shown):
                if np.isnan(found[0][wanted]).any():
                    found = _completed(found, self._compared(rows, visible))
            self._met[code] = found
        return self._met[code]

    def _alike(self, shown: Flags) -> Iterator[tuple[Codes, Flags]]:
        """Rows like those of which these blocks are known, and what to show of them; the most alike first."""
        known = self.samples.known
        knowing = known[:, shown].all(axis=1)
        # Tracks without a mood are not like tracks whose mood is hidden: where there are enough, those that lack the same.
        lacking = (known[:, _REST] == shown[_REST]).all(axis=1)
        for rows in (np.flatnonzero(knowing & lacking), np.flatnonzero(knowing)):
            if len(rows) >= _ENOUGH_ALIKE:
                yield rows, np.broadcast_to(shown, (len(rows), len(shown)))
        # Too few: the rest as each row has it; then without the artist, then without audio features.
        for kept in (_AUDIO | _ARTIST, _AUDIO, _ARTIST, _ARTIST & ~_ARTIST):
            rows = np.flatnonzero(known[:, shown & kept].all(axis=1))
            yield rows, known[rows] & (_REST | (shown & kept))

    def _compared(self, rows: Codes, visible: Flags) -> Figures:
        """The figures of these rows when this is shown of them."""
        if len(rows) < ENOUGH:
            return _NOTHING
        of, audio = self.samples, visible[:, AUDIO]
        truth = np.where(audio[:, _OWN], np.nan, of.values[rows].astype(float))
        out = np.empty((len(rows), 3, len(TARGETS)))
        for i in range(parts := int(of.fold.max()) + 1):
            of_fold = of.fold[rows] == i
            seen = of.x[rows[of_fold]].astype(float) * visible[of_fold][:, self.block_of]
            out[of_fold] = np.mean([network(seen) for network in self.networks[i::parts]], axis=0)
        slopes = _slopes(out[:, 0], truth)
        return _conformal(self._scores(out, truth, value=out[:, 0] * slopes)), slopes

    def _scores(self, out: Values, truth: Values, *, value: Values) -> Values:
        """How far each true value lies outside its quantiles, in widths; below 0 inside."""
        low, high = _ordered(out)
        # Intervals reach to the value itself, and ends are rounded: what that takes in was never missed.
        below = np.where(truth < value, low - truth, -np.inf)
        above = np.where(truth > value, truth - high, -np.inf)
        found: Values = (np.maximum(below, above) - self.rounding) / np.maximum(high - low, _NARROWEST)
        return np.where(np.isnan(truth), np.nan, found)


def bounds(out: AnyFloats, factors: Values, slopes: Values) -> tuple[Values, Values, Values]:
    """Value, low and high of the network's answers, n × len(TARGETS) each, standardised."""
    value, low, high = out[:, 0] * slopes, *_ordered(out)
    moved = np.maximum(factors, _INVERTED) * np.maximum(high - low, _NARROWEST)
    return value, np.minimum(low - moved, value), np.maximum(high + moved, value)


def _ordered(out: AnyFloats) -> tuple[Values, Values]:
    return np.minimum(out[:, 1], out[:, 2]).astype(float), np.maximum(out[:, 1], out[:, 2]).astype(float)


def _completed(figures: Figures, others: Figures) -> Figures:
    gone = np.isnan(figures[0])
    return np.where(gone, others[0], figures[0]), np.where(gone, others[1], figures[1])


def _conformal(scores: Values) -> Values:
    """Per column the smallest score that `COVERAGE` of all lie below, one more counted; NaN for too few."""
    found = np.full(scores.shape[1], np.nan)
    for i, column in enumerate(scores.T):
        there = np.sort(column[~np.isnan(column)])
        if len(there) >= ENOUGH:
            found[i] = there[min(int(np.ceil((len(there) + 1) * COVERAGE)), len(there)) - 1]
    return found


def _slopes(means: Values, truths: Values) -> Values:
    """Least squares of the true values on the means, between 0 and 1; NaN for too few."""
    there = ~np.isnan(truths)
    products = np.where(there, means * np.nan_to_num(truths), 0).sum(axis=0)
    squares = np.where(there, means**2, 0).sum(axis=0)
    slopes = np.clip(products / np.maximum(squares, 1e-12), 0, 1)
    return np.where(there.sum(axis=0) >= ENOUGH, slopes, np.nan)
