"""Reports of verifications as data, HTML, Markdown and JSON."""
