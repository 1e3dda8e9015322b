"""Pure decisions: a snapshot goes in, what to do comes out. No I/O, no clock, no chance."""
