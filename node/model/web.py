"""What is known of HTTP wherever it is spoken here: which hosts are this machine, how long a server asks to wait."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether requests to this host stay on this machine, so that they need no encryption."""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait, 0 or more; None if it does not say, or not so that one could follow it.

    Source: RFC 9110 section 10.2.3 (seconds, or a date).
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
