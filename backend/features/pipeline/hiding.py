"""Blocks that show nothing of what is to be predicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from backend.features.pipeline.artists import ArtistFigures
from backend.features.pipeline.audio import Audio
from backend.features.pipeline.block import Block
from backend.features.pipeline.numbers import Flag, Numbers
from backend.features.pipeline.tags import MultiHot
from backend.features.pipeline.terms import Terms
from backend.features.target import Target


def without_target(blocks: Sequence[Block], target: Target) -> tuple[Block, ...]:
    """The blocks, as far as they are not computed from the target.

    Of a number, its field is left out of every block, its missing flag included. Of a tag, its own column and term; also the
    flag of its kind, which would tell which rows are unlabelled. Of the first genre, all that is computed from genres.
    """
    return tuple(found for block in blocks if (found := _without(block, target)) is not None)


def _without(block: Any, target: Target) -> Block | None:
    hidden = target.hidden_fields
    if isinstance(block, Numbers | Audio | ArtistFigures):
        fields = tuple(field for field in block.fields if field not in hidden)
        kept = bool(fields) or isinstance(block, ArtistFigures)
        return replace(block, fields=fields) if kept else None
    if isinstance(block, MultiHot | Terms):
        if block.field in hidden:
            return None
        if target.hidden_tag is None or block.field != target.field:
            return block
        without = tuple(dict.fromkeys((*block.without, target.hidden_tag)))
        if isinstance(block, MultiHot):
            return replace(block, without=without, flagged=False)
        return replace(block, without=without)
    if isinstance(block, Flag):
        return None if block.field in hidden else block
    found: Block = block
    return None if hidden & set(found.reads) else found
