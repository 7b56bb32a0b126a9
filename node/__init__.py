"""What one peer is: identity, gossip, transport, model, store, gateways, command line."""
