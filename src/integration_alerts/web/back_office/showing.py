"""What every list and page of the back office has in common: it only shows.

Lists stay quick over tens of millions of rows: they are in the order of the ids, are searched by
what has an index, are filtered by nothing else, and count no further than `COUNTED`.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.db.models.expressions import Combinable
from django.forms import Media
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integration_alerts.directory.finding import begins, ids_of
from integration_alerts.directory.ids import LARGEST_ID

COUNTED = 1_000
_NAMED = 50

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
    _Inline = admin.TabularInline[Any, Any]
    _Pages = Paginator[Any]
else:
    _Admin, _Inline, _Pages = admin.ModelAdmin, admin.TabularInline, Paginator


class _Counted(_Pages):
    """Counts no further than a reader would turn pages."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, or `COUNTED`."""
        rows: Any = self.object_list
        return int(rows.order_by()[:COUNTED].count())


class _NewestFirst(ChangeList):
    """A list in the one order that has an index, whatever the address asks for."""

    def get_ordering(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[Any],  # noqa: ARG002
    ) -> list[str | Combinable]:
        """By id, the newest first."""
        return ["-pk"]


class Shown:
    """May be looked at by every operator; nothing may be added, changed or deleted."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether this request comes from an operator."""
        return bool(request.user.is_active and request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """All of it, for operators."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Never."""
        return False


class Rows(Shown, _Inline):
    """What belongs to the thing shown, as a table below it."""

    media = Media()

    template = "admin/rows.html"
    extra = 0
    max_num = 0
    can_delete = False


class Page(Shown, _Admin):
    """A model's list and pages."""

    found_by: ClassVar[tuple[str, ...]] = ()  # columns with an index of how they begin
    found_exactly: ClassVar[tuple[str, ...]] = ()  # columns with an index
    found_through: ClassVar[dict[str, tuple[type[Model], tuple[str, ...]]]] = {}
    part_of: ClassVar[tuple[str, ...]] = ()  # keys that other pages link to a list by
    actions_on_top = True
    list_max_show_all = 0
    list_per_page = 50
    media = Media(js=["admin/js/actions.js"])  # no form is edited: nothing else is needed
    paginator = _Counted
    search_fields = ("pk",)  # shows the field; `get_search_results` does the search
    show_full_result_count = False
    sortable_by = ()
    view_on_site = False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Who may use the few actions there are."""
        return self.has_module_permission(request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:  # noqa: ARG002
        """The list's order is not for choosing."""
        return _NewestFirst

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:  # noqa: ARG002
        """Only by the keys that pages link by: other columns may have no index."""
        return lookup in self.part_of

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: QuerySet[Any],
        search_term: str,
    ) -> tuple[QuerySet[Any], bool]:
        """The rows with this id, or of which a column is or begins with the term."""
        term = search_term.strip()
        if not term:
            return queryset, False
        condition = begins(self.found_by, term)
        for column in self.found_exactly:
            condition |= Q(**{column: term})
        for key, (parent, columns) in self.found_through.items():
            condition |= Q(**{f"{key}__in": ids_of(parent, columns, term)})
        if term.isascii() and term.isdigit():
            condition |= Q(pk=min(int(term[:20]), LARGEST_ID))
        return queryset.filter(condition), False


def listed(models: Iterable[type[Model]], key: str, value: object) -> SafeString:
    """Links to the lists of what belongs to the thing shown."""
    links = [
        (
            reverse(f"back_office:{model._meta.app_label}_{model._meta.model_name}_changelist"),
            key,
            value,
            str(model._meta.verbose_name_plural).capitalize(),
        )
        for model in models
    ]
    return format_html_join(", ", '<a href="{}?{}={}">{}</a>', links)


def linked(row: Model | None, text: str = "") -> SafeString | str:
    """A link to the page of another row."""
    if row is None:
        return "-"
    name = f"back_office:{row._meta.app_label}_{row._meta.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(name, args=[row.pk]), text or str(row))


def first_names(rows: QuerySet[Any]) -> str:
    """The names of the rows, or the first of them and that there are more."""
    names = [str(row) for row in rows[: _NAMED + 1]]
    more = " and more" if len(names) > _NAMED else ""
    return (", ".join(names[:_NAMED]) or "none") + more
