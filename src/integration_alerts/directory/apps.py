"""Django's handle on the directory layer."""

from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    """Registers the models of the directory layer."""

    name = "integration_alerts.directory"
    label = "directory"
    default_auto_field = "django.db.models.BigAutoField"
