"""Django's handle on the integrations layer."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Registers the models of the integrations layer."""

    name = "integration_alerts.integrations"
    label = "integrations"
    default_auto_field = "django.db.models.BigAutoField"
