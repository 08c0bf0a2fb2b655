"""${message}

Revision: ${up_revision}, after ${down_revision or "nothing"}.

Import nothing of the application that may change later. SQLite alters tables by copying them: use
`op.batch_alter_table`. Large tables are `record`, `reading` and `finding_version`: no rewrite of them without need.
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
