"""The one exception of this package. Carries text for people, no codes to branch on."""


class EmbeddedPostgresError(Exception):
    """The embedded database cannot be used; the message is one line that says what to do."""
