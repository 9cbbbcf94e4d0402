"""Whether what a notice says is still so: one condition for composing, withdrawing and sending."""

# For a query that joins notice, incident and integration. A recovery (R10) speaks of the
# integration, every other notice of the stay in its incident's state (R4).
STANDS = """
CASE WHEN notice.step = 'recovery'
     THEN integration.deleted_at IS NULL
          AND (integration.state, integration.state_since) = (notice.state, notice.state_since)
     ELSE incident.closed_at IS NULL
          AND (incident.state, incident.state_since) = (notice.state, notice.state_since)
END"""
