"""What pruning needs: its indexes, made while work goes on, and vacuuming in small steps.

PostgreSQL's defaults vacuum a table once a fifth of it is dead. That is months of pruning: so much
room would wait for its reuse, and then come due at once.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("integrations", "0004_taking_reports_in_fast"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="incident",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False)),
                fields=["closed_at", "id"],
                name="incident_closed",
            ),
        ),
        AddIndexConcurrently(
            model_name="reportreceipt",
            index=models.Index(fields=["received_at"], name="report_receipt_received"),
        ),
        *(
            migrations.RunSQL(
                f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02,"
                " autovacuum_vacuum_insert_scale_factor = 0.05,"
                " autovacuum_analyze_scale_factor = 0.02)",
                f"ALTER TABLE {table} RESET (autovacuum_vacuum_scale_factor,"
                " autovacuum_vacuum_insert_scale_factor, autovacuum_analyze_scale_factor)",
            )
            for table in ("incident", "state_change", "report_receipt")
        ),
    ]
