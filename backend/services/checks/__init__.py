"""What `tensoe doctor` looks at: one module per group of things; each answers findings and changes nothing."""
