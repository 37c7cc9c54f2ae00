"""What a soak has seen: answers counted, and whatever is wrong."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

_SHOWN = 20  # wrong answers in full; the rest is counted


@dataclass
class Findings:
    """Counts, and what is wrong in words; one for the whole run."""

    began: float = field(default_factory=time.monotonic)
    answers: Counter[str] = field(default_factory=Counter)  # "albums 200": how often
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    written: Counter[str] = field(default_factory=Counter)

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self.began

    def answered(self, what: str, status: str) -> None:
        """Count an answer."""
        self.answers[f"{what} {status}"] += 1

    def is_wrong(self, what: str) -> None:
        """Note what must not be."""
        self.wrong.append(f"{self.seconds:.0f} s: {what}")

    def lines(self) -> list[str]:
        """For people."""
        statuses: Counter[str] = Counter()
        for name, count in self.answers.items():
            statuses[name.rsplit(" ", 1)[1]] += count
        return [
            f"{sum(statuses.values()):,} requests: " + ", ".join(f"{n:,} × {s}" for s, n in statuses.most_common()),
            "written: " + ", ".join(f"{n:,} {what}" for what, n in self.written.items()),
            "faults: " + (", ".join(f"{n} × {what}" for what, n in sorted(self.faults.items())) or "none"),
            f"wrong: {len(self.wrong)}",
            *(f"  {one}" for one in self.wrong[:_SHOWN]),
        ]
