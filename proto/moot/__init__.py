"""The wire format that peers share."""
