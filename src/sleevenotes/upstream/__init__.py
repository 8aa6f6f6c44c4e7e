"""The one door out: every request to another host leaves through here, paced, packed, retried and traced."""
