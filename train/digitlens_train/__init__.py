"""The workstation's half that fits the networks; never on the Pi."""
