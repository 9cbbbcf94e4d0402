"""The addresses of the back office. Importing the pages registers them."""

from django.urls import path

from integration_alerts.web.back_office import people, story
from integration_alerts.web.back_office.site import site

__all__ = ["people", "story", "urlpatterns"]

urlpatterns = [path("back-office/", site.urls)]
