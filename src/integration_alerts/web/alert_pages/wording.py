"""What the pages say about an alert: its state, its companies, where it came from."""

from integration_alerts.alerts.models import Origin
from integration_alerts.alerts.overview import Alert
from integration_alerts.rules.eligibility import Obstacle
from integration_alerts.web.viewer import Viewer
from integration_alerts.web.wording import count

_NOT_RECEIVING = {
    Obstacle.NOT_ACTIVE: "the user is deactivated",
    Obstacle.REPORTING: "is a Reporting user now",
    Obstacle.NOT_VERIFIED: "the address is not verified",
    Obstacle.NO_ACCESS: "has no access to any of these companies",
    Obstacle.BOUNCED: "",  # the page says more: web/alerts/came_back.html
}
_NAMED = 3


def standing(alert: Alert) -> tuple[str, str]:
    """The state of an alert (`receiving`, `paused`, `not receiving`) and why."""
    if alert.obstacle is None:
        return "receiving", ""
    if alert.obstacle is Obstacle.PAUSED:
        by_link = alert.subscription.unsubscribed_by_link
        return "paused", "the recipient unsubscribed in a mail" if by_link else ""
    return "not receiving", _NOT_RECEIVING[alert.obstacle]


def origin(alert: Alert) -> str:
    """How the alert came to be."""
    subscription = alert.subscription
    if subscription.origin == Origin.AUTOMATIC:
        return "automatic"
    if subscription.created_by_id is None:
        return "by the platform"
    return "by another user" if alert.creator is None else f"by {alert.creator.name}"


def companies(alert: Alert, named: int = _NAMED) -> str:
    """The companies in one line; those without access are counted, never named."""
    if alert.scope.covers_all:
        return "All companies"
    names = [company.name for company in alert.seen]
    rest = len(names) - named
    parts = names if rest <= 1 else [*names[:named], f"{rest} more"]
    if alert.hidden:
        noun = "company" if alert.hidden == 1 else "companies"
        other = "other " if parts else ""
        parts = [*parts, f"{alert.hidden} {other}{noun} you have no access to"]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def scope(alert: Alert) -> str:
    """The size of the scope: `all companies`, `1 company`, `3 companies`."""
    if alert.scope.chosen is None:
        return "all companies"
    return count(len(alert.scope.chosen), "company", "companies")


def ended(alert: Alert) -> str:
    """The scope as something that ends: "no more mail about …"."""
    return "any company" if alert.scope.covers_all else scope(alert)


def whom(viewer: Viewer, alert: Alert) -> str:
    """The recipient as the subject of a sentence."""
    return "You" if alert.member.pk == viewer.member.pk else alert.member.name
