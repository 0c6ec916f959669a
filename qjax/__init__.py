"""qjax: a JAX quantum simulator and theory verifier."""
