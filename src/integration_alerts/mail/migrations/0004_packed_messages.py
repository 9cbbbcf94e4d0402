"""Messages are packed before they are kept; and one index less.

Nothing is rewritten: `mail.packing` reads what is there. PostgreSQL need not try to compress again.
"""

from django.db import migrations, models

import integration_alerts.mail.packing

# What Django made beside the unique constraint, for LIKE, which nobody asks.
_DROP_LIKE = """
DO $$
DECLARE found regclass;
BEGIN
    SELECT indexrelid::regclass INTO found FROM pg_index
    WHERE indrelid = 'email'::regclass AND indexrelid::regclass::text LIKE 'email_message_id_%_like';
    IF found IS NOT NULL THEN
        EXECUTE 'DROP INDEX ' || found;
    END IF;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0003_grouping_and_bounces"),
    ]

    operations = [
        migrations.AlterField(
            model_name="email",
            name="message",
            field=integration_alerts.mail.packing.PackedField(blank=True, null=True),
        ),
        migrations.RunSQL(
            "ALTER TABLE email ALTER COLUMN message SET STORAGE EXTERNAL",
            "ALTER TABLE email ALTER COLUMN message SET STORAGE EXTENDED",
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(_DROP_LIKE, migrations.RunSQL.noop)],
            state_operations=[
                migrations.AlterField(
                    model_name="email", name="message_id", field=models.TextField()
                ),
                migrations.AddConstraint(
                    model_name="email",
                    constraint=models.UniqueConstraint(
                        fields=("message_id",), name="email_message_id_key"
                    ),
                ),
            ],
        ),
    ]
