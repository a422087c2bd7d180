"""Who brings whom: referral value beside lifetime value, the four classes, their road map, and two claims."""

from .analysis import ReferralValue, analyse
from .settings import Settings

__all__ = ["ReferralValue", "Settings", "analyse"]
