"""The wire format that peers share, version 1: .proto files and their generated code."""
