"""The vocabulary: immutable values without input or output. Import them from here or from their modules."""
