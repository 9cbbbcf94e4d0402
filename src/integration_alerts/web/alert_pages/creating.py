"""Create Alert: for whom, about which companies."""

from dataclasses import replace

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from integration_alerts.alerts import choosing, subscribing
from integration_alerts.alerts.choosing import Choice, Choices
from integration_alerts.alerts.models import Subscription
from integration_alerts.alerts.subscribing import AlreadySubscribed, NotAllowed
from integration_alerts.directory.models import Company
from integration_alerts.engine import clock
from integration_alerts.rules import permissions
from integration_alerts.web import drafts, flash
from integration_alerts.web.alert_pages import form, wording
from integration_alerts.web.alert_pages.ending import find
from integration_alerts.web.alert_pages.form import CompanyChoices, RecipientChoices, Typed
from integration_alerts.web.viewer import Viewer, alerts_page

Errors = dict[str, str]


@require_http_methods(["GET", "HEAD", "POST"])
@alerts_page
def create(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Show the form; save it when it is posted without `look`."""
    choices = choosing.recipients(viewer.person)
    typed = _typed(request, viewer, choices)
    choice = next((each for each in choices.listed if each.member.pk == typed.recipient), None)
    errors: Errors = {}
    if request.method == "POST" and not typed.look:
        saved = _save(viewer, choice, typed, errors)
        if saved is not None:
            return _back_to_list(request, viewer, saved)
    return render(request, "web/alerts/new.html", _context(viewer, choices, choice, typed, errors))


def _typed(request: HttpRequest, viewer: Viewer, choices: Choices) -> Typed:
    posted = request.POST if request.method == "POST" else drafts.typed(request)
    if posted is not None:
        return form.read(posted)
    free = [choice.member.pk for choice in choices.listed if not choice.reason]
    own = viewer.member.pk
    return Typed(recipient=own if own in free else None)


def _save(
    viewer: Viewer, choice: Choice | None, typed: Typed, errors: Errors
) -> Subscription | None:
    if choice is None:
        errors[form.RECIPIENT] = "Choose a user from the list."
        return None
    if (repeated := _saved_before(viewer, choice, typed)) is not None:
        return repeated
    if choice.reason:
        errors[form.RECIPIENT] = f"{choice.member.name}: {choice.reason}. Choose another user."
        return None
    if problem := form.problem(typed, choosing.companies(viewer.person, choice.person)):
        errors[form.COMPANIES] = problem
        return None
    try:
        return subscribing.create(
            choice.member, typed.wanted, clock.now(), actor=viewer.member,
            tells_recovery=typed.tells_recovery,
        )  # fmt: skip
    except NotAllowed as error:
        errors[form.field_of(error.denial)] = str(error)
    except AlreadySubscribed as error:
        errors[form.RECIPIENT] = str(error)
    return None


def _saved_before(viewer: Viewer, choice: Choice, typed: Typed) -> Subscription | None:
    """What the first of two clicks on Save has made."""
    if choice.reason != choosing.TAKEN:
        return None
    found = Subscription.objects.filter(member=choice.member, created_by=viewer.member).first()
    same = found is not None and subscribing.scope_of(found) == typed.wanted
    return found if same else None


def _back_to_list(request: HttpRequest, viewer: Viewer, saved: Subscription) -> HttpResponse:
    alert = find(viewer, saved.pk)
    who = wording.whom(viewer, alert)
    verb = "get" if who == "You" else "gets"
    flash.done(request, f"{who} now {verb} mail about {wording.scope(alert)}.")
    address = reverse("alerts", args=[viewer.account.pk])
    return redirect(f"{address}?new={saved.pk}#alert-{saved.pk}")


def _context(
    viewer: Viewer, choices: Choices, choice: Choice | None, typed: Typed, errors: Errors
) -> dict[str, object]:
    chosen = None if choice is None or choice.reason else choice
    companies = None if chosen is None else _companies(viewer, chosen, typed)
    return {
        "menu": "alerts",
        "choices": RecipientChoices(choices, typed, chosen),
        "chosen": chosen,
        "typed": typed,
        "companies": companies,
        "errors": errors,
        "own": chosen is not None and chosen.member.pk == viewer.member.pk,
    }


def _companies(viewer: Viewer, choice: Choice, typed: Typed) -> CompanyChoices:
    rows: QuerySet[Company] = choosing.companies(viewer.person, choice.person)
    may_choose_all = permissions.may_choose_all(viewer.person, choice.person)
    if not typed.scope:
        typed = replace(typed, scope="all" if may_choose_all else "chosen")
    return CompanyChoices(rows, typed, may_choose_all)
