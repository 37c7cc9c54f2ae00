"""A small feed-forward network in NumPy: means and quantiles of all features at once, whatever inputs are hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from backend.features.columns import Flags, Floats

QUANTILES: Final = (0.05, 0.95)
OUTPUTS: Final = 1 + len(QUANTILES)
"""Per target: the mean, then the quantiles."""

_HIDDEN: Final = (128, 128)
_BATCH: Final = (64, 512)  # at least and at most
_EPOCHS: Final = 60
_STEPS: Final = (200, 1000)  # at least and at most; the bound keeps large catalogues as quick as 8,500 rows
_RATE: Final = 3e-3
_WARM: Final = 50  # steps until the full rate
_DECAY: Final = 0.01
_DROPPED: Final = np.float32(0.1)
_QUANTILE_WEIGHT: Final = 1.5  # of the pinball losses against the squared error
_BETAS: Final = (0.9, 0.99)

Rows = npt.NDArray[np.int64]
AnyFloats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows to learn from: n × width inputs, n × targets values, and which of them are to be learnt."""

    x: Floats
    values: Floats
    wanted: Flags


@dataclass(frozen=True, slots=True)
class Network:
    """Weights and biases per layer; ReLU between them."""

    weights: tuple[AnyFloats, ...]
    biases: tuple[AnyFloats, ...]

    def precise(self) -> Network:
        """The same with float64: sums then end alike to many digits, however many tracks are computed together."""
        return Network(*(tuple(p.astype(np.float64) for p in part) for part in (self.weights, self.biases)))

    def __call__(self, x: AnyFloats) -> AnyFloats:
        """Answers, n × OUTPUTS × targets, standardised."""
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = np.maximum(x @ weight + bias, 0)
        out = x @ self.weights[-1] + self.biases[-1]
        return np.asarray(out.reshape(len(x), OUTPUTS, -1))


def train(rows: Rows, draw: Callable[[Rows], Batch], *, rng: np.random.Generator) -> Network:
    """Learn by AdamW with a cosine schedule (Loshchilov and Hutter 2019); the squared error and the pinball loss.

    Args:
        rows: the training rows.
        draw: a batch of the given rows, anew hidden each time.
        rng: decides everything that is random.
    """
    size = int(np.clip(len(rows) // 8, *_BATCH))
    steps = int(np.clip(_EPOCHS * len(rows) // size, *_STEPS))
    order = _epochs(rows, steps * size, rng=rng)
    trainer: _Trainer | None = None
    for step in range(steps):
        batch = draw(order[step * size : (step + 1) * size])
        trainer = trainer or _Trainer.new(batch.x.shape[1], batch.values.shape[1], rng=rng)
        rate = _RATE * min(1.0, (step + 1) / _WARM) * (0.5 + 0.5 * np.cos(np.pi * step / steps))
        trainer.step(batch, rate=rate, number=step + 1)
    assert trainer is not None  # at least _STEPS[0] steps were made
    layers = len(trainer.parameters) // 2
    return Network(tuple(trainer.parameters[:layers]), tuple(trainer.parameters[layers:]))


def _epochs(rows: Rows, count: int, *, rng: np.random.Generator) -> Rows:
    return np.concatenate([rng.permutation(rows) for _ in range(count // len(rows) + 1)])[:count]


@dataclass(slots=True)
class _Trainer:
    """Parameters (weights, then biases) with their running moments."""

    parameters: list[Floats]
    first: list[Floats]
    second: list[Floats]
    rng: np.random.Generator

    @classmethod
    def new(cls, width: int, targets: int, *, rng: np.random.Generator) -> _Trainer:
        sizes = (width, *_HIDDEN, targets * OUTPUTS)
        weights = [rng.normal(0, np.sqrt(2 / a), (a, b)).astype(np.float32) for a, b in pairwise(sizes)]
        weights[-1] *= np.float32(0.1)
        biases = [np.zeros(size, np.float32) for size in sizes[1:]]
        biases[-1][targets : 2 * targets] = -1.6  # near the quantiles of what is standardised
        biases[-1][2 * targets :] = 1.6
        parameters = weights + biases
        return cls(parameters, [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters], rng)

    def step(self, batch: Batch, *, rate: float, number: int) -> None:
        layers = len(self.parameters) // 2
        weights, biases = self.parameters[:layers], self.parameters[layers:]
        inputs, kept = [batch.x], []
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            hidden = np.maximum(inputs[-1] @ weight + bias, 0)
            kept.append((self.rng.random(hidden.shape, np.float32) >= _DROPPED) / (1 - _DROPPED))
            inputs.append(hidden * kept[-1])
        slope = _slope(inputs[-1] @ weights[-1] + biases[-1], batch)
        slopes: list[Floats] = [np.empty(0, np.float32)] * len(self.parameters)
        for i in range(layers - 1, -1, -1):
            slopes[i], slopes[layers + i] = inputs[i].T @ slope, slope.sum(axis=0)
            if i:
                slope = (slope @ weights[i].T) * (inputs[i] > 0) * kept[i - 1]
        for i, found in enumerate(slopes):
            self._move(i, found, rate=np.float32(rate), number=number, decay=_DECAY if i < layers else 0.0)

    def _move(self, i: int, slope: Floats, *, rate: np.float32, number: int, decay: float) -> None:
        (a, b), parameter = _BETAS, self.parameters[i]
        self.first[i] += np.float32(1 - a) * (slope - self.first[i])
        self.second[i] += np.float32(1 - b) * (slope * slope - self.second[i])
        size = np.sqrt(self.second[i] / np.float32(1 - b**number)) + np.float32(1e-8)
        parameter -= rate * (self.first[i] / np.float32(1 - a**number) / size + np.float32(decay) * parameter)


def _slope(out: Floats, batch: Batch) -> Floats:
    """Of the loss by the outputs."""
    targets = batch.values.shape[1]
    wanted = batch.wanted.astype(np.float32) / len(out)
    slope = np.empty_like(out)
    slope[:, :targets] = (out[:, :targets] - batch.values) * wanted
    for i, quantile in enumerate(QUANTILES, 1):
        part = slice(i * targets, (i + 1) * targets)
        below = np.where(batch.values > out[:, part], -quantile, 1 - quantile).astype(np.float32)
        slope[:, part] = np.float32(_QUANTILE_WEIGHT) * below * wanted
    return slope
