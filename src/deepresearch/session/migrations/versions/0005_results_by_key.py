"""Finding a result by its key alone: a page of the web that another session fetched."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index."""
    op.create_index("ix_dr_results_key", "dr_results", ["key", "at"])
