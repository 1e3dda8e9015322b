"""Whether a model fits a GPU: arithmetic on what is known of both."""
