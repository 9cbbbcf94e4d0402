"""Vacuuming in small steps, see integrations 0006."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0003_flapping_and_recovery"),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE notice SET (autovacuum_vacuum_scale_factor = 0.02,"
            " autovacuum_vacuum_insert_scale_factor = 0.05,"
            " autovacuum_analyze_scale_factor = 0.02)",
            "ALTER TABLE notice RESET (autovacuum_vacuum_scale_factor,"
            " autovacuum_vacuum_insert_scale_factor, autovacuum_analyze_scale_factor)",
        )
    ]
