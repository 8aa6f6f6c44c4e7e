"""SQL lives here and nowhere else: one module per noun, functions that take a connection first."""
