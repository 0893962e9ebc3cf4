return "the project's own"
