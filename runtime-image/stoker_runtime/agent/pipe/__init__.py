"""From the serving port to the engine and back, byte by byte."""
