"""The first schema: learner, wordings, practice, attempts and runs, with the triggers that keep facts as they were recorded."""

import sqlalchemy as sa
from alembic import op

from quiz.storage.models import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_KEPT = {
    "attempt_is_not_changed": "BEFORE UPDATE ON attempt BEGIN SELECT RAISE(ABORT, 'attempts are append-only'); END",
    "attempt_is_not_deleted": "BEFORE DELETE ON attempt BEGIN SELECT RAISE(ABORT, 'attempts are append-only'); END",
    "item_version_is_not_changed": "BEFORE UPDATE ON item_version BEGIN SELECT RAISE(ABORT, 'a wording that was shown cannot be changed'); END",
    "question_version_is_not_changed": "BEFORE UPDATE ON question_version BEGIN SELECT RAISE(ABORT, 'a wording that was shown cannot be changed'); END",
    "run_request_is_not_changed": (
        "BEFORE UPDATE OF id, learner_id, experiment, settings, first_seed, seeds, device, prediction, versions, request_more, started_at ON run "
        "BEGIN SELECT RAISE(ABORT, 'a run''s request and prediction cannot change once it has begun'); END"
    ),
    "run_ends_once": "BEFORE UPDATE ON run WHEN OLD.ended_at IS NOT NULL BEGIN SELECT RAISE(ABORT, 'a run ends once'); END",
}


def upgrade() -> None:
    op.create_table(
        "item_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=16), nullable=False),
        sa.Column("difficulty", sa.Double(), nullable=False),
        sa.Column("guessing", sa.Double(), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_version")),
        sa.UniqueConstraint("question_id", "hash", name=op.f("uq_item_version_question_id_hash")),
    )
    op.create_table(
        "learner",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learner")),
        sa.UniqueConstraint("name", name=op.f("uq_learner_name")),
    )
    op.create_table(
        "question_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_version")),
        sa.UniqueConstraint("question_id", "hash", name=op.f("uq_question_version_question_id_hash")),
    )
    op.create_table(
        "practice_session",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("learner_id", sa.Integer(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("only", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_practice_session_learner_id_learner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practice_session")),
    )
    op.create_index("ix_practice_session_learner_id_started_at", "practice_session", ["learner_id", "started_at"], unique=False)
    op.create_index("uq_practice_session_open", "practice_session", ["learner_id"], unique=True, sqlite_where=sa.text("ended_at IS NULL"))
    op.create_table(
        "run",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("learner_id", sa.Integer(), nullable=False),
        sa.Column("experiment", sa.String(length=64), nullable=False),
        sa.Column("settings", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("first_seed", sa.Integer(), nullable=False),
        sa.Column("seeds", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("prediction", sa.String(length=64), nullable=True),
        sa.Column("versions", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("request_more", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("device_used", sa.String(length=16), nullable=True),
        sa.Column("cpu_seconds", sa.Double(), nullable=True),
        sa.Column("verdict", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("record", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("result_more", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_run_learner_id_learner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index("ix_run_learner_id_started_at", "run", ["learner_id", "started_at"], unique=False)
    op.create_table(
        "presentation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("session_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("question_version_id", sa.Integer(), nullable=False),
        sa.Column("item_version_id", sa.Integer(), nullable=False),
        sa.Column("order", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("reason", sa.String(length=8), nullable=False),
        sa.Column("shown_at", UtcDateTime(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["item_version_id"], ["item_version.id"], name=op.f("fk_presentation_item_version_id_item_version")),
        sa.ForeignKeyConstraint(["question_version_id"], ["question_version.id"], name=op.f("fk_presentation_question_version_id_question_version")),
        sa.ForeignKeyConstraint(["session_id"], ["practice_session.id"], name=op.f("fk_presentation_session_id_practice_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presentation")),
        sa.UniqueConstraint("session_id", "position", name=op.f("uq_presentation_session_id_position")),
    )
    op.create_index("uq_presentation_open", "presentation", ["session_id"], unique=True, sqlite_where=sa.text("closed_at IS NULL"))
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("presentation_id", sa.String(length=32), nullable=False),
        sa.Column("learner_id", sa.Integer(), nullable=False),
        sa.Column("response", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("correct", sa.Boolean(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("confidence", sa.String(length=8), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_attempt_learner_id_learner")),
        sa.ForeignKeyConstraint(["presentation_id"], ["presentation.id"], name=op.f("fk_attempt_presentation_id_presentation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("presentation_id", name=op.f("uq_attempt_presentation_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_attempt_learner_id"), "attempt", ["learner_id"], unique=False)
    for name, rule in _KEPT.items():
        op.execute(f"CREATE TRIGGER {name} {rule}")
    op.execute("INSERT INTO learner (id, name) VALUES (1, 'learner')")
