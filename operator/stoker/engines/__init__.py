"""How each engine is started. One profile a file."""

from collections.abc import Mapping

from stoker.api.v1alpha1.engine import EngineName
from stoker.core.engine import EngineProfile
from stoker.engines.custom import Custom
from stoker.engines.simulated import Simulated

PROFILES: Mapping[str, EngineProfile] = {EngineName.CUSTOM: Custom(), EngineName.SIMULATED: Simulated()}
