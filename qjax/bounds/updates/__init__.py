"""Updates as channels on some qubits: inserts, deletes, rotations."""
