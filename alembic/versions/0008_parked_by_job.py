"""Parked steps are looked for job by job: those of a job that rests are not walked."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0008"
down_revision: Final = "0007"
branch_labels: Final = None
depends_on: Final = None

_PARKED: Final = sa.text("state = 'parked'")


def upgrade() -> None:
    op.drop_index("ix_ingest_steps_parked", table_name="ingest_steps")
    op.create_index("ix_ingest_steps_parked", "ingest_steps", ["job_id", "not_before"], postgresql_where=_PARKED)


def downgrade() -> None:
    op.drop_index("ix_ingest_steps_parked", table_name="ingest_steps")
    op.create_index("ix_ingest_steps_parked", "ingest_steps", ["not_before"], postgresql_where=_PARKED)
