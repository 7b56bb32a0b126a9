"""Carries batches of messages between peers in signed envelopes, over gRPC."""

import os

# gRPC's core writes to standard error past all logging; refused and lost connections are reported by us. It reads this
# once, when it is first imported, so it is set before any module of this package can import it.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
