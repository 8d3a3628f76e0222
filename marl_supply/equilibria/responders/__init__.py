"""What finds best responses; each public class in a file of its own goes by its name."""
