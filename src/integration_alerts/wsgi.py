"""The WSGI application that `web` serves."""

import os

from django.core.wsgi import get_wsgi_application

from integration_alerts.engine.garbage import search_rarely
from integration_alerts.engine.processes import end_with_parent

# A server's worker that outlived a killed server would keep the port from the next one.
end_with_parent()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "integration_alerts.settings")
django = get_wsgi_application()

from integration_alerts.api.express import Express  # noqa: E402  (it needs Django set up)

application = Express(django)
search_rarely()
