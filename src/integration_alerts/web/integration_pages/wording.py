"""What these pages say about an integration: its reason, what needs whom, what comes next."""

from datetime import timedelta

from integration_alerts.alerts.models import Notice, NoticeStatus
from integration_alerts.integrations.listing import COUNTED
from integration_alerts.mail import reasons
from integration_alerts.mail.models import Email, EmailStatus
from integration_alerts.mail.text import joined
from integration_alerts.rules.retry import Phase
from integration_alerts.rules.schedule import Step
from integration_alerts.rules.states import State
from integration_alerts.web.wording import count

NEVER = "No report yet"
STEPS = {
    Step.ALERT: "First mail",
    Step.REMINDER_7: "Reminder after 7 days",
    Step.REMINDER_14: "Reminder after 14 days",
    Step.REMINDER_21: "Last reminder, after 21 days",
    Step.RECOVERY: "Mail that it is over",
}
PHASES = {
    Phase.CONNECT: "Connecting",
    Phase.GREETING: "Greeting",
    Phase.TLS: "Encryption",
    Phase.AUTH: "Signing in to the server",
    Phase.SENDER: "Sender",
    Phase.RECIPIENT: "Recipient",
    Phase.DATA: "Handing over",
    Phase.ACCEPTANCE: "Acceptance",
}
_FATES = {
    EmailStatus.QUEUED: "queued",
    EmailStatus.SENDING: "being sent",
    EmailStatus.SENT: "sent",
    EmailStatus.FAILED: "failed",
    EmailStatus.CANCELLED: "cancelled",
    EmailStatus.BOUNCED: "came back",
}
_NO_REASON = {
    State.FAILED: "No reason was reported.",
    State.PENDING: "The set-up is not finished.",
    State.ACTIVE: "",
    State.DISABLED: "Switched off.",
}
_HEALTH = {
    State.ACTIVE: ("works", "work"),
    State.DISABLED: ("is disabled", "are disabled"),
    None: ("has no report yet", "have no report yet"),
}


def step(notice: Notice) -> str:
    """What a notice is, as a title."""
    if notice.flapping and notice.status != NoticeStatus.HELD_BACK:
        return "Mail that it is flapping"
    return STEPS[Step(notice.step)]


def reason(state: str | None, code: str, message: str) -> str:
    """Why an integration is in its state, in the words that mails have for it."""
    if state is None:
        return "Nothing was reported yet."
    return reasons.reason(code, message) or _NO_REASON[State(state)]


def headline(counts: dict[State | None, int]) -> str:
    """One sentence that answers what needs somebody."""
    failed, pending = counts[State.FAILED], counts[State.PENDING]
    total = sum(counts.values())
    if failed or pending:
        parts = [f"{_many(failed)} failed"] * bool(failed)
        parts += [f"{_many(pending)} not set up"] * bool(pending)
        whole = failed + pending
        # The sum of what was not counted to its end is not known either.
        all_ = _many(whole) if max(failed, pending) > COUNTED else f"{whole:,}"
        verb = "integration needs" if whole == 1 else "integrations need"
        return f"{_capital(all_)} {verb} you: {', '.join(parts)}."
    if total == counts[State.ACTIVE]:
        if total == 1:
            return "Your one integration works."
        if total > COUNTED:
            return f"All integrations work, {_many(total)} of them."
        return f"All {total:,} integrations work."
    parts = [
        f"{_many(number)} {_HEALTH[state][number > 1]}"
        for state in (State.ACTIVE, State.DISABLED, None)
        if (number := counts[state])
    ]
    return f"Nothing needs you: {joined(parts)}."


def lasted(duration: timedelta) -> str:
    """A length of time by its two largest units: `3 days 4 hours`."""
    minutes = int(duration.total_seconds()) // 60
    amounts = (
        (minutes // 1440, "day"), (minutes // 60 % 24, "hour"), (minutes % 60, "minute"),
    )  # fmt: skip
    first = next((at for at, (number, _) in enumerate(amounts) if number), None)
    if first is None:
        return "less than a minute"
    return " ".join(count(number, unit) for number, unit in amounts[first : first + 2] if number)


def fate(email: Email) -> str:
    """Where an email stands, in words, and why where there is a reason."""
    status = EmailStatus(email.status)
    if status is EmailStatus.QUEUED and email.attempts:
        return f"queued again after {count(email.attempts, 'attempt')}"
    word = _FATES[status]
    ended = status in (EmailStatus.FAILED, EmailStatus.CANCELLED, EmailStatus.BOUNCED)
    return f"{word}: {email.outcome_reason}" if ended and email.outcome_reason else word


def _many(number: int) -> str:
    return f"more than {COUNTED:,}" if number > COUNTED else f"{number:,}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
