"""What users can ask for, without HTTP: one module per resource."""
