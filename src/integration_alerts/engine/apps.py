"""Django's handle on the engine layer."""

from django.apps import AppConfig


class EngineConfig(AppConfig):
    """Registers the models of the engine layer."""

    name = "integration_alerts.engine"
    label = "engine"
    default_auto_field = "django.db.models.BigAutoField"
