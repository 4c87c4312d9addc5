"""What people look at: values in, text and HTML out."""
