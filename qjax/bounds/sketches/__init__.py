"""Phase-encoded sign sketches: simulation, exact laws, ROC curves."""
