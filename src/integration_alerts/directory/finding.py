"""Finding rows by how an id, a name or an address begins, in any case.

Served by the indexes on the same expression, of which each searched column has one. Does not look
inside words: that would read whole tables.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import F, Model, Q, QuerySet
from django.db.models.functions import Collate, Lower
from django.db.models.lookups import StartsWith

_THROUGH = 200  # rows of a parent, such as members, whose own rows are looked for


def folded(column: str) -> Collate:
    """A column as the indexes hold it: in lower case, and compared byte by byte."""
    return Collate(Lower(F(column)), "C")


def begins(columns: Iterable[str], term: str) -> Q:
    """A condition: one of the columns begins with the term."""
    condition = Q(pk__in=())
    for column in columns:
        condition |= Q(StartsWith(folded(column), term.lower()))
    return condition


def ids_of(model: type[Model], columns: Iterable[str], term: str) -> list[int]:
    """The ids of the first rows of which a column begins with the term.

    Asked apart from what belongs to them, so that either question is a hit in an index.
    """
    rows: QuerySet[Any] = model._meta.default_manager.all()  # type: ignore[union-attr]
    return list(rows.filter(begins(columns, term)).values_list("pk", flat=True)[:_THROUGH])
