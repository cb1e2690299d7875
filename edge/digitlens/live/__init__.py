"""The live loop: tracking, change detection, motion, recording, statistics."""
