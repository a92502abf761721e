"""Tenants, priorities and owners of sessions, reviews, the audit log, and bytes kept in the database."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what a queue with many workers needs."""
    for column in (
        sa.Column("tenant", sa.Text, nullable=False, server_default="default"),
        sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
        sa.Column("unattended", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("owner", sa.Text),
        sa.Column("claimed_at", sa.Text),
        sa.Column("takeovers", sa.Integer, nullable=False, server_default="0"),
        sa.Column("not_before", sa.Text),
        sa.Column("cancel_requested", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("worked_seconds", sa.Float, nullable=False, server_default="0"),
    ):
        op.add_column("dr_sessions", column)
    op.create_index("ix_dr_sessions_queue", "dr_sessions", ["state", "tenant", "priority", "created_at"])
    op.create_index("ix_dr_sessions_owner", "dr_sessions", ["owner"])
    op.create_table(
        "dr_reviews",
        sa.Column("session_id", sa.Text, sa.ForeignKey("dr_sessions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("asked_at", sa.Text, nullable=False),
        sa.Column("decision", sa.Text),
        sa.Column("reviewer", sa.Text),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("decided_at", sa.Text),
    )
    op.create_table(
        "dr_audit",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_table(
        "dr_blobs",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
    )
