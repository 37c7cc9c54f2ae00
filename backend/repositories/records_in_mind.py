"""What sources said lately, kept in mind: the next step of an album is likely this worker's own."""

from __future__ import annotations

from typing import Final

from backend.models.ingestion_models import SourceRecord
from backend.models.steps import Step

_MOST: Final = 500  # albums

Said = dict[tuple[str, int], SourceRecord]
"""By source and round."""


class RecordsInMind:
    """Records of albums on their way, of the latest only; what is not here stands in the database."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, int], Said] = {}

    def of(self, job_id: str, position: int) -> Said:
        """What was said of an album."""
        return self._said.get((job_id, position), {})

    def keep(self, step: Step, record: SourceRecord | None) -> None:
        """Remember what a step was told."""
        if record is not None:
            before = self._said.pop((step.job_id, step.position), {})
            self._said[step.job_id, step.position] = {**before, (step.source, step.round): record}
            while len(self._said) > _MOST:
                del self._said[next(iter(self._said))]

    def take(self, job_id: str, position: int) -> Said:
        """What was said of an album, for the last time."""
        return self._said.pop((job_id, position), {})
