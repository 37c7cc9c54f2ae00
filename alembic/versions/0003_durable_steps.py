"""Durable steps: the queue's tables, an album's steps by source, and the budgets that all workers share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: Final = "0003"
down_revision: Final = "0002"
branch_labels: Final = None
depends_on: Final = None

# What pgqueuer 1.6.0 installs (prefix tensoe_, its log not crash-safe), as it was: later releases change it in later migrations.
_QUEUE: Final = Path(__file__).parents[1] / "queue_1_6_0.sql"

_STEPS_OF_OUTCOMES: Final = """
INSERT INTO ingest_steps (job_id, position, source, state, outcome, detail, not_before, tracks, seconds, at)
SELECT DISTINCT ON (o.job_id, o.position, o.source)
       o.job_id, o.position, o.source, 'done', o.outcome, o.detail, o.retry_at, o.tracks, o.seconds, o.at
FROM source_outcomes o JOIN ingest_jobs j ON j.id = o.job_id ORDER BY o.job_id, o.position, o.source, o.id DESC
"""
_OUTCOMES_OF_STEPS: Final = """
INSERT INTO source_outcomes (job_id, position, source, outcome, detail, retry_at, tracks, seconds, at)
SELECT job_id, position, source, outcome, detail, not_before, tracks, seconds, at FROM ingest_steps WHERE outcome IS NOT NULL
"""


def upgrade() -> None:
    for statement in re.split(r"\n\n(?=CREATE )", _QUEUE.read_text(encoding="utf-8"))[1:]:
        op.execute(statement)
    op.create_table(
        "source_budgets",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("allowed", sa.REAL(), nullable=True),
        sa.Column("rate", sa.REAL(), nullable=True),
        sa.Column("next_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("parked_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("quota", sa.Integer(), nullable=True),
        sa.Column("quota_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("granted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refused", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refused_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_source_budgets")),
    )
    op.create_table(
        "source_calls",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("calls", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("key", "since", name=op.f("pk_source_calls")),
    )
    op.create_table(
        "ingest_steps",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("round", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("tracks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("seconds", sa.REAL(), server_default="0", nullable=False),
        sa.Column("calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("record", sa.Text(), nullable=True),
        sa.Column("candidates", sa.Text(), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["ingest_jobs.id"], name=op.f("fk_ingest_steps_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "position", "source", name=op.f("pk_ingest_steps")),
    )
    op.create_index("ix_ingest_steps_source", "ingest_steps", ["source", "at"], unique=False)
    op.create_index(
        "ix_ingest_steps_parked",
        "ingest_steps",
        ["not_before"],
        unique=False,
        postgresql_where=sa.text("state = 'parked'"),
    )
    op.execute(_STEPS_OF_OUTCOMES)
    op.drop_table("source_outcomes")

    op.add_column("ingest_jobs", sa.Column("kind", sa.Text(), server_default="ingest", nullable=False))
    op.add_column("ingest_jobs", sa.Column("state", sa.Text(), server_default="open", nullable=False))
    op.add_column("ingest_jobs", sa.Column("priority", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("ingest_jobs", sa.Column("place", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_ingest_jobs_open", "ingest_jobs", ["id"], unique=False, postgresql_where=sa.text("finished_at IS NULL")
    )
    op.execute("UPDATE ingest_items SET state = 'queued', attempts = 0 WHERE state = 'running'")
    op.drop_column("ingest_items", "lease_until")
    op.add_column("ingest_items", sa.Column("place", sa.BigInteger(), nullable=True))
    op.add_column("ingest_items", sa.Column("round", sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "ingest_items",
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.create_index(
        "ix_ingest_items_queued",
        "ingest_items",
        ["job_id", "position"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_ingest_items_begun",
        "ingest_items",
        ["changed_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('running', 'storing')"),
    )


def downgrade() -> None:
    op.drop_index("ix_ingest_items_begun", table_name="ingest_items")
    op.drop_index("ix_ingest_items_queued", table_name="ingest_items")
    op.execute(
        "UPDATE ingest_items SET state = 'queued', attempts = 0 WHERE state IN ('running', 'storing', 'waiting')"
    )
    for column in ("changed_at", "round", "place"):
        op.drop_column("ingest_items", column)
    op.add_column("ingest_items", sa.Column("lease_until", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.drop_index("ix_ingest_jobs_open", table_name="ingest_jobs")
    for column in ("place", "priority", "state", "kind"):
        op.drop_column("ingest_jobs", column)
    op.create_table(
        "source_outcomes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("retry_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("tracks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("seconds", sa.REAL(), server_default="0", nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["ingest_jobs.id"], name=op.f("fk_source_outcomes_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_outcomes")),
    )
    op.create_index("ix_source_outcomes_job", "source_outcomes", ["job_id", "position"], unique=False)
    op.create_index("ix_source_outcomes_source", "source_outcomes", ["source", "at"], unique=False)
    op.execute(_OUTCOMES_OF_STEPS)
    op.drop_table("ingest_steps")
    op.drop_table("source_calls")
    op.drop_table("source_budgets")
    for table in ("tensoe_pgqueuer", "tensoe_pgqueuer_log", "tensoe_pgqueuer_schedules", "tensoe_pgqueuer_statistics"):
        op.drop_table(table)
    op.execute("DROP FUNCTION tensoe_fn_pgqueuer_changed")
    op.execute("DROP TYPE tensoe_pgqueuer_status")
