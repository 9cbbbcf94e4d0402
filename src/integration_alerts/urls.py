"""Every address: the pages, the API, and what machines ask for."""

from django.urls import include, path

from integration_alerts.api.app import api
from integration_alerts.api.health import healthz, readyz
from integration_alerts.api.webhooks import webhook

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("api/v1/", api.urls),
    path("webhooks/<str:service>", webhook),
    path("", include("integration_alerts.web.urls")),
]

handler403 = "integration_alerts.failures.forbidden"
handler404 = "integration_alerts.failures.not_found"
handler500 = "integration_alerts.failures.server_error"
