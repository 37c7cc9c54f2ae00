"""A model as bytes: the same for the same rows, read back whole, and refused when it is not what it should be."""

from __future__ import annotations

import pickle
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pytest

from backend.features.estimate import Estimator, fit
from backend.features.estimate.storage import MAGIC
from backend.models.ingestion_models import AUDIO_FEATURES
from backend.utils.errors import InvalidInputError
from tests.unit.features.songs import songs, without

ROWS = songs(34, seed=8, unknown=0.1)


@pytest.fixture(scope="module")
def estimator() -> Estimator:
    return fit(ROWS, seed=3)


def test_the_same_rows_in_any_order_give_the_same_bytes(estimator: Estimator) -> None:
    shuffled = ROWS.take(np.random.default_rng(1).permutation(ROWS.num_rows))
    again = fit(shuffled, seed=3)
    assert again.dumps() == estimator.dumps()
    assert again.id == estimator.id
    assert fit(ROWS, seed=4).id != estimator.id


def test_what_is_read_back_estimates_alike(estimator: Estimator) -> None:
    data = estimator.dumps()
    again = Estimator.loads(data)
    assert again.dumps() == data
    assert again.id == estimator.id == sha256(data).hexdigest()[:16]
    assert again.report == estimator.report
    asked = without(songs(5, seed=9), *AUDIO_FEATURES[:6])
    for feature, answer in estimator.estimate(asked).items():
        other = again.estimate(asked)[feature]
        for part in ("value", "low", "high"):
            assert np.array_equal(getattr(answer, part), getattr(other, part), equal_nan=True), feature


def test_it_is_small(estimator: Estimator) -> None:
    assert len(estimator.dumps()) < 10_000_000


def test_what_is_no_model_is_refused_and_never_executed(estimator: Estimator) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (pytest.fail, ("it was executed",))

    for data in (b"", b"PK\x03\x04", pickle.dumps(Trap()), MAGIC[:5]):
        with pytest.raises(InvalidInputError, match="no model of estimates of this version"):
            Estimator.loads(data)
    older = estimator.dumps().replace(MAGIC, b"tensoe estimates 0\n", 1)
    with pytest.raises(InvalidInputError, match="tensoe features fit"):
        Estimator.loads(older)


def test_damage_is_found(estimator: Estimator) -> None:
    data = estimator.dumps()
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    for damaged in (bytes(flipped), data[:-1], data + b"\0", data[: len(MAGIC) + 10]):
        with pytest.raises(InvalidInputError, match="damaged"):
            Estimator.loads(damaged)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"<f4"', b'"|O8"'),  # objects
        (b'"artists/keys"', b'"artists/kexs"'),
        (b'"tokens"', b'"tokenz"'),
        (b'"report":{', b'"report":['),
    ],
)
def test_contents_that_make_no_sense_are_refused(estimator: Estimator, old: bytes, new: bytes) -> None:
    body = estimator.dumps()[len(MAGIC) + 32 :]
    assert old in body
    forged = body.replace(old, new, 1)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        Estimator.loads(MAGIC + sha256(forged).digest() + forged)


def test_a_catalogue_without_tags_years_or_artists_can_be_learnt_from() -> None:
    bare = without(ROWS, "genres", "moods", "release_year", "duration_ms", "explicit", "popularity")
    nulls = bare.set_column(bare.schema.get_field_index("genres"), "genres", pa.nulls(bare.num_rows))
    found = fit(nulls)
    assert found.report.of("loudness", "some").n > 0
    assert found.estimate(nulls)["energy"].value.shape == (bare.num_rows,)
