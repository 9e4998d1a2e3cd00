"""The core: every input of a server goes in here, and its effects come out."""

from b2bua.core.core import Core
from b2bua.core.overview import LimitView, TrunkDetail, UserDetail, UserView
from b2bua.core.views import CallView, LegView, PolicyView, RegistrationView, TrunkView

__all__ = [
    "CallView",
    "Core",
    "LegView",
    "LimitView",
    "PolicyView",
    "RegistrationView",
    "TrunkDetail",
    "TrunkView",
    "UserDetail",
    "UserView",
]
