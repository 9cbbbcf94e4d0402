"""Every page, with somebody who may open it: what axe and html-validate look at."""

from tests.browser.site import Site

# name: (person, path); `{account}` and the like are filled in by `path_of`.
PAGES: dict[str, tuple[str | None, str]] = {
    "start": (None, "/"),
    "sign-in": (None, "/sign-in/login/"),
    "password forgotten": (None, "/sign-in/password/reset/"),
    "unknown address": (None, "/nowhere"),
    "integrations": ("ines", "{account}"),
    "integrations, found nothing": ("ines", "{account}?q=nothing-has-this-name"),
    "integrations of a Manager": ("tomas", "{account}"),
    "integrations of a Reporting user": ("ruth", "{account}"),
    "integration that failed": ("ines", "{failed}"),
    "integration that works": ("mei", "{active}"),
    "change a state": ("ines", "{failed}/state?to=active"),
    "mail": ("ines", "{email}"),
    "notifications": ("ines", "{account}notifications"),
    "notifications without an alert": ("joost", "{account}notifications"),
    "alerts": ("ines", "{account}alerts"),
    "alerts of a Manager": ("tomas", "{account}alerts"),
    "alerts, found nothing": ("ines", "{account}alerts?q=nobody-has-this-name"),
    "create alert": ("joost", "{account}alerts/new"),
    "create alert as an Administrator": ("ines", "{account}alerts/new"),
    "edit alert": ("ines", "{alert}"),
    "edit another Manager's alert": ("tomas", "{other_alert}"),
    "delete alert": ("ines", "{alert}/delete"),
    "forbidden": ("ruth", "{account}alerts"),
    "your address": ("ines", "{account}address"),
    "security": ("ines", "/sign-in/security"),
    "inbox": ("operator", "/inbox"),
    "back office": ("operator", "/back-office/"),
    "back office, members": ("operator", "/back-office/directory/member/"),
    "back office, an email": ("operator", "/back-office/mail/email/1/change/"),
}


def path_of(site: Site, name: str) -> str:
    """The path of a page on this site."""
    return PAGES[name][1].format(
        account=site.account(),
        failed=site.integration("pine-meta-ads"),
        active=site.integration("harbour-google-ads"),
        email=site.email("ines"),
        alert=site.alert("tomas"),
        other_alert=site.alert("mei"),
    )
