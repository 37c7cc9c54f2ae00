"""Blocks as JSON values, and back: what stands in a recipe, and what was fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

import msgspec

from backend.features.pipeline.artists import ArtistFigures
from backend.features.pipeline.audio import Audio
from backend.features.pipeline.block import Block
from backend.features.pipeline.numbers import Flag, Numbers
from backend.features.pipeline.tags import MultiHot
from backend.features.pipeline.terms import Terms
from backend.features.pipeline.times import Times
from backend.features.pipeline.titles import TitleForm
from backend.utils.errors import InvalidInputError

KINDS: Final[Mapping[str, type[Any]]] = {
    block.kind: block for block in (Numbers, Flag, Audio, MultiHot, Terms, TitleForm, Times, ArtistFigures)
}
"""Every block there is, by its kind."""


def to_json(block: Block) -> dict[str, Any]:
    """A block's kind and options.

    >>> to_json(MultiHot(field="moods", most=3))["most"]
    3
    """
    return {"kind": block.kind, **msgspec.to_builtins(block)}


def from_json(values: Mapping[str, Any]) -> Block:
    """The block that `to_json` (or a person) wrote.

    Raises:
        InvalidInputError: no such kind or option, or an option that cannot be; the message names it.
    """
    kind = values.get("kind")
    block = KINDS.get(kind) if isinstance(kind, str) else None
    if block is None:
        raise InvalidInputError(f"no block of features is called {kind!r}; there are {', '.join(KINDS)}")
    known = [f.name for f in fields(block)]
    given = {k: v for k, v in values.items() if k != "kind"}
    if strange := given.keys() - set(known):
        raise InvalidInputError(
            f"the block {kind} has no option {', '.join(sorted(strange))}; it has {', '.join(known) or 'none'}"
        )
    try:
        found: Block = msgspec.convert(given, block)
    except msgspec.ValidationError as problem:
        raise InvalidInputError(f"the block {kind}: {problem}") from problem
    return found
