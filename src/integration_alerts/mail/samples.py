"""A sample letter of every kind: for the preview, for test mails, and for the golden files.

Pure: the same each time, about companies and people that do not exist.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from integration_alerts.mail.arranging import Item
from integration_alerts.mail.brand import Brand
from integration_alerts.mail.letters import Letter, Links, NoticeFacts, arranged
from integration_alerts.rules.schedule import Step
from integration_alerts.rules.states import State

WRITTEN_AT = datetime(2026, 5, 3, 9, 12, tzinfo=UTC)
LINKS = Links(
    "https://alerts.example/accounts/1/",
    "https://alerts.example/accounts/1/alerts",
    "https://alerts.example/unsubscribe/7.Zm9yLXNhbXBsZXM",
)
OURS = Brand()
_COMPANIES = ("North Bakery", "Harbour Hotel", "Pine Dental", "Velo Works", "Old Mill", "Kiosk 9")
_SERVICES = ("Google Ads", "Search Console", "Analytics")
_EXPIRED = {
    "reason_code": "expired_login",
    "reason_message": "Google asks to sign in again (error AADC-41).",
}


def notice(number: int = 1, **more: Any) -> NoticeFacts:
    """A notice: the sign-in of North Bakery's Google Ads has expired; `more` changes it."""
    facts = {
        "integration": "Google Ads",
        "provider": "Google",
        **_EXPIRED,
        "fix_url": f"https://app.example/reconnect?integration={number}&from=mail",
        "page_url": f"https://alerts.example/accounts/1/integrations/{number}",
    }
    item = {
        "notice": number,
        "integration": number,
        "company": 1,
        "company_name": "North Bakery",
        "state": State.FAILED,
        "step": Step.ALERT,
        "since": WRITTEN_AT - timedelta(hours=2),
        "connection": "",
    }
    of_item = {key: more.pop(key) for key in list(more) if key in item and key != "integration"}
    return NoticeFacts(Item(**{**item, **of_item}), **{**facts, **more})


def letter(*notices: NoticeFacts, **more: Any) -> Letter:
    """A letter about these notices to Max Fischer; `more` changes it."""
    arrangement, by_number = arranged(notices)
    facts = {
        "written_at": WRITTEN_AT,
        "account": "Lantern Agency",
        "time_zone": "Europe/Berlin",
        "brand": OURS,
        "reader": "Max Fischer",
        "origin": "member",
        "links": LINKS,
        "told": {each.item.company: "Mei Tanaka and 1 other" for each in notices},
    }
    return Letter(arrangement=arrangement, notices=by_number, **{**facts, **more})


def samples(brand: Brand = OURS) -> dict[str, Letter]:
    """Letters by what they are, in the order in which one would look at them."""
    told: dict[str, Iterable[NoticeFacts]] = {
        "failed": [notice()],
        "failed, without a fix link": [notice(fix_url="", reason_code="E-17", reason_message="")],
        "pending": [_pending(1)],
        "reminder, 7 days": [_after(7, Step.REMINDER_7)],
        "reminder, 14 days": [_after(14, Step.REMINDER_14)],
        "last reminder": [_after(21, Step.REMINDER_21)],
        "last reminder, pending": [_pending(1, step=Step.REMINDER_21)],
        "flapping": [notice(flapping=True)],
        "works again": [_over(1, State.ACTIVE)],
        "switched off": [_over(1, State.DISABLED)],
        "several": _several(),
        "one cause": _one_cause(),
        "one cause and others": [*_one_cause(), *_several()],
        "several last reminders": [
            _after(21, Step.REMINDER_21, each, company=each, company_name=_COMPANIES[each])
            for each in (1, 2)
        ],
        "several in order again": [_over(1, State.ACTIVE), _over(2, State.ACTIVE)],
        "more than 50": [_one_of_many(number) for number in range(1, 73)],
    }
    connected = {"google-1": "Ana Lopes"}
    kinds = {
        name: letter(*notices, brand=brand, connected_by=connected)
        for name, notices in told.items()
    }
    return {**kinds, "test": letter(notice(), brand=brand, test=True)}


def _pending(number: int, **more: Any) -> NoticeFacts:
    begun = 25 if "step" not in more else 21 * 24
    facts = {
        "integration": "Outlook Calendar", "provider": "microsoft", "state": State.PENDING,
        "since": WRITTEN_AT - timedelta(hours=begun), "reason_code": "", "reason_message": "",
    }  # fmt: skip
    return notice(number, **{**facts, **more})


def _after(days: int, step: Step, number: int = 1, **more: Any) -> NoticeFacts:
    return notice(number, step=step, since=WRITTEN_AT - timedelta(days=days, hours=3), **more)


def _over(number: int, state: State) -> NoticeFacts:
    since = WRITTEN_AT - timedelta(minutes=4)
    return notice(
        number, state=state, step=Step.RECOVERY, since=since, integration=_SERVICES[number % 3]
    )


def _several() -> list[NoticeFacts]:
    harbour = {"company": 2, "company_name": "Harbour Hotel"}
    return [
        notice(101, integration="Meta Ads", provider="meta", reason_code="key_revoked",
               reason_message=""),
        notice(102, integration="HubSpot", provider="hubspot", reason_code="429",
               reason_message="Daily limit of 250,000 calls reached", **harbour),
        notice(103, integration="Mailchimp", provider="mailchimp", reason_code="QUOTA_7",
               reason_message="", fix_url="", **harbour),
        _pending(104, **harbour),
        _after(7, Step.REMINDER_7, 105, integration="Stripe", provider="stripe",
               reason_code="forbidden", reason_message="", **harbour),
        notice(106, integration="Shop feed", provider="feed", flapping=True, reason_code="502",
               reason_message="", company=3, company_name="Pine Dental"),
        _over(107, State.ACTIVE),
    ]  # fmt: skip


def _one_cause() -> list[NoticeFacts]:
    return [
        notice(
            200 + number, integration=_SERVICES[number // len(_COMPANIES)], connection="google-1",
            company=1 + number % len(_COMPANIES), company_name=_COMPANIES[number % len(_COMPANIES)],
        )
        for number in range(14)
    ]  # fmt: skip


def _one_of_many(number: int) -> NoticeFacts:
    company = number % len(_COMPANIES)
    return notice(
        number, integration=f"Shop feed {number}", provider="feed", reason_code="timeout",
        reason_message="", company=company + 1, company_name=_COMPANIES[company],
        since=WRITTEN_AT - timedelta(minutes=number),
    )  # fmt: skip
