"""The model's process: many requests in, one forward pass after another, texts and likelihoods out."""
