"""A plane as one file: there whole or not at all."""

from __future__ import annotations

import os
import secrets
import zipfile
from pathlib import Path
from typing import Final

import numpy as np

from backend.features.map.plane import Plane
from backend.utils.errors import InvalidInputError

FORM: Final = 1
"""Of the file; another one is not read."""


def save(plane: Plane, path: Path) -> None:
    """Write a plane in place of the one before.

    Raises:
        OSError: the disk does not take it.
    """
    made = path.with_name(f".{path.name}.{secrets.token_hex(8)}.unfinished")
    try:
        with made.open("wb") as file:
            np.savez(
                file,
                form=np.int64(FORM),
                layout=np.array(plane.layout),
                drawn=np.int64(plane.drawn),
                codes=plane.codes,
                at=plane.at,
                anchors=plane.anchors,
                square=np.array([*plane.corner, plane.extent]),
            )
        os.replace(made, path)  # noqa: PTH105 - the same on every system
    finally:
        made.unlink(missing_ok=True)


def open_plane(path: Path) -> Plane:
    """Read a plane that `save` wrote.

    Raises:
        InvalidInputError: the file holds none of this form.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            if int(held["form"]) != FORM:
                raise InvalidInputError(f"{path.name} has form {held['form']}, not {FORM}; have the map drawn again")
            x, y, extent = held["square"].tolist()
            plane = Plane(
                layout=str(held["layout"]),
                drawn=int(held["drawn"]),
                codes=held["codes"],
                at=held["at"],
                anchors=held["anchors"],
                corner=(x, y),
                extent=extent,
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as problem:
        raise InvalidInputError(f"{path.name} holds no map that can be read: {problem}") from problem
    if not len(plane.codes) == len(plane.at) == len(plane.anchors):
        raise InvalidInputError(f"{path.name} is not whole: {len(plane.at)} places of {len(plane.codes)} tracks")
    return plane
