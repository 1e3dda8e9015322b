"""HTTP/1.1 heads and the framing of bodies (RFC 9112), out of bytes. No I/O."""
