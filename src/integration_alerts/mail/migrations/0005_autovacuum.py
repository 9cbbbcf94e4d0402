"""Vacuuming in small steps, see integrations 0006; `email` with the bytes that stand beside it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0004_packed_messages"),
    ]

    operations = [
        *(
            migrations.RunSQL(
                f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02,"
                " autovacuum_vacuum_insert_scale_factor = 0.05,"
                " autovacuum_analyze_scale_factor = 0.02)",
                f"ALTER TABLE {table} RESET (autovacuum_vacuum_scale_factor,"
                " autovacuum_vacuum_insert_scale_factor, autovacuum_analyze_scale_factor)",
            )
            for table in ("email", "email_notice", "delivery_attempt")
        ),
        *(
            migrations.RunSQL(
                f"ALTER TABLE {table} SET (toast.autovacuum_vacuum_scale_factor = 0.02)",
                f"ALTER TABLE {table} RESET (toast.autovacuum_vacuum_scale_factor)",
            )
            for table in ("email", "inbox_message")
        ),
    ]
