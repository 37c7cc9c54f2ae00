"""What a split shall be: its kind, its parts, and what must stay together; checked when it is made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from itertools import pairwise
from typing import Any, Final, Literal, TypeAlias, get_args

from backend.utils.errors import InvalidInputError

Kind: TypeAlias = Literal["random", "artist", "album", "recording", "time"]
Artists: TypeAlias = Literal["whole", "first", "all"]

KINDS: Final[tuple[str, ...]] = get_args(Kind)
ARTISTS: Final[tuple[str, ...]] = get_args(Artists)
_MOST_FOLDS: Final = 100
_MOST_PARTS: Final = 100
_EXACT: Final = 1e-6  # by which shares may miss 1: they are written by hand


def _usual_parts() -> dict[str, float]:
    return {"train": 0.8, "validation": 0.1, "test": 0.1}


@dataclass(frozen=True, kw_only=True)
class SplitRecipe:
    """How tracks are dealt into parts.

    Attributes:
        kind: what must not stand in two parts: nothing (`random`), an artist, an album or a recording; `time`: parts follow
            each other in time.
        parts: names and shares, which sum to 1; the first is what models learn from, and in `time` the earliest.
        seed: any whole number; another one deals anew.
        folds: k ≥ 2 parts `fold_0` … of equal shares in place of `parts`.
        stratify: a column whose values shall have the same shares in every part; implies `balanced`.
        balanced: shares hold for the rows at hand, for which groups next to a cut may move when the catalogue grows.
        artists: of a joint credit, the artist is the whole credit, its first artist, or each of its artists (and guests).
        since: a column that says when a row was first seen (`created_at`): merged groups then go where the oldest one was.
        dated_by: the column of `time`: dates, years, or text of the form YYYY, YYYY-MM or YYYY-MM-DD.
        cuts: the first days of the second and all later parts of `time`; without them dates are found that give the shares.
        gap_days: of `time`: rows of so many days before a cut are left out.
        undated: the part for rows without a date; None leaves them out.

    Raises:
        InvalidInputError: of every value that is wrong or has no meaning for this kind; the message says what may stand there.
    """

    kind: Kind
    parts: Mapping[str, float] = field(default_factory=_usual_parts)
    seed: int = 0
    folds: int | None = None
    stratify: str | None = None
    balanced: bool = False
    artists: Artists = "first"
    since: str | None = None
    dated_by: str = "release_date"
    cuts: tuple[date, ...] = ()
    gap_days: int = 0
    undated: str | None = None

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, KINDS)
        _one_of("artists", self.artists, ARTISTS)
        for name, least, most in (("seed", -(2**63), 2**63 - 1), ("gap_days", 0, 36_525)):
            _whole(name, getattr(self, name), least=least, most=most)
        for name in ("stratify", "since", "undated"):
            if (value := getattr(self, name)) is not None:
                _text(name, value)
        _text("dated_by", self.dated_by)
        if not isinstance(self.balanced, bool):
            raise InvalidInputError(f"balanced={self.balanced!r} must be true or false")
        if self.folds is not None:
            _whole("folds", self.folds, least=2, most=_MOST_FOLDS)
        object.__setattr__(self, "parts", _parts(self.parts, folds=self.folds))
        object.__setattr__(self, "cuts", _cuts(self.cuts))
        self._check_time()

    @property
    def names(self) -> tuple[str, ...]:
        """The parts, in order."""
        return tuple(self.parts)

    @property
    def is_balanced(self) -> bool:
        """Whether cuts are laid by the rows at hand."""
        return self.balanced or self.stratify is not None

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> SplitRecipe:
        """The recipe that JSON or TOML values tell; names left out have their defaults.

        >>> SplitRecipe.from_plain({"kind": "artist", "parts": {"train": 0.9, "test": 0.1}, "seed": 7}).names
        ('train', 'test')

        Raises:
            InvalidInputError: a name or value is not known.
        """
        if not isinstance(values, Mapping):
            raise InvalidInputError(f"a split is told as names and values, not as {type(values).__name__}")
        allowed = [f.name for f in fields(cls)]
        unknown = [str(name) for name in values if name not in allowed]
        if unknown:
            raise InvalidInputError(f"a split has no {', '.join(unknown)}; it may have {', '.join(allowed)}")
        if "kind" not in values:
            raise InvalidInputError(f"kind is missing; choose one of {', '.join(KINDS)}")
        return cls(**values)

    def to_plain(self) -> dict[str, Any]:
        """What `from_plain` takes: JSON values without null, defaults left out but for seed and shares."""
        found: dict[str, Any] = {"kind": self.kind, "seed": self.seed}
        found |= {"folds": self.folds} if self.folds else {"parts": dict(self.parts)}
        for option in fields(self):
            value = getattr(self, option.name)
            if option.name not in {*found, "parts", "folds"} and value != option.default:
                found[option.name] = [day.isoformat() for day in value] if option.name == "cuts" else value
        return found

    def _check_time(self) -> None:
        if self.kind != "time":
            given = [n for n in ("cuts", "gap_days", "undated") if getattr(self, n)]
            if given:
                raise InvalidInputError(f"{', '.join(given)} mean something only with kind='time', not {self.kind!r}")
            return
        given = [n for n in ("folds", "stratify", "balanced") if getattr(self, n)]
        if given:
            raise InvalidInputError(
                f"{', '.join(given)} cannot go with kind='time', whose parts follow from dates alone"
            )
        if self.cuts and len(self.cuts) != len(self.parts) - 1:
            raise InvalidInputError(
                f"{len(self.parts)} parts need {len(self.parts) - 1} cuts, one before each part but the first; "
                f"{len(self.cuts)} are given"
            )
        if self.undated is not None:
            _one_of("undated", self.undated, self.names)


def _one_of(name: str, value: object, choices: Sequence[str]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise InvalidInputError(f"{name}={value!r} is not known; choose one of {', '.join(choices)}")


def _text(name: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise InvalidInputError(f"{name}={value!r} must be a name")


def _whole(name: str, value: object, *, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidInputError(f"{name}={value!r} must be a whole number from {least} to {most}")


def _parts(parts: object, *, folds: int | None) -> dict[str, float]:
    if folds is not None:
        if parts not in (_usual_parts(), equal := {f"fold_{i}": 1 / folds for i in range(folds)}):
            raise InvalidInputError("give either parts or folds: folds are parts of equal shares")
        return equal
    if not isinstance(parts, Mapping) or not 1 <= len(parts) <= _MOST_PARTS:
        raise InvalidInputError(f"parts={parts!r} must be 1 to {_MOST_PARTS} names with shares")
    for name, share in parts.items():
        _text("a part", name)
        if not isinstance(share, int | float) or isinstance(share, bool) or not 0 < share <= 1:
            raise InvalidInputError(f"the share of {name} is {share!r}; it must be a number above 0 and at most 1")
    if abs(math.fsum(parts.values()) - 1) > _EXACT:
        raise InvalidInputError(
            f"the shares of {', '.join(parts)} sum to {math.fsum(parts.values()):g}; they must sum to 1"
        )
    return {name: float(share) for name, share in parts.items()}


def _cuts(cuts: object) -> tuple[date, ...]:
    if not isinstance(cuts, Sequence) or isinstance(cuts, str):
        raise InvalidInputError(f"cuts={cuts!r} must be a list of days such as 2015-01-01")
    found = tuple(_day(cut) for cut in cuts)
    if any(later <= earlier for earlier, later in pairwise(found)):
        raise InvalidInputError(f"cuts must follow each other in time, not {', '.join(map(str, found))}")
    return found


def _day(cut: object) -> date:
    if isinstance(cut, date) and not isinstance(cut, datetime):
        return cut
    try:
        return date.fromisoformat(cut if isinstance(cut, str) else "")
    except ValueError:
        raise InvalidInputError(f"{cut!r} in cuts is no day such as 2015-01-01") from None
