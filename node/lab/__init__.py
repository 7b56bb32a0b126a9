"""What a person runs on one machine: made-up questions, the training of the reference models, local federations."""
