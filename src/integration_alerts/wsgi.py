"""The WSGI application that `web` serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "integration_alerts.settings")
application = get_wsgi_application()
