"""How engines are started, and what is read of their metrics."""
