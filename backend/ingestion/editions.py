"""Names to look an album or track up by where a service does not know its edition."""

from __future__ import annotations

import re
from typing import Final

from backend.ingestion.titles import take_apart

_LAST_ADDITION: Final = re.compile(r"\s*(?:[(\[][^()\[\]]*[)\]]|\s[-–—]\s+[^-–—]+)\s*$")


def without_edition(title: str) -> str:
    """A title without what it says last of its edition, spelt as it was.

    >>> without_edition("Abbey Road (Remastered)"), without_edition("GUTS (spilled)")
    ('Abbey Road', 'GUTS (spilled)')
    >>> without_edition("Come Together - Remastered 2009"), without_edition("Intro - Live")
    ('Come Together', 'Intro - Live')
    """
    whole = take_apart(title)
    while (shorter := _LAST_ADDITION.sub("", title)) not in {"", title}:
        rest = take_apart(shorter)
        if (rest.core, rest.asides, rest.performances) != (whole.core, whole.asides, whole.performances):
            break
        title = shorter
    return title
