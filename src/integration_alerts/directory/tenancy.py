"""Database constraints that keep every row inside its account (SPEC section 2: nothing crosses it).

A plain foreign key lets a row of one account point at a row of another. `SameAccount` makes the
account part of the key, so that PostgreSQL itself refuses it.
"""

from typing import Any

from django.db import models
from django.db.backends.ddl_references import Statement


class SameAccount(models.BaseConstraint):
    """`FOREIGN KEY (account_id, <field>) REFERENCES <target> (account_id, id)`.

    The target has a UniqueConstraint on (account, id). Declare the field itself with
    `db_constraint=False`: this key includes it.
    """

    def __init__(self, *, field: str, name: str) -> None:
        super().__init__(name=name)
        self.field = field

    def constraint_sql(self, model: Any, schema_editor: Any) -> None:  # type: ignore[override]
        """Add the key after the tables: the two may stand in one migration."""
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))

    def create_sql(self, model: Any, schema_editor: Any) -> Statement:  # type: ignore[override]
        """The statement that adds the key, checked at commit as Django's own keys are."""
        quote = schema_editor.quote_name
        field = model._meta.get_field(self.field)
        return Statement(
            "ALTER TABLE %(table)s ADD CONSTRAINT %(name)s "
            "FOREIGN KEY (account_id, %(column)s) REFERENCES %(target)s (account_id, id) "
            "DEFERRABLE INITIALLY DEFERRED",
            table=quote(model._meta.db_table),
            name=quote(self.name),
            column=quote(field.column),
            target=quote(field.related_model._meta.db_table),
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> Statement:  # type: ignore[override]
        """The statement that drops the key."""
        quote = schema_editor.quote_name
        return Statement(
            "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s",
            table=quote(model._meta.db_table),
            name=quote(self.name),
        )

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to do in Python: the database decides."""

    def deconstruct(self) -> tuple[str, tuple[()], dict[str, Any]]:
        """What a migration writes down."""
        path, _, kwargs = super().deconstruct()
        return path, (), {**kwargs, "field": self.field}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SameAccount):
            return NotImplemented
        return (self.name, self.field) == (other.name, other.field)

    def __hash__(self) -> int:
        return hash((self.name, self.field))


def account_key(name: str) -> models.UniqueConstraint:
    """The key (account, id) that `SameAccount` constraints of other tables refer to."""
    return models.UniqueConstraint(fields=["account", "id"], name=name)
