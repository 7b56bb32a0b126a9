"""Membership alone, with up to ten thousand production cores on virtual time: how fast, how sure and how dear it is."""
