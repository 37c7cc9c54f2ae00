"""Which sources an album is to be asked of next, from what became of those asked before. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from backend.ingestion.asking import Stages
from backend.models.ingestion_models import Outcome, SourceOutcome
from backend.models.steps import Move, StepView

# What may turn out otherwise once another source has said more: identifiers to ask by, names to compare with.
_OPEN_TO_MORE: Final = frozenset({Outcome.NOT_FOUND, Outcome.AMBIGUOUS})


@dataclass(frozen=True, slots=True)
class Itinerary:
    """The order in which one album's sources are asked.

    A stage begins when every source of those before it has answered or is parked: nobody waits for one that is throttled.
    When that one gives something at last, the later ones that found nothing are asked again, for now more is known.

    Attributes:
        stages: the sources of each stage.
        unconfigured: those that cannot be asked, with which setting is missing.
    """

    stages: Stages
    unconfigured: Mapping[str, str] = field(default_factory=dict)

    def after(self, steps: Mapping[str, StepView], *, ended: str | None = None) -> Move:
        """What to do next.

        Args:
            steps: those begun, by source.
            ended: the source whose step has just ended.
        """
        again = self._to_ask_again(steps, ended) if ended is not None else frozenset()
        standing = {source: step for source, step in steps.items() if source not in again}
        settled: list[SourceOutcome] = []
        for stage in self.stages:
            fresh = [source for source in stage if source not in standing]
            ask = tuple(source for source in fresh if source not in self.unconfigured)
            settled += [
                SourceOutcome(source=source, outcome=Outcome.UNCONFIGURED, detail=self.unconfigured[source])
                for source in fresh
                if source in self.unconfigured
            ]
            if ask:
                return Move(ask=ask, settled=tuple(settled))
            if any(standing[source].state == "queued" for source in stage if source in standing):
                return Move(settled=tuple(settled))
        return Move(settled=tuple(settled), store=True)

    def _to_ask_again(self, steps: Mapping[str, StepView], ended: str) -> frozenset[str]:
        step = steps[ended]
        if not step.round or step.outcome is not Outcome.OK:
            return frozenset()
        place = next((n for n, stage in enumerate(self.stages) if ended in stage), len(self.stages))
        return frozenset(
            source
            for stage in self.stages[place + 1 :]
            for source in stage
            if source in steps and steps[source].state == "done" and steps[source].outcome in _OPEN_TO_MORE
        )
