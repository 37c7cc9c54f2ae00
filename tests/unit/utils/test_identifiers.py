"""Identifiers: the same on every machine, and never shared by two things."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from backend.utils.identifiers import derive


def test_is_the_same_forever() -> None:
    # Stored rows carry it: a change here would make every album a new one.
    assert derive("album", "beatles", "abbey road") == "5747bd43-3ca3-50bc-b9ba-f41d373769e8"


def test_kind_and_parts_all_count() -> None:
    assert (
        len(
            {derive("album", "a", "b"), derive("track", "a", "b"), derive("album", "ab", ""), derive("album", "b", "a")}
        )
        == 4
    )


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"])), min_size=1, max_size=3))
def test_is_a_uuid_of_version_5(parts: list[str]) -> None:
    assert uuid.UUID(derive("track", *parts)).version == 5


def test_numbers_are_parts_too() -> None:
    assert derive("track", "x", 1) == derive("track", "x", "1")
    assert derive("track", "x", 1) != derive("track", "x", 2)
