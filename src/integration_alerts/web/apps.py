"""Django's handle on the pages."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Registers the pages' templates."""

    name = "integration_alerts.web"
    label = "web"
