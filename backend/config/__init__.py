"""Settings: read once at start-up from the environment and `.env`, frozen, passed on."""
