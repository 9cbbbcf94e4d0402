"""The addresses of these pages."""

from django.urls import path

from integration_alerts.web.alert_pages import creating, editing, ending, listing, testing

urlpatterns = [
    path("notifications", listing.notifications, name="notifications"),
    path("alerts", listing.alerts, name="alerts"),
    path("alerts/new", creating.create, name="alert_new"),
    path("alerts/undo/<str:key>", ending.undo, name="alert_undo"),
    path("alerts/<int:alert_id>", editing.edit, name="alert"),
    path("alerts/<int:alert_id>/pause", ending.pause, name="alert_pause"),
    path("alerts/<int:alert_id>/resume", ending.resume, name="alert_resume"),
    path("alerts/<int:alert_id>/mail-again", ending.mail_to_address_again, name="alert_mail_again"),
    path("alerts/<int:alert_id>/test", testing.send_test, name="alert_test"),
    path("alerts/<int:alert_id>/delete", ending.delete, name="alert_delete"),
]
