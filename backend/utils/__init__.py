"""What every layer may lean on: errors, text folding, logging, files. Knows nothing of music services or HTTP."""
