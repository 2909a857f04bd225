"""Every presentation has a seed, which draws the numbers of its item. What was shown before had none to draw; its seed is 0."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("presentation", sa.Column("seed", sa.Integer(), nullable=False, server_default="0"))
