"""The pipe between clients and the engine, and the framing that it rests on."""
