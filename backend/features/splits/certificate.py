"""What is to be known of a split's leaks, as JSON and as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

_WIDTH: Final = 17  # of a check's name in the text


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What two parts share.

    Attributes:
        parts: the two.
        pairs: of tracks, one of each part.
        rows: tracks of each part that are in any such pair.
        examples: ids of such pairs, a few.
    """

    parts: tuple[str, str]
    pairs: int
    rows: tuple[int, int]
    examples: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked for.

    Attributes:
        name: `artist`, `recording`, …
        meaning: what was looked for, in a sentence.
        expected_zero: whether this kind of split promises that there is none; else it is only told.
        shared: what was found; empty when nothing.
        unchecked: why it could not be looked for; "" when it was.
    """

    name: str
    meaning: str
    expected_zero: bool
    shared: tuple[Shared, ...] = ()
    unchecked: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing was found that was not to be there."""
        return not (self.expected_zero and self.shared)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What is shared between the parts of a split.

    Attributes:
        recipe: of the split, as plain values.
        fingerprint: of the split.
        rows: tracks per part.
        left_out: tracks in no part.
        checks: all that was looked for.
        main: checks that tell whether the kind's own promise holds, of which the table must allow one; none for `random`.
    """

    recipe: dict[str, Any]
    fingerprint: str
    rows: dict[str, int]
    left_out: int
    checks: tuple[Check, ...]
    main: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every promise of the split's kind was looked at, as far as the table allows, and holds."""
        looked = not self.main or any(not self.check(name).unchecked for name in self.main)
        return looked and all(check.holds for check in self.checks)

    def check(self, name: str) -> Check:
        """The check of that name.

        Raises:
            KeyError: there is none.
        """
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(name)

    def to_plain(self) -> dict[str, Any]:
        """JSON values."""
        checks = [
            asdict(check) | {"holds": check.holds, "shared": [_plain(s) for s in check.shared]} for check in self.checks
        ]
        return {
            "passed": self.passed,
            "recipe": self.recipe,
            "fingerprint": self.fingerprint,
            "rows": dict(self.rows),
            "left_out": self.left_out,
            "checks": checks,
        }

    def to_text(self) -> str:
        """A page for people."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        total = sum(self.rows.values())
        promised = any(check.expected_zero for check in self.checks)
        outcome = ("passed" if self.passed else "FAILED") if promised else "nothing is promised"
        yield f"{self.recipe['kind']} split, seed {self.recipe['seed']}: {outcome}"
        yield ", ".join(f"{name} {rows:,} ({rows / max(total, 1):.1%})" for name, rows in self.rows.items()) + (
            f"; {self.left_out:,} left out" if self.left_out else ""
        )
        for title, expected in (("promised to be 0", True), ("only told", False)):
            if listed := [check for check in self.checks if check.expected_zero is expected]:
                yield f"\n{title}"
                for check in listed:
                    yield from _told(check)


def _plain(shared: Shared) -> dict[str, Any]:
    return {
        "parts": list(shared.parts),
        "pairs": shared.pairs,
        "rows": dict(zip(shared.parts, shared.rows, strict=True)),
        "examples": [list(pair) for pair in shared.examples],
    }


def _told(check: Check) -> Iterator[str]:
    name = f"  {check.name:{_WIDTH}}"
    if check.unchecked:
        yield f"{name} not looked for: {check.unchecked}"
    elif not check.shared:
        yield f"{name} 0"
    for shared in check.shared:
        rows = " and ".join(f"{rows:,} of {part}" for part, rows in zip(shared.parts, shared.rows, strict=True))
        example = "".join(f", as {one} and {other}" for one, other in shared.examples[:1])
        yield f"{name} {shared.pairs:,} pairs: {rows}{example}"
        name = " " * len(name)
