"""Integrations from directory lines. Their states come from reports, never from here."""

from datetime import datetime

from integration_alerts.directory.directory_lines import IntegrationLine
from integration_alerts.directory.importing import find_account, find_company
from integration_alerts.integrations.closing import delete_integration
from integration_alerts.integrations.models import Integration


def save_integration(line: IntegrationLine, now: datetime) -> bool:
    """Make, change, move or delete an integration; returns whether an incident was closed.

    Raises LineError for an unknown account or company.
    """
    account = find_account(line.account)
    company = find_company(account, line.company)
    integrations = Integration.objects.select_for_update(no_key=True)
    integration = integrations.filter(account=account, external_id=line.id).first()
    if integration is None:
        if line.deleted:
            return False
        integration = Integration(account=account, external_id=line.id)
    if line.deleted:
        return delete_integration(integration, now)
    integration.company = company
    integration.name = integration.name if line.name is None else line.name
    integration.provider = integration.provider if line.provider is None else line.provider
    integration.deleted_at = None if line.deleted is False else integration.deleted_at
    integration.save()
    return False
