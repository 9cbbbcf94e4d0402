"""Which step of an incident is mailed, and to whom (R5, R6, R8, R11)."""

from datetime import datetime, timedelta

from tests.acceptance.live import Live, of_type, subject
from tests.installation import failed, report

ADA, MAX = "ada@acme.example", "max@acme.example"


def test_a_failure_of_8_days_ago_gives_one_mail_the_reminder_of_day_7(live: Live) -> None:
    live.report(failed("eight-days", ago=timedelta(days=8)))
    live.settle()

    assert live.recipients("eight-days") == [ADA, MAX]
    assert {subject(mail) for mail in live.mails("eight-days")} == {
        "eight-days for North is still broken after 7 days"
    }


def test_the_step_before_a_late_reminder_is_recorded_as_superseded(live: Live) -> None:
    live.report(failed("superseding", ago=timedelta(days=8)))
    live.settle()

    assert live.notices("superseding") == [
        ("failed", "alert", "superseded"),
        ("failed", "reminder_7", "composed"),
    ]


def test_pending_for_25_hours_is_told_at_once(live: Live) -> None:
    live.report(report("pending", "pending-25", ago=timedelta(hours=25)))
    live.settle()

    assert live.recipients("pending-25") == [ADA, MAX]
    assert live.notices("pending-25") == [("pending", "alert", "composed")]


def test_pending_for_23_hours_is_told_to_nobody_and_is_due_an_hour_later(live: Live) -> None:
    begun = report("pending", "pending-23", ago=timedelta(hours=23))
    live.report(begun)
    live.settle()

    assert live.mails("pending-23") == []
    assert live.notices("pending-23") == []
    assert _next_notice_at(live, "pending-23") == datetime.fromisoformat(
        begun["occurred_at"]
    ) + timedelta(hours=24)


def test_after_an_alert_the_next_look_is_on_day_7(live: Live) -> None:
    broken = failed("next-look")
    live.report(broken)
    live.settle()

    assert _next_notice_at(live, "next-look") == datetime.fromisoformat(
        broken["occurred_at"]
    ) + timedelta(days=7)


def test_after_the_reminder_of_day_21_there_is_silence(live: Live) -> None:
    live.report(failed("silent", ago=timedelta(days=22)))
    live.settle()

    assert {subject(mail) for mail in live.mails("silent")} == {
        "Last reminder: silent for North is still broken"
    }
    assert _next_notice_at(live, "silent") is None


def test_a_manager_without_access_to_the_company_gets_no_mail(live: Live) -> None:
    live.change(
        _user("sol", role="manager", companies=["south"]),
        of_type("subscription", user="sol", companies="all"),
    )
    live.report(failed("not-for-sol"))
    live.settle()

    assert live.recipients("not-for-sol") == [ADA, MAX]


def test_an_administrator_without_a_subscription_gets_no_mail(live: Live) -> None:
    live.change(_user("abe", role="administrator"))
    live.report(failed("not-for-abe"))
    live.settle()

    assert live.recipients("not-for-abe") == [ADA, MAX]


def test_a_reporting_user_gets_no_mail_even_with_a_subscription_from_before(live: Live) -> None:
    live.change(
        _user("roy", role="manager", companies=["north"]),
        of_type("subscription", user="roy", companies="all"),
        _user("roy", role="reporting"),
    )
    live.report(failed("not-for-roy"))
    live.settle()

    assert live.recipients("not-for-roy") == [ADA, MAX]


def test_a_subscription_to_chosen_companies_leaves_the_others_out(live: Live) -> None:
    live.change(
        _user("una", role="administrator"),
        of_type("subscription", user="una", companies=["south"]),
    )
    for each in (failed("of-north"), failed("of-south", company="south")):
        live.report(each)
        live.settle()  # in one go, Ada would have one mail about both

    assert live.recipients("of-north") == [ADA, MAX]
    assert "una@acme.example" in live.recipients("of-south")


def _user(name: str, **fields: object) -> dict[str, object]:
    return of_type("user", id=name, email=f"{name}@acme.example", name=name.title(), **fields)


def _next_notice_at(live: Live, integration: str) -> datetime | None:
    ((due,),) = live.installation.query(
        "SELECT next_notice_at FROM incident JOIN integration ON integration.id = integration_id "
        "WHERE external_id = %s",
        integration,
    )
    return due
