"""What is said about a line besides its words."""
