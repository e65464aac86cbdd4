"""The world outside; each remote in a room of its own, speaking domain types inwards."""
