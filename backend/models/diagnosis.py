"""What a look at the whole installation has found: how grave each thing is, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How grave a finding is."""

    OK = "ok"
    WARNING = "warning"  # it works, but less well than it could, or not for long
    PROBLEM = "problem"  # something does not work


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: what was looked at, such as "disk" or "reach: lastfm".
        grade: how grave it is.
        said: what was found, for people.
        remedy: what to do about it; "" where nothing needs doing.
    """

    check: str
    grade: Grade
    said: str
    remedy: str = ""


def ok(check: str, said: str) -> Finding:
    """Nothing to do."""
    return Finding(check=check, grade=Grade.OK, said=said)


def warning(check: str, said: str, *, remedy: str) -> Finding:
    """It works, but something should be done."""
    return Finding(check=check, grade=Grade.WARNING, said=said, remedy=remedy)


def problem(check: str, said: str, *, remedy: str) -> Finding:
    """It does not work."""
    return Finding(check=check, grade=Grade.PROBLEM, said=said, remedy=remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All findings.

    Attributes:
        grade: of the gravest one.
        problems: how many there are.
        warnings: how many there are.
        findings: in the order of the checks.
    """

    grade: Grade
    problems: int
    warnings: int
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Diagnosis:
        """Summed up."""
        found = tuple(findings)
        problems = sum(f.grade is Grade.PROBLEM for f in found)
        warnings = sum(f.grade is Grade.WARNING for f in found)
        gravest = Grade.PROBLEM if problems else Grade.WARNING if warnings else Grade.OK
        return cls(grade=gravest, problems=problems, warnings=warnings, findings=found)
