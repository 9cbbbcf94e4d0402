"""Pages that only operators may open."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden

from integration_alerts.engine.operators import may_operate

Rest = ParamSpec("Rest")
View = Callable[Concatenate[HttpRequest, Rest], HttpResponse]


def operators_only(view: View[Rest]) -> View[Rest]:
    """Let operators in; others are asked to sign in, signed-in others get 403."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        if may_operate(request):
            return view(request, *args, **kwargs)
        if request.user.is_authenticated:
            return HttpResponseForbidden("Only operators may open this page.")
        return redirect_to_login(request.get_full_path())

    return cast("View[Rest]", guarded)
