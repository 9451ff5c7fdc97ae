"""From the feed's text to the incidents table: every row accepted, or rejected with a reason."""

from beatbook.incidents.cleaning import Cleaned, clean

__all__ = ["Cleaned", "clean"]
