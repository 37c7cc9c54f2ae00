"""HTTP: what comes in is checked, handed to a service, and answered in the form asked for."""
