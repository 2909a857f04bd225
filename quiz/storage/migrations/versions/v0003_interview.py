"""The interview a learner prepares for, and sessions of two kinds: practice, as all were so far, and diagnostic."""

import sqlalchemy as sa
from alembic import op

from quiz.storage.models import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("practice_session", sa.Column("kind", sa.String(length=16), nullable=False, server_default="practice"))
    op.create_table(
        "interview",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("learner_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("days_off", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.Column("went", sa.String(length=16), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_interview_learner_id_learner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interview")),
    )
    op.create_index("uq_interview_open", "interview", ["learner_id"], unique=True, sqlite_where=sa.text("closed_at IS NULL"))
