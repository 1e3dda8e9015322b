"""Places that hold weights, served on loopback and as unruly as told. The standard library is all they need."""
