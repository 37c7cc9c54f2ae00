"""The twelve audio features: nine as numbers, key and time signature as categories or on a circle, mode as 0 or 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

import ibis
import ibis.expr.types as ir

from backend.features.columns import CATEGORIES, CONTINUOUS, Column, missing_flag
from backend.features.pipeline.block import Alone, Ask, Fitted, flag, medians, missing, number, only
from backend.features.pipeline.numbers import filled, ranges

PITCH_CLASSES: Final = tuple(range(12))
SIGNATURES: Final = (3, 4, 5)  # beats a bar; all others are one category
_FOLD_FROM: Final = 80.0  # beats a minute: a folded tempo lies from here to below its double
_FOLDS: Final = (-3, -2, -1, 1, 2, 3)
_FIFTH: Final = 7  # semitones


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio(Alone):
    """The audio features that a source, a measurement or an estimate gives.

    Attributes:
        fields: of the twelve, those wanted.
        tempo: "bpm" as it is, or "folded" into one octave (80 to 160): sources differ by factors of two.
        key: "classes" (a 0/1 column per pitch class), or "fifths" (two coordinates on the circle of fifths, where keys that
            share tones lie side by side).
        scale: of the nine, as in `Numbers`.
    """

    kind: ClassVar[str] = "audio"
    fields: tuple[str, ...] = (*CONTINUOUS, *CATEGORIES)
    tempo: Literal["bpm", "folded"] = "bpm"
    key: Literal["classes", "fifths"] = "classes"
    scale: Literal["none", "robust"] = "none"

    def __post_init__(self) -> None:
        only(self.fields, (*CONTINUOUS, *CATEGORIES), what="audio feature")

    @property
    def reads(self) -> Sequence[str]:
        """See `Block`."""
        return self.fields

    def fit(self, tracks: ir.Table, ask: Ask) -> Fitted:
        """See `Block`."""
        values = {field: self._value(tracks, field) for field in self.fields if field in CONTINUOUS}
        found = {"medians": medians(values, tracks, ask)}
        if self.scale == "robust":
            found["ranges"] = ranges(values, tracks, ask)
        return found

    def columns(self, fitted: Fitted) -> Sequence[Column]:
        """See `Block`."""
        found: list[Column] = []
        for field in self.fields:
            if field == "key" and self.key == "fifths":
                found += [Column(name=f"key_fifths_{axis}", of="key") for axis in ("x", "y")]
            elif field == "key":
                found += [_category("key", str(c)) for c in PITCH_CLASSES]
            elif field == "time_signature":
                found += [_category("time_signature", c) for c in (*map(str, SIGNATURES), "other")]
            else:
                name = "tempo_folded" if field == "tempo" and self.tempo == "folded" else field
                found.append(Column(name=name, of=field))
            found.append(missing_flag(field))
        return found

    def express(self, tracks: ir.Table, fitted: Fitted) -> Sequence[ir.Value]:
        """See `Block`."""
        found: list[ir.Value] = []
        for field in self.fields:
            value = self._value(tracks, field)
            if field == "key":
                found += _on_circle(value) if self.key == "fifths" else [flag(value == c) for c in PITCH_CLASSES]
            elif field == "time_signature":
                found += [*(flag(value == c) for c in SIGNATURES), flag(value.notnull() & value.notin(SIGNATURES))]
            elif field == "mode":
                found.append(flag(value == 1))
            else:
                found.append(filled(value, fitted, field))
            found.append(missing(value))
        return found

    def _value(self, tracks: ir.Table, field: str) -> Any:
        value = number(tracks, field)
        if field == "key":
            return ibis.cases((value < 0, ibis.null("float64")), else_=value)  # Spotify's "no key was found"
        if field == "tempo" and self.tempo == "folded":
            # Halving and doubling is exact, a logarithm is not the same on every engine.
            steps = [
                ((value >= _FOLD_FROM * 2.0**n) & (value < _FOLD_FROM * 2.0 ** (n + 1)), value / 2.0**n) for n in _FOLDS
            ]
            return ibis.cases((value <= 0, ibis.null("float64")), *steps, else_=value)
        return value


def _category(field: str, label: str) -> Column:
    return Column(name=f"{field}_{label}", of=field, kind="category", label=label)


def _on_circle(key: Any) -> list[Any]:
    """Where a key stands on the circle of fifths, C at (1, 0), G a twelfth of the way round; (0, 0) when unknown."""
    places = {c: c * _FIFTH % 12 * math.tau / 12 for c in PITCH_CLASSES}
    return [
        ibis.cases(*((key == c, round(turn(place), 6)) for c, place in places.items()), else_=0.0).cast("float32")
        for turn in (math.cos, math.sin)
    ]
