"""What holds for every test."""

from hypothesis import settings

# How long an example takes is a matter of what else the machine does. In CI hypothesis has no deadline by itself.
settings.register_profile("unhurried", deadline=None)
if settings.get_current_profile_name() == "default":
    settings.load_profile("unhurried")
