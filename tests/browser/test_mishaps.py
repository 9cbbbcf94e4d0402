"""What goes wrong between opening a form and saving it: nothing is made twice, nothing is lost."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect
from tests.browser.conftest import PHONE, Check, Visit
from tests.browser.prepare import PASSWORD
from tests.browser.site import Site
from tests.browser.walking import bin_of, choose, delete, open_panel, panel, press_save, row

JOOST, MEI = "joost@lantern.example", "mei@lantern.example"


def choose_joost(page: Page) -> None:
    page.get_by_label("User", exact=True).select_option(index=1)


def search_for_hubspot(page: Page) -> None:
    page.get_by_label("Search").fill("hubspot")


def choose_failed(page: Page) -> None:
    page.get_by_label("State").select_option("failed")


@pytest.mark.parametrize(
    ("path", "act", "seen", "times"),
    [
        ("alerts/new", choose_joost, "text=Mail goes to joost@lantern.example", 1),
        ("", search_for_hubspot, "#results >> text=Meta Ads", 0),
        ("", choose_failed, "#results >> text=Slack", 0),
    ],
)
def test_what_was_done_before_the_scripts_came_counts(
    site: Site, visit: Visit, path: str, act: Callable[[Page], None], seen: str, times: int
) -> None:
    page = visit("ines", f"{site.account()}alerts")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/htmx*", hold)
    page.goto(site.account() + path, wait_until="commit")
    act(page)
    page.wait_for_function("document.readyState == 'interactive'")
    assert held
    held[0].continue_()
    expect(page.locator(seen)).to_have_count(times)


def test_a_double_click_on_save_makes_one_alert(site: Site, visit: Visit) -> None:
    page = visit("ines", f"{site.account()}alerts/new")
    choose(page, "joost")
    page.get_by_role("button", name="Save", exact=True).dblclick()
    expect(row(page, JOOST)).to_have_count(1)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(row(page, JOOST)).to_contain_text("new")
    assert alerts_of(site, "joost") == 1
    delete(page, JOOST)


def test_a_double_click_deletes_once(site: Site, visit: Visit) -> None:
    page = visit("ines", f"{site.account()}alerts/new")
    choose(page, "joost")
    press_save(page)
    bin_of(page, JOOST).click()
    page.get_by_role("button", name="Delete alert", exact=True).filter(visible=True).dblclick()
    expect(page.get_by_role("status").first).to_contain_text("will no longer get mail")
    assert alerts_of(site, "joost") == 0


def test_two_tabs_delete_the_same_alert(site: Site, visit: Visit) -> None:
    first = visit("ines", f"{site.account()}alerts/new")
    choose(first, "joost")
    press_save(first)
    second = visit("ines", f"{site.account()}alerts")
    delete(first, JOOST)
    bin_of(second, JOOST).click()
    second.get_by_role("button", name="Delete alert", exact=True).filter(visible=True).click()
    expect(second.get_by_role("alert")).to_contain_text("deleted already")


def test_a_recipient_demoted_meanwhile_gets_no_alert(
    site: Site, visit: Visit, check: Check
) -> None:
    page = visit("ines", f"{site.account()}alerts/new", width=PHONE)
    choose(page, "joost")
    page.get_by_label("Only these companies").check()
    page.get_by_label("Pine Street Dental").check()
    page.get_by_label("Tell them when it is fixed").check()
    become(site, "joost", "reporting")
    press_save(page)
    expect(page.get_by_role("alert")).to_contain_text("Not saved")
    expect(page.get_by_text("Joost de Wit: Reporting user, gets no alerts.")).to_be_visible()
    assert alerts_of(site, "joost") == 0
    check(page)
    become(site, "joost", "manager")
    page.get_by_label("User", exact=True).select_option("")  # Joost can be chosen again now
    choose(page, "joost")
    expect(page.get_by_label("Pine Street Dental")).to_be_checked()
    expect(page.get_by_label("Tell them when it is fixed")).to_be_checked()


def test_nothing_typed_is_lost_when_the_session_ends(
    site: Site, visit: Visit, check: Check
) -> None:
    page = visit(None, f"{site.account()}alerts/new")
    sign_in(page)
    choose(page, "joost")
    page.get_by_label("Only these companies").check()
    page.get_by_label("Pine Street Dental").check()
    page.get_by_label("Tell them when it is fixed").check()
    end_session(site, page)
    press_save(page)
    expect(page.get_by_text("You were signed out before this was done.")).to_be_visible()
    check(page)
    sign_in(page)
    expect(page.get_by_text(f"Mail goes to {JOOST}")).to_be_visible()
    expect(page.get_by_label("Only these companies")).to_be_checked()
    expect(page.get_by_label("Pine Street Dental")).to_be_checked()
    expect(page.get_by_label("Tell them when it is fixed")).to_be_checked()
    assert alerts_of(site, "joost") == 0
    check(page)
    press_save(page)
    expect(row(page, JOOST)).to_contain_text("Pine Street Dental")
    assert alerts_of(site, "joost") == 1
    delete(page, JOOST)


def test_the_form_leads_to_sign_in_when_the_session_ends_before_a_choice(
    site: Site, visit: Visit
) -> None:
    page = visit(None, f"{site.account()}alerts/new")
    sign_in(page)
    end_session(site, page)
    user = page.get_by_label("User", exact=True)
    user.select_option(label=user.locator("option").filter(has_text=JOOST).inner_text())
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    sign_in(page)
    expect(page.get_by_text(f"Mail goes to {JOOST}")).to_be_visible()
    assert alerts_of(site, "joost") == 0


def test_a_form_stays_in_its_account_when_another_tab_switches(site: Site, visit: Visit) -> None:
    page = visit("ines", f"{site.account()}alerts/new")
    choose(page, "joost")
    other = page.context.new_page()
    other.goto(site.account())
    open_panel(other)
    panel(other).get_by_role("link", name="Quayside Events").click()
    expect(other.get_by_role("banner")).to_contain_text("Quayside Events")
    press_save(page)
    expect(page.get_by_role("banner")).to_contain_text("Lantern Agency")
    expect(row(page, JOOST)).to_be_visible()
    other.goto(f"{site.account('quay')}alerts")
    expect(other.get_by_role("banner")).to_contain_text("Quayside Events")
    expect(row(other, JOOST)).to_have_count(0)
    expect(other.get_by_role("status")).to_have_count(0)
    delete(page, JOOST)


def sign_in(page: Page) -> None:
    page.get_by_label("E-mail address").fill(MEI)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Create alert")).to_be_visible()


def end_session(site: Site, page: Page) -> None:
    key = next(each for each in page.context.cookies() if each["name"] == "sessionid")["value"]
    ended = "DELETE FROM django_session WHERE session_key = %s RETURNING 1"
    assert site.installation.query(ended, key) == [(1,)]


def become(site: Site, member: str, role: str) -> None:
    changed = "UPDATE member SET role = %s WHERE external_id = %s RETURNING 1"
    assert site.installation.query(changed, role, member) == [(1,)]


def alerts_of(site: Site, member: str) -> int:
    query = "SELECT count(*) FROM subscription WHERE member_id = %s"
    return int(site.installation.query(query, site.member(member))[0][0])
