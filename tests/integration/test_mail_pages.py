"""The pages that show every kind of mail to an account's Administrators."""

from email import message_from_bytes
from email.policy import default

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from tests.pages import account, browser, give_brands, text_of
from tests.world import World

from integration_alerts.directory.models import Account
from integration_alerts.mail.samples import samples
from integration_alerts.mail.subjects import subject
from integration_alerts.web.mail_pages.gallery import Gallery

pytestmark = pytest.mark.django_db
LOGO = "https://pictures.example/acme/logo.png"
NAMES_OF_ACME = ("Acme Agency", "North Bakery Ltd", "ada@acme.example", "Secret Harbour")
PARTS = ("", "/failed", "/failed?part=source", "/failed/html", "/failed/source")


@pytest.fixture
def branded(acme: World) -> World:
    """Acme and Globex have brands of their own."""
    give_brands(acme)
    acme.directory({"type": "company", "account": "acme", "id": "north", "name": NAMES_OF_ACME[1]})
    return acme


def mails(tail: str = "") -> str:
    """An address of Acme's pages."""
    return f"/accounts/{account()}/mails{tail}"


def body(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def test_the_list_has_every_kind_of_mail(branded: World) -> None:
    said = text_of(browser("ada").get(mails()))
    for name, letter in samples().items():
        assert f"{subject(letter)} {name[0].upper()}{name[1:]}" in said
    assert len(samples()) > 15


def test_each_kind_has_an_address_of_its_own() -> None:
    kinds = Gallery(None).kinds
    assert len({kind.slug for kind in kinds}) == len(kinds) == len(samples())


def test_a_link_of_the_list_leads_to_each(branded: World) -> None:
    ada = browser("ada")
    listing = body(ada, mails())
    for slug in ("failed", "last-reminder", "one-cause", "more-than-50", "test"):
        assert f'href="{mails(f"/{slug}")}"' in listing
        assert body(ada, mails(f"/{slug}"))


def test_a_mail_is_shown_as_html_as_text_and_as_source(branded: World) -> None:
    ada = browser("ada")
    assert f'src="{mails("/failed/html")}?scheme=light"' in body(ada, mails("/failed"))
    assert "<h1" in body(ada, mails("/failed/html"))
    text = body(ada, mails("/failed?part=text")).replace("\r", "")
    assert "Hello Max Fischer,\n\nGoogle Ads for North Bakery stopped" in text
    source = body(ada, mails("/failed?part=source"))
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in source
    assert f'<a href="{mails("/failed/source")}">Download as .eml</a>' in source


def test_the_source_is_a_whole_message_to_download(branded: World) -> None:
    response = browser("ada").get(mails("/flapping/source"))
    assert response["Content-Type"] == "message/rfc822"
    assert response["Content-Disposition"] == 'attachment; filename="flapping.eml"'
    message = message_from_bytes(response.content, policy=default)
    assert message["Subject"] == "Google Ads for North Bakery keeps failing"
    assert [part.get_content_subtype() for part in message.iter_parts()] == ["plain", "html"]


def test_the_mails_have_the_accounts_brand_and_time_zone(branded: World) -> None:
    ada = browser("ada")
    html = body(ada, mails("/failed/html"))
    assert "#ffb000" in html
    assert f'<img src="{LOGO}" alt="Acme Works"' in html
    page = body(ada, mails("/failed?part=source"))
    assert "From: Acme Works &lt;alerts@localhost&gt;" in page
    assert "Reply-To: Acme Works &lt;help@acme.example&gt;" in page
    assert "(Europe/Berlin)" in page


def test_of_the_account_they_have_nothing_but_its_brand(branded: World) -> None:
    ada = browser("ada")
    for name in ("failed", "several", "one-cause", "more-than-50", "test"):
        for part in ("html", "source"):
            answer = body(ada, mails(f"/{name}/{part}"))
            assert [each for each in NAMES_OF_ACME if each in answer] == []


@pytest.mark.parametrize("part", PARTS)
def test_nothing_of_another_accounts_brand_shows(branded: World, part: str) -> None:
    answer = body(browser("ada"), mails(part))
    assert "globex" not in answer.lower()
    assert "#00b0ff" not in answer


@pytest.mark.parametrize(
    ("wait", "interval", "sentence"),
    [
        (30, 300, "The first mail waits 30 seconds for others; later ones go together every 5"),
        (0, 60, "The first mail goes at once; later ones go together every 1 minute."),
        (90, 0, "The first mail waits 90 seconds for others; later ones do the same."),
        (0, 0, "Every mail goes at once and waits for no others. Your platform sets this."),
    ],
)
def test_the_list_says_how_mails_go_together(
    acme: World, wait: int, interval: int, sentence: str
) -> None:
    acme.group(wait=wait, interval=interval)
    assert sentence in text_of(browser("ada").get(mails()))


def test_the_brand_is_told_in_words(branded: World) -> None:
    said = text_of(browser("ada").get(mails()))
    assert f"Name Acme Works Logo {LOGO} Colour #ffb000 Answers go to help@acme.example" in said


@pytest.mark.parametrize(
    ("asked", "width", "scheme"),
    [
        ("", "640", "light"),
        ("?width=360&scheme=dark", "360", "dark"),
        ("?width=1%27%3E&scheme=neon", "640", "light"),
    ],
)
def test_width_and_colours_are_chosen_by_links(
    acme: World, asked: str, width: str, scheme: str
) -> None:
    page = body(browser("ada"), mails("/pending") + asked)
    assert f'<iframe class="letter at-{width} {scheme}"' in page
    assert f'src="{mails("/pending/html")}?scheme={scheme}"' in page
    assert page.count('aria-current="true"') == 3


def test_a_frame_shows_the_colours_that_were_chosen_whatever_the_system_has(acme: World) -> None:
    ada = browser("ada")
    light, dark = (body(ada, mails(f"/failed/html?scheme={name}")) for name in ("light", "dark"))
    assert "@media not all{" in light
    assert ":root{color-scheme:light}" in light
    assert "@media all{" in dark
    assert ":root{color-scheme:dark}" in dark
    assert "prefers-color-scheme" not in light + dark


def test_a_frame_may_load_the_accounts_logo_and_nothing_else(branded: World) -> None:
    response = browser("ada").get(mails("/failed/html"))
    policy = response["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups; default-src 'none'; ")
    assert f"img-src data: {LOGO}; " in policy
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "The logo is not loaded here" not in body(browser("ada"), mails("/failed"))


@pytest.mark.parametrize(
    "logo",
    [
        "http://pictures.example/logo.png",
        "https://pictures.example/a;script-src%20*/logo.png;script-src *",
        "https://pictures.example/a,b.png",
        "https://pictures.example/'self'",
        "https://ümlaut.example/logo.png",
        "https://*/logo.png",
    ],
)
def test_a_logo_that_no_policy_can_name_is_not_loaded_and_the_page_says_so(
    acme: World, logo: str
) -> None:
    Account.objects.filter(external_id="acme").update(logo_url=logo)
    ada = browser("ada")
    policy = ada.get(mails("/failed/html"))["Content-Security-Policy"]
    assert "img-src data:; frame-ancestors 'self'" in policy
    assert "The logo is not loaded here" in body(ada, mails("/failed"))


@pytest.mark.parametrize("tail", ["/nothing-like-it", "/nothing-like-it/html", "/x/source"])
def test_there_are_no_other_kinds(acme: World, tail: str) -> None:
    assert browser("ada").get(mails(tail)).status_code == 404


@pytest.mark.parametrize(("who", "entries"), [("ada", 1), ("max", 0)])
def test_only_administrators_have_an_entry_in_the_menu(acme: World, who: str, entries: int) -> None:
    page = body(browser(who), f"/accounts/{account()}/notifications")
    assert page.count(f'href="{mails()}"') == entries


def test_a_manager_is_told_who_may(acme: World) -> None:
    response = browser("max").get(mails())
    assert response.status_code == 403
    assert "This page is for Administrators of Acme Agency." in text_of(response)


@pytest.mark.parametrize(("part", "queries"), list(zip(PARTS, (6, 6, 6, 4, 4), strict=True)))
def test_looking_costs_no_more_than_knowing_who_looks(
    branded: World, part: str, queries: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ada, path = browser("ada"), mails(part)
    ada.get(path)  # the session knows the account
    with django_assert_num_queries(queries):
        ada.get(path)
