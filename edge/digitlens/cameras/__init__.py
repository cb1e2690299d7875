"""Where frames come from: `base` has the protocol, `registry` opens one by its name."""
