"""The workstation's half that quantizes the networks and measures what was lost; never on the Pi."""
