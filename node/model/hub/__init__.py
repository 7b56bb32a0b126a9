"""Fetches models from a hub of models: spelling, requests, partial files, downloads."""
