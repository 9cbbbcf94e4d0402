"""Integrations as the pages list them: what needs somebody first, a page at a time.

Reads only. `company_ids` are the companies that the reader may see; None: all of the account.
"""

from collections.abc import Collection

from integration_alerts.integrations.models import ATTENTION_BAND, Integration


def anything_failed(account_id: int, company_ids: Collection[int] | None) -> bool:
    """Whether a failed integration is among those that the reader may see."""
    failed = Integration.objects.filter(
        account=account_id, deleted_at=None, attention__lte=0, attention__gt=-ATTENTION_BAND
    )
    if company_ids is not None:
        failed = failed.filter(company__in=company_ids)
    return failed.exists()
