"""The service: systemd, signals, logs, checks of the machine; camera, loop and outlets put together."""
