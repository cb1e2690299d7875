"""Where pictures are shown: `base` has the protocol, `registry` opens one by its name."""
