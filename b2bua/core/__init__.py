"""The core: every input of a server goes in here, and its effects come out."""

from b2bua.core.core import Core
from b2bua.core.views import CallView, LegView, PolicyView, RegistrationView, TrunkView

__all__ = ["CallView", "Core", "LegView", "PolicyView", "RegistrationView", "TrunkView"]
