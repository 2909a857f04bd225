"""A learner can leave, with all that is theirs and in no other way: to be listed as departed is to be gone.

Attempts still cannot be deleted one by one. What was given once as an id is never given to anybody else.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_DEPARTED = "EXISTS (SELECT 1 FROM departed_learner WHERE id = OLD.learner_id)"
_RULES = {
    "attempt_is_not_deleted": f"BEFORE DELETE ON attempt WHEN NOT {_DEPARTED} BEGIN SELECT RAISE(ABORT, 'attempts are append-only'); END",
    "learner_departs_with_everything": (
        "AFTER INSERT ON departed_learner BEGIN "
        "DELETE FROM attempt WHERE learner_id = NEW.id; "
        "DELETE FROM presentation WHERE session_id IN (SELECT id FROM practice_session WHERE learner_id = NEW.id); "
        "DELETE FROM practice_session WHERE learner_id = NEW.id; "
        "DELETE FROM run_note WHERE run_id IN (SELECT id FROM run WHERE learner_id = NEW.id); "
        "DELETE FROM run WHERE learner_id = NEW.id; "
        "DELETE FROM deleted_run WHERE learner_id = NEW.id; "
        "DELETE FROM interview WHERE learner_id = NEW.id; "
        "DELETE FROM learner WHERE id = NEW.id; END"
    ),
    "departed_learner_does_not_return": (
        "AFTER INSERT ON learner WHEN EXISTS (SELECT 1 FROM departed_learner WHERE id = NEW.id) "
        "BEGIN SELECT RAISE(ABORT, 'this id belonged to a learner who has departed'); END"
    ),
}


def upgrade() -> None:
    op.create_table("departed_learner", sa.Column("id", sa.Integer(), nullable=False), sa.PrimaryKeyConstraint("id", name=op.f("pk_departed_learner")))
    op.execute("DROP TRIGGER attempt_is_not_deleted")
    for name, rule in _RULES.items():
        op.execute(f"CREATE TRIGGER {name} {rule}")
