"""Federated voting alone: many slots, one after another, on quorum sets of many shapes, judged step by step."""
