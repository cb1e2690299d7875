"""The service: puts camera, live loop and outlets together; systemd, signals, logs, checks of the machine."""
