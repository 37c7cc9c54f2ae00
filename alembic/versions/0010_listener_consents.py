"""Histories are kept with consent only; whoever is forgotten takes all of his listens along."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0010"
down_revision: Final = "0009"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    op.create_table(
        "listener_consents",
        sa.Column("listener", sa.Text(), nullable=False),
        sa.Column("given_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("listener", name=op.f("pk_listener_consents")),
    )
    # Who was imported before anybody was asked is kept, and shown as not asked.
    op.execute("INSERT INTO listener_consents (listener) SELECT DISTINCT listener FROM listens")
    op.create_foreign_key(
        op.f("fk_listens_listener"),
        "listens",
        "listener_consents",
        ["listener"],
        ["listener"],
        ondelete="CASCADE",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("fk_listens_listener"), "listens", type_="foreignkey")
    op.drop_table("listener_consents")
