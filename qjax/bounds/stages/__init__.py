"""The stages of a verification: each tries to refute, and says what it checked."""
