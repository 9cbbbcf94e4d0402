"""The pages themselves, whoever looks: the list, a sample, its frame, its source."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from integration_alerts.web.letter_frame import framed
from integration_alerts.web.mail_pages import wording
from integration_alerts.web.mail_pages.gallery import Gallery, Kind
from integration_alerts.web.wording import plain

PARTS = {"html": "As it looks", "text": "Text", "source": "Source"}
WIDTHS = {"360": "Phone, 360 px", "640": "Desk, 640 px"}
SCHEMES = {"light": "Light", "dark": "Dark"}
# In an HTML part: what leaves the choice to the reader's system. Here it is made on the page.
_ASKS, _BOTH = "@media (prefers-color-scheme:dark)", ":root{color-scheme:light dark}"


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of a gallery: what is around them, their addresses, and what else they say."""

    gallery: Gallery
    frame: str  # the template around the pages
    names: str  # what the names of its addresses begin with
    grouping: str

    def address(self, page: str, *kind: str) -> str:
        """The address of one of its pages."""
        account = [] if self.gallery.account is None else [self.gallery.account.pk]
        return reverse(f"{self.names}{page}", args=[*account, *kind])


def mails(request: HttpRequest, pages: Pages) -> HttpResponse:
    """Every kind of mail, by its subject, and what they have in common."""
    context = {
        **_frame(pages),
        "grouping": pages.grouping,
        "brand": list(wording.brand(pages.gallery.brand)),
        "kinds": [(each, pages.address("sample_mail", each.slug)) for each in pages.gallery.kinds],
    }
    return render(request, "web/mails/list.html", context)


def sample_mail(request: HttpRequest, pages: Pages, slug: str) -> HttpResponse:
    """One kind: how it looks, its text, or its source."""
    kind = _find(pages, slug)
    part = _chosen(request, "part", PARTS, "html")
    context = {
        **_frame(pages),
        "kind": kind,
        "part": part,
        "parts": _choices(PARTS, part, lambda value: f"?part={value}"),
        "raw": pages.address("sample_mail_source", slug),
        **(_frame_of(request, pages, slug) if part == "html" else _words(pages, kind, part)),
        **_neighbours(pages, kind),
    }
    return render(request, "web/mails/sample.html", context)


def sample_mail_html(request: HttpRequest, pages: Pages, slug: str) -> HttpResponse:
    """The HTML part alone, for the frame: with the account's logo, else it loads nothing."""
    html = pages.gallery.written(_find(pages, slug)).html
    scheme = _scheme(request)
    dark = "all" if scheme == "dark" else "not all"
    html = html.replace(_ASKS, f"@media {dark}").replace(_BOTH, f":root{{color-scheme:{scheme}}}")
    return framed(html, pages.gallery.brand.logo_url)


def sample_mail_source(request: HttpRequest, pages: Pages, slug: str) -> HttpResponse:  # noqa: ARG001
    """The exact bytes, as a file that mail programs open."""
    written = pages.gallery.written(_find(pages, slug))
    response = HttpResponse(written.message, content_type="message/rfc822")
    response.headers["Content-Disposition"] = f'attachment; filename="{slug}.eml"'
    return response


def _find(pages: Pages, slug: str) -> Kind:
    found = next((kind for kind in pages.gallery.kinds if kind.slug == slug), None)
    if found is None:
        raise Http404
    return found


def _frame(pages: Pages) -> dict[str, Any]:
    return {
        "frame": pages.frame,
        "menu": "mails",
        "account": pages.gallery.account,
        "mails": pages.address("mails"),
    }


def _words(pages: Pages, kind: Kind, part: str) -> dict[str, str]:
    written = pages.gallery.written(kind)
    source = written.message.decode("utf-8", "replace")
    return {"words": written.text if part == "text" else source}


def _frame_of(request: HttpRequest, pages: Pages, slug: str) -> dict[str, Any]:
    width, scheme = _chosen(request, "width", WIDTHS, "640"), _scheme(request)
    return {
        "html": f"{pages.address('sample_mail_html', slug)}?scheme={scheme}",
        "width": width,
        "scheme": scheme,
        "widths": _choices(WIDTHS, width, lambda value: f"?width={value}&scheme={scheme}"),
        "schemes": _choices(SCHEMES, scheme, lambda value: f"?width={width}&scheme={value}"),
        "logo": wording.logo(pages.gallery.brand),
    }


def _scheme(request: HttpRequest) -> str:
    return _chosen(request, "scheme", SCHEMES, "light")


def _chosen(request: HttpRequest, name: str, known: Mapping[str, str], otherwise: str) -> str:
    wanted = plain(request.GET.get(name, ""))
    return wanted if wanted in known else otherwise


def _choices(
    known: Mapping[str, str], chosen: str, address: Callable[[str], str]
) -> list[tuple[str, str, bool]]:
    return [(words, address(value), value == chosen) for value, words in known.items()]


def _neighbours(pages: Pages, kind: Kind) -> dict[str, tuple[Kind, str] | None]:
    kinds = pages.gallery.kinds
    at = kinds.index(kind)

    def link(place: int) -> tuple[Kind, str] | None:
        if not 0 <= place < len(kinds):
            return None
        return kinds[place], pages.address("sample_mail", kinds[place].slug)

    return {"before": link(at - 1), "after": link(at + 1)}
