"""What is to be predicted: reading its name, computing y, and what X must not hold because of it.

A target is a number of the track (`aoty_score`, `popularity`, `tempo`, …), `genre:<name>` or `mood:<name>` (0 or 1), or
`genre` (the first genre, as a category). A bare name that is no number may be a genre's or a mood's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from backend.features.columns import CATEGORIES, CONTINUOUS, FLAGS, NUMERIC, TAGS, floats, known, lists
from backend.features.multihot import counts, scatter
from backend.utils.errors import InvalidInputError
from backend.utils.text import fold

SCORES: Final = ("aoty_score", "aoty_critic_score", "rating", "listeners", "disc_number")
NUMBERS: Final = (*SCORES, *NUMERIC, *CONTINUOUS, *CATEGORIES, *FLAGS)
DEFAULT: Final = "aoty_score"

FindTag = Callable[[str, str], str | None]
"""Told a field of tags and a name, gives the tag as it is spelt there, or None when no track has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is to be predicted.

    Attributes:
        name: as y is called: `aoty_score`, `genre`, `mood:mellow`.
        field: the field of the track that it is computed from.
        kind: the field's number, whether a tag is there, or the first tag.
        tag: the tag, when it is one.
    """

    name: str
    field: str
    kind: Literal["number", "tag", "first"] = "number"
    tag: str | None = None

    @property
    def hidden_fields(self) -> frozenset[str]:
        """Fields of which X must not hold any column, missing flags included."""
        return frozenset() if self.kind == "tag" else frozenset({self.field})

    @property
    def hidden_tag(self) -> str | None:
        """The one tag of `field` of which X must not hold a column."""
        return self.tag


def parse(text: str, *, find_tag: FindTag) -> Target:
    """The target that a name means.

    Raises:
        InvalidInputError: none; the message names the choices.
    """
    name = text.strip()
    lower = name.casefold()
    if lower in NUMBERS:
        return Target(name=lower, field=lower)
    if lower == "genre":
        return Target(name="genre", field="genres", kind="first")
    prefix, colon, tag = lower.partition(":")
    one_kind = colon and prefix in {"genre", "mood"}
    asked = [(f"{prefix}s", tag.strip())] if one_kind else [(field, name) for field in TAGS]
    for field, wanted in asked:
        found = find_tag(field, wanted) if wanted else None
        if found is not None:
            return Target(name=f"{field.removesuffix('s')}:{found}", field=field, kind="tag", tag=found)
    raise InvalidInputError(
        f"target={shorten(text)!r} is not known; choose one of {', '.join(NUMBERS)}, genre (the first genre), "
        "genre:<name> or mood:<name> of a genre or mood that a track has"
    )


def shorten(text: str, most: int = 60) -> str:
    """A caller's text as it may be repeated in a message."""
    return text if len(text) <= most else f"{text[:most]}…"


def tags_of(table: pa.Table) -> FindTag:
    """Looks tags up in the table itself, in their folded spelling."""

    def find(field: str, name: str) -> str | None:
        wanted = fold(name)
        return next((tag for tag in counts(lists(table, field)) if fold(tag) == wanted), None)

    return find


def values(table: pa.Table, target: Target) -> npt.NDArray[Any]:
    """y: float64 with NaN where it is unknown, or for `genre` an object array of names and None.

    Whether a track has a genre (or mood) is unknown when none of its genres is known.
    """
    if target.kind == "number":
        found = floats(table, target.field)
        return np.where(known(table, target.field), found, np.nan)
    tags = lists(table, target.field)
    if target.kind == "first":
        return _first(tags, table.num_rows)
    one = np.zeros((table.num_rows, 1), np.float32)
    scatter(tags, [target.tag or ""], one)
    return np.where(known(table, target.field), one[:, 0].astype(np.float64), np.nan)


def _first(tags: Any, n: int) -> npt.NDArray[Any]:
    found = np.full(n, None, object)
    filled = np.asarray(pc.fill_null(pc.greater(pc.list_value_length(tags), 0), fill_value=False))
    if filled.any():
        found[filled] = pc.list_element(tags.filter(pa.array(filled)), 0).to_pylist()
    return found


def labelled(y: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where y is known."""
    if y.dtype == object:
        return np.array([value is not None for value in y], bool)
    return np.asarray(~np.isnan(y))
