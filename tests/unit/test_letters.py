"""What a mail says of one notice, and of several (SPEC R6, R9, R22, R23)."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_alerts.mail.content import Content, content
from integration_alerts.mail.filling import Parts, parts
from integration_alerts.mail.letters import NoticeFacts
from integration_alerts.mail.samples import LINKS, WRITTEN_AT, letter, notice, samples
from integration_alerts.mail.subjects import SUBJECT_LIMIT, subject
from integration_alerts.rules.schedule import STEPS, Step
from integration_alerts.rules.states import State

FAILED, PENDING = State.FAILED, State.PENDING


def about(*notices: NoticeFacts, **more: Any) -> Content:
    return content(letter(*notices, **more))


def mail(*notices: NoticeFacts, **more: Any) -> Parts:
    return parts(about(*notices, **more))


def in_company(number: int, **more: Any) -> NoticeFacts:
    return notice(number, company=number, company_name=f"Company {number}", **more)


@pytest.mark.parametrize(
    ("state", "step", "words"),
    [
        (FAILED, Step.ALERT, "Google Ads for North Bakery stopped working"),
        (PENDING, Step.ALERT, "Google Ads for North Bakery is not set up yet"),
        (FAILED, Step.REMINDER_7, "Google Ads for North Bakery is still broken after 7 days"),
        (PENDING, Step.REMINDER_7, "Google Ads for North Bakery is still not set up after 7 days"),
        (FAILED, Step.REMINDER_21, "Last reminder: Google Ads for North Bakery is still broken"),
        (State.ACTIVE, Step.RECOVERY, "Google Ads for North Bakery works again"),
        (State.DISABLED, Step.RECOVERY, "Google Ads for North Bakery was switched off"),
    ],
)  # fmt: skip
def test_the_subject_says_what_happened_to_what(state: State, step: Step, words: str) -> None:
    assert subject(letter(notice(state=state, step=step))) == words


LAST = {"step": Step.REMINDER_21}
OVER = {"state": State.ACTIVE, "step": Step.RECOVERY}


@pytest.mark.parametrize(
    ("notices", "words"),
    [
        ([in_company(1), in_company(2)], "2 integrations in 2 companies need you"),
        ([notice(1), notice(2)], "2 integrations of North Bakery need you"),
        ([in_company(1, **LAST), in_company(2)], "2 integrations in 2 companies need you"),
        ([notice(1, **LAST), notice(2, step=Step.REMINDER_7)],
         "2 integrations of North Bakery still need you"),
        ([notice(1, **LAST), notice(2, **LAST)],
         "Last reminder: 2 integrations of North Bakery still need you"),
        ([notice(1), in_company(2, **OVER)], "Google Ads for North Bakery stopped working"),
        ([notice(1, **OVER), notice(2, **OVER)], "2 integrations of North Bakery work again"),
        ([notice(1, **OVER), notice(2, **{**OVER, "state": State.DISABLED})],
         "2 integrations of North Bakery need you no more"),
        ([in_company(1, connection="a"), in_company(2, connection="a")],
         "One sign-in broke 2 integrations in 2 companies"),
        ([notice(1, connection="a", state=PENDING), notice(2, connection="a", state=PENDING)],
         "One sign-in holds up 2 set-ups of North Bakery"),
    ],
)  # fmt: skip
def test_the_subject_of_several_says_how_many(notices: list[NoticeFacts], words: str) -> None:
    assert subject(letter(*notices)) == words


@given(
    name=st.text(max_size=500), company=st.text(max_size=500), step=st.sampled_from(STEPS),
    count=st.integers(1, 3), connection=st.sampled_from(["", "one"]),
)  # fmt: skip
def test_no_name_makes_a_subject_long_or_break_its_line(
    name: str, company: str, step: Step, count: int, connection: str
) -> None:
    facts = {"integration": name, "company_name": company, "connection": connection, "step": step}
    for state in (FAILED, PENDING):
        notices = [notice(number, state=state, **facts) for number in range(count)]
        words = subject(letter(*notices, test=True))
        assert len(words) < SUBJECT_LIMIT
        assert words.isprintable()


@pytest.mark.parametrize(
    ("step", "outlook"),
    [
        (Step.ALERT, "If nothing changes, you get a reminder on day 7."),
        (Step.REMINDER_7, "If nothing changes, you get a reminder on day 14."),
        (Step.REMINDER_14, "If nothing changes, you get a reminder on day 21."),
        (Step.REMINDER_21, "This is the last reminder.\nIt stays listed here:\n" + LINKS.listing),
    ],
)
def test_it_says_what_comes_next(step: Step, outlook: str) -> None:
    assert outlook in mail(notice(step=step)).text


def test_since_when_is_told_exactly_in_the_accounts_zone_and_then_how_long_ago() -> None:
    text = mail(notice(), time_zone="Asia/Tokyo").text
    assert "Since:        3 May 2026, 16:12 (Asia/Tokyo), 2 hours ago" in text


def test_the_reason_is_told_in_plain_words_and_as_reported() -> None:
    known = mail(notice(reason_code="invalid_grant", reason_message="Token gone")).text
    assert "\nIts sign-in has expired.\n" in known
    assert "Reason:       Token gone\n" in known
    unknown = mail(notice(reason_code="E-17", reason_message="Token gone")).text
    assert "Reason:       Token gone (E-17)\n" in unknown


def test_there_is_one_button_to_the_fix_link() -> None:
    written = mail(notice(fix_url="https://app.example/fix?a=1&b=2"))
    assert "Reconnect it:\nhttps://app.example/fix?a=1&b=2\n" in written.text
    assert written.html.count('href="https://app.example/fix?a=1&amp;b=2"') == 1


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "//app.example", "ftp://app.example"])
def test_without_a_link_for_browsers_it_says_where_to_look(url: str) -> None:
    written = mail(notice(fix_url=url))
    assert "Open Google Ads in the settings of North Bakery to fix it." in written.text
    assert "See it on its page:\nhttps://alerts.example/accounts/1/integrations/1" in written.text
    assert url == "" or url not in written.html


def test_a_pending_integration_is_to_be_finished_or_disabled() -> None:
    text = mail(notice(state=PENDING)).text
    assert "Finish the set-up:\nhttps://app.example/" in text
    assert (
        "Set up by mistake? Disable it:\nhttps://alerts.example/accounts/1/integrations/1" in text
    )


def test_a_flapping_integration_is_said_to_flap() -> None:
    text = mail(notice(flapping=True)).text
    assert (
        "It has stopped working 3 times within a day. Further alerts are held\n"
        "back until it has been quiet for 24 hours; reminders are not." in text
    )


def test_a_reminder_of_a_flapping_integration_is_a_plain_reminder() -> None:
    text = mail(notice(flapping=True, step=Step.REMINDER_7)).text
    assert "is still broken after 7 days" in text
    assert "held back" not in " ".join(text.split())


def test_a_recovery_asks_for_nothing() -> None:
    text = mail(notice(state=State.ACTIVE, step=Step.RECOVERY)).text
    assert "There is nothing to do." in text
    for words in ("Reconnect", "expired", "reminder", "Also told"):
        assert words not in text


def test_it_says_why_the_reader_gets_it_and_how_to_end_that() -> None:
    assert "because you activated an integration" in about(notice(), origin="automatic").why
    assert "because you have an integration alert" in about(notice(), origin="platform").why
    for part in (mail(notice()).text, mail(notice()).html):
        assert LINKS.manage in part
        assert LINKS.unsubscribe in part


def test_who_else_was_told_is_said_once_where_it_is_the_same_everywhere() -> None:
    same = {1: "Mei Tanaka", 2: "Mei Tanaka"}
    text = mail(in_company(1), in_company(2), told=same).text
    assert text.count("Also told: Mei Tanaka") == 1
    differing = {1: "Mei Tanaka", 2: "nobody else"}
    text = mail(in_company(1), in_company(2), told=differing).text
    assert text.index("Company 1") < text.index("Also told: Mei Tanaka") < text.index("Company 2")
    assert text.index("Company 2") < text.index("Also told: nobody else")


def test_a_cause_says_who_connected_it_and_where_to_mend_it_once() -> None:
    notices = [in_company(number, connection="g", reason_message="") for number in (1, 2, 3)]
    text = mail(*notices, connected_by={"g": "Ana"}, told={}).text
    assert "One sign-in (Google, connected by Ana) broke 3 integrations in 3\ncompanies" in text
    assert text.count("https://app.example/reconnect") == 1
    assert "Reconnect once:\n" in text
    assert "- Company 2: Google Ads\n" in text


def test_of_a_cause_nothing_is_said_that_is_not_known() -> None:
    notices = [
        in_company(number, connection="g", provider=f"p{number}", fix_url="") for number in (1, 2)
    ]
    text = mail(*notices).text
    assert "One sign-in broke 2 integrations in 2 companies" in text
    assert "Open it:\nhttps://alerts.example/accounts/1/integrations/" in text


def test_who_else_was_told_of_a_cause_stands_with_each_company_where_it_differs() -> None:
    notices = [in_company(number, connection="g") for number in (1, 2)]
    text = mail(*notices, told={1: "Mei", 2: "nobody else"}).text
    assert "- Company 1: Google Ads. Also told: Mei\n" in text


def test_what_is_left_out_is_counted_and_stands_in_the_list() -> None:
    text = mail(*(notice(number) for number in range(63))).text
    assert text.count("Reconnect it:") == 50
    assert f"and 13 more:\n{LINKS.listing}" in text


def test_companies_of_a_cause_that_are_left_out_are_counted() -> None:
    text = mail(*(in_company(number, connection="g") for number in range(23))).text
    assert text.count("- Company") == 20
    assert "- and 3 more companies" in text


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "Stopped working on 3 May 2026, 09:12, 2 hours ago. Its sign-in has expired."),
        ({"step": Step.REMINDER_7}, "Still broken, since 3 May 2026, 09:12, 2 hours ago."),
        (LAST, "Last reminder: broken since 3 May 2026, 09:12, 2 hours ago."),
        ({"state": PENDING}, "The set-up was begun on 3 May 2026, 09:12, 2 hours ago."),
        ({"state": PENDING, **LAST}, "Last reminder: not set up since 3 May 2026, 09:12,"),
        ({"flapping": True}, "Stopped working 3 times within a day, last on 3 May 2026, 09:12,"),
        (OVER, "Works again since 3 May 2026, 09:12, 2 hours ago."),
        ({**OVER, "state": State.DISABLED}, "Switched off on 3 May 2026, 09:12, 2 hours ago."),
    ],
)
def test_a_line_of_a_list_says_what_happened(more: dict[str, Any], words: str) -> None:
    assert words in " ".join(mail(notice(1, **more), notice(2)).text.split())


def test_last_reminders_among_others_are_counted() -> None:
    text = " ".join(mail(notice(1, **LAST), notice(2)).text.split())
    assert "For 1 of them this is the last reminder. They stay listed here:" in text


def test_the_preheader_goes_on_where_the_subject_ends() -> None:
    assert about(notice()).body.preheader == (
        "Its sign-in has expired. Since 3 May 2026, 09:12 (Europe/Berlin), 2 hours ago."
    )
    several = about(*(in_company(number) for number in range(5)), in_company(9, **OVER))
    assert several.body.preheader == (
        "5 failed and 1 in order again: Company 0, Company 1, Company 2 and 3 other companies."
    )


def test_a_test_mail_says_that_it_is_one() -> None:
    written = parts(content(samples()["test"]))
    assert written.subject.startswith("Test: ")
    for part in (written.text, written.html):
        assert "This is a test mail. Nothing of what it says has happened." in part


def test_a_name_that_cannot_be_shown_has_a_stand_in() -> None:
    text = mail(notice(1, integration="\x00"), notice(2, company_name="\u202e")).text
    assert "- (no name)" in text


@pytest.mark.parametrize("name", samples())
def test_no_line_of_the_text_is_wider_than_72_columns_but_links(name: str) -> None:
    text = parts(content(samples()[name])).text
    assert [line for line in text.splitlines() if len(line) > 72 and "https://" not in line] == []


@pytest.mark.parametrize("name", samples())
def test_both_parts_say_the_same(name: str) -> None:
    written = parts(content(samples()[name]))
    said = content(samples()[name])
    text = " ".join(written.text.split())
    for words in (said.body.title, *said.body.paragraphs, said.why, said.body.outlook):
        assert words in text
        assert words in written.html
    for fact in said.body.facts:
        assert fact.value in text
        assert fact.value in written.html


def test_a_time_ahead_of_our_clock_is_just_now() -> None:
    ahead = notice(since=WRITTEN_AT + timedelta(minutes=4))
    assert "11:16 (Europe/Berlin), just now" in mail(ahead).text
