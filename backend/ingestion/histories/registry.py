"""The forms of history that can be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from backend.ingestion.histories.form import Form
from backend.ingestion.histories.lastfm import Scrobbles, columns
from backend.ingestion.histories.listenbrainz import Listens
from backend.ingestion.histories.spotify import ExtendedHistory, ShortHistory

FORMS: Final[Sequence[Form]] = (ExtendedHistory(), ShortHistory(), Listens(), Scrobbles())
"""In the order in which they are tried; the most telling first."""

WRAPPERS: Final = frozenset().union(*(form.wrappers for form in FORMS))
"""Keys of JSON objects that hold rows instead of being one."""

BARE: Final = (columns,)
"""Each tells the columns of a table without a line that names them, by its first line; None when it is none of its own."""
