"""The outbox: composing, delivering, and the built-in inbox. Decides nothing about notices."""
