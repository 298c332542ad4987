"""Settings for every test: the same examples in each run, unless a search for new ones is asked for."""

from hypothesis import HealthCheck, settings

_PATIENT = (HealthCheck.too_slow,)  # the machine may be busy

settings.register_profile(
    "repeatable", derandomize=True, deadline=None, database=None, max_examples=60, suppress_health_check=_PATIENT
)
settings.register_profile("search", deadline=None, database=None, max_examples=2_000, suppress_health_check=_PATIENT)
settings.load_profile("repeatable")
