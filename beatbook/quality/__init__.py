"""The steward's desk: what the checks found, the queue, the decisions and their effect."""
