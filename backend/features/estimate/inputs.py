"""What an estimate is computed from: a track as blocks of numbers, each of which can be known or hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from backend.features.columns import CONTINUOUS, TAGS, Flags, Floats, Values, floats, known, lists
from backend.features.multihot import flat
from backend.models.ingestion_models import AUDIO_FEATURES

TARGETS: Final = (*CONTINUOUS, "time_signature")
"""What is estimated; key and mode are not (docs/estimates.md says why)."""
RANGES: Final = {"loudness": (-60.0, 5.0), "tempo": (20.0, 300.0), "time_signature": (1.0, 7.0)}
"""Where values can lie: dB, BPM, beats a bar; all others 0..1."""
DECIMALS: Final = {"loudness": 3, "tempo": 3, "time_signature": 0}
"""Of what is answered; all others 4. What would differ by the order of sums is rounded away."""
READS: Final = ("artist", *TAGS, "release_year", "duration_ms", "explicit", "popularity", *AUDIO_FEATURES)
"""The columns of a table of tracks that are looked at."""

BLOCKS: Final = (*TAGS, "release_year", "duration_ms", "explicit", "popularity", *AUDIO_FEATURES, "artist")
FIRST_AUDIO: Final = BLOCKS.index(AUDIO_FEATURES[0])
ARTIST: Final = BLOCKS.index("artist")

_NUMBERS: Final = ("release_year", "duration_ms", "popularity", *TARGETS)
_TOKENS: Final = {"genres": 128, "moods": 64}  # at most so many columns
_FLOOR: Final = 10  # tracks that a tag needs for a column of its own
_STEPS: Final = 8  # pieces of a number's encoding
_FAR: Final = 4.0  # standard deviations; beyond, a number says no more

Edges = dict[str, Values]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """n tracks, ready for the network.

    Attributes:
        x: n × width, the blocks of `BLOCKS` beside each other, the artist's not filled in yet.
        known: n × len(BLOCKS), what is known of each track (never the artist as yet).
        values: n × len(TARGETS), the features as they are; NaN where unknown.
    """

    x: Floats
    known: Flags
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """How tracks become numbers, fitted on the training rows alone.

    Numbers are written piecewise linearly between quantiles (Gorishniy et al. 2022, "On embeddings for numerical features"),
    which lets a small network bend anywhere, and once standardised. A tag counts as itself and as each of its words, so
    that "detroit techno" is techno too.

    Attributes:
        tokens: per kind of tags the words that have a column.
        edges: per number its quantiles; one or none when it does not vary.
        mean, deviation: per number.
    """

    tokens: dict[str, tuple[str, ...]]
    edges: Edges
    mean: dict[str, float]
    deviation: dict[str, float]

    @classmethod
    def fitted(cls, table: pa.Table) -> Encoder:
        """Learn vocabulary and scales from the training rows."""
        columns = {name: _number(table, name) for name in _NUMBERS}
        there = {name: values[~np.isnan(values)] for name, values in columns.items()}
        return cls(
            tokens={kind: _vocabulary(table, kind, most=most) for kind, most in _TOKENS.items()},
            edges={name: _edges(values) for name, values in there.items()},
            mean={name: float(values.mean()) if len(values) else 0.0 for name, values in there.items()},
            deviation={name: float(values.std()) or 1.0 if len(values) else 1.0 for name, values in there.items()},
        )

    @property
    def widths(self) -> tuple[int, ...]:
        """How many columns each of `BLOCKS` has; the last of each says that the block is known."""
        return tuple(self._width(block) + 1 for block in BLOCKS)

    def _width(self, block: str) -> int:
        if block in self.tokens:
            return len(self.tokens[block])
        fixed = {"explicit": 1, "mode": 1, "key": 12, "artist": len(TARGETS) + 1}
        return fixed[block] if block in fixed else max(len(self.edges[block]) - 1, 0) + 1

    @property
    def block_of(self) -> npt.NDArray[np.int64]:
        """The block each column of x belongs to."""
        return np.repeat(np.arange(len(BLOCKS)), self.widths)

    @property
    def scale(self) -> tuple[Values, Values]:
        """Mean and standard deviation of the targets, in the order of `TARGETS`."""
        return np.array([self.mean[f] for f in TARGETS]), np.array([self.deviation[f] for f in TARGETS])

    def encode(self, table: pa.Table) -> Encoded:
        """All blocks of the tracks but the artist's."""
        n, ends = table.num_rows, np.cumsum(self.widths)
        x = np.zeros((n, int(ends[-1])), np.float32)
        there = np.zeros((n, len(BLOCKS)), np.bool_)
        values = np.empty((n, len(TARGETS)))
        for i, block in enumerate(BLOCKS[:ARTIST]):
            part = x[:, ends[i] - self.widths[i] : ends[i]]
            there[:, i] = self._write(table, block, part)
            part[:, -1] = 1
            if block in TARGETS:
                values[:, TARGETS.index(block)] = _number(table, block)
        return Encoded(x=x, known=there, values=values)

    def _write(self, table: pa.Table, block: str, out: Floats) -> Flags:
        if block in self.tokens:
            _write_tags(table, block, tokens=self.tokens[block], out=out)
            return known(table, block)
        values = _number(table, block)
        unknown = np.isnan(values)
        filled = np.where(unknown, 0.0, values)
        if block == "key":
            out[np.arange(len(values)), filled.astype(np.int64) % 12] = 1
        elif block in {"mode", "explicit"}:
            out[:, 0] = 2 * filled - 1
        else:
            edges = self.edges[block]
            if len(edges) > 1:
                out[:, : len(edges) - 1] = np.clip((filled[:, None] - edges[:-1]) / np.diff(edges), 0, 1)
            standard = (filled - self.mean[block]) / self.deviation[block]
            out[:, len(edges) - 1 if len(edges) > 1 else 0] = np.clip(standard, -_FAR, _FAR)
        return ~unknown


def _number(table: pa.Table, name: str) -> Values:
    values = floats(table, name)
    if name == "duration_ms":
        return np.log(np.where(values > 0, values, np.nan))
    if name == "key":
        return np.where(values >= 0, values, np.nan)
    if name in {"tempo", "time_signature"}:  # 0 where no beat was found
        return np.where(values > 0, values, np.nan)
    return values


def _edges(values: Values) -> Values:
    return np.unique(np.quantile(values, np.linspace(0, 1, _STEPS + 1))) if len(values) else np.empty(0)


def _tokens(tag: str) -> list[str]:
    words = tag.split()
    return [tag, *words] if len(words) > 1 else [tag]


def _spread(table: pa.Table, kind: str) -> tuple[Rows, Rows, list[str]]:
    """Row and token of every tag of every track, each pair once, and the words that the tokens stand for."""
    rows, codes, names = flat(lists(table, kind))
    of_name = [_tokens(name) for name in names]
    words = sorted({word for tokens in of_name for word in tokens})
    place = {word: i for i, word in enumerate(words)}
    lengths = np.array([len(tokens) for tokens in of_name], np.int64)
    starts = np.cumsum(lengths) - lengths
    tokens = np.array([place[word] for tokens in of_name for word in tokens], np.int64)
    many = lengths[codes]  # tokens of each tag as it stands
    within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    pairs = np.unique(np.repeat(rows, many) * max(len(words), 1) + tokens[np.repeat(starts[codes], many) + within])
    return (*np.divmod(pairs, max(len(words), 1)), words)


def _vocabulary(table: pa.Table, kind: str, *, most: int) -> tuple[str, ...]:
    """The words that most tracks have, by name."""
    _, tokens, words = _spread(table, kind)
    tracks = np.bincount(tokens, minlength=len(words))
    frequent = [i for i in range(len(words)) if tracks[i] >= _FLOOR]
    return tuple(sorted(words[i] for i in sorted(frequent, key=lambda i: (-tracks[i], i))[:most]))


def _write_tags(table: pa.Table, kind: str, *, tokens: Sequence[str], out: Floats) -> None:
    rows, found, words = _spread(table, kind)
    place = {token: i for i, token in enumerate(tokens)}
    column = np.array([place.get(word, -1) for word in words], np.int64)[found]
    out[rows[column >= 0], column[column >= 0]] = 1
