"""Pictures that only a report draws: each takes a table and draws it."""
