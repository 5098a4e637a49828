"""What is doubtful in specs that load: ShellCheck on their scripts, and rules of bic's own."""
