"""Integrations from directory lines. Their states come from reports, never from here."""

from datetime import datetime

from django.db.models import Q

from integration_alerts.directory.directory_lines import IntegrationLine
from integration_alerts.directory.importing import find_account, find_company
from integration_alerts.integrations.closing import (
    close_incidents,
    delete_integration,
    reopen,
)
from integration_alerts.integrations.models import Integration


def save_integration(line: IntegrationLine, now: datetime) -> bool:
    """Make, change, move or delete an integration; returns whether planning has work.

    Raises LineError for an unknown account or company.
    """
    account = find_account(line.account)
    company = find_company(account, line.company)
    integrations = Integration.objects.select_for_update(no_key=True)
    integration = integrations.filter(account=account, external_id=line.id).first()
    if integration is None:
        if line.deleted:
            return False
        Integration.objects.create(
            account=account,
            external_id=line.id,
            company=company,
            name=line.name or "",
            provider=line.provider or "",
        )
        return False
    if line.deleted:
        return delete_integration(integration, now)
    was_on = integration.company.active and account.active
    integration.company = company
    integration.name = integration.name if line.name is None else line.name
    integration.provider = integration.provider if line.provider is None else line.provider
    integration.deleted_at = None if line.deleted is False else integration.deleted_at
    integration.save()
    return _follow_company(integration, was_on=was_on, now=now)


def _follow_company(integration: Integration, *, was_on: bool, now: datetime) -> bool:
    """Moved where incidents are not told, an integration's ends; moved back, it begins again."""
    on = integration.company.active and integration.account.active
    if was_on and not on:
        return close_incidents(Q(integration=integration), now)
    if on and not was_on:
        reopen(Q(pk=integration.pk), now)
        return True
    return False
