"""Who is reachable: SWIM with Lifeguard, over records signed by their owners."""
