"""Answer questions about named measures, each defined once, from a published version."""
