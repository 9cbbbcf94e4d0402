"""Accounts, companies and users from directory lines: an idempotent upsert of one line each.

Integrations and subscriptions have lines too, but belong to layers above; so does what follows
from switching something off. Call inside a transaction.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings

from integration_alerts.directory.directory_lines import (
    AccountLine,
    Brand,
    CompanyLine,
    UserLine,
)
from integration_alerts.directory.lines import LineError
from integration_alerts.directory.models import Account, Assignment, Company, Member

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Saved:
    """What an account or company line did: its row, and whether it was switched off or on."""

    id: int
    switched_off: bool = False
    switched_on: bool = False


def save_account(line: AccountLine, now: datetime) -> Saved:
    """Make or change an account."""
    account = Account.objects.select_for_update(no_key=True).filter(external_id=line.id).first()
    if account is None:
        account = Account.objects.create(
            external_id=line.id,
            name=required(line.name, "name", "account"),
            time_zone=line.time_zone or "UTC",
            active=line.active is not False,
            created_at=now,
            group_wait=settings.CONFIGURATION.group_wait,
            group_interval=settings.CONFIGURATION.group_interval,
        )
        _set_up_mail(account, line)
        return Saved(account.pk)
    was_active = account.active
    _update(account, name=line.name, time_zone=line.time_zone, active=line.active)
    _set_up_mail(account, line)
    return _saved(account.pk, was_active=was_active, is_active=account.active)


def _set_up_mail(account: Account, line: AccountLine) -> None:
    brand = line.brand or Brand()
    _update(
        account,
        group_wait=line.group_wait,
        group_interval=line.group_interval,
        brand_name=brand.name,
        logo_url=brand.logo_url,
        brand_colour=brand.colour,
        reply_to=brand.reply_to,
    )


def save_company(line: CompanyLine) -> Saved:
    """Make or change a company."""
    account = find_account(line.account)
    companies = Company.objects.select_for_update(no_key=True)
    company = companies.filter(account=account, external_id=line.id).first()
    if company is None:
        company = Company.objects.create(
            account=account,
            external_id=line.id,
            name=required(line.name, "name", "company"),
            active=line.active is not False,
        )
        return Saved(company.pk)
    was_active = company.active
    _update(company, name=line.name, active=line.active)
    return _saved(company.pk, was_active=was_active, is_active=company.active)


def save_user(line: UserLine) -> None:
    """Make or change a member. An address that the platform sends counts as verified (R13).

    The same address once more changes nothing: the user may have another one since.
    """
    account = find_account(line.account)
    members = Member.objects.select_for_update(no_key=True)
    member = members.filter(account=account, external_id=line.id).first()
    if member is None:
        member = Member.objects.create(
            account=account,
            external_id=line.id,
            email=required(line.email, "email", "user"),
            platform_email=line.email or "",
            name=required(line.name, "name", "user"),
            role=required(line.role, "role", "user"),
            active=line.active is not False,
        )
    else:
        _update(member, name=line.name, role=line.role, active=line.active)
        # Sent once more it says nothing new, unless it is the address that is in use.
        if line.email is not None and (
            line.email != member.platform_email or line.email == member.email
        ):
            _update(member, email=line.email, platform_email=line.email, email_verified=True)
    if line.companies is not None:
        _assign(member, find_companies(account, line.companies))


def required(value: Value | None, field: str, kind: str) -> Value:
    """The value of a field that only an existing row may leave out; raises LineError."""
    if value is None:
        raise LineError(field, f"missing; a new {kind} needs one")
    return value


def find_account(external_id: str) -> Account:
    """The account with this id; raises LineError."""
    account = Account.objects.filter(external_id=external_id).first()
    if account is None:
        raise LineError("account", f"no account {external_id!r}; its line must come first")
    return account


def find_company(account: Account, external_id: str) -> Company:
    """The company of this account with this id; raises LineError."""
    return find_companies(account, [external_id], field="company")[0]


def find_companies(
    account: Account, external_ids: list[str], field: str = "companies"
) -> list[Company]:
    """The companies of this account with these ids; raises LineError for the first unknown one."""
    found = {
        company.external_id: company
        for company in Company.objects.filter(account=account, external_id__in=external_ids)
    }
    for external_id in external_ids:
        if external_id not in found:
            raise LineError(
                field,
                f"no company {external_id!r} in account {account.external_id!r}; "
                "its line must come first",
            )
    return list(found.values())


def _assign(member: Member, companies: list[Company]) -> None:
    wanted = {company.pk for company in companies}
    current = set(Assignment.objects.filter(member=member).values_list("company_id", flat=True))
    Assignment.objects.filter(member=member, company__in=current - wanted).delete()
    Assignment.objects.bulk_create(
        [
            Assignment(account_id=member.account_id, member=member, company_id=company)
            for company in sorted(wanted - current)
        ],
        ignore_conflicts=True,
    )


def _update(row: Any, **values: Any) -> None:
    changed = {
        name: value
        for name, value in values.items()
        if value is not None and getattr(row, name) != value
    }
    for name, value in changed.items():
        setattr(row, name, value)
    if changed:
        row.save(update_fields=[*changed])


def _saved(row_id: int, *, was_active: bool, is_active: bool) -> Saved:
    return Saved(row_id, was_active and not is_active, is_active and not was_active)
