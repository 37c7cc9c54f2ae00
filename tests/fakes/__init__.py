"""Stand-ins for the services, in their wires' true form, over made-up music; served on loopback."""
