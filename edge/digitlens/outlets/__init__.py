"""Where readings go: the outbox that they are sent from, and each kind of outlet in a module of its own."""
