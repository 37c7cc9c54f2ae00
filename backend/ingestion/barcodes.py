"""One barcode as different catalogues spell it."""

from __future__ import annotations

import re
from typing import Final

_LENGTHS: Final = (12, 13)  # of a UPC-A, and of an EAN-13, which is a UPC-A with a zero before it


def spellings(code: str) -> tuple[str, ...]:
    """The digits of a barcode as given, without zeros at their head, and filled up with zeros to a UPC and an EAN.

    None where there is no digit but zeros: that is a form that was not filled in.

    >>> spellings("0602445000011")
    ('0602445000011', '602445000011')
    >>> spellings("7464-93526")
    ('746493526', '000746493526', '0000746493526')
    """
    digits = re.sub(r"[^0-9]", "", code)
    bare = digits.lstrip("0")
    return tuple(dict.fromkeys((digits, bare, *map(bare.zfill, _LENGTHS)))) if bare else ()
