"""Django's handle on the alerts layer."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """Registers the models of the alerts layer."""

    name = "integration_alerts.alerts"
    label = "alerts"
    default_auto_field = "django.db.models.BigAutoField"
