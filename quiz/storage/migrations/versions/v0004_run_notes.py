"""Notes on runs, and the ids of runs that were deleted, so that no older file brings them back."""

import sqlalchemy as sa
from alembic import op

from quiz.storage.models import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_note",
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("edited_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_note_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_note")),
    )
    op.create_table(
        "deleted_run",
        sa.Column("learner_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=False),
        sa.Column("kept", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_deleted_run_learner_id_learner")),
        sa.PrimaryKeyConstraint("learner_id", "run_id", name=op.f("pk_deleted_run")),
    )
