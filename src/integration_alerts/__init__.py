"""Integration Alerts tells the right people when an integration breaks, until it is fixed."""

__version__ = "0.1.0"
