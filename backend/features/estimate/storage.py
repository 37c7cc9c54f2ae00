"""A fitted model as bytes: JSON and plain arrays, nothing that is executed when it is read.

Form: `MAGIC`, the SHA-256 of all that follows, the header's length (8 bytes, little endian), the header as JSON, then the
arrays that it lists, little endian, in its order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from hashlib import sha256
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from backend.features.estimate.artists import ArtistMeans
from backend.features.estimate.inputs import BLOCKS, Encoder
from backend.features.estimate.intervals import Samples
from backend.features.estimate.model import Model
from backend.features.estimate.network import Network
from backend.features.estimate.report import Report
from backend.utils.errors import InvalidInputError

MAGIC: Final = b"tensoe estimates 1\n"
"""The number is the version of the form and of what the figures mean: another is refused."""

_KINDS: Final = frozenset({"<f2", "<f4", "<f8", "<u8", "|u1"})
_AGAIN: Final = "run `tensoe features fit` to learn a new one"

Array = npt.NDArray[Any]


def dumps(model: Model, report: Report) -> bytes:
    """Model and report as bytes."""
    arrays = dict(_arrays(model))
    encoder = model.encoder
    header = {
        "tokens": encoder.tokens,
        "mean": encoder.mean,
        "deviation": encoder.deviation,
        "report": asdict(report),
        "arrays": [[name, array.dtype.newbyteorder("<").str, list(array.shape)] for name, array in arrays.items()],
    }
    text = msgspec.json.encode(header, order="sorted")
    body = [len(text).to_bytes(8, "little"), text]
    body += [array.astype(array.dtype.newbyteorder("<")).tobytes() for array in arrays.values()]
    joined = b"".join(body)
    return MAGIC + sha256(joined).digest() + joined


def _arrays(model: Model) -> Iterator[tuple[str, Array]]:
    for name, edges in sorted(model.encoder.edges.items()):
        yield f"edges/{name}", edges
    for part in ("keys", "sums", "counts"):
        yield f"artists/{part}", getattr(model.artists, part)
    yield "samples/x", model.samples.x
    yield "samples/known", np.packbits(model.samples.known, axis=1)
    yield "samples/values", model.samples.values
    yield "samples/fold", model.samples.fold.astype(np.uint8)
    for i, network in enumerate(model.networks):
        for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
            yield f"network/{i}/{layer}/weight", weight
            yield f"network/{i}/{layer}/bias", bias


def loads(data: bytes) -> tuple[Model, Report]:
    """What `dumps` wrote.

    Raises:
        InvalidInputError: no model, a damaged one, or one of another version.
    """
    start = len(MAGIC) + 32
    if not data.startswith(MAGIC):
        raise InvalidInputError(f"These bytes are no model of estimates of this version; {_AGAIN}")
    if sha256(data[start:]).digest() != data[len(MAGIC) : start]:
        raise InvalidInputError(f"The stored model of estimates is damaged; {_AGAIN}")
    try:
        return _read(memoryview(data)[start:])
    except (KeyError, ValueError, TypeError, msgspec.MsgspecError) as problem:
        raise InvalidInputError(f"The stored model of estimates cannot be read ({problem}); {_AGAIN}") from problem


def _read(body: memoryview) -> tuple[Model, Report]:
    end = 8 + int.from_bytes(body[:8], "little")
    header = msgspec.json.decode(body[8:end])
    arrays = dict(_cut(body[end:], header["arrays"]))
    encoder = Encoder(
        tokens={kind: tuple(tokens) for kind, tokens in header["tokens"].items()},
        edges={name.removeprefix("edges/"): array for name, array in arrays.items() if name.startswith("edges/")},
        mean=header["mean"],
        deviation=header["deviation"],
    )
    model = Model(
        encoder=encoder,
        artists=ArtistMeans(**{part: arrays[f"artists/{part}"] for part in ("keys", "sums", "counts")}),
        networks=tuple(_networks(arrays)),
        samples=_samples(arrays),
    )
    return model, msgspec.convert(header["report"], Report)


def _samples(arrays: dict[str, Array]) -> Samples:
    return Samples(
        x=arrays["samples/x"],
        known=np.unpackbits(arrays["samples/known"], axis=1, count=len(BLOCKS)).astype(np.bool_),
        values=arrays["samples/values"],
        fold=arrays["samples/fold"].astype(np.int64),
    )


def _cut(body: memoryview, listed: list[tuple[str, str, list[int]]]) -> Iterator[tuple[str, Array]]:
    place = 0
    for name, kind, shape in listed:
        if kind not in _KINDS or any(size < 0 for size in shape):
            raise ValueError(f"array {name!r} is of the unknown kind {kind!r} {shape}")
        size = math.prod(shape) * np.dtype(kind).itemsize
        if place + size > len(body):
            raise ValueError(f"array {name!r} ends behind the data")
        yield name, np.frombuffer(body[place : place + size], kind).reshape(shape)
        place += size
    if place != len(body):
        raise ValueError("data stand behind the last array")


def _networks(arrays: dict[str, Array]) -> Iterator[Network]:
    numbers = sorted({tuple(map(int, name.split("/")[1:3])) for name in arrays if name.startswith("network/")})
    for i in sorted({network for network, _ in numbers}):
        layers = [layer for network, layer in numbers if network == i]
        yield Network(
            *(tuple(arrays[f"network/{i}/{layer}/{part}"] for layer in layers) for part in ("weight", "bias"))
        )
