"""Times and states as every page shows them (design: state is never colour alone)."""

from datetime import UTC, datetime, tzinfo
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integration_alerts.rules.states import State
from integration_alerts.web.wording import ago, exact

register = template.Library()

# The same four shapes everywhere: filled square, half circle, ring, dash.
_SHAPES = {
    State.FAILED.value: '<rect x="2" y="2" width="12" height="12" rx="2" fill="currentColor"/>',
    State.PENDING.value: (
        '<path d="M8 2a6 6 0 0 0 0 12z" fill="currentColor"/>'
        '<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2"/>'
    ),
    State.ACTIVE.value: (
        '<circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" stroke-width="3"/>'
    ),
    State.DISABLED.value: '<rect x="2" y="6.5" width="12" height="3" fill="currentColor"/>',
}
_NEVER = '<circle cx="8" cy="8" r="2" fill="currentColor"/>'
WORDS = {state.value: state.value for state in State}


@register.simple_tag
def mark(state: str | None) -> SafeString:
    """A state as its mark, without words."""
    return format_html(
        '<svg class="mark {}" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">'
        "{}</svg>",
        state or "never",
        SafeString(_SHAPES.get(state or "", _NEVER)),
    )


@register.simple_tag
def state_label(state: str | None) -> SafeString:
    """A state as its mark and its word."""
    word = WORDS.get(state or "", "no report yet")
    return format_html('<span class="state {}">{} {}</span>', state or "never", mark(state), word)


@register.simple_tag(takes_context=True)
def when(context: dict[str, Any], moment: datetime) -> SafeString:
    """A time as people say it, with the exact one on hover and focus: zone of the reader and UTC.

    The exact one shows when the time, or the link or button around it, has the focus.
    """
    zone = _zone(context)
    return format_html(
        '<time class="when" datetime="{}">{}<span class="exact"> ({})</span></time>',
        moment.astimezone(UTC).isoformat(timespec="seconds"),
        ago(moment, context["now"], zone),
        exact(moment, zone),
    )


@register.simple_tag(takes_context=True)
def exactly(context: dict[str, Any], moment: datetime) -> SafeString:
    """A time in full: in the reader's zone, and in UTC on hover."""
    zone = _zone(context)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.astimezone(UTC).isoformat(timespec="seconds"),
        exact(moment, UTC),
        exact(moment, zone, with_utc=False),
    )


def _zone(context: dict[str, Any]) -> tzinfo:
    viewer = context.get("viewer")
    return UTC if not viewer else viewer.zone
