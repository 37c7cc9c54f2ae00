"""Which job took up an album again that had not ended well, and finding those that failed."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.add_column("ingest_items", sa.Column("retried_by", sa.Text(), nullable=True))
    op.create_index(
        "ix_ingest_items_dead", "ingest_items", ["finished_at", "job_id", "position"],
        postgresql_where=sa.text("state = 'done' AND result = 'failed' AND retried_by IS NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_ingest_items_dead", table_name="ingest_items")
    op.drop_column("ingest_items", "retried_by")
